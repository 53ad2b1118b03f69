#!/usr/bin/env bash
# Installs the programs that some tests run against, where this machine has apt-get and we are root. Otherwise it names those that
# are missing: their tests are skipped and say so. Never fails a test run by itself.
set -uo pipefail
PATH=$PATH:/usr/sbin:/usr/local/sbin

wanted=(
  curl:curl nginx:nginx-light haproxy:haproxy wrk:wrk chromium:chromium
  redis-server:redis-server socat:socat strace:strace promtool:prometheus tmux:tmux
  openssl:openssl gnutls-cli:gnutls-bin pebble:pebble valgrind:valgrind
)
policy=/usr/sbin/policy-rc.d

missing() {
  local pair
  for pair in "${wanted[@]}"; do
    command -v "${pair%%:*}" >/dev/null || echo "${pair#*:}"
  done
  [ -e /etc/ssl/certs/ca-certificates.crt ] || echo ca-certificates
  has_stream_module || echo libnginx-mod-stream
  # The server and pgbench lie beside each other, outside PATH.
  compgen -G '/usr/lib/postgresql/*/bin/pgbench' >/dev/null || echo postgresql
}

# nginx's TCP proxy is a module of its own on Debian, and part of the program elsewhere.
has_stream_module() {
  compgen -G '/usr/lib*/nginx/modules/ngx_stream_module.so' >/dev/null || nginx -V 2>&1 | grep -qE -- '--with-stream( |$)'
}

# An installed nginx or haproxy must not begin to serve: policy-rc.d tells the package scripts to start nothing.
forbid_services() {
  [ -e "$policy" ] && return
  printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy"
  trap 'rm -f "$policy"' EXIT
}

install() {
  local log
  log=$(mktemp)
  forbid_services
  export DEBIAN_FRONTEND=noninteractive
  local options=(-qq -y -o DPkg::Lock::Timeout=120 -o Dpkg::Use-Pty=0)
  if ! { apt-get "${options[@]}" update && apt-get "${options[@]}" install --no-install-recommends "$@"; } >"$log" 2>&1 </dev/null; then
    tail -n 5 "$log"
  fi
  rm -f "$log"
}

mapfile -t packages < <(missing)
[ "${#packages[@]}" -eq 0 ] && exit 0

if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
  echo "installing for the tests: ${packages[*]}"
  install "${packages[@]}"
  mapfile -t packages < <(missing)
fi

if [ "${#packages[@]}" -gt 0 ]; then
  echo "not installed, so tests that need them are skipped: ${packages[*]}"
  echo "on Debian: apt-get install ${packages[*]}"
fi
exit 0
