// Our epoll set inside the worker's libuv loop: one poll handle, one timer, and an idle handle while work is left over.
// Owns     the three handles. They keep the process alive until `stop`.
#pragma once
#include <node_api.h>
#include <uv.h>

#include <functional>
#include <memory>

#include "engine/engine.h"

namespace weir::binding {

class UvBridge {
 public:
  UvBridge(Engine& engine, std::function<void()> after_turn) : engine_(engine), after_turn_(std::move(after_turn)) {}
  ~UvBridge() { stop(); }

  [[nodiscard]] bool start(napi_env env);
  void stop();
  // After work that came from JavaScript: timers and left-over work may have changed.
  void rearm();

 private:
  struct Handles;
  void turn();

  Engine& engine_;
  std::function<void()> after_turn_;
  Handles* handles_ = nullptr;  // freed by their close callbacks
};

}  // namespace weir::binding
