// Hands request heads and L4 connections to TypeScript and brings verdicts back. Numbers travel in `lent`, one Int32Array; the path is the only string
// made per request.
// Owns     references to the functions, the table of interned hosts, and the answer that TypeScript staged last.
// Note     one handle scope and one callback scope per turn of the engine, opened with the first decision and not at all without one.
#pragma once
#include <node_api.h>

#include <string>
#include <unordered_map>
#include <vector>

#include "http/decider.h"
#include "tcp/tunnel.h"

namespace weir {
class Engine;
}

namespace weir::binding {

class ScriptDecider final : public Decider, public TunnelDecider {
 public:
  // `decisions` has the functions of `Decisions` in contract.ts.
  ScriptDecider(napi_env env, napi_value decisions);
  ~ScriptDecider() override;
  void attach(Engine& engine) { engine_ = &engine; }

  Verdict decide(Exchange& ex) override;
  Verdict after_failure(Exchange& ex, const Failure& failure) override;
  void finished(Exchange& ex) override;
  Verdict hedge(Exchange& ex) override;
  void room() override;
  void tunnel_ended(Tunnel& t) override;
  TunnelVerdict decide_tunnel(Tunnel& t, const ClientHello& hello) override;
  TunnelVerdict tunnel_failed(Tunnel& t, int reason, int error) override;
  void refused(unsigned listener, int reason, const Origin& origin, const char* why) override;

  void end_turn();
  // The verdict that `lent` and the staged answer describe now.
  [[nodiscard]] Verdict verdict_of(int kind);
  [[nodiscard]] TunnelVerdict tunnel_verdict_of(int kind);

  int32_t* lent() { return lent_; }
  Answer staged;
  [[nodiscard]] std::string_view host_name(int32_t id) const;

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view s) const { return std::hash<std::string_view>()(s); }
  };
  void open_turn();
  void lend(Exchange& ex);
  void lend(Tunnel& t);
  int call(napi_ref function, napi_value* args, size_t count);
  int32_t intern_host(std::string_view authority);

  napi_env env_;
  Engine* engine_ = nullptr;
  napi_ref decide_ = nullptr;
  napi_ref after_failure_ = nullptr;
  napi_ref finished_ = nullptr;
  napi_ref decide_tunnel_ = nullptr;
  napi_ref tunnel_failed_ = nullptr;
  napi_ref refused_ = nullptr;
  napi_ref hedge_ = nullptr;
  napi_ref room_ = nullptr;
  napi_ref tunnel_ended_ = nullptr;
  napi_ref resource_ = nullptr;
  napi_async_context context_ = nullptr;
  napi_handle_scope handles_ = nullptr;
  napi_callback_scope callbacks_ = nullptr;
  napi_value decide_now_ = nullptr;
  napi_value receiver_ = nullptr;
  int32_t lent_[abi::lent::count] = {};
  // Refusals are told a few times per second; the rest is a number.
  uint64_t refusal_second_ = 0;
  uint32_t told_ = 0;
  uint32_t untold_ = 0;
  std::unordered_map<std::string, int32_t, Hash, std::equal_to<>> hosts_;
  std::vector<const std::string*> host_names_;
};

}  // namespace weir::binding
