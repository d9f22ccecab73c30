# Models checked whole by SPIN (tests/spin/): the arbiter, compaction, leases, the commit rule.

.PHONY: spin

spin: ## verify the SPIN models, and find each of their seeded faults (MODEL=one of tests/spin/*.pml)
	@mkdir -p build/spin
	@$(PYTHON) tests/spin/run.py build/spin $(MODEL)
