/* shadow.h - what a store has promised to hold, and whether what it holds is explained by that. */
#ifndef MHA_SIM_SHADOW_H
#define MHA_SIM_SHADOW_H

#include "common/store/store.h"
#include "tests/sim/world.h"

void shadow_clear(struct world_disk *disk);
void shadow_set(struct world_disk *disk, const struct store_recovered *found);
/* false: an older term, or a gap. */
bool shadow_apply(struct world_disk *disk, const struct world_write *write);
void shadow_apply_snapshot(struct world_disk *disk, uint64_t index, uint64_t term);
/* Is it the shadow, or the shadow with a beginning of the writes under way? The shadow is changed by the
 * attempt. */
bool shadow_explain(struct world_disk *disk, const struct store_recovered *found);
/* Both, for people; static memory. */
const char *shadow_describe(const struct world_disk *disk, const struct store_recovered *found);

#endif
