// Connections from accept until it is known what they are: PROXY headers and ClientHellos in any number of pieces, refusals,
// deadlines, limits per address, and the hand-over with everything that came along.
#include <string>
#include <vector>

#include "check.h"
#include "lib/flow.h"
#include "lib/messages.h"

using namespace weir;
using namespace std::string_literals;

namespace {

std::string vec(int width, const std::string& content) {
  std::string bytes;
  for (int i = width; i-- > 0;) bytes += char(content.size() >> (8 * i));
  return bytes + content;
}

std::string hello_of(const std::string& name) {
  const std::string sni = "\0\0"s + vec(2, vec(2, "\0"s + vec(2, name)));
  const std::string body = "\x03\x03" + std::string(32, 'r') + vec(1, "") + vec(2, "\x13\x01") + vec(1, "\0"s) + vec(2, sni);
  return "\x16\x03\x01" + vec(2, "\x01" + vec(3, body));
}

const std::string kHello = hello_of("db.example");
const std::string kLine = "PROXY TCP4 192.0.2.7 198.51.100.1 4711 443\r\n";
const std::string kBinary = "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x07\xc6\x33\x64\x01\x12\x67\x01\xbb"s;

void want_proxy_header(Flow& flow) {
  flow.bed.listener().proxy_protocol = true;
  CHECK(flow.bed.listener().trusted.add("127.0.0.0/8"));
  CHECK(flow.bed.listener().trusted.add("10.0.0.0/8"));
}

std::string text_of(const PeerIp& ip) {
  char out[48];
  return std::string(out, ip.print(out));
}

// What the decider was told of each L4 connection: "address port name".
void listen_to_decisions(Flow& flow, std::vector<std::string>& told) {
  flow.bed.decider.on_tunnel = [&flow, &told](Tunnel& t, const ClientHello& hello) {
    told.push_back(text_of(t.origin.ip) + " " + std::to_string(t.origin.port) + " " + hello.server_name);
    return flow.bed.decider.tunnel();
  };
}

// Sends `wire` in the pieces that `cuts` make, with a turn of the engine after each.
void send_cut(Flow& flow, const std::string& wire, const std::vector<size_t>& cuts) {
  size_t at = 0;
  for (size_t cut : cuts) {
    flow.client.send(wire.substr(at, cut - at));
    flow.bed.run();
    at = cut;
  }
  flow.client.send(wire.substr(at));
}

// What comes in very many pieces is looked at every few milliseconds only.
void pass_time(Flow& flow) { flow.bed.advance(5); }

std::vector<size_t> every_byte(const std::string& wire) {
  std::vector<size_t> cuts;
  for (size_t i = 1; i < wire.size(); ++i) cuts.push_back(i);
  return cuts;
}

int refusals(Flow& flow, int reason) {
  return int(flow.bed.engine.rt.listener_cell(0, abi::listener_counter::refused_untrusted_proxy + reason));
}

// A client whose first bytes end the connection; why, as the decider was told.
std::string refused(Flow& flow, const std::string& bytes, bool ends = false) {
  flow.bed.decider.last_refusal = "nothing";
  flow.client = flow.bed.connect();
  flow.client.send(bytes);
  if (ends) flow.client.half_close();
  CHECK(flow.bed.until([&] { return flow.client.pump(), flow.client.ended; }));
  CHECK_EQ(flow.bed.usage().arrivals, 0u);
  return flow.bed.decider.last_refusal;
}

}  // namespace

TEST("a PROXY header and a ClientHello may come in any two pieces, and every byte but the header reaches the server") {
  for (const std::string& header : {""s, kLine, kBinary}) {
    const std::string wire = header + kHello + "early data";
    Flow flow(abi::protocol::tls);
    if (!header.empty()) want_proxy_header(flow);
    std::vector<std::string> told;
    listen_to_decisions(flow, told);
    for (size_t cut = 0; cut <= wire.size(); ++cut) {
      told.clear();
      flow.client = flow.bed.connect_pair(99);
      flow.server = Peer();
      send_cut(flow, wire, cut == wire.size() ? every_byte(wire) : std::vector<size_t>{cut});
      CHECK(flow.wait([&] { return pass_time(flow), flow.server.received.size() == wire.size() - header.size(); }));
      CHECK(flow.server.received == kHello + "early data");
      CHECK_EQ(told.size(), 1u);
      CHECK_EQ(told.empty() ? "" : told[0], (header.empty() ? "10.1.0.1 99" : "192.0.2.7 4711") + " db.example"s);
      flow.client.close();
      flow.server.close();
      CHECK(flow.bed.until([&] { return flow.bed.usage().tunnels == 0; }));
    }
    flow.expect_clean();
  }
}

TEST("a PROXY header before plain TCP may come with what follows it, or long before it") {
  for (const std::string& header : {kLine, kBinary}) {
    for (const size_t cut : {size_t(5), header.size() - 1, header.size(), header.size() + 3}) {
      Flow flow;
      want_proxy_header(flow);
      std::vector<std::string> told;
      listen_to_decisions(flow, told);
      flow.client = flow.bed.connect();
      send_cut(flow, header + "question", {cut});
      CHECK(flow.wait([&] { return flow.server.received == "question"; }));
      CHECK(told == std::vector<std::string>{"192.0.2.7 4711 "});
      CHECK_EQ(flow.bed.usage().arrivals, 0u);
      flow.expect_clean();
    }
  }
}

TEST("a client that ends with its first bytes is served all the same") {
  Flow flow(abi::protocol::tls);
  want_proxy_header(flow);
  flow.client = flow.bed.connect();
  flow.client.send(kBinary + kHello + "all");
  flow.client.half_close();
  CHECK(flow.wait([&] { return flow.server.ended; }));
  CHECK(flow.server.received == kHello + "all");
  flow.server.send("answer");
  flow.server.half_close();
  CHECK(flow.wait([&] { return flow.client.ended; }));
  CHECK_EQ(flow.client.received, "answer");
  flow.expect_clean();
}

TEST("a client on a unix socket that has left already is heard out") {
  Flow flow(abi::protocol::tls);
  flow.client = flow.bed.connect_pair();
  flow.client.send(kHello + "note");
  flow.client.close();
  CHECK(flow.wait([&] { return flow.server.ended; }));
  CHECK(flow.server.received == kHello + "note");
  flow.expect_clean();
}

TEST("a server behind us is told what the PROXY header in front of us said") {
  Flow flow;
  want_proxy_header(flow);
  flow.bed.tunnel_plan.send_proxy = ProxyVersion::v1;
  flow.client = flow.bed.connect();
  flow.client.send(kBinary + "x");
  CHECK(flow.wait([&] { return flow.server.got("x"); }));
  CHECK_EQ(flow.server.received, kLine + "x");
  flow.expect_clean();
}

TEST("an HTTP connection behind a PROXY header is its client's") {
  for (const std::string& header : {kLine, kBinary}) {
    for (const size_t cut : {size_t(0), size_t(7), header.size(), header.size() + 9}) {
      Flow flow(abi::protocol::http);
      want_proxy_header(flow);
      flow.client = flow.bed.connect();
      send_cut(flow, header + "GET /a HTTP/1.1\r\nHost: a\r\n\r\n", {cut});
      CHECK(flow.wait([&] { return flow.server.got("\r\n\r\n"); }));
      const Messages requests = read_requests(flow.server.received);
      CHECK(!requests.all.empty());
      if (requests.all.empty()) continue;
      CHECK_EQ(requests.all[0].field("x-forwarded-for"), "192.0.2.7");
      flow.server.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      CHECK(flow.wait([&] { return flow.client.got("\r\n\r\nok"); }));
      // The header begins the connection, not each request.
      flow.client.send("GET /b HTTP/1.1\r\nHost: a\r\n\r\n");
      CHECK(flow.wait([&] { return flow.server.got("GET /b"); }));
      flow.expect_clean();
    }
  }
}

TEST("a peer that is not trusted may not even begin") {
  for (const int protocol : {abi::protocol::http, abi::protocol::tcp, abi::protocol::tls}) {
    Flow flow(protocol);
    flow.bed.listener().proxy_protocol = true;
    CHECK(flow.bed.listener().trusted.add("192.0.2.0/24"));
    flow.client = flow.bed.connect();
    CHECK(flow.bed.until([&] { return flow.client.pump(), flow.client.ended; }));
    CHECK_EQ(refusals(flow, abi::refusal::untrusted_proxy), 1);
    CHECK_EQ(flow.bed.decider.decided, 0u);
    flow.expect_clean();
  }
}

TEST("without anybody who is trusted, nobody is") {
  Flow flow;
  flow.bed.listener().proxy_protocol = true;
  CHECK_EQ(refused(flow, kLine), "");
  CHECK_EQ(refusals(flow, abi::refusal::untrusted_proxy), 1);
  flow.expect_clean();
}

TEST("what is no PROXY header is refused, and the reason is told") {
  Flow flow;
  want_proxy_header(flow);
  CHECK(refused(flow, "GET / HTTP/1.1\r\n") != "nothing");
  CHECK(refused(flow, "PROXY TCP4 1.2.3.4\r\n") != "nothing");
  CHECK(refused(flow, "\r\n\r\n\0\r\nQUIT\n\x31\x11\0\x0c"s) != "nothing");
  CHECK_EQ(refused(flow, "PROXY TCP4 1.2", true), "it ended in the PROXY header");
  CHECK_EQ(refusals(flow, abi::refusal::proxy_header), 4);
  CHECK_EQ(flow.bed.decider.decided, 0u);
  flow.expect_clean();
}

TEST("what is no ClientHello is refused, behind a PROXY header as well") {
  Flow flow(abi::protocol::tls);
  CHECK_EQ(refused(flow, "GET / HTTP/1.1\r\n"), "not TLS");
  CHECK_EQ(refused(flow, kHello.substr(0, 40), true), "it ended in the ClientHello");
  want_proxy_header(flow);
  CHECK_EQ(refused(flow, kLine + "GET / HTTP/1.1\r\n"), "not TLS");
  CHECK_EQ(refused(flow, kLine + kHello.substr(0, 40), true), "it ended in the ClientHello");
  CHECK_EQ(refusals(flow, abi::refusal::client_hello), 4);
  flow.expect_clean();
}

TEST("a peer that leaves without a word is nobody's fault") {
  for (const bool resets : {false, true}) {
    Flow flow(abi::protocol::tls);
    want_proxy_header(flow);
    flow.client = flow.bed.connect();
    CHECK_EQ(flow.bed.usage().arrivals, 1u);
    if (resets) flow.client.reset();
    else flow.client.half_close();
    CHECK(flow.bed.until([&] { return flow.bed.usage().arrivals == 0; }));
    CHECK(flow.bed.decider.refusals.empty());
    flow.expect_clean();
  }
}

TEST("first bytes have the header timeout, from accept on, and trickling does not extend it") {
  for (const bool behind_proxy : {false, true}) {
    Flow flow(abi::protocol::tls);
    if (behind_proxy) want_proxy_header(flow);
    flow.bed.listener().header_ms = 1000;
    flow.client = flow.bed.connect();
    const std::string wire = (behind_proxy ? kLine : "") + kHello;
    for (size_t i = 0; i < 9; ++i) {
      flow.client.send(wire.substr(i, 1));
      flow.bed.advance(105);
    }
    CHECK_EQ(flow.bed.usage().arrivals, 1u);
    flow.bed.advance(100);
    CHECK_EQ(flow.bed.usage().arrivals, 0u);
    CHECK_EQ(flow.bed.decider.last_refusal, behind_proxy ? "no PROXY header in time" : "no ClientHello in time");
    CHECK_EQ(refusals(flow, abi::refusal::too_slow), 1);
    flow.expect_clean();
  }
}

TEST("arrivals cost no buffer") {
  Flow flow(abi::protocol::tls);
  flow.client = flow.bed.connect();
  flow.client.send(kHello.substr(0, kHello.size() - 1));
  flow.bed.run();
  CHECK_EQ(flow.bed.usage().arrivals, 1u);
  CHECK_EQ(flow.bed.usage().buffers, 0u);
  flow.expect_clean();
}

TEST("an address has only so many connections at a time") {
  for (const int protocol : {abi::protocol::http, abi::protocol::tcp, abi::protocol::tls}) {
    Flow flow(protocol);
    flow.bed.listener().connections_per_ip = 2;
    Peer first = flow.bed.connect(), second = flow.bed.connect();
    flow.client = flow.bed.connect();
    CHECK(flow.bed.until([&] { return flow.client.pump(), flow.client.ended; }));
    CHECK_EQ(refusals(flow, abi::refusal::address_limit), 1);
    // Others are not concerned.
    Peer elsewhere = flow.bed.connect_pair();
    CHECK(flow.bed.run());
    elsewhere.pump();
    CHECK(!elsewhere.ended);
    second.reset();
    CHECK(flow.bed.until([&] { return flow.bed.usage().connections == 2; }));
    flow.client = flow.bed.connect();
    CHECK(flow.bed.run());
    flow.client.pump();
    CHECK(!flow.client.ended);
    first.reset();
    elsewhere.reset();
    flow.expect_clean();
    CHECK_EQ(flow.bed.engine.rt.addresses.count(flow.bed.engine.rt.addresses.key_of(PeerIp().bytes, false, 0)), 0u);
  }
}

TEST("behind a PROXY header the limit is that of the client's address, not the proxy's") {
  Flow flow;
  want_proxy_header(flow);
  flow.bed.listener().connections_per_ip = 1;
  std::vector<Peer> clients;
  for (const char* from : {"192.0.2.1", "192.0.2.2", "192.0.2.3"}) {
    clients.push_back(flow.bed.connect());
    clients.back().send("PROXY TCP4 "s + from + " 198.51.100.1 4711 443\r\n");
  }
  CHECK(flow.bed.until([&] { return flow.bed.usage().tunnels == 3; }));
  flow.client = flow.bed.connect();
  flow.client.send("PROXY TCP4 192.0.2.2 198.51.100.1 4712 443\r\n");
  CHECK(flow.bed.until([&] { return flow.client.pump(), flow.client.ended; }));
  CHECK_EQ(refusals(flow, abi::refusal::address_limit), 1);
  clients[1].reset();
  CHECK(flow.bed.until([&] { return flow.bed.usage().tunnels == 2; }));
  flow.client = flow.bed.connect();
  flow.client.send("PROXY TCP4 192.0.2.2 198.51.100.1 4713 443\r\n");
  CHECK(flow.bed.until([&] { return flow.bed.usage().tunnels == 3; }));
  clients.clear();
  flow.expect_clean();
}

TEST("a limit that changes while connections are open leaves the counts right") {
  Flow flow;
  Peer before = flow.bed.connect();
  flow.bed.listener().connections_per_ip = 1;
  Peer counted = flow.bed.connect();
  CHECK(flow.bed.run());
  CHECK_EQ(flow.bed.usage().tunnels, 2u);
  before.reset();
  CHECK(flow.bed.until([&] { return flow.bed.usage().tunnels == 1; }));
  flow.client = flow.bed.connect();
  CHECK(flow.bed.until([&] { return flow.client.pump(), flow.client.ended; }));
  flow.bed.listener().connections_per_ip = 0;
  counted.reset();
  CHECK(flow.bed.until([&] { return flow.bed.usage().tunnels == 0; }));
  flow.bed.listener().connections_per_ip = 1;
  flow.client = flow.bed.connect();
  CHECK(flow.bed.run());
  CHECK_EQ(flow.bed.usage().tunnels, 1u);
  flow.expect_clean();
}

TEST("an upgraded exchange keeps its place among those of its address") {
  Flow flow(abi::protocol::http);
  flow.bed.listener().connections_per_ip = 1;
  flow.client = flow.bed.connect();
  flow.client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n");
  CHECK(flow.wait([&] { return flow.server.got("\r\n\r\n"); }));
  flow.server.send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n");
  CHECK(flow.wait([&] { return flow.bed.usage().tunnels == 1 && flow.client.got("101"); }));
  Peer second = flow.bed.connect();
  CHECK(flow.bed.until([&] { return second.pump(), second.ended; }));
  flow.client.reset();
  CHECK(flow.bed.until([&] { return flow.is_over(); }));
  second = flow.bed.connect();
  CHECK(flow.bed.run());
  second.pump();
  CHECK(!second.ended);
  second.reset();
  flow.expect_clean();
}

TEST("whoever has not said what it is when weir stops gets a second more") {
  Flow flow(abi::protocol::tls);
  flow.bed.listener().header_ms = 60'000;
  Peer silent = flow.bed.connect(), half = flow.bed.connect();
  flow.client = flow.bed.connect();
  half.send(kHello.substr(0, 20));
  CHECK(flow.bed.run());
  flow.bed.engine.drain();
  flow.bed.advance(500);
  CHECK_EQ(flow.bed.usage().arrivals, 3u);
  flow.client.send(kHello);
  CHECK(flow.wait([&] { return flow.server.received == kHello; }));
  flow.bed.advance(510);
  CHECK_EQ(flow.bed.usage().arrivals, 0u);
  // Who said nothing is not worth a word; the other one is.
  CHECK_EQ(refusals(flow, abi::refusal::too_slow), 1);
  CHECK_EQ(flow.bed.usage().tunnels, 1u);
  silent.close();
  half.close();
  flow.expect_clean();
}

TEST("arrivals are closed with the engine") {
  Flow flow(abi::protocol::tls);
  flow.client = flow.bed.connect();
  flow.bed.engine.close_all();
  CHECK(flow.bed.until([&] { return flow.client.pump(), flow.client.ended; }));
  flow.expect_clean();
}

TEST("a ClientHello of 64 KiB comes through") {
  Flow flow(abi::protocol::tls);
  const std::string sni = "\0\0"s + vec(2, vec(2, "\0"s + vec(2, "big.example")));
  std::string extensions = sni;
  for (int i = 0; i < 20; ++i) extensions += "\x7f"s + char(i) + vec(2, std::string(3000, 'e'));
  const std::string content = "\x01" + vec(3, "\x03\x03" + std::string(32, 'r') + vec(1, "") + vec(2, "\x13\x01") + vec(1, "\0"s) + vec(2, extensions));
  std::string wire;
  for (size_t at = 0; at < content.size(); at += 16'000) wire += "\x16\x03\x01" + vec(2, content.substr(at, 16'000));
  std::vector<std::string> told;
  listen_to_decisions(flow, told);
  flow.client = flow.bed.connect();
  for (size_t at = 0; at < wire.size(); at += 700) {
    flow.client.send(wire.substr(at, 700));
    flow.bed.turn();
  }
  CHECK(flow.wait([&] { return pass_time(flow), flow.server.received.size() == wire.size(); }));
  CHECK(flow.server.received == wire);
  CHECK_EQ(told.size(), 1u);
  flow.expect_clean();
}
