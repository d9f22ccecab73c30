# The store's tests on a disk in memory.
$(BUILD)/tests/unit/test_memory_disk: $(BUILD)/tests/unit/memory_files.o $(BUILD)/tests/unit/memory_crash.o
$(BUILD)/tests/unit/test_store_crash $(BUILD)/tests/unit/test_store_faults $(BUILD)/tests/unit/test_store_verify: \
	$(BUILD)/tests/unit/memory_files.o $(BUILD)/tests/unit/memory_crash.o $(BUILD)/tests/unit/store_model.o

# Members of a group in one process.
REPLICA_TESTS := $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(wildcard tests/unit/test_replica*.c))
$(REPLICA_TESTS): $(BUILD)/tests/unit/replica_fixture.o $(BUILD)/tests/unit/memory_files.o $(BUILD)/tests/unit/memory_crash.o
