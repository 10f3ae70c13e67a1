# exhibit: GNU make, no configure.  Bare `make` builds the three programs.
#   make demo | test        install what is missing, build, then run
#   make check              test without installing
#   make check-long         sweeps, proofs, long fuzzing
#   make bench measure prove asan fuzz cover analyze format install
# BUILD=dir and CC=clang choose another build; everything works with -j.

.DEFAULT_GOAL := all
SHELL := /bin/bash
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

BUILD ?= build
PREFIX ?= /usr/local
CC := $(if $(filter default,$(origin CC)),gcc,$(CC))
AR := $(if $(filter default,$(origin AR)),ar,$(AR))

WARN := -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow \
	-Wstrict-prototypes -Wmissing-prototypes -Wvla -Walloca -Wcast-qual \
	-Wformat=2 -Wundef -Wswitch-enum
COMMON := -std=c17 -D_GNU_SOURCE -Werror $(WARN) -I. -include base/banned.h \
	-fno-strict-aliasing -MMD -MP
HARDEN := -O2 -g -D_FORTIFY_SOURCE=2 -fstack-protector-strong \
	-fstack-clash-protection -fPIE
LINK_HARDEN := -pie -Wl,-z,relro,-z,now
SANITIZE := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined \
	-fno-sanitize-recover=all

# What each folder may link; check-layers holds the code to it.
LIBS_exhibit := -larchive -lmagic -lyara -lsqlite3 -lgit2 -lyaml -lcurl \
	-lsnappy -lzstd -llz4 -lbrotlidec -lssl -lcrypto -lpng \
	-ljpeg -lz -llzma -lm -lpthread
LIBS_static := -lcrypto -lpthread

LAYERS := base formats custody collector analyzer
# The read side of custody: all that exhibit-verify links.
CUSTODY_READ := bag bag_howto bagtext crypto_err digest evidence_find \
	evidence_read lane manifest merkle spool nameset tarhdr taritem trust trust_token verify \
	verify_check verify_frames verify_list verify_pass verify_worker
# The part of custody that exhibit-collect has no use for.
CUSTODY_HOST := ledger ledger_check ledger_db ledger_tree case case_body \
	case_event case_log case_new case_reconcile case_resume \
	case_summary tsa_http keygen anydigest body_worker

src = $(sort $(wildcard $(1)/*.c $(1)/*/*.c))
obj = $(patsubst %.c,$(BUILD)/obj/%.o,$(call src,$(1)))

PROGRAM_MAINS := cli/main.c cli/collect_main.c cli/verify_main.c
CLI_SRC := $(filter-out $(PROGRAM_MAINS),$(call src,cli))
VERIFY_CLI := $(addprefix $(BUILD)/obj/cli/,opt.o rows.o \
	verify_print.o)
COLLECT_CLI := $(addprefix $(BUILD)/obj/cli/,opt.o progress.o passphrase.o \
	collect_args.o collect_dry.o collect_sources.o collect_stamp.o request.o \
	rows.o)
CLI_OBJ := $(patsubst %.c,$(BUILD)/obj/%.o,$(CLI_SRC))

libs = $(foreach l,$(1),$(BUILD)/lib$(l).a)
READ_OBJ := $(patsubst %,$(BUILD)/obj/custody/%.o,$(CUSTODY_READ))
COLLECT_CUSTODY := $(filter-out $(patsubst %,$(BUILD)/obj/custody/%.o,\
	$(CUSTODY_HOST)),$(call obj,custody))

PROGRAMS := $(BUILD)/exhibit $(BUILD)/exhibit-collect $(BUILD)/exhibit-verify

.PHONY: all
all: $(PROGRAMS)

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(COMMON) $(HARDEN) $(CFLAGS) -c -o $@ $<

define layer_lib
$(BUILD)/lib$(1).a: $(call obj,$(1))
	@rm -f $$@
	$(AR) rcs $$@ $$^
endef
$(foreach l,$(LAYERS),$(eval $(call layer_lib,$(l))))

$(BUILD)/exhibit: $(BUILD)/obj/cli/main.o $(CLI_OBJ) \
		$(call libs,collector analyzer formats custody base)
	$(CC) $(HARDEN) $(LINK_HARDEN) $(LDFLAGS) -o $@ $^ $(LIBS_exhibit)

# glibc warns that a static libcrypto could still call dlopen; both programs
# load no configuration and no engine (digest_start), so nothing does.
# Without debug information: one travels over the network to be run.
STATIC := -static-pie -Wl,-z,relro,-z,now -Wl,--no-warnings \
	-Wl,--strip-debug
$(BUILD)/exhibit-collect: $(BUILD)/obj/cli/collect_main.o $(COLLECT_CLI) \
		$(BUILD)/libcollector.a $(COLLECT_CUSTODY) $(BUILD)/libbase.a
	$(CC) $(HARDEN) $(STATIC) $(LDFLAGS) -o $@ $^ $(LIBS_static)

$(BUILD)/exhibit-verify: $(BUILD)/obj/cli/verify_main.o $(VERIFY_CLI) \
		$(READ_OBJ) $(BUILD)/libbase.a
	$(CC) $(HARDEN) $(STATIC) $(LDFLAGS) -o $@ $^ $(LIBS_static)

# --- tests -----------------------------------------------------------------
# Parsers run in process under ASan and UBSan; sandbox, programs, kill and
# strace tests use the release build.
include tests/tests.mk

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
