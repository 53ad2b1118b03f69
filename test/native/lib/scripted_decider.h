// Stands in for TypeScript: forwards to one server, retries by the rules of architecture section 7, answers when nothing is left.
#pragma once
#include <functional>
#include <vector>

#include "engine/engine.h"

namespace weir {

class ScriptedDecider : public Decider, public TunnelDecider {
 public:
  // Replaced by tests that decide otherwise.
  std::function<Verdict(Exchange&)> on_decide = [this](Exchange&) { return forward(); };
  std::function<Verdict(Exchange&, const Failure&)> on_failure = [this](Exchange& ex, const Failure& f) { return retry_or_answer(ex, f); };
  std::function<void(Exchange&)> on_finished = [](Exchange&) {};

  Verdict decide(Exchange& ex) override {
    ++decided;
    return on_decide(ex);
  }
  Verdict after_failure(Exchange& ex, const Failure& f) override {
    failures.push_back(f);
    return on_failure(ex, f);
  }
  void finished(Exchange& ex) override {
    ++finished_count;
    on_finished(ex);
  }

  // L4: the same server again until the retries are used up.
  std::function<TunnelVerdict(Tunnel&, const ClientHello&)> on_tunnel = [this](Tunnel&, const ClientHello&) { return tunnel(); };
  std::function<TunnelVerdict(Tunnel&, int)> on_tunnel_failure = [this](Tunnel& t, int) {
    return t.attempts <= retries ? tunnel() : TunnelVerdict{.refusal = abi::refusal::no_server};
  };

  // The other server of the bed, where there is one.
  std::function<Verdict(Exchange&)> on_hedge = [](Exchange&) { return Verdict(); };
  Verdict hedge(Exchange& ex) override { return on_hedge(ex); }
  void room() override { ++rooms; }
  void tunnel_ended(Tunnel&) override { ++tunnels_ended; }

  TunnelVerdict decide_tunnel(Tunnel& t, const ClientHello& hello) override {
    ++decided;
    return on_tunnel(t, hello);
  }
  TunnelVerdict tunnel_failed(Tunnel& t, int reason, int) override {
    tunnel_failures.push_back(reason);
    return on_tunnel_failure(t, reason);
  }
  void refused(unsigned, int reason, const Origin&, const char* why) override {
    refusals.push_back(reason);
    last_refusal = why ? why : "";
  }
  [[nodiscard]] TunnelVerdict tunnel() const { return {.kind = abi::verdict::forward, .server = server, .plan = tunnel_plan}; }

  [[nodiscard]] Verdict forward(bool fresh = false) const {
    Verdict v;
    v.kind = abi::verdict::forward;
    v.server = server;
    v.plan = plan;
    v.fresh_connection = fresh;
    return v;
  }
  [[nodiscard]] Verdict answer(int status, std::string body) {
    answer_.status = status;
    answer_.body = std::move(body);
    answer_.content_type = "text/plain";
    answer_.has_body = true;
    Verdict v;
    v.kind = abi::verdict::answer;
    v.answer = &answer_;
    return v;
  }
  [[nodiscard]] static Verdict wait() {
    Verdict v;
    v.kind = abi::verdict::wait;
    return v;
  }
  [[nodiscard]] Verdict retry_or_answer(Exchange& ex, const Failure& f) {
    const bool resendable = ex.replayable && ex.head_held && (f.unsent || is_idempotent(ex.method));
    const bool faulty = f.reason == abi::failure::invalid_response || f.reason == abi::failure::head_too_large;
    if (resendable && !faulty && ex.attempts <= retries) return forward(true);
    const bool late = f.reason == abi::failure::first_byte_timeout || f.reason == abi::failure::connect_timeout;
    return answer(late ? 504 : 502, "failed");
  }

  const TunnelPlan* tunnel_plan = nullptr;
  std::vector<int> tunnel_failures;
  std::vector<int> refusals;
  std::string last_refusal;
  Plan* plan = nullptr;
  uint32_t server = 0;
  unsigned retries = 2;
  unsigned decided = 0;
  unsigned rooms = 0;
  unsigned tunnels_ended = 0;
  unsigned finished_count = 0;
  std::vector<Failure> failures;

 private:
  Answer answer_;
};

}  // namespace weir
