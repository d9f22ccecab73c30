# Random faults on a real cluster: see tests/chaos/README.md.

.PHONY: chaos

chaos: deps servers ## random faults on a real cluster (SECONDS= SEED= SERVER=mariadb|mysql NODES=2|3 PROFILE=lan|fast)
	@$(MAKE) --no-print-directory VARIANT=release programs bed
	@exec $(AS_ROOT) $(PYTHON) tests/chaos/chaos.py --seconds $(or $(SECONDS),90) --seed $(or $(SEED),0) \
		--server $(or $(SERVER),mariadb) --nodes $(or $(NODES),2) --profile $(or $(PROFILE),lan) $(CHAOS_OPTIONS)
