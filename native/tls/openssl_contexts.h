// OpenSSL contexts from options: what is safe and the same for all of them, certificates with their keys, authorities.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "tls/openssl_handles.h"
#include "tls/openssl_worker.h"
#include "tls/options.h"

namespace weir {

// nullptr with `why` in words for people.
[[nodiscard]] SslContext server_context(TlsWorker& worker, const TlsServerOptions& options, const std::vector<TlsCertificate>& set, std::string& why);
// Only for validations of a certificate authority (RFC 8737).
[[nodiscard]] SslContext challenge_context(TlsWorker& worker, const TlsCertificate& certificate, std::string& why);
[[nodiscard]] SslContext client_context(TlsWorker& worker, const TlsClientOptions& options, std::string& why);

}  // namespace weir
