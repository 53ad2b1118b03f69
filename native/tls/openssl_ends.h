// TLS of a listener and towards a server, on OpenSSL: which certificate a name gets, and sessions that are resumed.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tls/openssl_session.h"
#include "tls/options.h"
#include "tls/session.h"

namespace weir {

class OpenSslServer final : public TlsServer {
 public:
  // nullptr with `why` in words for people. The worker must outlive it and its sessions.
  [[nodiscard]] static std::shared_ptr<TlsServer> make(TlsWorker& worker, const TlsServerOptions& options, std::string& why);

  [[nodiscard]] std::unique_ptr<TlsSession> open(std::string_view server_name, std::string_view alpn) override;
  [[nodiscard]] uint32_t handshake_ms() const override { return handshake_ms_; }

 private:
  explicit OpenSslServer(TlsWorker& worker) : worker_(worker) {}
  // -1: refused.
  [[nodiscard]] int set_of(std::string_view name) const;

  using ByName = std::map<std::string, uint32_t, std::less<>>;
  TlsWorker& worker_;
  std::vector<SslContext> sets_;
  ByName names_;
  int default_set_ = -1;
  std::vector<SslContext> challenges_;
  ByName challenge_names_;
  uint32_t handshake_ms_ = 10'000;
};

class OpenSslClient final : public TlsClient {
 public:
  [[nodiscard]] static std::shared_ptr<TlsClient> make(TlsWorker& worker, const TlsClientOptions& options, std::string& why);
  ~OpenSslClient() override;

  [[nodiscard]] std::unique_ptr<TlsSession> open() override;

 private:
  explicit OpenSslClient(TlsWorker& worker) : worker_(worker) {}

  TlsWorker& worker_;
  SslContext context_;
  std::string server_name_;
  bool is_address_ = false;
  SslSession latest_;  // of the server's latest ticket
};

}  // namespace weir
