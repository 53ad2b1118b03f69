#include "binding/engine_wrap.h"

#include <errno.h>

#include <cstring>

#include "binding/operating_calls.h"
#include "binding/options.h"
#include "binding/tls_calls.h"
#include "binding/tunnel_calls.h"
#include "binding/wrap.h"
#include "http/text.h"

namespace weir::binding {

namespace {

napi_value construct(napi_env env, napi_callback_info info) {
  napi_value args[2], self;
  size_t count = 2;
  napi_get_cb_info(env, info, &count, args, &self, nullptr);
  auto wrap = std::make_unique<Wrap>();
  wrap->decider = std::make_unique<ScriptDecider>(env, args[1]);
  wrap->engine = std::make_unique<Engine>(*wrap->decider, *wrap->decider);
  wrap->decider->attach(*wrap->engine);
  Engine& engine = *wrap->engine;
  if (!engine.rt.loop.valid()) return throw_errno(env, errno, "cannot create an epoll set");
  const int fd = int(number_at(env, args[0], "boardFd", -1));
  const unsigned workers = unsigned(number_at(env, args[0], "workers", 1)), column = unsigned(number_at(env, args[0], "column", 0));
  if (!engine.rt.board.map(fd, workers, column)) return throw_errno(env, errno, "cannot map the board");
  engine.rt.board.mine()[abi::worker_counter::alive] = 1;
  wrap->sessions = std::make_unique<SessionCache>(engine.rt.board);
  wrap->tls = std::make_unique<TlsWorker>(engine.rt.now_us);
  wrap->tls->sessions = wrap->sessions.get();
  engine.rt.records = std::make_unique<RecordRing>(engine.rt.board.ring(column));
  std::vector<int> wakers;
  each(env, get(env, args[0], "wakers"), [&](napi_value v) { wakers.push_back(int(number(env, v, -1))); });
  if (!wakers.empty() && !engine.acceptor.use_wakers(wakers)) return throw_errno(env, errno, "cannot watch the eventfd of this worker");
  Wrap* raw = wrap.get();
  wrap->bridge = std::make_unique<UvBridge>(engine, [raw] { raw->after_turn(); });
  napi_set_named_property(env, self, "lent", [&] {
    napi_value buffer = view_of(env, raw->decider->lent(), abi::lent::count * sizeof(int32_t)), array = nullptr;
    napi_create_typedarray(env, napi_int32_array, abi::lent::count, buffer, 0, &array);
    return array;
  }());
  napi_set_named_property(env, self, "board", view_of(env, engine.rt.board.base(), engine.rt.board.size()));
  // The engine ends with the environment, not with the object: sockets must not depend on the garbage collector.
  napi_wrap(env, self, raw, nullptr, nullptr, nullptr);
  napi_ref keep;
  napi_create_reference(env, self, 1, &keep);
  napi_add_env_cleanup_hook(env, [](void* w) { delete static_cast<Wrap*>(w); }, wrap.release());
  return self;
}

napi_value start(napi_env env, napi_callback_info info) {
  Call c(env, info);
  if (!c.wrap->bridge->start(env)) return throw_errno(env, errno, "cannot watch the epoll set");
  return undefined(env);
}

napi_value configure_listener(napi_env env, napi_callback_info info) {
  Call c(env, info);
  read_listener(env, c.args[1], c.wrap->engine->forwarder.listener(c.u32(0)));
  return undefined(env);
}

napi_value define_server(napi_env env, napi_callback_info info) {
  Call c(env, info);
  Server s;
  if (!read_server(env, c.args[1], s)) return throw_errno(env, EINVAL, "a server's address is not an IP address or a path");
  c.wrap->engine->pool.define(c.u32(0), std::move(s));
  return undefined(env);
}

napi_value remove_server(napi_env env, napi_callback_info info) {
  Call c(env, info);
  c.wrap->engine->pool.remove(c.u32(0));
  c.wrap->settle();
  return undefined(env);
}

napi_value define_plan(napi_env env, napi_callback_info info) {
  Call c(env, info);
  c.wrap->engine->define_plan(c.u32(0), read_plan(env, c.args[1]));
  return undefined(env);
}

napi_value drop_plan(napi_env env, napi_callback_info info) {
  Call c(env, info);
  c.wrap->engine->drop_plan(c.u32(0));
  return undefined(env);
}

napi_value header(napi_env env, napi_callback_info info) {
  Call c(env, info);
  const Exchange* ex = c.readable();
  if (!ex) return undefined(env);
  const std::string name = lower_case(latin1(env, c.args[2]));
  // The first value; but cookies, which clients may send in several fields, belong together (RFC 6265 5.4).
  const bool joins = name == "cookie";
  std::string joined;
  bool found = false;
  for (unsigned i = 0; i < ex->request.header_count; ++i) {
    const HeaderRef& h = ex->request.headers[i];
    if (!equals_ignoring_case(ex->request.name(h), name)) continue;
    const std::string_view value = ex->request.value(h);
    if (!joins) return make(env, value);
    if (found) joined += "; ";
    joined += value;
    found = true;
  }
  return found ? make(env, std::string_view(joined)) : undefined(env);
}

napi_value field(napi_env env, napi_callback_info info) {
  Call c(env, info);
  const Exchange* ex = c.readable();
  if (!ex) return undefined(env);
  const MessageHead& head = ex->request;
  const std::string which = text(env, c.args[2]);
  if (which == "method") return make(env, head.text(head.method_text));
  if (which == "host") return make(env, head.text(head.authority));
  if (which == "path") return make(env, head.text(head.path));
  if (which == "query") return make(env, head.text(head.query));
  if (which == "target") return make(env, head.text(head.target));
  if (which == "clientIp" || which == "peer") {
    if (ex->client->unix_peer && which == "peer") return make(env, std::string_view("unix:"));
    char ip[48];
    const ListenerSettings* l = c.wrap->engine->forwarder.find_listener(ex->client->listener);
    const PeerIp from = which == "peer" ? ex->client->peer : client_ip(*ex, *ex->client, *l);
    if (from.is_none()) return make(env, std::string_view("unix:"));
    return make(env, std::string_view(ip, from.print(ip)));
  }
  if (which == "requestId") {
    const HeadSources from = c.wrap->engine->forwarder.sources(*const_cast<Exchange*>(ex));
    return make(env, request_id(from));
  }
  return undefined(env);
}

napi_value tlv(napi_env env, napi_callback_info info) {
  Call c(env, info);
  const Exchange* ex = c.exchange();
  return ex ? tlv_value(env, ex->client->proxy.get(), c.u32(2)) : undefined(env);
}

napi_value host_name(napi_env env, napi_callback_info info) {
  Call c(env, info);
  return make(env, c.wrap->decider->host_name(int32_t(c.u32(0))));
}

RequestEdits& edits_of(Exchange& ex) {
  if (!ex.edits) ex.edits = std::make_unique<RequestEdits>();
  return *ex.edits;
}

napi_value set_header(napi_env env, napi_callback_info info) {
  Call c(env, info);
  Exchange* ex = c.readable();
  if (!ex) return make(env, false);
  const std::string name = lower_case(latin1(env, c.args[2]));
  RequestEdits& edits = edits_of(*ex);
  std::erase_if(edits.set, [&](const auto& e) { return e.first == name; });
  std::erase(edits.removed, name);
  if (is_nullish(env, c.args[3])) edits.removed.push_back(name);
  else edits.set.emplace_back(name, latin1(env, c.args[3]));
  return make(env, true);
}

// One line per name: a later attempt replaces what an earlier one set.
napi_value set_response_header(napi_env env, napi_callback_info info) {
  Call c(env, info);
  Exchange* ex = c.exchange();
  if (!ex) return make(env, false);
  std::string& lines = edits_of(*ex).response;
  const std::string start = latin1(env, c.args[2]) + ": ";
  for (size_t at = 0; at < lines.size();) {
    const size_t end = lines.find("\r\n", at) + 2;
    if (lines.compare(at, start.size(), start) == 0) lines.erase(at, end - at);
    else at = end;
  }
  lines += start + latin1(env, c.args[3]) + "\r\n";
  return make(env, true);
}

napi_value set_target(napi_env env, napi_callback_info info) {
  Call c(env, info);
  Exchange* ex = c.readable();
  if (!ex) return make(env, false);
  edits_of(*ex).target = latin1(env, c.args[2]);
  return make(env, true);
}

// answer(status, headers, contentType, body | undefined): staged for the verdict that follows.
napi_value stage_answer(napi_env env, napi_callback_info info) {
  Call c(env, info);
  Answer& a = c.wrap->decider->staged;
  a.status = int(c.u32(0));
  a.headers = latin1(env, c.args[1]);
  a.content_type = latin1(env, c.args[2]);
  a.has_body = !is_nullish(env, c.args[3]);
  a.body = a.has_body ? text(env, c.args[3]) : std::string();
  return undefined(env);
}

napi_value resume(napi_env env, napi_callback_info info) {
  Call c(env, info);
  Exchange* ex = c.exchange();
  if (!ex) return make(env, false);
  Wrap& w = *c.wrap;
  const Verdict v = w.decider->verdict_of(int(c.u32(2)));
  if (w.engine->in_turn() || w.is_settling) {
    w.late.push_back({c.u32(0), c.u32(1), false, uint32_t(w.decider->lent()[abi::lent::plan]), v, w.decider->staged, {}});
    return make(env, true);
  }
  const bool done = w.engine->enter([&] { return w.engine->forwarder.resume(c.u32(0), c.u32(1), v); });
  w.settle();
  return make(env, done);
}

napi_value open_count(napi_env env, napi_callback_info info) {
  Call c(env, info);
  return make(env, double(c.wrap->engine->open()));
}

// Sizes that must return to their start when nothing is going on: leak tests read them.
napi_value usage(napi_env env, napi_callback_info info) {
  Call c(env, info);
  Engine& e = *c.wrap->engine;
  napi_value o = nullptr;
  napi_create_object(env, &o);
  const std::pair<const char*, double> rows[] = {
      {"clients", e.forwarder.clients.live()},   {"exchanges", e.forwarder.exchanges.live()}, {"upstreamConnections", e.pool.connections.live()},
      {"tunnels", e.tunnels.tunnels.live()},     {"buffers", e.rt.buffers.lent()},            {"timers", e.rt.wheel.count()},
      {"arrivals", e.arrivals.arrivals.live()},  {"pipes", e.rt.pipes.lent()},
  };
  for (const auto& [name, value] : rows) napi_set_named_property(env, o, name, make(env, value));
  return o;
}

napi_value trace(napi_env env, napi_callback_info info) {
  Call c(env, info);
  c.engine().rt.trace_share = number(env, c.args[0], -1);
  return undefined(env);
}

napi_value record_headers(napi_env env, napi_callback_info info) {
  Call c(env, info);
  std::vector<CapturedName>& names = c.engine().rt.recorded_headers;
  names.clear();
  each(env, c.args[0], [&](napi_value v) {
    if (names.size() < kMostCaptures) names.push_back({latin1(env, v), capture_key(latin1(env, v))});
  });
  return undefined(env);
}

}  // namespace

napi_value tlv_value(napi_env env, const ProxyInfo* proxy, uint32_t type) {
  if (!proxy || type > 255) return undefined(env);
  const auto value = find_tlv(proxy->tlvs, uint8_t(type));
  return value ? make(env, *value) : undefined(env);
}

napi_value engine_class(napi_env env) {
  Methods methods = {
      method("start", start),
      method("configureListener", configure_listener),
      method("defineServer", define_server),
      method("removeServer", remove_server),
      method("definePlan", define_plan),
      method("dropPlan", drop_plan),
      method("header", header),
      method("field", field),
      method("tlv", tlv),
      method("hostName", host_name),
      method("setHeader", set_header),
      method("setTarget", set_target),
      method("setResponseHeader", set_response_header),
      method("stageAnswer", stage_answer),
      method("resume", resume),
      method("openCount", open_count),
      method("usage", usage),
      method("recordHeaders", record_headers),
      method("trace", trace),
  };
  add_tunnel_calls(methods);
  add_operating_calls(methods);
  add_tls_calls(methods);
  napi_value c = nullptr;
  napi_define_class(env, "Engine", NAPI_AUTO_LENGTH, construct, nullptr, methods.size(), methods.data(), &c);
  return c;
}

}  // namespace weir::binding
