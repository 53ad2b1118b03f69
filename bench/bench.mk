# The load programs and the comparisons with nginx and HAProxy; included by the Makefile.

BENCH_OUT := build/bench
BENCH_PROGRAMS := $(BENCH_OUT)/origin $(BENCH_OUT)/pace $(BENCH_OUT)/hold $(BENCH_OUT)/echo $(BENCH_OUT)/tunnels $(BENCH_OUT)/duplex
BENCH_TLS_PROGRAMS := $(BENCH_OUT)/tls_handshakes $(BENCH_OUT)/tls_requests $(BENCH_OUT)/tls_hold
BENCH_CXX ?= g++
BENCH_CXXFLAGS := -O2 -std=c++20 -Wall -Wextra -Werror
BENCH_ARGS ?=

.PHONY: bench-load bench-http bench-tcp bench-tls bench-tls-headers bench-pick

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

#? bench-pick      nanoseconds per pick of every policy with 2 to 10,000 servers
bench-pick:
	node --import tsx bench/cases/pick-policies.ts
