# The simulator: stories, random faults over many seeds, a failing seed again and cut down, and the mutants that show that its
# checkers can fail. Speed is the point of the release build here; `check` also runs some of it sanitised.

# Of `sim`; each seed runs as a Raft group and as a whole cluster.
SIM_SEEDS ?= 4000
# Of each random program in the sanitised build.
SIM_FEW ?= 150
# Those random programs have a runner of their own; all others under tests/sim run as they are.
SIM_RANDOM := $(BUILD)/tests/sim/test_raft_random $(BUILD)/tests/sim/test_policy_random
SIM_STORIES := $(filter-out $(SIM_RANDOM),$(SIM_TESTS))
SIM_PYTHON := env PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3
SIM_RELEASE = $(MAKE) --no-print-directory VARIANT=release

.PHONY: sim soak stories again shrink mutants sim-few sim-random sim-again sim-shrink sim-mutants

sim: ## simulated clusters under random faults, and the stories (SIM_SEEDS=4000)
	@$(SIM_RELEASE) stories
	@$(SIM_RELEASE) sim-random SEEDS=$(SIM_SEEDS)

soak: ## the same faults for any number of seeds (SEEDS=20000 FIRST=1 JOBS=2)
	@$(SIM_RELEASE) sim-random SEEDS=$(or $(SEEDS),20000)

stories: $(SIM_STORIES) ## the simulated stories of this VARIANT
	@set -e; for t in $(SIM_STORIES); do echo "== $$t"; $$t; done

# A few seeds in one process each: for the sanitised build.
sim-few: stories $(SIM_RANDOM)
	@set -e; for t in $(SIM_RANDOM); do echo "== $$t"; SEEDS=$(SIM_FEW) $$t; done

sim-random: $(SIM_RANDOM)
	@$(SIM_PYTHON) tests/sim/run.py --build $(BUILD) --seeds $(SEEDS) --first $(or $(FIRST),1) --jobs $(or $(JOBS),2)

again: ## one seed again, with its trace (SEED=7 SIM=cluster or raft, KEEP=1,4,7-9 PAUSES=4)
	@$(SIM_RELEASE) sim-again

sim-again: $(SIM_RANDOM)
	@$(SIM_PYTHON) tests/sim/shrink.py --build $(BUILD) --sim $(or $(SIM),cluster) --replay $(if $(KEEP),--keep $(KEEP)) \
		$(if $(PAUSES),--pauses $(PAUSES)) $(SEED)

shrink: ## the shortest run of a failing seed that fails in the same way (SEED=7 SIM=cluster or raft)
	@$(SIM_RELEASE) sim-shrink

sim-shrink: $(SIM_RANDOM)
	@$(SIM_PYTHON) tests/sim/shrink.py --build $(BUILD) --sim $(or $(SIM),cluster) $(SEED)

mutants: ## each checker of the simulator is shown to catch a broken rule (MUTANTS="07 12" picks some)
	@$(SIM_RELEASE) sim-mutants

sim-mutants: $(SIM_TESTS)
	@$(SIM_PYTHON) tests/mutants/run.py --build $(BUILD) --jobs $(or $(JOBS),2) $(MUTANTS)
