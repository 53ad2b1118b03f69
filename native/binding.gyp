{
  "targets": [{
    "target_name": "weir",
    "sources": [
      "base/buffer.cc",
      "binding/addon.cc",
      "binding/engine_wrap.cc",
      "binding/options.cc",
      "binding/script_decider.cc",
      "binding/uv_bridge.cc",
      "engine/acceptor.cc",
      "engine/engine.cc",
      "http/body_framing.cc",
      "http/field_facts.cc",
      "http/forwarder_client.cc",
      "http/forwarder_close.cc",
      "http/forwarder_request.cc",
      "http/forwarder_response.cc",
      "http/forwarder_splice.cc",
      "http/forwarder_timers.cc",
      "http/head_parser.cc",
      "http/head_writer.cc",
      "http/identity.cc",
      "http/status_text.cc",
      "http/header_names.cc",
      "http/parse_error.cc",
      "http/plan.cc",
      "http/request_target.cc",
      "loop/address.cc",
      "loop/io.cc",
      "loop/listening_socket.cc",
      "loop/splice_pipe.cc",
      "loop/timer_wheel.cc",
      "stats/board.cc",
      "tcp/tunnel.cc",
      "upstream/pool.cc"
    ],
    "include_dirs": ["."],
    "defines": ["NAPI_VERSION=9"],
    "cflags!": ["-fno-exceptions"],
    "cflags_cc!": ["-fno-rtti", "-std=gnu++17", "-std=gnu++20"],
    "cflags_cc": [
      "-std=c++20", "-O2", "-Wall", "-Wextra", "-Werror", "-fno-exceptions", "-fno-rtti",
      "-fstack-protector-strong", "-D_FORTIFY_SOURCE=2", "-fvisibility=hidden", "-fno-plt"
    ],
    "ldflags": ["-Wl,-z,relro,-z,now,-z,noexecstack"],
    "conditions": [["OS!='linux'", { "sources": ["weir-runs-on-linux-only"] }]]
  }]
}
