# Everything that is done with this checkout. `make help` lists the targets; the two that matter first are `make demo` and `make test`.
#
#   NODE=/path/to/node make test     uses that Node.js; the addon is Node-API, so one build of it serves every version

.DEFAULT_GOAL := help
SHELL := /bin/bash
NODE ?= node
# Scenarios start whole balancers and measure time: more than two files at once disturb each other.
TEST_JOBS ?= 2
# What a target passes on: make demo ARGS="--listen :9000"
ARGS ?=

override NODE_PATH_FOUND := $(shell command -v $(NODE) 2>/dev/null)
ifneq ($(NODE),node)
# npm, tsc and biome are scripts that look for `node` in PATH.
export PATH := $(patsubst %/,%,$(dir $(abspath $(NODE_PATH_FOUND)))):$(PATH)
endif

# The headers that came with this Node.js, where it has them: node-gyp then downloads nothing.
NODE_HOME := $(patsubst %/bin/node,%,$(realpath $(NODE_PATH_FOUND)))
NODE_HEADERS := $(if $(wildcard $(NODE_HOME)/include/node/node_api.h),--nodedir=$(NODE_HOME))

MODULES := node_modules/.package-lock.json
ADDON := native/build/Release/weir.node
MAIN := dist/main.js
ADDON_SOURCES := native/binding.gyp $(wildcard native/*/*.cc native/*/*.h)
TYPESCRIPT_SOURCES := $(shell find src -type f) scripts/bundle.ts tsconfig.json tsconfig.build.json
FORMATTED := src test scripts bench examples

RUN_TESTS = $(NODE) --import tsx --test --test-reporter=spec --test-concurrency=$(TEST_JOBS)
tests_in = $(sort $(shell find $(1) -name '*.test.ts' 2>/dev/null))

.PHONY: help install native build demo run check types lint format guard test test-unit test-guard test-wire test-scenario test-tls test-testssl test-packages
.PHONY: coverage asan fuzz simulate generate sizes clean

help: #? this list
	@echo 'make TARGET'
	@echo
	@sed -nE -e 's/^([a-z][a-z-]*):.*#\? (.*)/\1\t\2/p' -e 's/^#\? ([a-z-]+) +(.*)/\1\t\2/p' $(MAKEFILE_LIST) | \
	  awk -F'\t' '{ printf "  %-20s %s\n", $$1, $$2 }'

# --- Set-up: each step runs only when what it makes is missing or older than what it is made from.

install: $(MODULES) $(ADDON) #? npm packages and the native addon

native: $(ADDON) #? the native addon

build: $(ADDON) $(MAIN) #? everything that `node dist/main.js` needs

$(MODULES): package-lock.json
	@echo 'npm install' && npm install --ignore-scripts --no-audit --no-fund --loglevel=error --update-notifier=false >/dev/null && touch $@

# node-gyp runs a make of its own, which must not inherit this one's flags.
$(ADDON): $(ADDON_SOURCES) | $(MODULES)
	@echo 'building the native addon' && mkdir -p build && \
	  { env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL JOBS=max npm run --silent native -- $(NODE_HEADERS) >build/native.log 2>&1 || \
	    { cat build/native.log; exit 1; }; } && touch $@

$(MAIN): $(TYPESCRIPT_SOURCES) $(MODULES)
	@echo 'compiling TypeScript' && $(NODE) --import tsx scripts/bundle.ts && $(NODE) node_modules/typescript/bin/tsc -p tsconfig.build.json && touch $@

# --- Use

demo: build #? sets everything up, then runs the balancer in front of three sample servers
	@$(NODE) $(MAIN) demo $(ARGS)

run: build #? runs the balancer: ARGS="weir.yaml"
	@$(NODE) $(MAIN) run $(ARGS)

# --- Checks

check: lint types guard #? format, lint, types and architecture: before every commit

lint: $(MODULES) #? format and lint, changes nothing
	@node_modules/.bin/biome ci --diagnostic-level=warn $(FORMATTED)

format: $(MODULES) #? formats and repairs what can be repaired
	@node_modules/.bin/biome check --write $(FORMATTED)

types: $(MODULES) #? TypeScript's opinion
	@$(NODE) node_modules/typescript/bin/tsc --noEmit

guard: build #? the rules of the architecture, the generated files, the examples
	@$(RUN_TESTS) $(call tests_in,test/guard)

# --- Tests

test: build test-packages build/bench/duplex #? sets everything up, then runs all tests; ends with the summary of node:test
	@$(if $(wildcard native/tests.mk),$(MAKE) --no-print-directory --silent native-test)
	@$(RUN_TESTS) $(call tests_in,test/unit test/guard test/wire test/scenario)

test-unit: build #? decisions, config, routing: seconds
	@$(RUN_TESTS) $(call tests_in,test/unit test/guard)

test-wire: build #? hostile and odd bytes against the whole balancer
	@$(RUN_TESTS) $(call tests_in,test/wire)

test-scenario: build build/bench/duplex #? whole balancers, one behaviour per file; T=keep-alive runs one
	@$(RUN_TESTS) $(if $(T),test/scenario/$(T).test.ts,$(call tests_in,test/scenario))

test-tls: build test-packages #? the scenario and wire files of plain HTTP, over TLS: not part of make test
	@WEIR_TLS_FILES=all $(RUN_TESTS) test/scenario/tls-transport.test.ts

test-testssl: build #? testssl.sh against the default config: no finding above LOW
	@$(NODE) --import tsx scripts/testssl.ts

test-packages: #? the programs that tests run against: installs them where it may, else names them
	@scripts/test-packages.sh

coverage: build #? unit tests with the lines that they do not reach
	@node_modules/.bin/c8 --src=src --include='src/**' $(RUN_TESTS) $(call tests_in,test/unit)

-include native/tests.mk
-include bench/bench.mk

asan: native-asan asan-addon #? engine tests, and all scenario and wire tests, under address and undefined-behaviour sanitizers

simulate: $(MODULES) #? primary and workers on a virtual clock, under faults: SEEDS=1000 runs many stories, SEED=7 replays one
	@SEED='$(SEED)' SEEDS='$(SEEDS)' $(NODE) --import tsx test/simulation/simulate.ts

fuzz: native-fuzz #? the same as native-fuzz

# --- Files

generate: $(MODULES) #? rewrites the generated files: abi.h, references of config, control socket and metrics
	@$(NODE) --import tsx scripts/generate-abi.ts
	@$(NODE) --import tsx scripts/generate-control-docs.ts
	@$(NODE) --import tsx scripts/generate-config-docs.ts
	@$(NODE) --import tsx scripts/generate-metrics-docs.ts

sizes: $(MODULES) #? files, median, longest: a mirror, not a gate
	@$(NODE) --import tsx scripts/sizes.ts

clean: #? removes everything that was built
	@rm -rf dist build native/build coverage
