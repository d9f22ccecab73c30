# The traces in the stories (tests/sim/story_file.h), and those of daemons and simulations (common/base/trace.h).

.PHONY: stories-rewrite replay

STORY_TESTS := $(BUILD)/tests/sim/test_stories $(BUILD)/tests/sim/test_policy_stories

stories-rewrite: $(STORY_TESTS) ## write the traces of now into the stories; then read git diff tests/sim
	@failed=0; for t in $(STORY_TESTS); do REWRITE=1 $$t >$(BUILD)/stories.log || failed=1; grep -A30 FAIL $(BUILD)/stories.log || true; done; \
	git diff --stat -- tests/sim/stories tests/sim/policy; exit $$failed

REPLAY := $(BUILD)/tests/sim/replay_trace
$(REPLAY): $(BUILD)/tests/replay/main.o $(BUILD)/vipd/lease.o $(BUILD)/agent/db/worker/lease.o $(SIM_LIB) $(AGENT_LIB) $(COMMON_LIB)
	$(link) $(PROTO_LIBS) $(EVENT_LIBS) $(TLS_LIBS) $(CONFIG_LIBS) -lz

replay: $(REPLAY) ## give a trace to the pure code again and show the first difference (TRACE=file)
	@$(REPLAY) $(TRACE)
