/* explain.c - what a forced failover, or one with durability = "available", would lose, as far as is known.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "agent/cluster/policy_internal.h"

struct text_room {
    char *text;
    size_t size, used;
};

static void add(struct text_room *room, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(struct text_room *room, const char *format, ...)
{
    va_list args;
    int length;

    va_start(args, format);
    length = vsnprintf(room->text + room->used, room->size - room->used, format, args);
    va_end(args);
    if (length > 0)
        room->used += (size_t)length;
    if (room->used >= room->size)
        room->used = room->size - 1;
}

/* What `node` said last, however long ago, against what the target holds. */
static void compare(const struct policy_input *input, const struct policy_node *node,
                    const struct position *target, const char *role, struct text_room *room)
{
    const Mha__DbObservation *db = node->report ? node->report->database : NULL;
    bool fresh = db && policy_fresh_db(input, node) == db && policy_node_reachable(input, node);
    const char *position = db && db->received[0] ? db->received : db ? db->executed : "";
    struct position theirs;
    struct position_lack lack;

    if (!db || !db->observed_us || !position[0] || !position_parse(position, &theirs)) {
        add(room, "%s %s: nothing is known of what it held.\n", role, node->name);
        return;
    }
    add(room, "%s %s", role, node->name);
    if (!fresh)
        add(room, ", as last heard %llu s ago",
            (unsigned long long)((input->now_us - node->reported_us) / 1000000));
    if (!position_lack(target, &theirs, &lack))
        add(room, ": nothing is missing%s.\n", fresh ? "" : ", but for what it wrote after that");
    else if (lack.counted)
        add(room, ": %llu transaction%s missing: %s%s.\n", (unsigned long long)lack.count,
            lack.count == 1 ? " is" : "s are", lack.ranges, fresh ? "" : ", and what it wrote after that");
    else
        add(room, ": something is missing: %s.\n", lack.ranges);
}

void policy_explain_force(const struct policy_input *input, uint64_t to, char *text, size_t size)
{
    const struct policy_node *target = policy_find_node(input, to);
    const struct policy_node *old = policy_find_node(input, input->state->primary.node);
    const Mha__DbObservation *db = target ? policy_fresh_db(input, target) : NULL;
    struct text_room room = {text, size, 0};
    struct position position;

    text[0] = '\0';
    if (!db || db->state != MHA__DB_STATE__DB_UP || !position_parse(db->received, &position)) {
        add(&room, "What %s holds is not known now, so nor is what would be lost.\n",
            policy_node_name(input, to));
        return;
    }
    add(&room, "What %s lacks (it holds %s):\n", target->name, db->received[0] ? db->received : "nothing");
    if (old && old != target)
        compare(input, old, &position, "  of the last primary", &room);
    else if (!old)
        add(&room, "  The last primary is no member of the group any more.\n");
    for (unsigned i = 0; i < input->state->sync.count; i++) {
        const struct policy_node *member = policy_find_node(input, input->state->sync.members[i].node);
        if (member && member != old && member != target)
            compare(input, member, &position, "  of the sync member", &room);
    }
    if (cluster_sync_find(&input->state->sync, to) && input->state->sync.acks > 0)
        add(&room, "%s is in the sync set.\n", target->name);
    else
        add(&room,
            "%s is not in the sync set: clients may have been told \"committed\" for what is missing.\n",
            target->name);
}
