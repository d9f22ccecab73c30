/* compact.pml - a log prefix is dropped only with a whole snapshot.
 *
 * Design, section 3. The model of arbiter.pml with compaction: data nodes save snapshots of what they have applied and
 * start their logs after them; a snapshot travels in two chunks; the arbiter, which applies nothing, drops a prefix
 * only when it has the whole of one. Checked besides: no committed entry becomes unobtainable, so that a data node
 * that returns can always be brought up to date, by the arbiter too, whoever has died meanwhile.
 *
 * Abstraction: what a node's log no longer holds stands in `log` all the same, for comparing terms; nothing at or
 * before `base` is sent as an entry. */
#define COMPACTION
#include "arbiter.pml"
