# The traces in the stories (tests/sim/story_file.h), after an intended change of behaviour.

.PHONY: stories-rewrite

STORY_TESTS := $(BUILD)/tests/sim/test_stories $(BUILD)/tests/sim/test_policy_stories

stories-rewrite: $(STORY_TESTS) ## write the traces of now into the stories; then read git diff tests/sim
	@failed=0; for t in $(STORY_TESTS); do REWRITE=1 $$t >$(BUILD)/stories.log || failed=1; grep -A30 FAIL $(BUILD)/stories.log || true; done; \
	git diff --stat -- tests/sim/stories tests/sim/policy; exit $$failed
