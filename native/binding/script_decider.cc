#include "binding/script_decider.h"

#include <utility>

#include "binding/napi_util.h"
#include "engine/engine.h"
#include "http/text.h"

namespace weir::binding {

namespace {
constexpr size_t kHosts = 4096;  // more names than that are passed as text each time
constexpr size_t kHostBytes = 255;
constexpr uint32_t kRefusalsToldPerSecond = 5;
}  // namespace

ScriptDecider::ScriptDecider(napi_env env, napi_value decisions) : env_(env) {
  const std::pair<const char*, napi_ref*> functions[] = {
      {"decide", &decide_},           {"afterFailure", &after_failure_}, {"finished", &finished_},
      {"decideTunnel", &decide_tunnel_}, {"tunnelFailed", &tunnel_failed_}, {"refused", &refused_},
      {"room", &room_},               {"tunnelEnded", &tunnel_ended_},   {"hedge", &hedge_},
  };
  for (const auto& [name, ref] : functions) napi_create_reference(env, get(env, decisions, name), 1, ref);
  napi_value resource, name;
  napi_create_object(env, &resource);
  napi_create_reference(env, resource, 1, &resource_);
  napi_create_string_utf8(env, "weir", NAPI_AUTO_LENGTH, &name);
  napi_async_init(env, resource, name, &context_);
}

ScriptDecider::~ScriptDecider() {
  end_turn();
  for (napi_ref r : {decide_, after_failure_, finished_, decide_tunnel_, tunnel_failed_, refused_, room_, tunnel_ended_, hedge_, resource_}) napi_delete_reference(env_, r);
  napi_async_destroy(env_, context_);
}

void ScriptDecider::open_turn() {
  if (handles_) return;
  napi_open_handle_scope(env_, &handles_);
  napi_value resource;
  napi_get_reference_value(env_, resource_, &resource);
  napi_open_callback_scope(env_, resource, context_, &callbacks_);
  napi_get_reference_value(env_, decide_, &decide_now_);
  receiver_ = undefined(env_);
}

// Closing the callback scope runs microtasks and next ticks: promises of async functions settle here.
void ScriptDecider::end_turn() {
  if (!handles_) return;
  // What runs now may decide again, in a scope of its own.
  const napi_callback_scope callbacks = std::exchange(callbacks_, nullptr);
  const napi_handle_scope handles = std::exchange(handles_, nullptr);
  napi_close_callback_scope(env_, callbacks);
  napi_close_handle_scope(env_, handles);
}

int ScriptDecider::call(napi_ref function, napi_value* args, size_t count) {
  napi_value f = decide_now_, result = nullptr;
  if (function != decide_) napi_get_reference_value(env_, function, &f);
  if (napi_call_function(env_, receiver_, f, count, args, &result) != napi_ok) {
    // The functions catch what users' code throws; anything else is a defect of ours, and this request's end.
    napi_value error;
    napi_get_and_clear_last_exception(env_, &error);
    return abi::verdict::abort;
  }
  int32_t kind = abi::verdict::abort;
  if (napi_get_value_int32(env_, result, &kind) != napi_ok) return abi::verdict::abort;
  return kind;
}

void ScriptDecider::lend(Exchange& ex) {
  const MessageHead& head = ex.request;
  const ClientConnection& c = *ex.client;
  int32_t flags = 0;
  if (head.has_query) flags |= abi::head_flag::has_query;
  if (head.path_needs_normalizing) flags |= abi::head_flag::path_needs_normalizing;
  if (c.trusted) flags |= abi::head_flag::trusted_peer;
  if (c.unix_peer) flags |= abi::head_flag::unix_peer;
  if (!c.stream.is_plain()) flags |= abi::head_flag::tls;
  if (head.body != BodyKind::none) flags |= abi::head_flag::has_body;
  if (ex.wants_upgrade) flags |= abi::head_flag::upgrade;
  if (ex.http10) flags |= abi::head_flag::http10;
  if (is_idempotent(ex.method)) flags |= abi::head_flag::idempotent;
  lent_[abi::lent::index] = int32_t(ex.slot_index);
  lent_[abi::lent::generation] = int32_t(ex.slot_generation);
  lent_[abi::lent::listener] = c.listener;
  lent_[abi::lent::method] = int32_t(ex.method);
  lent_[abi::lent::flags] = flags;
  lent_[abi::lent::attempts] = ex.attempts;
  lent_[abi::lent::fresh_connection] = 0;
  lent_[abi::lent::local_port] = c.local_port;
  lent_[abi::lent::public_port] = c.public_port();
  lent_[abi::lent::age_ms] = int32_t((engine_->rt.now_us - ex.started_us) / 1000);
  lent_[abi::lent::route] = ex.seen.route;
  lent_[abi::lent::termination] = abi::termination::ok;
  lent_[abi::lent::now_ms] = int32_t(engine_->rt.now_us / 1000 & 0x7fffffff);
}

Verdict ScriptDecider::decide(Exchange& ex) {
  open_turn();
  lend(ex);
  lent_[abi::lent::host] = intern_host(ex.request.text(ex.request.authority));
  const std::string_view path = ex.request.text(ex.request.path);
  napi_value arg = nullptr;
  napi_create_string_latin1(env_, path.data(), path.size(), &arg);
  return verdict_of(call(decide_, &arg, 1));
}

Verdict ScriptDecider::after_failure(Exchange& ex, const Failure& failure) {
  open_turn();
  lend(ex);
  int32_t& flags = lent_[abi::lent::flags];
  if (failure.unsent) flags |= abi::head_flag::unsent_is_certain;
  if (ex.reused) flags |= abi::head_flag::reused_connection;
  if (ex.replayable && ex.head_held) flags |= abi::head_flag::replayable;
  if (ex.plan) lent_[abi::lent::plan] = int32_t(ex.plan->id);
  lent_[abi::lent::reason] = failure.reason;
  lent_[abi::lent::failed_server] = int32_t(ex.server_slot);
  lent_[abi::lent::detail] = failure.error;
  return verdict_of(call(after_failure_, nullptr, 0));
}

void ScriptDecider::finished(Exchange& ex) {
  open_turn();
  lend(ex);
  lent_[abi::lent::failed_server] = int32_t(ex.server_slot);
  call(finished_, nullptr, 0);
}

Verdict ScriptDecider::hedge(Exchange& ex) {
  open_turn();
  lend(ex);
  if (ex.plan) lent_[abi::lent::plan] = int32_t(ex.plan->id);
  lent_[abi::lent::failed_server] = int32_t(ex.server_slot);
  return verdict_of(call(hedge_, nullptr, 0));
}

void ScriptDecider::room() {
  open_turn();
  call(room_, nullptr, 0);
}

void ScriptDecider::tunnel_ended(Tunnel& t) {
  open_turn();
  lend(t);
  call(tunnel_ended_, nullptr, 0);
}

void ScriptDecider::lend(Tunnel& t) {
  lent_[abi::lent::index] = int32_t(t.slot_index);
  lent_[abi::lent::generation] = int32_t(t.slot_generation);
  lent_[abi::lent::listener] = t.listener;
  lent_[abi::lent::local_port] = t.origin.local_port;
  lent_[abi::lent::attempts] = t.attempts;
  lent_[abi::lent::detail] = abi::refusal::no_server;
  lent_[abi::lent::age_ms] = int32_t((engine_->rt.now_us - t.opened_us) / 1000);
  lent_[abi::lent::now_ms] = int32_t(engine_->rt.now_us / 1000 & 0x7fffffff);
}

TunnelVerdict ScriptDecider::decide_tunnel(Tunnel& t, const ClientHello& hello) {
  open_turn();
  lend(t);
  napi_value args[] = {make(env_, std::string_view(hello.server_name)), make(env_, std::string_view(hello.alpn))};
  return tunnel_verdict_of(call(decide_tunnel_, args, 2));
}

TunnelVerdict ScriptDecider::tunnel_failed(Tunnel& t, int reason, int error) {
  open_turn();
  lend(t);
  lent_[abi::lent::plan] = int32_t(t.plan_id);
  lent_[abi::lent::reason] = reason;
  lent_[abi::lent::failed_server] = int32_t(t.server_slot);
  lent_[abi::lent::detail] = error;
  return tunnel_verdict_of(call(tunnel_failed_, nullptr, 0));
}

void ScriptDecider::refused(unsigned listener, int reason, const Origin& origin, const char* why) {
  const uint64_t second = engine_->rt.now_us / 1'000'000;
  if (second != refusal_second_) {
    refusal_second_ = second;
    told_ = 0;
  }
  if (told_ == kRefusalsToldPerSecond) {
    ++untold_;
    return;
  }
  ++told_;
  open_turn();
  char text[64];
  size_t size = origin.is_unix ? 0 : origin.ip.print(text);
  napi_value args[] = {make(env_, double(listener)), make(env_, double(reason)),
                       make(env_, origin.is_unix ? std::string_view("unix:") : std::string_view(text, size)),
                       make(env_, std::string_view(why ? why : "")), make(env_, double(std::exchange(untold_, 0)))};
  call(refused_, args, 5);
}

TunnelVerdict ScriptDecider::tunnel_verdict_of(int kind) {
  TunnelVerdict v;
  v.kind = kind;
  v.server = uint32_t(lent_[abi::lent::server]);
  v.plan_id = uint32_t(lent_[abi::lent::plan]);
  v.plan = engine_->tunnel_plan(v.plan_id);
  const int32_t refusal = lent_[abi::lent::detail];
  v.refusal = refusal >= 0 && refusal < abi::refusal::count ? refusal : abi::refusal::no_server;
  return v;
}

Verdict ScriptDecider::verdict_of(int kind) {
  Verdict v;
  v.kind = kind;
  v.server = uint32_t(lent_[abi::lent::server]);
  v.plan = engine_->plan(uint32_t(lent_[abi::lent::plan]));
  v.fresh_connection = lent_[abi::lent::fresh_connection] != 0;
  v.route = uint16_t(lent_[abi::lent::route]);
  v.termination = uint8_t(lent_[abi::lent::termination]);
  v.answer = &staged;
  return v;
}

int32_t ScriptDecider::intern_host(std::string_view authority) {
  // Everything up to the port; an IPv6 address keeps its brackets.
  const size_t bracket = authority.starts_with('[') ? authority.find(']') : 0;
  const size_t colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
  std::string_view host = authority.substr(0, colon);
  if (host.size() > kHostBytes) return -1;
  char folded[kHostBytes];
  for (size_t i = 0; i < host.size(); ++i) folded[i] = lower(host[i]);
  const std::string_view key(folded, host.size());
  const auto at = hosts_.find(key);
  if (at != hosts_.end()) return at->second;
  if (hosts_.size() >= kHosts) return -1;
  const auto made = hosts_.emplace(std::string(key), int32_t(host_names_.size())).first;
  host_names_.push_back(&made->first);
  return made->second;
}

std::string_view ScriptDecider::host_name(int32_t id) const {
  return id >= 0 && size_t(id) < host_names_.size() ? std::string_view(*host_names_[size_t(id)]) : std::string_view();
}

}  // namespace weir::binding
