# Figures: see tests/bench/bench.py. For a quiet machine.

.PHONY: bench

$(BUILD)/tests/bench/commits: tests/bench/commits.c
	@mkdir -p $(@D)
	@echo "  CC    $@"
	$(Q)$(CC) $(CFLAGS_COMMON) -D_FORTIFY_SOURCE=2 $(MYSQL_CFLAGS) $< -o $@ $(MYSQL_LIBS) -pthread

# ROUNDS=10; parts of it: SERVERS=mariadb,mysql PROFILES=lan,fast EVENTS=host_cut,... PARTS=events,cost,rest
bench: deps servers ## how long a client waits in each event, what the commit rule and the programs cost (ROUNDS=10, SERVERS= PROFILES= EVENTS= PARTS=)
	@$(MAKE) --no-print-directory VARIANT=release programs bed build/release/tests/bench/commits
	@exec $(AS_ROOT) $(PYTHON) tests/bench/bench.py --rounds $(or $(ROUNDS),10) $(if $(SERVERS),--servers $(SERVERS)) \
		$(if $(PROFILES),--profiles $(PROFILES)) $(if $(EVENTS),--events $(EVENTS)) $(if $(PARTS),--parts $(PARTS))
