// What the TLS load programs share: a context that offers one version, one cipher and one curve, so that every proxy does the same
// work, and conversations that block, for what is not measured.
#pragma once

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>

#include <array>
#include <memory>
#include <string>

#include "common.h"
#include "response_reader.h"

namespace weir::bench {

constexpr const char* kServerName = "bench.example";
constexpr int kPatienceMs = 10'000;

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* it) const {
    Free(it);
  }
};
using UniqueSsl = std::unique_ptr<SSL, Freed<SSL_free>>;
using UniqueContext = std::unique_ptr<SSL_CTX, Freed<SSL_CTX_free>>;
using UniqueSession = std::unique_ptr<SSL_SESSION, Freed<SSL_SESSION_free>>;

// Ends the program with what OpenSSL says.
[[noreturn]] inline void give_up_tls(const char* what) {
  std::array<char, 256> text{};
  ERR_error_string_n(ERR_peek_last_error(), text.data(), text.size());
  const char* const system = errno != 0 ? std::strerror(errno) : "the other end closed";
  std::fprintf(stderr, "%s: %s\n", what, ERR_peek_last_error() != 0 ? text.data() : system);
  std::exit(1);
}

class ClientContext {
 public:
  // `version` is 1.2 or 1.3. The kind of the certificate decides which of the two ciphers of TLS 1.2 it becomes. P-256 is offered for the
  // key in the certificate only: handshake() makes sure that the exchange is by X25519.
  explicit ClientContext(std::string_view version) : context_(SSL_CTX_new(TLS_client_method())) {
    SSL_CTX* const c = context_.get();
    if (version != "1.2" && version != "1.3") give_up("--tls");
    const int number = version == "1.2" ? TLS1_2_VERSION : TLS1_3_VERSION;
    const bool is_set = SSL_CTX_set_min_proto_version(c, number) == 1 && SSL_CTX_set_max_proto_version(c, number) == 1 &&
                        SSL_CTX_set_ciphersuites(c, "TLS_AES_128_GCM_SHA256") == 1 &&
                        SSL_CTX_set_cipher_list(c, "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256") == 1 &&
                        SSL_CTX_set1_groups_list(c, "X25519:P-256") == 1;
    if (!is_set) give_up_tls("settings of TLS");
    constexpr std::array<unsigned char, 9> alpn{8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
    if (SSL_CTX_set_alpn_protos(c, alpn.data(), alpn.size()) != 0) give_up_tls("ALPN");
    // Who the server is does not matter here; its signature is checked all the same.
    SSL_CTX_set_verify(c, SSL_VERIFY_NONE, nullptr);
    SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_set_app_data(c, this);
    SSL_CTX_sess_set_new_cb(c, &ClientContext::on_session);
  }
  ClientContext(const ClientContext&) = delete;
  ClientContext& operator=(const ClientContext&) = delete;

  // Several records per system call: the clients must not be the limit with large bodies.
  void read_ahead(size_t bytes) {
    SSL_CTX_set_read_ahead(context_.get(), 1);
    SSL_CTX_set_default_read_buffer_len(context_.get(), bytes);
  }

  // Speaks over `fd`, which it does not own; resumes `session` where there is one.
  UniqueSsl speak(int fd, SSL_SESSION* session = nullptr) {
    UniqueSsl ssl(SSL_new(context_.get()));
    if (!ssl || SSL_set_fd(ssl.get(), fd) != 1 || SSL_set_tlsext_host_name(ssl.get(), kServerName) != 1) give_up_tls("SSL_new");
    if (session != nullptr && SSL_set_session(ssl.get(), session) != 1) give_up_tls("SSL_set_session");
    return ssl;
  }

  // The latest session that a server gave us; null for none. No more are kept: while they are, OpenSSL lets each one of TLS 1.3 be resumed
  // once only.
  [[nodiscard]] UniqueSession take_session() {
    SSL_CTX_set_session_cache_mode(context_.get(), SSL_SESS_CACHE_OFF);
    return std::move(session_);
  }

 private:
  static int on_session(SSL* ssl, SSL_SESSION* session) {
    static_cast<ClientContext*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)))->session_.reset(session);
    return 1;
  }

  UniqueContext context_;
  UniqueSession session_;
};

// What a call of OpenSSL that returned `result` waits for, as an event of poll; 0 when it succeeded. Ends the program when it failed.
inline short awaited(SSL* ssl, int result, const char* what) {
  if (result > 0) return 0;
  const int error = SSL_get_error(ssl, result);
  if (error == SSL_ERROR_WANT_READ) return POLLIN;
  if (error == SSL_ERROR_WANT_WRITE) return POLLOUT;
  give_up_tls(what);
}

// Repeats a call until it has succeeded.
template <class Call>
int insist(SSL* ssl, const char* what, Call call) {
  for (;;) {
    ERR_clear_error();
    const int result = call();
    const short events = awaited(ssl, result, what);
    if (events == 0) return result;
    pollfd ready{.fd = SSL_get_fd(ssl), .events = events, .revents = 0};
    if (poll(&ready, 1, kPatienceMs) != 1) give_up(what);
  }
}

inline std::string request_for(const std::string& path) { return "GET " + path + " HTTP/1.1\r\nHost: " + kServerName + "\r\n\r\n"; }

// One request and its whole response, on a connection of which nothing else is under way.
inline void request_once(SSL* ssl, const std::string& request) {
  insist(ssl, "request", [&] { return SSL_write(ssl, request.data(), static_cast<int>(request.size())); });
  ResponseReader reader;
  std::array<char, 16'384> buffer;
  for (auto result = ResponseReader::Result::more; result == ResponseReader::Result::more;) {
    const int got = insist(ssl, "response", [&] { return SSL_read(ssl, buffer.data(), static_cast<int>(buffer.size())); });
    result = reader.feed({buffer.data(), static_cast<size_t>(got)});
    if (result == ResponseReader::Result::invalid) give_up("invalid response");
  }
}

// Ends the program when the server took another curve than the one that everybody is measured with.
inline void handshake(SSL* ssl) {
  insist(ssl, "handshake", [&] { return SSL_connect(ssl); });
  EVP_PKEY* ephemeral = nullptr;
  const bool is_x25519 = SSL_get_peer_tmp_key(ssl, &ephemeral) == 1 && EVP_PKEY_get_id(ephemeral) == EVP_PKEY_X25519;
  EVP_PKEY_free(ephemeral);
  if (!is_x25519) give_up("key exchange by X25519");
}

}  // namespace weir::bench
