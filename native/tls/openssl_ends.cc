#include "tls/openssl_ends.h"

#include <openssl/x509v3.h>

#include "tls/openssl_contexts.h"

namespace weir {

namespace {
constexpr std::string_view kChallengeProtocol = "acme-tls/1";

int client_index() {
  static const int kIndex = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return kIndex;
}
}  // namespace

std::shared_ptr<TlsServer> OpenSslServer::make(TlsWorker& worker, const TlsServerOptions& o, std::string& why) {
  std::shared_ptr<OpenSslServer> made(new OpenSslServer(worker));
  for (const auto& set : o.sets) {
    made->sets_.push_back(server_context(worker, o, set, why));
    if (!made->sets_.back()) return nullptr;
  }
  for (const auto& [name, set] : o.names)
    if (set < o.sets.size()) made->names_.emplace(name, set);
  for (const auto& [name, certificate] : o.challenges) {
    made->challenges_.push_back(challenge_context(worker, certificate, why));
    if (!made->challenges_.back()) return nullptr;
    made->challenge_names_.emplace(name, uint32_t(made->challenges_.size() - 1));
  }
  made->default_set_ = o.default_set < int(o.sets.size()) ? o.default_set : -1;
  made->handshake_ms_ = o.handshake_ms;
  if (!o.sets.empty()) return made;
  why = "there is no certificate";
  return nullptr;
}

// A wildcard stands for the first label alone (RFC 9525 6.3).
int OpenSslServer::set_of(std::string_view name) const {
  if (const auto exact = names_.find(name); exact != names_.end()) return int(exact->second);
  const size_t dot = name.find('.');
  if (dot != std::string_view::npos && dot > 0) {
    const auto wild = names_.find("*" + std::string(name.substr(dot)));
    if (wild != names_.end()) return int(wild->second);
  }
  return default_set_;
}

std::unique_ptr<TlsSession> OpenSslServer::open(std::string_view server_name, std::string_view alpn) {
  if (alpn == kChallengeProtocol && !challenges_.empty()) {
    const auto found = challenge_names_.find(server_name);
    if (found != challenge_names_.end()) {
      std::unique_ptr<OpenSslSession> session = OpenSslSession::make(challenges_[found->second].get(), OpenSslSession::Role::server, worker_);
      if (session) session->mark_as_challenge();
      return session;
    }
  }
  const int set = set_of(server_name);
  return set < 0 ? nullptr : OpenSslSession::make(sets_[size_t(set)].get(), OpenSslSession::Role::server, worker_);
}

std::shared_ptr<TlsClient> OpenSslClient::make(TlsWorker& worker, const TlsClientOptions& o, std::string& why) {
  std::shared_ptr<OpenSslClient> made(new OpenSslClient(worker));
  made->context_ = client_context(worker, o, why);
  if (!made->context_) return nullptr;
  made->server_name_ = o.server_name;
  // An address is not sent as a name (RFC 6066 3), but the certificate has to be for it.
  if (ASN1_OCTET_STRING* address = a2i_IPADDRESS(o.server_name.c_str())) {
    made->is_address_ = true;
    ASN1_OCTET_STRING_free(address);
  }
  ERR_clear_error();
  SSL_CTX* context = made->context_.get();
  SSL_CTX_set_ex_data(context, client_index(), made.get());
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, [](SSL* ssl, SSL_SESSION* session) {
    auto* client = static_cast<OpenSslClient*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), client_index()));
    if (!client) return 0;
    client->latest_.reset(session);
    return 1;  // the reference is ours
  });
  return made;
}

// Its context lives on in the sessions that are open.
OpenSslClient::~OpenSslClient() {
  if (context_) SSL_CTX_set_ex_data(context_.get(), client_index(), nullptr);
}

std::unique_ptr<TlsSession> OpenSslClient::open() {
  std::unique_ptr<OpenSslSession> session = OpenSslSession::make(context_.get(), OpenSslSession::Role::client, worker_);
  if (!session) return nullptr;
  SSL* ssl = session->ssl();
  X509_VERIFY_PARAM* expects = SSL_get0_param(ssl);
  bool good = true;
  if (is_address_) {
    good = X509_VERIFY_PARAM_set1_ip_asc(expects, server_name_.c_str()) == 1;
  } else if (!server_name_.empty()) {
    X509_VERIFY_PARAM_set_hostflags(expects, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    good = SSL_set_tlsext_host_name(ssl, server_name_.c_str()) == 1 && SSL_set1_host(ssl, server_name_.c_str()) == 1;
  }
  if (latest_) SSL_set_session(ssl, latest_.get());
  ERR_clear_error();
  if (!good) return nullptr;
  return session;
}

}  // namespace weir
