# The test bed on network namespaces, and what runs on it: cluster, demo; and the whole of `make check`.

BED_PROGRAMS := $(addprefix $(BUILD)/tests/cluster/,hostd hostctl powercut.so clockjump.so)
# The distribution's own: its modules are what `make deps` installs.
PYTHON := /usr/bin/python3
PYTEST := env PYTHONPATH=tests PYTHONDONTWRITEBYTECODE=1 $(PYTHON) -m pytest -p no:cacheprovider -p no_skips
# Without root everything runs as the only user of a user namespace; what needs separate users is skipped there.
AS_ROOT := $(if $(filter 0,$(shell id -u)),,unshare --user --map-root-user --net --mount --uts)
# Tests side by side; each has hosts and servers of its own.
JOBS = 2
# Of compilers, where `make check` builds without being told -j.
PARALLEL = -j$(shell nproc)

# Of the scenarios those that are marked as quick; `make check-full` runs all.
CLUSTER_TESTS = -m "quick or not scenario"
# Of their cases all; or some, if the command line says so: CASES="mysql-2 mysql-3". What the environment calls so is not asked.
CASES =

.PHONY: bed tests-on-hosts check-full check-all-but-hosts

# Not sanitised: they are the hosts, not what is tested.
$(BUILD)/tests/cluster/%: tests/cluster/%.c
	@mkdir -p $(@D)
	@echo "  CC    $@"
	$(Q)$(CC) $(CFLAGS_COMMON) -D_FORTIFY_SOURCE=2 $< -o $@

$(BUILD)/tests/cluster/%.so: tests/cluster/%.c
	@mkdir -p $(@D)
	@echo "  CC    $@"
	$(Q)$(CC) $(CFLAGS_COMMON) -D_FORTIFY_SOURCE=2 -fPIC -shared $< -o $@

bed: $(BED_PROGRAMS) $(BUILD)/tests/sim/replay_trace
	@:

# A second make reads the Makefile again: what `deps` has just installed is found only then.

check: deps servers ## everything: build, format, unit tests, simulations, tests on hosts and real servers
	@$(MAKE) --no-print-directory check-all-but-hosts
	@$(MAKE) --no-print-directory tests-on-hosts CASES="$(CASES)"

check-full: deps servers ## the same, and every scenario on every kind of server and cluster, with a table of the results
	@$(MAKE) --no-print-directory check-all-but-hosts
	@$(MAKE) --no-print-directory tests-on-hosts CASES="$(CASES)" CLUSTER_TESTS="--scenario-table --timeout 300"

check-all-but-hosts:
	@$(MAKE) --no-print-directory $(PARALLEL) VARIANT=release programs bed
	@$(MAKE) --no-print-directory $(PARALLEL) VARIANT=san programs bed tests
	@GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0='*' $(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory packages-check
	@$(MAKE) --no-print-directory VARIANT=san unit sim-few
	@$(MAKE) --no-print-directory sim
	@$(MAKE) --no-print-directory mutants
	@$(MAKE) --no-print-directory fuzz-check
	@$(MAKE) --no-print-directory spin

# One run for each folder, as each has a conftest.py of its own; a failure does not keep the others from running.
# vipd is also run as it is packaged: its memory at rest means nothing in a sanitised build.
tests-on-hosts:
	@failed=0; \
	run() { build=$$1; shift; echo "== pytest $$*"; \
		$(AS_ROOT) env MHA_CASES="$(CASES)" MHA_VARIANT=$$build MHA_BUILD=build/$$build $(PYTEST) -q -n $(JOBS) --timeout 180 "$$@" || failed=1; }; \
	run san tests/vip -k "not at_rest"; \
	run release tests/vip; \
	$(if $(wildcard tests/db/test_*),run san tests/db;) \
	run san tests/rebuild; \
	run release tests/chaos; \
	run san tests/cluster --durations 10 $(CLUSTER_TESTS); \
	exit $$failed

cluster: deps servers ## the scenario tests on namespaces alone (TESTS= picks some, as pytest's -k does)
	@$(MAKE) --no-print-directory VARIANT=san programs bed
	$(AS_ROOT) env MHA_VARIANT=san $(PYTEST) -v -n $(JOBS) --timeout 300 $(if $(TESTS),-k "$(TESTS)") tests/cluster

# KEEP=1 leaves the cluster up.
demo: deps ## show failovers and a switchover on real servers (KEEP=1 leaves them up)
	@$(MAKE) --no-print-directory $(PARALLEL) VARIANT=release programs bed
	@exec $(AS_ROOT) $(PYTHON) tests/cluster/demo.py $(if $(KEEP),--keep)
