/* rebuild_model.h - what a host keeps of rebuild.h's model. */
#ifndef MHA_SIM_REBUILD_MODEL_H
#define MHA_SIM_REBUILD_MODEL_H

#include <stdbool.h>
#include <stdint.h>

struct rebuild_model {
    bool running;
    uint64_t life; /* counts starts and ends: what was due in an earlier one is void */
    uint64_t agent_life;
    unsigned donor;
    uint64_t donor_incarnation;
    bool destroyed;
    bool unfinished; /* on its disk */
};

#endif
