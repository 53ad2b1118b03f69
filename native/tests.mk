# C++ unit tests and fuzzers, without Node. Included by the Makefile; runs from the repository's root. Everything built lands in build/.
# Every .cc below native/ except binding/ is linked, every .cc in test/native/ is a test, every .cc in test/fuzz/ a fuzz target.

NATIVE_FOLDERS ?= base observe loop stats tls upstream tcp http engine
# TLS is tested with the OpenSSL of the system, where its headers are (Debian: libssl-dev); without them the rest is.
HAS_OPENSSL := $(wildcard /usr/include/openssl/ssl.h)
NATIVE_SOURCES ?= $(filter-out $(if $(HAS_OPENSSL),,native/tls/openssl_%),$(wildcard $(NATIVE_FOLDERS:%=native/%/*.cc)))
NATIVE_TESTS := $(filter-out $(if $(HAS_OPENSSL),,test/native/openssl_%),$(wildcard test/native/*.cc))
# What tests and fuzz targets share: the engine with scripted clients and servers.
NATIVE_TEST_LIB := $(wildcard test/native/lib/*.cc)
NATIVE_FLAGS := -std=c++20 -g -Wall -Wextra -Werror -fno-exceptions -fno-rtti -Inative -Itest/native -MMD -MP
NATIVE_LIBS ?= -lpthread $(if $(HAS_OPENSSL),-lssl -lcrypto)
CLANG := $(shell command -v clang++-14 || command -v clang++)
SANITIZING_CXX ?= $(or $(CLANG),g++)
NATIVE_ASAN := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
SECONDS ?= 60
ONLY ?=

# $(call native_program,variant,compiler,flags,test sources): objects and one program build/native-<variant>/run
define native_program
build/native-$(1)/%.o: %.cc
	@mkdir -p $$(@D)
	$(2) $$(NATIVE_FLAGS) $(3) -c $$< -o $$@
build/native-$(1)/run: $$(patsubst %.cc,build/native-$(1)/%.o,$$(NATIVE_SOURCES) $(4))
	$(2) $(3) $$^ -o $$@ $$(NATIVE_LIBS)
-include $$(patsubst %.cc,build/native-$(1)/%.d,$$(NATIVE_SOURCES) $(4))
endef

$(eval $(call native_program,plain,$(CXX),-O0,$(NATIVE_TESTS) $(NATIVE_TEST_LIB)))
$(eval $(call native_program,asan,$(SANITIZING_CXX),-O1 $(NATIVE_ASAN),$(NATIVE_TESTS) $(NATIVE_TEST_LIB)))
$(eval $(call native_program,tsan,$(SANITIZING_CXX),-O1 -fsanitize=thread,$(NATIVE_TESTS) $(NATIVE_TEST_LIB)))
$(eval $(call native_program,speed,$(CXX),-O2,test/native/speed/head_parse.cc))

.PHONY: asan-addon soak soak-tcp soak-posts soak-reloads native-test native-asan native-tsan native-speed native-fuzz native-regressions

native-test: build/native-plain/run #? C++ unit tests (ONLY=part of a name)
	./$< "$(ONLY)"

native-asan: build/native-asan/run #? C++ unit tests under AddressSanitizer, LeakSanitizer and UBSan
	ASAN_OPTIONS=detect_leaks=1:halt_on_error=1:detect_stack_use_after_return=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 ./$< "$(ONLY)"

asan-addon: build #? the addon with sanitizers under the wire and scenario tests (T=keep-alive runs one)
	@scripts/asan-addon.sh $(if $(T),test/scenario/$(T).test.ts)

soak: build #? SOAK_REQUESTS=1000000 requests with aborts on both sides; then nothing may be left behind
	@$(NODE) --import tsx test/soak/aborts.ts

soak-posts: build #? 10,000 deaths of servers: no POST is ever read twice; POST_SEED=7 repeats one
	@POST_KILLS=$${POST_KILLS:-10000} $(NODE) --import tsx --test --test-reporter=spec test/scenario/post-once.test.ts

soak-reloads: build #? RELOADS=1000 under load: no request fails and nothing grows; draws build/soak/reloads.svg
	@$(NODE) --import tsx test/soak/reloads.ts

soak-tcp: build build/bench/duplex #? 10 GiB each way at once through one tunnel: whole, equal, and nothing grows
	@WEIR_BULK_BYTES=10737418240 $(NODE) --import tsx --test --test-reporter=spec test/scenario/tcp-bulk.test.ts

native-tsan: build/native-tsan/run #? C++ unit tests under ThreadSanitizer
	./$< "$(ONLY)"

native-speed: build/native-speed/run #? nanoseconds per parsed head
	./$<

FUZZ_TARGETS := $(filter-out $(if $(HAS_OPENSSL),,tls_%),$(patsubst test/fuzz/%.cc,%,$(wildcard test/fuzz/*.cc)))
FUZZ_FLAGS := -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined

build/fuzz/obj/%.o: %.cc
	@mkdir -p $(@D)
	$(CLANG) $(NATIVE_FLAGS) $(FUZZ_FLAGS) -c $< -o $@
FUZZ_OBJECTS := $(patsubst %.cc,build/fuzz/obj/%.o,$(NATIVE_SOURCES) $(NATIVE_TEST_LIB))
.SECONDARY: $(FUZZ_OBJECTS) $(FUZZ_TARGETS:%=build/fuzz/obj/test/fuzz/%.o)
build/fuzz/%: build/fuzz/obj/test/fuzz/%.o $(FUZZ_OBJECTS)
	$(CLANG) $(FUZZ_FLAGS) $^ -o $@ $(NATIVE_LIBS)
-include $(patsubst %.cc,build/fuzz/obj/%.d,$(NATIVE_SOURCES) $(NATIVE_TEST_LIB) $(FUZZ_TARGETS:%=test/fuzz/%.cc))

native-fuzz: build/fuzz/$(T) #? one fuzz target: T=head_parser SECONDS=60; finds go to test/fuzz/regressions
	@mkdir -p build/fuzz-corpus/$(T) test/fuzz/regressions/$(T)
	./$< -max_total_time=$(SECONDS) -timeout=5 -print_final_stats=1 -artifact_prefix=test/fuzz/regressions/$(T)/ \
	  $(if $(wildcard test/fuzz/$(T).dict),-dict=test/fuzz/$(T).dict) build/fuzz-corpus/$(T) test/fuzz/corpus/$(T) $(wildcard test/fuzz/regressions/$(T))

native-regressions: $(FUZZ_TARGETS:%=build/fuzz/%) #? replays the seeds and every input that once broke a fuzz target
	@for t in $(FUZZ_TARGETS); do ./build/fuzz/$$t -runs=0 $$(ls -d test/fuzz/corpus/$$t test/fuzz/regressions/$$t 2>/dev/null) || exit 1; done
