# Random faults on a real cluster: see tests/chaos/README.md.

.PHONY: chaos chaos-check

chaos: deps servers ## random faults on a real cluster (SECONDS= SEED= SERVER=mariadb|mysql NODES=2|3|5 PROFILE=lan|fast)
	@$(MAKE) --no-print-directory VARIANT=release programs bed
	@exec $(AS_ROOT) $(PYTHON) tests/chaos/chaos.py --seconds $(or $(SECONDS),90) --seed $(or $(SEED),0) \
		--server $(or $(SERVER),mariadb) --nodes $(or $(NODES),2) --profile $(or $(PROFILE),lan) $(CHAOS_OPTIONS)

# A short one on each kind of server, without what takes a minute to end (a MariaDB that met a full disk looks again after 60 s).
CHAOS_SERVERS ?= mariadb mysql

chaos-check: ## a minute of chaos on each kind of server
	@$(MAKE) --no-print-directory VARIANT=release programs bed
	@failed=0; for server in $(CHAOS_SERVERS); do \
		$(AS_ROOT) $(PYTHON) tests/chaos/chaos.py --seconds 60 --seed 11 --server $$server --without disk_full || failed=1; done; exit $$failed
