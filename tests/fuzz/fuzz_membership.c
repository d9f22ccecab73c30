/* What entries and snapshots hold (common/replica/wire.h). fuzz: runs=60000 max_len=4096
 *
 * The first byte says whether a membership or a snapshot follows. What is accepted survives packing. */
#include <string.h>

#include "common/replica/wire.h"
#include "log.pb-c.h"
#include "tests/fuzz/fuzz.h"

static const char *const words[] = {"alpha",   "beta",       "gamma",      "192.0.2.1:7400",
                                    "[::1]:1", "host:65535", "host:65536", NULL};

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    const ProtobufCMessageDescriptor *type =
        size > 0 && data[0] % 2 ? &mha__snapshot__descriptor : &mha__membership__descriptor;

    if (size == 0 || seed % 16 == 0) {
        size = size ? size : 1;
        data[0] = (uint8_t)(seed / 16);
        return size;
    }
    return 1 + fuzz_mutate_message(type, words, data + 1, size - 1, max_size - 1, seed);
}

static void check_membership(const uint8_t *data, size_t size)
{
    struct replica_membership membership, again;
    struct raft_membership raft;
    struct wire_bytes bytes;
    struct error err;

    if (wire_unpack_membership(data, size, &membership, &err) != ERR_OK)
        return;
    FUZZ_CHECK(membership.count > 0 && membership.count <= RAFT_MEMBERS_MAX, "its size is within the bounds");
    replica_membership_to_raft(&membership, &raft);
    for (unsigned i = 0; i < raft.count; i++) {
        FUZZ_CHECK(raft.members[i].id != 0 && (i == 0 || raft.members[i].id > raft.members[i - 1].id),
                   "ids ascend");
        FUZZ_CHECK(replica_membership_by_id(&membership, raft.members[i].id) == &membership.members[i],
                   "a member is found by its id");
    }
    FUZZ_CHECK(wire_pack_membership(&membership, &bytes, &err) == ERR_OK, "it packs");
    FUZZ_CHECK(wire_unpack_membership(bytes.data, bytes.size, &again, &err) == ERR_OK, "and unpacks");
    FUZZ_CHECK(memcmp(&membership, &again, sizeof membership) == 0, "to the same");
    free(bytes.data);
}

static void check_snapshot(const uint8_t *data, size_t size)
{
    struct wire_snapshot snapshot, again;
    struct wire_bytes bytes;
    struct error err;

    if (wire_unpack_snapshot(data, size, &snapshot, &err) != ERR_OK)
        return;
    FUZZ_CHECK(snapshot.membership.count > 0, "a snapshot has a membership");
    FUZZ_CHECK(snapshot.state_size <= size, "its state is a part of the input");
    FUZZ_CHECK(wire_pack_snapshot(&snapshot, &bytes, &err) == ERR_OK, "it packs");
    FUZZ_CHECK(wire_unpack_snapshot(bytes.data, bytes.size, &again, &err) == ERR_OK, "and unpacks");
    FUZZ_CHECK(snapshot.last_index == again.last_index && snapshot.last_term == again.last_term &&
                   memcmp(&snapshot.membership, &again.membership, sizeof again.membership) == 0 &&
                   snapshot.state_size == again.state_size &&
                   (again.state_size == 0 || memcmp(snapshot.state, again.state, again.state_size) == 0),
               "to the same");
    free(bytes.data);
    wire_free_snapshot(&again);
    wire_free_snapshot(&snapshot);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0 && data[0] % 2)
        check_snapshot(data + 1, size - 1);
    else if (size > 0)
        check_membership(data + 1, size - 1);
    return 0;
}
