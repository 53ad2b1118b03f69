#!/bin/bash
# Builds the addon with AddressSanitizer and UBSan into build/asan, and runs tests against whole balancers that use it.
#   scripts/asan-addon.sh [test files]      default: all wire and scenario tests
# Ends with 1 when a test fails or a sanitizer reported anything. Leaks of the engine are looked for in the native tests, which have no
# Node in them (make native-asan).
set -euo pipefail
cd "$(dirname "$0")/.."

node=$(command -v "${NODE:-node}")
home=$("$node" -p 'require("path").resolve(require("fs").realpathSync(process.execPath), "../..")')
headers=${NODE_HEADERS_DIR:-$home/include/node}
[ -f "$headers/node_api.h" ] || { echo "node_api.h is not in $headers: set NODE_HEADERS_DIR"; exit 1; }

out=build/asan
flags=(-std=c++20 -O1 -g -fPIC -fno-exceptions -fno-rtti -fno-omit-frame-pointer -fvisibility=hidden -DNAPI_VERSION=9
  -fsanitize=address,undefined -fno-sanitize-recover=undefined -Inative -isystem "$headers")
objects=()
for source in native/*/*.cc; do
  object=$out/${source%.cc}.o
  objects+=("$object")
  # The headers are few: any newer one rebuilds everything.
  if [ ! -f "$object" ] || [ -n "$(find native "$source" -name '*.h' -newer "$object" -o -samefile "$source" -newer "$object" | head -1)" ]; then
    mkdir -p "$(dirname "$object")"
    echo "g++ $source"
    g++ "${flags[@]}" -c "$source" -o "$object"
  fi
done
g++ -shared -fsanitize=address,undefined "${objects[@]}" -o $out/weir.node

reports=$PWD/$out/reports
rm -rf "$reports" && mkdir -p "$reports"
export WEIR_ADDON=$PWD/$out/weir.node
# Only balancers get the runtime, not the tests; some tests start them by themselves, so it comes with their node.
preload=$(g++ -print-file-name=libasan.so)
printf '#!/bin/sh\nLD_PRELOAD=%s exec "%s" "$@"\n' "$preload" "$node" >$out/node
chmod +x $out/node
export WEIR_TEST_NODE=$PWD/$out/node
export ASAN_OPTIONS="detect_leaks=0:halt_on_error=1:handle_sigill=1:handle_abort=1:detect_stack_use_after_return=0:log_path=$reports/asan"
export UBSAN_OPTIONS="halt_on_error=1:print_stacktrace=1:log_path=$reports/ubsan"

# An addon that is not the one with sanitizers would prove nothing.
"$WEIR_TEST_NODE" -e "
  require(process.env.WEIR_ADDON)
  const maps = require('fs').readFileSync('/proc/self/maps', 'utf8')
  if (!maps.includes('build/asan/weir.node') || !maps.includes('libasan')) throw new Error('the addon with sanitizers was not loaded')"

files=("$@")
[ ${#files[@]} -gt 0 ] || mapfile -t files < <(find test/wire test/scenario -name '*.test.ts' | sort)
failed=0
"$node" --import tsx --test --test-reporter=spec --test-concurrency="${TEST_JOBS:-2}" "${files[@]}" || failed=1

if [ -n "$(ls -A "$reports")" ]; then
  echo 'the sanitizers reported:'
  cat "$reports"/*
  exit 1
fi
exit $failed
