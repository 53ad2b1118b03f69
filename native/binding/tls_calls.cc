#include "binding/tls_calls.h"

#include <cstring>

#include "tls/openssl_ends.h"

namespace weir::binding {

namespace {

std::string bytes_of(napi_env env, napi_value from) {
  void* data = nullptr;
  size_t size = 0;
  napi_typedarray_type type;
  if (napi_get_typedarray_info(env, from, &type, &size, &data, nullptr, nullptr) != napi_ok || type != napi_uint8_array || !data) return {};
  return {static_cast<const char*>(data), size};
}

TlsCertificate read_certificate(napi_env env, napi_value from) {
  return {text_at(env, from, "chain"), text_at(env, from, "key"), bytes_of(env, get(env, from, "ocsp"))};
}

TlsBounds read_bounds(napi_env env, napi_value from) {
  TlsBounds b;
  b.min_version = int(number_at(env, from, "minVersion", b.min_version));
  b.max_version = int(number_at(env, from, "maxVersion", b.max_version));
  b.ciphers = text_at(env, from, "ciphers");
  b.cipher_suites = text_at(env, from, "cipherSuites");
  b.groups = text_at(env, from, "groups");
  return b;
}

TlsServerOptions read_server_options(napi_env env, napi_value from) {
  TlsServerOptions o;
  each(env, get(env, from, "sets"), [&](napi_value set) {
    o.sets.emplace_back();
    each(env, set, [&](napi_value v) { o.sets.back().push_back(read_certificate(env, v)); });
  });
  each(env, get(env, from, "names"), [&](napi_value v) { o.names.emplace_back(text_at(env, v, "name"), uint32_t(number_at(env, v, "set"))); });
  o.default_set = int(number_at(env, from, "defaultSet", -1));
  o.bounds = read_bounds(env, from);
  each(env, get(env, from, "alpn"), [&](napi_value v) { o.alpn.push_back(latin1(env, v)); });
  o.tickets = boolean(env, get(env, from, "tickets"));
  o.client_auth = int(number_at(env, from, "clientAuth"));
  o.client_ca = text_at(env, from, "clientCa");
  o.session_context = text_at(env, from, "sessionContext");
  o.handshake_ms = uint32_t(number_at(env, from, "handshakeMs", o.handshake_ms));
  each(env, get(env, from, "challenges"),
       [&](napi_value v) { o.challenges.emplace_back(text_at(env, v, "name"), read_certificate(env, get(env, v, "certificate"))); });
  return o;
}

TlsClientOptions read_client_options(napi_env env, napi_value from) {
  TlsClientOptions o;
  o.verify = boolean(env, get(env, from, "verify"));
  o.ca = text_at(env, from, "ca");
  o.server_name = text_at(env, from, "serverName");
  const napi_value certificate = get(env, from, "certificate");
  o.has_certificate = !is_nullish(env, certificate);
  if (o.has_certificate) o.certificate = read_certificate(env, certificate);
  o.bounds = read_bounds(env, from);
  return o;
}

napi_value refuse(napi_env env, const std::string& why) {
  napi_throw_error(env, nullptr, why.c_str());
  return nullptr;
}

// A replaced one lives on for the handshakes that it began.
napi_value set_listener_tls(napi_env env, napi_callback_info info) {
  Call c(env, info);
  std::shared_ptr<TlsServer> made;
  if (!is_nullish(env, c.args[1])) {
    std::string why;
    made = OpenSslServer::make(*c.wrap->tls, read_server_options(env, c.args[1]), why);
    if (!made) return refuse(env, why);
  }
  c.engine().forwarder.listener(c.u32(0)).tls = std::move(made);
  return undefined(env);
}

napi_value set_server_tls(napi_env env, napi_callback_info info) {
  Call c(env, info);
  std::shared_ptr<TlsClient> made;
  if (!is_nullish(env, c.args[1])) {
    std::string why;
    made = OpenSslClient::make(*c.wrap->tls, read_client_options(env, c.args[1]), why);
    if (!made) return refuse(env, why);
  }
  c.engine().pool.use_tls(c.u32(0), std::move(made));
  return undefined(env);
}

napi_value set_ticket_keys(napi_env env, napi_callback_info info) {
  Call c(env, info);
  std::vector<TicketKey> keys;
  each(env, c.args[0], [&](napi_value v) {
    std::string bytes = bytes_of(env, v);
    if (bytes.size() == sizeof(TicketKey)) memcpy(&keys.emplace_back(), bytes.data(), sizeof(TicketKey));
  });
  if (!keys.empty()) c.wrap->tls->use_keys(std::move(keys));
  return undefined(env);
}

}  // namespace

void add_tls_calls(Methods& to) {
  to.insert(to.end(), {
                          method("setListenerTls", set_listener_tls),
                          method("setServerTls", set_server_tls),
                          method("setTicketKeys", set_ticket_keys),
                      });
}

}  // namespace weir::binding
