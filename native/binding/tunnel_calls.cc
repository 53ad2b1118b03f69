#include "binding/tunnel_calls.h"

#include "binding/options.h"

namespace weir::binding {

namespace {

napi_value define_tunnel_plan(napi_env env, napi_callback_info info) {
  Call c(env, info);
  c.wrap->engine->define_tunnel_plan(c.u32(0), read_tunnel_plan(env, c.args[1]));
  return undefined(env);
}

napi_value drop_tunnel_plan(napi_env env, napi_callback_info info) {
  Call c(env, info);
  c.engine().drop_tunnel_plan(c.u32(0));
  return undefined(env);
}

napi_value tunnel_tlv(napi_env env, napi_callback_info info) {
  Call c(env, info);
  const Tunnel* t = c.tunnel();
  return t ? tlv_value(env, t->origin.proxy.get(), c.u32(2)) : undefined(env);
}

napi_value address_of(napi_env env, const Origin& origin) {
  char ip[48];
  return origin.is_unix ? make(env, std::string_view("unix:")) : make(env, std::string_view(ip, origin.ip.print(ip)));
}

napi_value tunnel_field(napi_env env, napi_callback_info info) {
  Call c(env, info);
  const Tunnel* t = c.tunnel();
  if (!t) return undefined(env);
  if (text(env, c.args[2]) == "clientPort") return make(env, double(t->origin.port));
  return t->origin.is_unix ? make(env, std::string_view()) : address_of(env, t->origin);
}

napi_value list_tunnels(napi_env env, napi_callback_info info) {
  Call c(env, info);
  Engine& e = *c.wrap->engine;
  const int32_t server = int32_t(c.u32(0));
  uint32_t left = c.u32(1), count = 0;
  e.rt.tick();
  napi_value list = nullptr;
  napi_create_array(env, &list);
  e.tunnels.tunnels.each([&](Tunnel* t) {
    if (left == 0 || (server >= 0 && (!t->has_server() || t->server_slot != uint32_t(server)))) return;
    --left;
    napi_value row = nullptr;
    napi_create_object(env, &row);
    const std::pair<const char*, double> numbers[] = {
        {"listener", t->listener},
        {"server", t->has_server() ? double(t->server_slot) : -1},
        {"ageMs", double((e.rt.now_us - t->opened_us) / 1000)},
        {"idleMs", double((e.rt.now_us - t->last_us) / 1000)},
        {"bytesSent", double(t->sides[0].bytes)},
        {"bytesReceived", double(t->sides[1].bytes)},
    };
    for (const auto& [name, value] : numbers) napi_set_named_property(env, row, name, make(env, value));
    napi_set_named_property(env, row, "client", address_of(env, t->origin));
    napi_set_element(env, list, count++, row);
  });
  return list;
}

napi_value cut_tunnels(napi_env env, napi_callback_info info) {
  Call c(env, info);
  // A decision must not free what it is made about.
  if (c.wrap->engine->in_turn()) return make(env, 0.0);
  const unsigned count = c.engine().enter([&] { return c.engine().tunnels.cut(c.u32(0)); });
  c.wrap->settle();
  return make(env, double(count));
}

napi_value resume_tunnel(napi_env env, napi_callback_info info) {
  Call c(env, info);
  if (!c.tunnel()) return make(env, false);
  Wrap& w = *c.wrap;
  const TunnelVerdict v = w.decider->tunnel_verdict_of(int(c.u32(2)));
  if (w.engine->in_turn() || w.is_settling) {
    w.late.push_back({c.u32(0), c.u32(1), true, v.plan_id, {}, {}, v});
    return make(env, true);
  }
  const bool done = w.engine->enter([&] { return w.engine->tunnels.resume(c.u32(0), c.u32(1), v); });
  w.settle();
  return make(env, done);
}

}  // namespace

void add_tunnel_calls(Methods& to) {
  to.insert(to.end(), {
                          method("defineTunnelPlan", define_tunnel_plan),
                          method("dropTunnelPlan", drop_tunnel_plan),
                          method("tunnelField", tunnel_field),
                          method("tunnelTlv", tunnel_tlv),
                          method("listTunnels", list_tunnels),
                          method("cutTunnels", cut_tunnels),
                          method("resumeTunnel", resume_tunnel),
                      });
}

}  // namespace weir::binding
