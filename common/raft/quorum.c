#include "common/raft/quorum.h"

unsigned raft_quorum_size(unsigned voters)
{
    return voters / 2 + 1;
}

uint64_t raft_quorum_reached(uint64_t *values, unsigned voters)
{
    if (voters == 0)
        return 0;
    for (unsigned i = 1; i < voters; i++) { /* insertion sort, descending: there are few voters */
        uint64_t value = values[i];
        unsigned at = i;
        for (; at > 0 && values[at - 1] < value; at--)
            values[at] = values[at - 1];
        values[at] = value;
    }
    return values[raft_quorum_size(voters) - 1];
}
