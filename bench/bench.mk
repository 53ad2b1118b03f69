# The load programs and the comparisons with nginx and HAProxy; included by the Makefile.

BENCH_OUT := build/bench
BENCH_PROGRAMS := $(BENCH_OUT)/origin $(BENCH_OUT)/pace $(BENCH_OUT)/hold $(BENCH_OUT)/echo $(BENCH_OUT)/tunnels $(BENCH_OUT)/duplex \
  $(BENCH_OUT)/one_shot
BENCH_TLS_PROGRAMS := $(BENCH_OUT)/tls_handshakes $(BENCH_OUT)/tls_requests $(BENCH_OUT)/tls_hold
BENCH_CXX ?= g++
BENCH_CXXFLAGS := -O2 -std=c++20 -Wall -Wextra -Werror
BENCH_ARGS ?=

.PHONY: bench-load bench-http bench-tcp bench-tls bench-tls-headers

bench-load: $(BENCH_PROGRAMS)

$(BENCH_OUT)/%: bench/load/%.cc $(wildcard bench/load/*.h)
	@mkdir -p $(BENCH_OUT)
	$(BENCH_CXX) $(BENCH_CXXFLAGS) -pthread -o $@ $<

$(BENCH_OUT)/tls_%: bench/load/tls_%.cc $(wildcard bench/load/*.h) | bench-tls-headers
	@mkdir -p $(BENCH_OUT)
	$(BENCH_CXX) $(BENCH_CXXFLAGS) -o $@ $< -lssl -lcrypto

bench-tls-headers:
	@echo '#include <openssl/ssl.h>' | $(BENCH_CXX) -E -x c++ - >/dev/null 2>&1 || \
	  { echo 'the TLS load programs are built against OpenSSL: apt install libssl-dev (or openssl-devel, openssl-dev)' >&2; exit 1; }

#? bench-http      compare with nginx and HAProxy; BENCH_ARGS="--case http-small --rounds 5"
bench-http: $(BENCH_PROGRAMS)
	node --import tsx bench/suite.ts $(BENCH_ARGS)

#? bench-tcp       the same for protocol: tcp; BENCH_ARGS="--case tcp-small --rounds 5"
bench-tcp: $(BENCH_PROGRAMS)
	node --import tsx bench/suite.ts tcp $(BENCH_ARGS)

#? bench-tls       the same over TLS: handshakes, requests, bodies, idle memory; BENCH_ARGS="--case tls-small --rounds 5"
bench-tls: $(BENCH_PROGRAMS) $(BENCH_TLS_PROGRAMS)
	node --import tsx bench/suite.ts tls $(BENCH_ARGS)


# --- Comparison with other proxies, and the pages made from it

# QUICK=1: one round of one second and no pages. TLS=1: the cases over TLS, too. INSTALL=1, as root: Debian packages that are missing.
BENCH_PEERS_TIME := $(if $(QUICK),--rounds 1 --seconds 1,--rounds 3 --seconds 2)
# Pages are written from whole runs only.
BENCH_PEERS_PAGES := $(if $(QUICK)$(findstring --case,$(BENCH_ARGS))$(findstring --peers,$(BENCH_ARGS)),,--pages)

.PHONY: bench-peers bench-peers-install bench-report bench-compare

#? bench-peers     compare with seven other proxies, write docs/performance.md; QUICK=1 TLS=1 INSTALL=1 BENCH_ARGS="--resume FILE"
bench-peers: build bench-peers-install $(BENCH_PROGRAMS) $(if $(TLS),$(BENCH_TLS_PROGRAMS))
	$(NODE) --import tsx bench/suite.ts peers $(if $(TLS),--tls) $(BENCH_PEERS_TIME) $(BENCH_PEERS_PAGES) $(BENCH_ARGS)

bench-peers-install: | $(MODULES)
	@INSTALL=$(INSTALL) bench/install-peers.sh

#? bench-report    writes docs/performance.md and the tables of the README; RECORD="build/bench/TIME.json …"
bench-report: | $(MODULES)
	@$(NODE) --import tsx bench/performance.ts $(RECORD) $(ARGS)

#? bench-compare   which ratios two runs agree on: A=one.json B=other.json
bench-compare: | $(MODULES)
	@$(NODE) --import tsx bench/compare.ts $(A) $(B)

# --- Cost per request as things grow

.PHONY: bench-scale

#? bench-scale     CPU per request as connections, servers, routes, workers and bodies grow, plotted; QUICK=1 is a minute of weir alone
bench-scale: build $(BENCH_PROGRAMS)
	$(NODE) --import tsx bench/scale.ts $(if $(QUICK),--quick) $(BENCH_ARGS)

# --- The guard against slower code, and microbenches. BASE=REV compares with that commit.

GUARD_BASE := $(if $(BASE),--base $(BASE))

.PHONY: bench-guard bench-guard-instructions bench-guard-test bench-micro bench-pick

#? bench-guard     is this build slower than where its branch began? CPU, req/s, p99, instructions; 3 minutes; BASE=REV
bench-guard: build test-packages $(BENCH_PROGRAMS)
	@$(NODE) --import tsx bench/guard/guard.ts $(GUARD_BASE)

#? bench-guard-instructions  the part of it that has no noise, which CI runs
bench-guard-instructions: test-packages | $(MODULES)
	@$(NODE) --import tsx bench/guard/instructions.ts $(GUARD_BASE)

#? bench-guard-test  the guard finds 5 us wasted per request, and three honest runs in a row pass; 10 minutes
bench-guard-test: build test-packages $(BENCH_PROGRAMS)
	@$(NODE) --import tsx bench/guard/planted.ts $(GUARD_BASE)

#? bench-micro     nanoseconds of the small steps: picks, heads, routes, the board, gossip; ARGS="--only pick,route"
bench-micro: build
	@$(NODE) --import tsx bench/micro/micro.ts $(ARGS)

#? bench-pick      the picks of bench-micro only: every policy with 2 to 10,000 servers
bench-pick: build
	@$(NODE) --import tsx bench/micro/micro.ts --only pick

# --- Which balancing policy suits a fleet: the command `weir bench`.

.PHONY: bench

#? bench           compare balancing policies on fleets of mock servers; QUICK=1 ARGS="--fleet one-slow"
bench: build
	@$(NODE) $(MAIN) bench $(if $(filter-out 0,$(QUICK)),--quick) $(ARGS)
