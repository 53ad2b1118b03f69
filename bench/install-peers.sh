#!/usr/bin/env bash
# What make bench-peers compares with, where it is missing: packages of npm into bench/node_modules; Debian's packages with INSTALL=1 and as
# root, else their names. Never fails: what is missing is named again by the suite, and skipped.
set -uo pipefail
PATH=$PATH:/usr/sbin:/usr/local/sbin
here=$(cd "$(dirname "$0")" && pwd)

if [ ! -e "$here/node_modules/.package-lock.json" ] || [ "$here/package-lock.json" -nt "$here/node_modules/.package-lock.json" ]; then
  echo 'npm install --prefix bench --ignore-scripts'
  npm install --prefix "$here" --ignore-scripts --no-audit --no-fund --loglevel=error --update-notifier=false >/dev/null &&
    touch "$here/node_modules/.package-lock.json"
fi

wanted=(nginx:nginx-light haproxy:haproxy caddy:caddy apache2:apache2 wrk:wrk)
missing=()
for pair in "${wanted[@]}"; do
  command -v "${pair%%:*}" >/dev/null || missing+=("${pair#*:}")
done
compgen -G '/usr/lib*/nginx/modules/ngx_stream_module.so' >/dev/null || nginx -V 2>&1 | grep -qE -- '--with-stream( |$)' ||
  missing+=(libnginx-mod-stream)
[ "${#missing[@]}" -eq 0 ] && exit 0

if [ "${INSTALL:-}" != 1 ] || [ "$(id -u)" -ne 0 ]; then
  echo "not installed: ${missing[*]}"
  echo "on Debian: apt install ${missing[*]}; or as root: make bench-peers INSTALL=1"
  exit 0
fi

# Their services must not begin to serve: policy-rc.d tells the package scripts to start nothing.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy"
  trap 'rm -f "$policy"' EXIT
fi
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update && apt-get -qq -y -o DPkg::Lock::Timeout=120 install --no-install-recommends "${missing[@]}" </dev/null
exit 0
