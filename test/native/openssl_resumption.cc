// TLS sessions that are resumed: with tickets under shared keys, by id through the board, and never where they do not belong.
#include <algorithm>
#include <cstring>
#include <string>

#include "check.h"
#include "openssl_pair.h"
#include "stats/board.h"

using namespace weir;
using certificates::usual;

namespace {

using Kind = IoResult::Kind;

TicketKey key_of(unsigned char fill) {
  TicketKey key;
  memset(&key, fill, sizeof key);
  return key;
}

// One of the workers, with options of its own.
struct Worker {
  explicit Worker(TlsServerOptions o = usual_server_options(), SessionCache* sessions = nullptr) : options(std::move(o)) {
    pairs.worker.sessions = sessions;
    pairs.server = make_server(pairs.worker, options);
  }
  Worker(TlsServerOptions o, const std::vector<TicketKey>& keys) : Worker(std::move(o)) { pairs.worker.use_keys(std::vector<TicketKey>(keys)); }

  TlsServerOptions options;
  TlsPairs pairs;
};

// A client that remembers its latest session.
struct Customer {
  explicit Customer(int version, bool with_tickets = true) : version(version), with_tickets(with_tickets) {}

  // "full", "resumed" or "failed", as both ends see it.
  std::string visit(Worker& worker, bool resumes = true) {
    SslContext context = client_peer_context(version);
    if (!with_tickets) SSL_CTX_set_options(context.get(), SSL_OP_NO_TICKET);
    if (worker.options.client_auth != abi::client_auth::off) show_certificate(context.get(), usual().client);
    TlsPair pair = worker.pairs.serve(std::move(context));
    if (session && resumes) SSL_set_session(pair.peer.ssl(), session.get());
    if (pair.shake_hands() != Kind::ok) return "failed";
    pair.peer.pump();
    pair.peer.send("hello");
    CHECK_EQ(pair.read().kind, Kind::would_block);
    CHECK_EQ(pair.received, "hello");
    CHECK_EQ(pair.session->is_resumed(), bool(SSL_session_reused(pair.peer.ssl())));
    subject = pair.session->peer() ? pair.session->peer()->subject : "";
    session.reset(SSL_get1_session(pair.peer.ssl()));
    // OpenSSL takes a connection that is not closed in order for a reason to forget its session.
    SSL_set_shutdown(pair.peer.ssl(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    return pair.session->is_resumed() ? "resumed" : "full";
  }
  // The first byte of the key's name.
  int ticket_key() const {
    const unsigned char* ticket = nullptr;
    size_t size = 0;
    SSL_SESSION_get0_ticket(session.get(), &ticket, &size);
    return size > 0 ? ticket[0] : -1;
  }
  std::string ticket() const {
    const unsigned char* ticket = nullptr;
    size_t size = 0;
    SSL_SESSION_get0_ticket(session.get(), &ticket, &size);
    return {reinterpret_cast<const char*>(ticket), size};
  }

  int version;
  bool with_tickets;
  SslSession session;
  std::string subject;
};

TlsServerOptions in_context(const std::string& name) {
  TlsServerOptions o = usual_server_options();
  o.session_context = name;
  return o;
}

struct SharedBoard {
  SharedBoard() { CHECK(board.map(-1, 1, 0)); }
  [[nodiscard]] bool is_untouched() const {
    const auto* words = reinterpret_cast<const uint64_t*>(board.tls_sessions());
    return std::all_of(words, words + size_t(abi::board::tls_sessions) * abi::board::tls_session_bytes / 8, [](uint64_t word) { return word == 0; });
  }
  Board board;
  SessionCache first{board}, second{board};
};

}  // namespace

TEST("a TLS ticket of one worker is taken by another with the same keys, and by none with others") {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    Worker one(usual_server_options(), {key_of(1)}), two(usual_server_options(), {key_of(1)}), stranger;
    Customer customer(version);
    CHECK_EQ(customer.visit(one), "full");
    CHECK_EQ(customer.ticket_key(), 1);
    CHECK_EQ(customer.visit(two), "resumed");
    CHECK_EQ(customer.visit(one), "resumed");
    CHECK_EQ(customer.visit(stranger), "full");
    CHECK_EQ(customer.visit(one), "full");
  }
}

TEST("whoever resumes TLS 1.3 gets a new ticket, as each is good for one connection") {
  Worker worker;
  Customer customer(TLS1_3_VERSION);
  CHECK_EQ(customer.visit(worker), "full");
  for (int i = 0; i < 4; ++i) {
    const std::string before = customer.ticket();
    CHECK_EQ(customer.visit(worker), "resumed");
    CHECK(customer.ticket() != before);
  }
}

TEST("a TLS ticket under the old key is taken, and replaced by one under the new key") {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    Worker worker(usual_server_options(), {key_of(1)});
    Customer customer(version);
    CHECK_EQ(customer.visit(worker), "full");
    worker.pairs.worker.use_keys({key_of(2), key_of(1)});
    CHECK_EQ(customer.visit(worker), "resumed");
    CHECK_EQ(customer.ticket_key(), 2);
    worker.pairs.worker.use_keys({key_of(3), key_of(2)});
    CHECK_EQ(customer.visit(worker), "resumed");
    worker.pairs.worker.use_keys({key_of(5), key_of(4)});
    CHECK_EQ(customer.visit(worker), "full");
  }
}

TEST("a TLS ticket that was changed leads to a whole handshake, not to a failure") {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    Worker worker;
    for (const size_t back : {size_t(1), size_t(40), size_t(100)}) {
      Customer customer(version);
      CHECK_EQ(customer.visit(worker), "full");
      // The ticket inside of the client's own record of its session.
      unsigned char* der = nullptr;
      const int size = i2d_SSL_SESSION(customer.session.get(), &der);
      const std::string ticket = customer.ticket();
      unsigned char* at = std::search(der, der + size, ticket.begin(), ticket.end(), [](unsigned char a, char b) { return a == static_cast<unsigned char>(b); });
      CHECK(at != der + size);
      at[ticket.size() - back] ^= 1;
      const unsigned char* from = der;
      customer.session.reset(d2i_SSL_SESSION(nullptr, &from, size));
      OPENSSL_free(der);
      CHECK_EQ(customer.visit(worker), "full");
    }
  }
}

TEST("a TLS 1.2 client without tickets is resumed by its session's id, also by another worker on the board") {
  SharedBoard shared;
  Worker one(usual_server_options(), &shared.first), two(usual_server_options(), &shared.second), without;
  Customer customer(TLS1_2_VERSION, false);
  CHECK_EQ(customer.visit(one), "full");
  CHECK(!shared.is_untouched());
  CHECK_EQ(customer.visit(two), "resumed");
  CHECK_EQ(customer.visit(one), "resumed");
  CHECK_EQ(customer.visit(without), "full");
}

TEST("with tickets off, TLS sessions are resumed from the board in both versions") {
  SharedBoard shared;
  TlsServerOptions o = usual_server_options();
  o.tickets = false;
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    Worker one(o, &shared.first), two(o, &shared.second);
    Customer customer(version);
    CHECK_EQ(customer.visit(one), "full");
    CHECK_EQ(customer.visit(two), "resumed");
    CHECK_EQ(customer.visit(one), "resumed");
  }
}

TEST("TLS clients that have tickets take no room on the board") {
  SharedBoard shared;
  Worker worker(usual_server_options(), &shared.first);
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    Customer customer(version);
    CHECK_EQ(customer.visit(worker), "full");
    CHECK_EQ(customer.visit(worker), "resumed");
    CHECK(shared.is_untouched());
  }
}

TEST("a TLS session is good for its own context only") {
  SharedBoard shared;
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    for (const bool with_tickets : {true, false}) {
      if (version == TLS1_3_VERSION && !with_tickets) continue;
      Worker one(in_context("one"), {key_of(1)}), two(in_context("two"), {key_of(1)}), again(in_context("one"), {key_of(1)});
      for (Worker* w : {&one, &two, &again}) w->pairs.worker.sessions = &shared.first;
      Customer customer(version, with_tickets);
      CHECK_EQ(customer.visit(one), "full");
      CHECK_EQ(customer.visit(again), "resumed");
      CHECK_EQ(customer.visit(two), "full");
      CHECK_EQ(customer.visit(one), "full");
    }
  }
}

TEST("who resumes TLS is still who showed the certificate") {
  TlsServerOptions o = usual_server_options();
  o.client_auth = abi::client_auth::required;
  o.client_ca = usual().authority.pem();
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    Worker one(o, {key_of(1)}), two(o, {key_of(1)});
    Customer customer(version);
    CHECK_EQ(customer.visit(one), "full");
    const std::string subject = customer.subject;
    CHECK(!subject.empty());
    CHECK_EQ(customer.visit(two), "resumed");
    CHECK_EQ(customer.subject, subject);
  }
}

TEST("a session from the time when no client certificate was asked for lets nobody past that question") {
  TlsServerOptions open = in_context("open"), closed = in_context("closed");
  closed.client_auth = abi::client_auth::required;
  closed.client_ca = usual().authority.pem();
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    Worker before(open, {key_of(1)}), after(closed, {key_of(1)});
    Customer customer(version);
    CHECK_EQ(customer.visit(before), "full");
    CHECK_EQ(customer.visit(after), "full");
    CHECK(!customer.subject.empty());
  }
}

TEST("a TLS 1.2 session whose certificate makes it long is simply not kept") {
  SharedBoard shared;
  TlsServerOptions o = usual_server_options();
  o.client_auth = abi::client_auth::required;
  o.client_ca = usual().authority.pem();
  Worker one(o, &shared.first);
  Customer customer(TLS1_2_VERSION, false);
  CHECK_EQ(customer.visit(one), "full");
  CHECK_EQ(customer.visit(one), "full");
  CHECK(shared.is_untouched());
}
