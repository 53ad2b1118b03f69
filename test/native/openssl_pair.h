// One TLS session of ours on a socket pair, with OpenSSL's own at the other end.
#pragma once
#include <sys/socket.h>

#include <memory>
#include <string>
#include <vector>

#include "check.h"
#include "openssl_peer.h"
#include "tls/openssl_ends.h"

namespace weir {

inline TlsServerOptions usual_server_options() {
  TlsServerOptions o;
  o.sets = {{certificates::usual().ecdsa}};
  return o;
}

inline TlsClientOptions usual_client_options() {
  TlsClientOptions o;
  o.ca = certificates::usual().authority.pem();
  o.server_name = "weir.test";
  return o;
}

inline std::shared_ptr<TlsServer> make_server(TlsWorker& worker, const TlsServerOptions& options) {
  std::string why;
  std::shared_ptr<TlsServer> made = OpenSslServer::make(worker, options, why);
  if (!made) check::report(__FILE__, __LINE__, "no TLS server: " + why);
  return made;
}

inline std::shared_ptr<TlsClient> make_client(TlsWorker& worker, const TlsClientOptions& options) {
  std::string why;
  std::shared_ptr<TlsClient> made = OpenSslClient::make(worker, options, why);
  if (!made) check::report(__FILE__, __LINE__, "no TLS client: " + why);
  return made;
}

struct TlsPair {
  using Kind = IoResult::Kind;

  // `ours` over there is a client, or a server.
  TlsPair(std::unique_ptr<TlsSession> ours, SslContext theirs, TlsPeer::Role role) : session(std::move(ours)) {
    int fds[2];
    certificates::require(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) == 0, "a socket pair");
    fd.reset(fds[0]);
    peer = TlsPeer(std::move(theirs), role, Peer(UniqueFd(fds[1])));
  }

  // Both go on until ours has an outcome. would_block: none came.
  Kind shake_hands() {
    for (int i = 0; i < 20'000; ++i) {
      peer.pump();
      const IoResult r = session->handshake(fd.get());
      if (r.kind != Kind::would_block) return peer.pump(), r.kind;
    }
    return Kind::would_block;
  }
  // Reads what is there; the last outcome.
  IoResult read(size_t room = 16384) {
    std::string to(room, '\0');
    for (;;) {
      const IoResult r = session->read(fd.get(), to.data(), to.size());
      if (r.kind != Kind::ok) return r;
      received.append(to, 0, r.bytes);
      if (r.bytes < room && !session->has_news()) return {Kind::would_block};
    }
  }
  IoResult write(std::string_view bytes) {
    const iovec part{const_cast<char*>(bytes.data()), bytes.size()};
    return session->write(fd.get(), &part, 1);
  }
  // What our socket holds of what was sent when nobody reads is small.
  void narrow(int bytes = 1) { ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes); }

  UniqueFd fd;
  std::unique_ptr<TlsSession> session;
  TlsPeer peer;
  std::string received;
};

struct TlsPairs {
  uint64_t now_us = 1'000'000;
  TlsWorker worker{now_us};
  std::shared_ptr<TlsServer> server = make_server(worker, usual_server_options());
  std::shared_ptr<TlsClient> client = make_client(worker, usual_client_options());

  // Ours is a server.
  [[nodiscard]] TlsPair serve(SslContext theirs) { return {server->open("weir.test", ""), std::move(theirs), TlsPeer::Role::client}; }
  [[nodiscard]] TlsPair serve(int version = 0) { return serve(client_peer_context(version)); }
  // Ours is a client.
  [[nodiscard]] TlsPair call(SslContext theirs) { return {client->open(), std::move(theirs), TlsPeer::Role::server}; }
  [[nodiscard]] TlsPair call(int version = 0) { return call(server_peer_context(certificates::usual().ecdsa, version)); }
  // Either, with the handshake done.
  [[nodiscard]] TlsPair begin(bool serves, int version) {
    TlsPair pair = serves ? serve(version) : call(version);
    CHECK_EQ(pair.shake_hands(), IoResult::Kind::ok);
    pair.peer.pump();
    return pair;
  }
  // Every kind of connection there is.
  template <typename Body>
  void each(Body&& body) {
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION})
      for (const bool serves : {true, false}) body(begin(serves, version), version);
  }
};

}  // namespace weir
