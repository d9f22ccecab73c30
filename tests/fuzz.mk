# Fuzzing of every decoder of outside bytes (tests/fuzz/): libFuzzer, built by clang in a variant of its own.

FUZZ_TARGETS := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
MEMORY_DISK = $(BUILD)/tests/unit/memory_files.o $(BUILD)/tests/unit/memory_crash.o
FUZZ_PROGRAMS := $(FUZZ_TARGETS:%=$(BUILD)/tests/fuzz/fuzz_%)

ifeq ($(VARIANT),fuzz)
CC := clang
CFLAGS_VARIANT := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -Wno-unknown-warning-option
LDFLAGS_VARIANT := -fsanitize=fuzzer,address,undefined -pie
endif

.PHONY: fuzz fuzz-check fuzz-merge fuzz-programs

# TARGET=t builds and runs that one alone.
fuzz-programs: $(if $(TARGET),$(BUILD)/tests/fuzz/fuzz_$(TARGET),$(FUZZ_PROGRAMS))
	@:

$(BUILD)/tests/fuzz/%.o: ALL_CFLAGS += $(NL_CFLAGS) $(MYSQL_CFLAGS)

# The archives give each target what it uses. A target may take in the source file that it tests, to reach what is
# static there; then the archive's object of that file stays out.
$(BUILD)/tests/fuzz/fuzz_%: $(BUILD)/tests/fuzz/fuzz_%.o $(BUILD)/tests/fuzz/fuzz.o $(BUILD)/tests/fuzz/mutator.o \
		$(MEMORY_DISK) $(REBUILD_LIB) $(DBWORKER_LIB) $(VIPD_LIB) $(ARBITER_LIB) $(CLIENT_LIB) $(AGENT_LIB) $(COMMON_LIB)
	$(link) $(PROTO_LIBS) $(EVENT_LIBS) $(TLS_LIBS) $(CONFIG_LIBS) $(NL_LIBS) $(MYSQL_LIBS) -ljansson -lz -pthread

fuzz-check: ## replay the fuzzers' corpus, then a fixed number of runs of each target
	@$(MAKE) --no-print-directory VARIANT=fuzz fuzz-programs
	@sh tests/fuzz/run.sh check $(FUZZ_TARGETS)

fuzz: deps ## fuzz for longer (SECONDS=60 each, TARGET=one of tests/fuzz/fuzz_*.c)
	@$(MAKE) --no-print-directory VARIANT=fuzz fuzz-programs
	@sh tests/fuzz/run.sh $(or $(SECONDS),60) $(or $(TARGET),$(FUZZ_TARGETS))

fuzz-merge: ## bring what `make fuzz` has found into the kept corpus, minimised
	@$(MAKE) --no-print-directory VARIANT=fuzz fuzz-programs
	@sh tests/fuzz/run.sh merge $(or $(TARGET),$(FUZZ_TARGETS))

# raft_stop ends the process by design: the target must see what for.
$(BUILD)/tests/fuzz/fuzz_raft: LDFLAGS_VARIANT += -Wl,--wrap=raft_stop
