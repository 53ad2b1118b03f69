#include "binding/options.h"

#include "binding/napi_util.h"
#include "http/text.h"

namespace weir::binding {

namespace {

std::vector<TemplatePart> read_template(napi_env env, napi_value from) {
  std::vector<TemplatePart> parts;
  each(env, from, [&](napi_value v) { parts.push_back({int(number_at(env, v, "kind")), latin1(env, get(env, v, "text"))}); });
  return parts;
}

void read_edits(napi_env env, napi_value from, HeaderEdits& to) {
  if (is_nullish(env, from)) return;
  each(env, from, [&](napi_value v) {
    HeaderEdit e;
    e.name = latin1(env, get(env, v, "name"));
    const std::string op = text_at(env, v, "op");
    e.replaces = op == "set";
    e.removes_only = op == "remove";
    if (!e.removes_only) e.value = read_template(env, get(env, v, "value"));
    to.add(std::move(e));
  });
}

ProxyVersion read_proxy_version(napi_env env, napi_value from) {
  switch (int(number_at(env, from, "sendProxy"))) {
    case abi::send_proxy::v1: return ProxyVersion::v1;
    case abi::send_proxy::v2: return ProxyVersion::v2;
    default: return ProxyVersion::off;
  }
}

std::vector<std::pair<int, int>> read_ranges(napi_env env, napi_value from) {
  std::vector<std::pair<int, int>> ranges;
  each(env, from, [&](napi_value v) {
    int ends[2] = {0, 0};
    for (uint32_t i = 0; i < 2; ++i) {
      napi_value end = nullptr;
      if (napi_get_element(env, v, i, &end) == napi_ok) ends[i] = int(number(env, end));
    }
    ranges.emplace_back(ends[0], ends[1]);
  });
  return ranges;
}

std::string without_slash(std::string path) {
  while (!path.empty() && path.back() == '/') path.pop_back();
  return path;
}

}  // namespace

void read_listener(napi_env env, napi_value from, ListenerSettings& to) {
  to.protocol = int(number_at(env, from, "protocol"));
  to.proxy_protocol = boolean(env, get(env, from, "proxyProtocol"));
  to.connections_per_ip = uint32_t(number_at(env, from, "connectionsPerIp"));
  to.head.bytes = uint32_t(number_at(env, from, "headerBytes", to.head.bytes));
  to.head.headers = uint32_t(number_at(env, from, "headers", to.head.headers));
  const napi_value body = get(env, from, "bodyBytes");
  to.body_bytes = is_nullish(env, body) ? UINT64_MAX : uint64_t(number(env, body));
  to.connections = uint32_t(number_at(env, from, "connections", to.connections));
  to.header_ms = uint32_t(number_at(env, from, "headerMs", to.header_ms));
  to.body_ms = uint32_t(number_at(env, from, "bodyMs", to.body_ms));
  to.keep_alive_ms = uint32_t(number_at(env, from, "keepAliveMs", to.keep_alive_ms));
  to.write_ms = uint32_t(number_at(env, from, "writeMs", to.write_ms));
  to.forwarded = uint32_t(number_at(env, from, "forwarded", to.forwarded));
  to.trusted = CidrList();
  each(env, get(env, from, "trustedProxies"), [&](napi_value v) { (void)to.trusted.add(text(env, v)); });
  to.server_timing = boolean(env, get(env, from, "serverTiming"));
  to.proxy_status = boolean(env, get(env, from, "proxyStatus"));
  const napi_value certificate = get(env, from, "clientCertificateHeaders");
  to.certificate_subject = is_nullish(env, certificate) ? std::string() : latin1(env, get(env, certificate, "subject"));
  to.certificate_fingerprint = is_nullish(env, certificate) ? std::string() : latin1(env, get(env, certificate, "fingerprint"));
  to.defaults.clear();
  each(env, get(env, from, "responseDefaults"), [&](napi_value v) {
    const std::string name = latin1(env, get(env, v, "name"));
    to.defaults.push_back({lower_case(name), name + ": " + latin1(env, get(env, v, "value")) + "\r\n"});
  });
  to.pages.clear();
  each(env, get(env, from, "pages"), [&](napi_value v) {
    to.pages[int(number_at(env, v, "status"))] = {latin1(env, get(env, v, "contentType")), text_at(env, v, "body")};
  });
}

bool read_server(napi_env env, napi_value from, Server& to) {
  to.name = text_at(env, from, "name");
  to.host_header = text_at(env, from, "hostHeader");
  to.max_connections = int32_t(number_at(env, from, "maxConnections"));
  to.idle_limit = uint32_t(number_at(env, from, "idle", to.idle_limit));
  to.idle_timeout_ms = uint32_t(number_at(env, from, "idleTimeoutMs", to.idle_timeout_ms));
  to.queue_slot = int32_t(number_at(env, from, "queueSlot", -1));
  to.failing = read_ranges(env, get(env, from, "failing"));
  bool good = true;
  each(env, get(env, from, "addresses"), [&](napi_value v) {
    Address a;
    const napi_value path = get(env, v, "path");
    if (!is_nullish(env, path)) good = Address::from_path(text(env, path), a) && good;
    else good = Address::from_ip(text_at(env, v, "ip"), uint16_t(number_at(env, v, "port")), a) && good;
    to.addresses.push_back(a);
  });
  return good;
}

std::unique_ptr<Plan> read_plan(napi_env env, napi_value from) {
  auto plan = std::make_unique<Plan>();
  const std::string host = latin1(env, get(env, from, "host"));
  plan->host = host == "preserve" ? Plan::Host::preserve : host == "server" ? Plan::Host::server : Plan::Host::literal;
  plan->host_literal = host;
  plan->strip = without_slash(latin1(env, get(env, from, "strip")));
  plan->add = without_slash(latin1(env, get(env, from, "add")));
  plan->upstream = text_at(env, from, "upstream");
  read_edits(env, get(env, from, "request"), plan->request);
  read_edits(env, get(env, from, "response"), plan->response);
  plan->connect_ms = uint32_t(number_at(env, from, "connectMs", plan->connect_ms));
  plan->first_byte_ms = uint32_t(number_at(env, from, "firstByteMs", plan->first_byte_ms));
  plan->idle_ms = uint32_t(number_at(env, from, "idleMs", plan->idle_ms));
  plan->tunnel_ms = uint32_t(number_at(env, from, "tunnelMs", plan->tunnel_ms));
  plan->replay_bytes = uint32_t(number_at(env, from, "replayBytes", plan->replay_bytes));
  plan->response_head_bytes = uint32_t(number_at(env, from, "responseHeadBytes", plan->response_head_bytes));
  plan->tell_finished = boolean(env, get(env, from, "tellFinished"));
  plan->send_proxy = read_proxy_version(env, from);
  plan->hedge_ms = uint32_t(number_at(env, from, "hedgeMs"));
  plan->total_ms = uint32_t(number_at(env, from, "totalMs"));
  plan->retry_statuses = read_ranges(env, get(env, from, "retryStatuses"));
  return plan;
}

TunnelPlan read_tunnel_plan(napi_env env, napi_value from) {
  TunnelPlan plan;
  plan.connect_ms = uint32_t(number_at(env, from, "connectMs", plan.connect_ms));
  plan.idle_ms = uint32_t(number_at(env, from, "idleMs", plan.idle_ms));
  plan.send_proxy = read_proxy_version(env, from);
  plan.route = uint16_t(number_at(env, from, "route"));
  return plan;
}

}  // namespace weir::binding
