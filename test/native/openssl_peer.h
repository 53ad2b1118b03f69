// The other end of a TLS connection: OpenSSL's own client or server in memory, on a scripted socket. Whatever it wants to send goes
// the way a test says: whole, in small pieces, changed, or not at all.
#pragma once
#include <sys/socket.h>

#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "lib/peer.h"
#include "openssl_certificates.h"

namespace weir {

class TlsPeer {
 public:
  enum class Role : uint8_t { client, server };

  TlsPeer() = default;
  TlsPeer(SslContext context, Role role, Peer peer) : socket(std::move(peer)), context_(std::move(context)), ssl_(SSL_new(context_.get())) {
    BIO* in = BIO_new(BIO_s_mem());
    BIO* out = BIO_new(BIO_s_mem());
    BIO_set_mem_eof_return(in, -1);
    SSL_set_bio(ssl_.get(), in, out);
    role == Role::client ? SSL_set_connect_state(ssl_.get()) : SSL_set_accept_state(ssl_.get());
  }

  // Moves what there is to move, once, and does the handshake while that is not complete.
  void pump() {
    if (!ssl_) return;
    socket.pump();
    feed();
    work();
    push();
  }
  // Encrypts; without a complete handshake, as soon as it is.
  void send(std::string_view bytes) {
    waiting_ += bytes;
    if (!ssl_) return;
    work();
    push();
  }
  // close_notify; the socket stays open.
  void say_end() {
    SSL_shutdown(ssl_.get());
    push();
  }
  void update_keys(bool asks_for_ours) {
    SSL_key_update(ssl_.get(), asks_for_ours ? SSL_KEY_UPDATE_REQUESTED : SSL_KEY_UPDATE_NOT_REQUESTED);
    SSL_do_handshake(ssl_.get());
    push();
  }
  // Encrypted, but not sent yet.
  [[nodiscard]] std::string take_output() {
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(SSL_get_wbio(ssl_.get()), &bytes);
    std::string out(bytes, size_t(size));
    (void)BIO_reset(SSL_get_wbio(ssl_.get()));
    return out;
  }
  // Gives the socket what is sealed.
  void push() {
    held_ += take_output();
    if (on_output) on_output(held_);
    const size_t n = std::min(held_.size(), piece);
    if (!holds) socket.send(std::string_view(held_).substr(0, n)), held_.erase(0, n);
    ERR_clear_error();
  }

  [[nodiscard]] SSL* ssl() const { return ssl_.get(); }
  [[nodiscard]] bool ready() const { return ssl_ && SSL_is_init_finished(ssl_.get()); }
  [[nodiscard]] bool got(std::string_view text) const { return received.find(text) != std::string::npos; }
  // The other side said close_notify.
  [[nodiscard]] bool saw_end() const { return ssl_ && SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN; }
  [[nodiscard]] bool idle() const { return held_.empty() && waiting_.empty() && socket.idle(); }

  Peer socket;
  std::string received;  // decrypted
  std::string failure;   // OpenSSL's words
  size_t piece = SIZE_MAX;  // how much the socket is given with one call of `pump`
  bool holds = false;       // nothing is sent
  bool sips = false;        // decrypts nothing, though the socket is read
  std::function<void(std::string&)> on_output;  // may change what is about to be sent

 private:
  void feed() {
    BIO_write(SSL_get_rbio(ssl_.get()), socket.received.data() + fed_, int(socket.received.size() - fed_));
    fed_ = socket.received.size();
  }
  void work() {
    if (!failure.empty()) return;
    ERR_clear_error();
    if (!SSL_is_init_finished(ssl_.get()) && !step(SSL_do_handshake(ssl_.get()))) return;
    char bytes[16384];
    while (!sips) {
      const int n = SSL_read(ssl_.get(), bytes, sizeof bytes);
      if (n > 0) received.append(bytes, size_t(n));
      else if (!step(n)) break;
    }
    while (!waiting_.empty()) {
      const int n = SSL_write(ssl_.get(), waiting_.data(), int(std::min<size_t>(waiting_.size(), 1 << 20)));
      if (!step(n)) break;
      waiting_.erase(0, size_t(n));
    }
  }
  // False: it does not go on for now, or never.
  [[nodiscard]] bool step(int result) {
    if (result > 0) return true;
    const int error = SSL_get_error(ssl_.get(), result);
    if (error == SSL_ERROR_SSL || error == SSL_ERROR_SYSCALL) failure = take_openssl_error("it failed");
    return false;
  }

  SslContext context_;
  SslHandle ssl_;
  std::string held_;
  std::string waiting_;
  size_t fed_ = 0;
};

// --- Contexts of peers

inline SslContext client_peer_context(int version = 0) {
  SslContext context(SSL_CTX_new(TLS_client_method()));
  if (version) SSL_CTX_set_min_proto_version(context.get(), version), SSL_CTX_set_max_proto_version(context.get(), version);
  return context;
}

inline void show_certificate(SSL_CTX* context, const TlsCertificate& certificate) {
  const X509Handle leaf = certificates::read_certificate(certificate.chain);
  const BioHandle in(BIO_new_mem_buf(certificate.key.data(), int(certificate.key.size())));
  const PrivateKey key(PEM_read_bio_PrivateKey(in.get(), nullptr, nullptr, nullptr));
  certificates::require(SSL_CTX_use_certificate(context, leaf.get()) == 1 && SSL_CTX_use_PrivateKey(context, key.get()) == 1, "a peer's certificate");
}

inline SslContext server_peer_context(const TlsCertificate& certificate, int version = 0) {
  SslContext context(SSL_CTX_new(TLS_server_method()));
  if (version) SSL_CTX_set_min_proto_version(context.get(), version), SSL_CTX_set_max_proto_version(context.get(), version);
  show_certificate(context.get(), certificate);
  return context;
}

inline void offer_protocols(SSL* ssl, const std::vector<std::string>& protocols) {
  std::string list;
  for (const std::string& p : protocols) list += char(p.size()) + p;
  SSL_set_alpn_protos(ssl, reinterpret_cast<const unsigned char*>(list.data()), unsigned(list.size()));
}

inline std::string protocol_of(SSL* ssl) {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl, &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

}  // namespace weir
