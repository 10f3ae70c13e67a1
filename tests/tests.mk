# Rules for tests, proofs, fuzzing and static analysis.

ASAN := $(BUILD)/asan
asan_obj = $(patsubst %.c,$(ASAN)/obj/%.o,$(1))

$(ASAN)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(COMMON) $(SANITIZE) $(CFLAGS) -c -o $@ $<

ASAN_LIB := $(ASAN)/libexhibit.a
$(ASAN_LIB): $(foreach l,$(LAYERS),$(call asan_obj,$(call src,$(l))))
	@rm -f $@
	$(AR) rcs $@ $^

UNIT := $(patsubst tests/unit/%.c,$(ASAN)/%,$(call src,tests/unit))
TEST_LIB := $(call asan_obj,$(call src,tests/lib))

$(ASAN)/test_%: $(ASAN)/obj/tests/unit/test_%.o $(TEST_LIB) $(ASAN_LIB)
	$(CC) $(SANITIZE) $(LDFLAGS) -o $@ $^ -lcmocka $(LIBS_exhibit)

# tests/release: what needs the fence needs the release build.
RELEASE := $(patsubst tests/release/%.c,$(BUILD)/release/%,\
	$(call src,tests/release))
$(BUILD)/release/test_%: $(BUILD)/obj/tests/release/test_%.o \
		$(BUILD)/obj/tests/lib/model_case.o \
		$(BUILD)/obj/tests/lib/parent.o \
		$(call libs,collector analyzer formats custody base)
	@mkdir -p $(@D)
	$(CC) $(HARDEN) $(LINK_HARDEN) $(LDFLAGS) -o $@ $^ -lcmocka \
		$(LIBS_exhibit)

# The same objects with journals that are written more often, for tests.
$(BUILD)/testing/exhibit: $(BUILD)/obj/cli/main.o $(CLI_OBJ) \
		$(BUILD)/obj/tests/fault/tune.o \
		$(call libs,collector analyzer formats custody base)
	@mkdir -p $(@D)
	$(CC) $(HARDEN) $(LINK_HARDEN) $(LDFLAGS) -o $@ $^ $(LIBS_exhibit)

$(BUILD)/testing/exhibit-collect: $(BUILD)/obj/cli/collect_main.o \
		$(COLLECT_CLI) $(BUILD)/obj/tests/fault/tune.o \
		$(BUILD)/libcollector.a $(COLLECT_CUSTODY) $(BUILD)/libbase.a
	@mkdir -p $(@D)
	$(CC) $(HARDEN) $(STATIC) $(LDFLAGS) -o $@ $^ $(LIBS_static)

# Preloaded: reads and writes that are interrupted and short.
$(BUILD)/testing/short.so: tests/fault/short.c
	@mkdir -p $(@D)
	$(CC) -std=c17 -Werror $(WARN) -O2 -g -shared -fPIC -o $@ $< -ldl

TESTING := $(addprefix $(BUILD)/testing/,exhibit exhibit-collect short.so)

# tests/long: sweeps that take minutes; `make check-long`.
LONG := $(patsubst tests/long/%.c,$(BUILD)/long/%,$(call src,tests/long))
$(BUILD)/long/%: $(BUILD)/obj/tests/long/%.o \
		$(call libs,collector analyzer formats custody base)
	@mkdir -p $(@D)
	$(CC) $(HARDEN) $(LINK_HARDEN) $(LDFLAGS) -o $@ $^ $(LIBS_exhibit)

# Fuzz targets: tests/fuzz/fuzz_*.c have LLVMFuzzerTestOneInput; linked with
# clang's libFuzzer by `make fuzz`, and with a plain driver that replays the
# corpus for `make test`.
FUZZ_SRC := $(sort $(wildcard tests/fuzz/fuzz_*.c))
FUZZ_NAMES := $(filter-out fuzz_common,$(patsubst tests/fuzz/%.c,%,$(FUZZ_SRC)))
REPLAY := $(patsubst %,$(ASAN)/replay_%,$(FUZZ_NAMES))
$(ASAN)/replay_fuzz_%: $(ASAN)/obj/tests/fuzz/fuzz_%.o \
		$(ASAN)/obj/tests/fuzz/fuzz_common.o \
		$(ASAN)/obj/tests/fuzz/replay.o \
		$(ASAN)/obj/tests/lib/format_case.o \
		$(ASAN)/obj/tests/lib/rows_laws.o $(ASAN_LIB)
	$(CC) $(SANITIZE) $(LDFLAGS) -o $@ $^ $(LIBS_exhibit)

FUZZ := $(BUILD)/fuzz
FUZZ_SECONDS ?= 60
FUZZ_FLAGS := -O1 -g -fsanitize=fuzzer-no-link,address,undefined \
	-fno-sanitize-recover=all
$(FUZZ)/obj/%.o: %.c
	@mkdir -p $(@D)
	clang $(COMMON) $(FUZZ_FLAGS) $(CFLAGS) -c -o $@ $<
FUZZ_LIB := $(FUZZ)/libexhibit.a
$(FUZZ_LIB): $(patsubst %.c,$(FUZZ)/obj/%.o,\
		$(foreach l,base formats custody collector analyzer,$(call src,$(l))))
	@rm -f $@
	$(AR) rcs $@ $^
$(FUZZ)/fuzz_%: $(FUZZ)/obj/tests/fuzz/fuzz_%.o \
		$(FUZZ)/obj/tests/fuzz/fuzz_common.o \
		$(FUZZ)/obj/tests/lib/format_case.o \
		$(FUZZ)/obj/tests/lib/rows_laws.o $(FUZZ_LIB)
	clang $(FUZZ_FLAGS) -fsanitize=fuzzer $(LDFLAGS) -o $@ $^ $(LIBS_exhibit)

.PHONY: asan fuzz
asan: $(UNIT) $(REPLAY)

fuzz: $(patsubst %,$(FUZZ)/%,$(FUZZ_NAMES))
	FUZZ_SECONDS=$(FUZZ_SECONDS) tools/run-fuzz.sh $(FUZZ) $(FUZZ_NAMES)

# --- running ---------------------------------------------------------------
# check: everything that fits in ten minutes on two cores.  test: the same
# after installing what is missing; a second make, so that nothing learned
# before the installation is stale.
.PHONY: test check check-long demo deps prove bench analyze cover format \
	install check-layers check-catalogue check-headers samples clean

check: $(PROGRAMS) $(TESTING) $(UNIT) $(RELEASE) $(REPLAY) $(BUILD)/samples/.made
	BUILD=$(BUILD) tools/run-tests.sh

# A compiler for each core, unless somebody said how many.
JOBS = $(if $(findstring -j,$(MAKEFLAGS)),,-j$(shell nproc))

test: deps
	+@$(MAKE) $(JOBS) --no-print-directory check

deps:
	@tools/install-deps.sh

demo: deps
	+@$(MAKE) $(JOBS) --no-print-directory demo-run
.PHONY: demo-run
demo-run: $(PROGRAMS) $(BUILD)/samples/.made
	@BUILD=$(BUILD) samples/demo.sh

samples: $(BUILD)/samples/.made
$(BUILD)/samples/.made: $(BUILD)/tools/mksample $(wildcard samples/*/*.recipe)
	$(BUILD)/tools/mksample samples $(BUILD)/samples
	@touch $@
$(BUILD)/tools/mksample: $(patsubst %.c,$(BUILD)/obj/%.o,$(call src,tools)) \
		$(BUILD)/libbase.a
	@mkdir -p $(@D)
	$(CC) $(HARDEN) $(LINK_HARDEN) $(LDFLAGS) -o $@ $^ -larchive -lz -lm

check-long: check $(LONG) fuzz prove
	BUILD=$(BUILD) tools/run-long.sh $(LONG)

prove:
	@tools/prove.sh

# tests/bench: what a script cannot measure from outside.
$(BUILD)/bench/%: $(BUILD)/obj/tests/bench/%.o \
		$(BUILD)/obj/tests/lib/weights_case.o \
		$(call libs,collector analyzer formats custody base)
	@mkdir -p $(@D)
	$(CC) $(HARDEN) $(LINK_HARDEN) $(LDFLAGS) -o $@ $^ $(LIBS_exhibit)

bench: $(PROGRAMS) $(patsubst %,$(BUILD)/bench/%,weights sketch diff \
		diffmodel logs traffic triggers)
	@BUILD=$(BUILD) tools/bench.sh
	@BUILD=$(BUILD) tools/bench-collect.sh
	@BUILD=$(BUILD) tools/bench-pickle.sh
	@BUILD=$(BUILD) tools/bench-weights.sh
	@$(BUILD)/bench/sketch
	@$(BUILD)/bench/logs samples/logs
	@$(BUILD)/bench/traffic
	@$(BUILD)/bench/triggers
	@BUILD=$(BUILD) tools/bench-diff.sh
	@BUILD=$(BUILD) tools/bench-logs.sh
	@BUILD=$(BUILD) tools/bench-triggers.sh

# How often triggers and callers are found: SEED=n, MEASURE="text log".
.PHONY: measure
measure: $(PROGRAMS)
	@BUILD=$(BUILD) tools/measure.sh $(or $(SEED),1)

check-layers: $(call libs,$(LAYERS)) $(PROGRAMS)
	@BUILD=$(BUILD) tools/check-layers.sh
check-catalogue:
	@tools/check-catalogue.sh
check-headers:
	@CC=$(CC) tools/check-headers.sh $(COMMON)

ALL_C = $(foreach l,$(LAYERS) cli,$(call src,$(l)))
analyze: check-headers
	@CC=$(CC) tools/analyze.sh "$(COMMON)" $(ALL_C)

cover:
	$(MAKE) BUILD=$(BUILD)/cover CFLAGS="--coverage" LDFLAGS="--coverage" \
		asan
	@tools/cover.sh $(BUILD)/cover

format:
	clang-format -i $(wildcard base/*.[ch] formats/*.[ch] formats/*/*.[ch] custody/*.[ch] \
		collector/*.[ch] analyzer/*.[ch] analyzer/*/*.[ch] cli/*.[ch] tests/*/*.[ch] \
		tools/*.[ch])

install: $(PROGRAMS)
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man/man1 \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions
	install -m 755 $(PROGRAMS) $(DESTDIR)$(PREFIX)/bin
	install -m 644 $(wildcard docs/man/*.1) \
		$(DESTDIR)$(PREFIX)/share/man/man1
	install -m 644 docs/completion/exhibit.bash \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/exhibit

clean:
	rm -rf $(BUILD)

.PRECIOUS: $(ASAN)/obj/%.o $(BUILD)/obj/%.o $(FUZZ)/obj/%.o
.SECONDARY:
