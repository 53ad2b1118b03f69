# The load programs and the comparisons with nginx and HAProxy; included by the Makefile.

BENCH_OUT := build/bench
BENCH_PROGRAMS := $(BENCH_OUT)/origin $(BENCH_OUT)/pace $(BENCH_OUT)/hold $(BENCH_OUT)/echo $(BENCH_OUT)/tunnels $(BENCH_OUT)/duplex
BENCH_CXX ?= g++
BENCH_CXXFLAGS := -O2 -std=c++20 -Wall -Wextra -Werror
BENCH_ARGS ?=

.PHONY: bench-load bench-http bench-tcp bench-pick

bench-load: $(BENCH_PROGRAMS)

$(BENCH_OUT)/%: bench/load/%.cc $(wildcard bench/load/*.h)
	@mkdir -p $(BENCH_OUT)
	$(BENCH_CXX) $(BENCH_CXXFLAGS) -pthread -o $@ $<

#? bench-http      compare with nginx and HAProxy; BENCH_ARGS="--case http-small --rounds 5"
bench-http: $(BENCH_PROGRAMS)
	node --import tsx bench/suite.ts $(BENCH_ARGS)

#? bench-tcp       the same for protocol: tcp; BENCH_ARGS="--case tcp-small --rounds 5"
bench-tcp: $(BENCH_PROGRAMS)
	node --import tsx bench/suite.ts tcp $(BENCH_ARGS)

#? bench-pick      nanoseconds per pick of every policy with 2 to 10,000 servers
bench-pick:
	node --import tsx bench/cases/pick-policies.ts
