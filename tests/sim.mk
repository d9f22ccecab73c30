# The mutants that show that the simulator's checkers can fail.

SIM_PYTHON := env PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3
SIM_RELEASE = $(MAKE) --no-print-directory VARIANT=release

.PHONY: mutants sim-mutants

mutants: ## each checker of the simulator is shown to catch a broken rule (MUTANTS="07 12" picks some)
	@$(SIM_RELEASE) sim-mutants

sim-mutants: $(SIM_TESTS)
	@$(SIM_PYTHON) tests/mutants/run.py --build $(BUILD) --jobs $(or $(JOBS),2) $(MUTANTS)
