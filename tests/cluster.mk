# The test bed on network namespaces, and what runs on it.

BED_PROGRAMS := $(BUILD)/tests/cluster/hostd $(BUILD)/tests/cluster/hostctl

# Not sanitised: they are the hosts, not what is tested.
$(BUILD)/tests/cluster/%: tests/cluster/%.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_COMMON) -D_FORTIFY_SOURCE=2 $< -o $@

bed: $(BED_PROGRAMS)
