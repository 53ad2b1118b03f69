// What must hold after any script.
#include <sys/ioctl.h>

#include <cstdio>
#include <cstdlib>

#include "lib/script.h"

namespace weir {

namespace {

void require(bool holds, const char* what, const std::string& about = "") {
  if (holds) return;
  std::fprintf(stderr, "%s: %s\n", what, about.c_str());
  abort();
}

bool has_unread(const Stream& stream) {
  int bytes = 0;
  return stream.valid() && ::ioctl(stream.fd(), FIONREAD, &bytes) == 0 && bytes > 0;
}

bool client_is_stuck(const ClientConnection& c) {
  using State = ClientConnection::State;
  if (!has_unread(c.stream)) return false;
  if (c.state == State::idle || c.state == State::head || c.state == State::lingering) return true;
  if (c.state != State::exchange || c.exchange->request_complete || !c.exchange->upstream) return false;
  const Exchange& ex = *c.exchange;
  return (ex.stage == Exchange::Stage::sending || ex.stage == Exchange::Stage::responding) && !ex.upstream->blocked();
}

bool server_is_stuck(const UpstreamConnection& u) {
  if (!u.exchange || u.state != UpstreamConnection::State::leased) return false;
  const Exchange& ex = *u.exchange;
  const bool reads = ex.stage == Exchange::Stage::sending || ex.stage == Exchange::Stage::responding;
  return reads && !ex.client->blocked() && has_unread(u.stream);
}

bool tunnel_is_stuck(const Tunnel& t) {
  // One that breaks reads no more, and waits for time to pass.
  if (t.state == Tunnel::State::breaking) return false;
  for (int from = 0; from < 2; ++from)
    if (t.sides[1 - from].out.empty() && has_unread(t.sides[from].stream)) return true;
  return false;
}

}  // namespace

// At rest, with both ends reading, nothing that could be moved is left in a socket.
void Script::check_progress() {
  for (Client& c : clients_) c.peer.stalled = false;
  for (Peer& server : servers_) server.stalled = false;
  settle();
  const char* stuck = nullptr;
  (void)bed_.until([&] {
    look_around();
    stuck = nullptr;
    bed_.engine.forwarder.clients.each([&](ClientConnection* c) { if (client_is_stuck(*c)) stuck = "a client's bytes are not read"; });
    bed_.engine.pool.connections.each([&](UpstreamConnection* u) { if (server_is_stuck(*u)) stuck = "a server's bytes are not read"; });
    bed_.engine.tunnels.tunnels.each([&](Tunnel* t) { if (tunnel_is_stuck(*t)) stuck = "a tunnel's bytes are not read"; });
    return stuck == nullptr;
  });
  require(stuck == nullptr, "stuck", stuck ? stuck : "");
  settle();
}

// Up to the request that turned the connection into a tunnel.
Messages Script::received_by(const Peer& server) const {
  const Messages requests = read_requests(server.received);
  std::vector<Method> methods;
  for (const Message& m : requests.all) methods.push_back(m.method);
  const Messages responses = read_responses(server.sent, methods, server.closed_in_order);
  const bool switched = !responses.all.empty() && responses.all.back().status == 101;
  return switched ? read_requests(server.received, responses.all.size()) : requests;
}

void Script::check_servers() {
  std::vector<unsigned> seen(entries_.size());
  for (const Peer& server : servers_) {
    const Messages got = received_by(server);
    require(!got.malformed, "a server got bytes that are no strictly framed request", got.why + "\n" + server.received);
    for (const Message& m : got.all) {
      const size_t id = size_t(std::atol(m.field("x-request-id").c_str()));
      require(m.count("x-request-id") == 1 && id < entries_.size(), "a server got a request that nobody sent", m.line);
      require(m.count("host") == 1, "a server got a request without one Host", m.line);
      require(++seen[id] == 1 || is_idempotent(m.method), "a request that is not idempotent was sent twice", m.line);
      if (m.complete) check_request(m);
    }
  }
}

// A whole request at a server was whole at its client, and is the same.
void Script::check_request(const Message& at_server) {
  const Entry& e = entries_[size_t(std::atol(at_server.field("x-request-id").c_str()))];
  const Messages sent = read_requests(clients_[e.client].peer.sent);
  require(e.order < sent.all.size(), "a request was made up", at_server.line);
  const Message& original = sent.all[e.order];
  require(original.complete, "a request that its client cut looks whole to a server", at_server.line);
  require(original.method == at_server.method && original.body == at_server.body, "a request was changed on its way", at_server.line);
}

// Of the requests that were decided on. The refusal of one that was not may come before its method was read, so it has a body.
std::vector<Method> Script::methods_of(size_t client) const {
  std::vector<Method> methods;
  for (const Entry& e : entries_)
    if (e.client == client) methods.push_back(e.method);
  return methods;
}

void Script::check_clients() {
  for (size_t i = 0; i < clients_.size(); ++i) {
    const Peer& peer = clients_[i].peer;
    const Messages got = read_responses(peer.received, methods_of(i), peer.ended && !peer.broken);
    const bool tunnel = !got.all.empty() && got.all.back().status == 101;
    require(tunnel || !got.malformed, "a client got bytes that are no strictly framed response", got.why + "\n" + peer.received);
    for (size_t order = 0; order < got.all.size(); ++order)
      if (got.all[order].complete && got.all[order].count("x-exchange") > 0) check_response(got.all[order], i, order);
  }
}

// A whole response at a client answers its own request, and was whole at the server that sent it.
void Script::check_response(const Message& at_client, size_t client, size_t order) {
  const std::string id = at_client.field("x-exchange");
  require(at_client.count("x-exchange") == 1 && size_t(std::atol(id.c_str())) < entries_.size(), "a response of unknown origin", id);
  const Entry& e = entries_[size_t(std::atol(id.c_str()))];
  require(e.client == client && e.order == order, "a response answers another request", at_client.line);
  // A socket pair knows no reset, so an HTTP/1.0 client on it cannot tell a cut body from a whole one.
  const bool ends_with_connection = at_client.count("content-length") == 0 && at_client.count("transfer-encoding") == 0;
  if (ends_with_connection && !tcp_clients_) return;
  require(some_server_sent(at_client, e, id), "a response that no server sent whole looks whole to its client", at_client.line + "\n" + at_client.body);
}

bool Script::some_server_sent(const Message& wanted, const Entry& entry, const std::string& id) {
  for (const Peer& server : servers_) {
    const Messages requests = received_by(server);
    std::vector<Method> methods;
    for (const Message& m : requests.all) methods.push_back(m.method);
    const size_t seen = methods.size();
    // A server may have answered and left before it read a request.
    methods.resize(seen + 8, entry.method);
    const Messages sent = read_responses(server.sent, methods, server.closed_in_order);
    for (size_t i = 0; i < sent.all.size(); ++i) {
      const Message& m = sent.all[i];
      if (i < seen && requests.all[i].field("x-request-id") != id) continue;
      if (m.complete && m.status == wanted.status && m.body == wanted.body) return true;
    }
  }
  return false;
}

}  // namespace weir
