{
  "targets": [{
    "target_name": "weir",
    "sources": [
      "binding/addon.cc"
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
