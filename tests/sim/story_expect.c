#include "tests/sim/story_expect.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const role_names[] = {"follower", "precandidate", "candidate", "leader"};

/* What is, for the message of a failed expectation. */
static bool describe(struct story *story, unsigned count, char **words)
{
    char text[768] = "expected:";
    size_t length = strlen(text);
    for (unsigned i = 0; i < count && length < sizeof text; i++)
        length += (size_t)snprintf(text + length, sizeof text - length, " %s", words[i]);
    if (length < sizeof text)
        length += (size_t)snprintf(text + length, sizeof text - length, "; but");
    for (unsigned i = 0; i < story->world->node_count && length < sizeof text; i++) {
        const struct world_node *n = &story->world->nodes[i];
        if (!n->up) {
            length += (size_t)snprintf(text + length, sizeof text - length, " %s: down;", n->name);
            continue;
        }
        length += (size_t)snprintf(text + length, sizeof text - length,
                                   " %s: %s%s%s term %" PRIu64 " commit %" PRIu64 "/%" PRIu64 "%s%s;",
                                   n->name, role_names[n->status.role], n->status.ready ? ", ready" : "",
                                   world_lease_is_live(story->world, i) ? ", lease" : "", n->status.term,
                                   n->status.commit_index, n->status.last_index,
                                   n->status.waits_for[0] != '\0' ? ", waits for " : "", n->status.waits_for);
    }
    return story_fail(story, "%s", text);
}

static bool entry_is(const struct raft_entry *entry, const char *text)
{
    return entry->size == strlen(text) && memcmp(entry->data, text, entry->size) == 0;
}

static bool log_has(const struct world_node *node, const char *text, uint64_t up_to)
{
    for (uint64_t i = 1; node->up && i <= up_to; i++) {
        const struct raft_entry *entry = raft_entry_at(node->raft, i);
        if (entry != NULL && entry_is(entry, text))
            return true;
    }
    return false;
}

static bool disk_has(const struct world_node *node, const char *text)
{
    for (unsigned i = 0; i < node->disk.entry_count; i++) {
        if (entry_is(&node->disk.entries[i], text))
            return true;
    }
    return false;
}

/* ---- what: `ok` is whether it is so; false: the words are wrong ---- */

static bool is_leader(struct story *story, unsigned count, char **words, bool *ok)
{
    unsigned leader = world_leader(story->world), node = story->world->node_count;
    if (count != 1)
        return false;
    if (strcmp(words[0], "any") == 0) {
        *ok = leader < story->world->node_count;
        return true;
    }
    if (strcmp(words[0], "none") != 0 && !story_node(story, words[0], &node))
        return false;
    *ok = leader == node;
    return true;
}

static bool is_role(struct story *story, unsigned count, char **words, bool *ok)
{
    unsigned node;
    if (count != 2 || !story_node(story, words[0], &node))
        return false;
    const struct world_node *n = &story->world->nodes[node];
    *ok = n->up && strcmp(role_names[n->status.role], words[1]) == 0;
    return true;
}

static bool is_lease(struct story *story, unsigned count, char **words, bool *ok)
{
    unsigned node;
    if (count != 1 || !story_node(story, words[0], &node))
        return false;
    *ok = world_lease_is_live(story->world, node);
    return true;
}

static bool is_held(struct story *story, unsigned count, char **words, bool *ok)
{
    unsigned node;
    if (count != 1 || !story_node(story, words[0], &node))
        return false;
    const struct world_node *n = &story->world->nodes[node];
    *ok = n->up && n->status.held_until_us > world_clock_us(story->world, node);
    return true;
}

static bool is_waiting(struct story *story, unsigned count, char **words, bool *ok)
{
    unsigned node;
    if (count < 2 || !story_node(story, words[0], &node))
        return false;
    char text[128] = "";
    for (unsigned i = 1; i < count; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i > 1 ? " " : "", words[i]);
    const struct world_node *n = &story->world->nodes[node];
    struct raft_status status;
    if (n->up) {
        raft_trace_status(&story->world->nodes[node].tracer, n->raft, world_clock_us(story->world, node),
                          &status);
        *ok = strstr(status.waits_for, text) != NULL;
    }
    return true;
}

static bool is_in_log(struct story *story, unsigned count, char **words, bool *ok)
{
    unsigned node;
    if (count != 2 || !story_node(story, words[0], &node))
        return false;
    *ok = log_has(&story->world->nodes[node], words[1], story->world->nodes[node].status.last_index);
    return true;
}

static bool is_on_disk(struct story *story, unsigned count, char **words, bool *ok)
{
    unsigned node;
    if (count != 2 || !story_node(story, words[0], &node))
        return false;
    *ok = disk_has(&story->world->nodes[node], words[1]);
    return true;
}

/* On every one, or (for unapplied) on any. */
static bool applied(struct story *story, unsigned count, char **words, bool *ok, bool any)
{
    if (count < 2)
        return false;
    *ok = !any;
    for (unsigned i = 1; i < count; i++) {
        unsigned node;
        if (!story_node(story, words[i], &node))
            return false;
        bool here = log_has(&story->world->nodes[node], words[0], story->world->nodes[node].applied_index);
        *ok = any ? *ok || here : *ok && here;
    }
    return true;
}

static bool is_applied(struct story *story, unsigned count, char **words, bool *ok)
{
    return applied(story, count, words, ok, false);
}

static bool is_applied_anywhere(struct story *story, unsigned count, char **words, bool *ok)
{
    return applied(story, count, words, ok, true);
}

static bool is_commit(struct story *story, unsigned count, char **words, bool *ok)
{
    unsigned node;
    if (count != 2 || !story_node(story, words[0], &node))
        return false;
    *ok = story->world->nodes[node].status.commit_index == strtoull(words[1], NULL, 10);
    return true;
}

static bool is_vote(struct story *story, unsigned count, char **words, bool *ok)
{
    unsigned node, candidate;
    if (count != 2 || !story_node(story, words[0], &node) || !story_node(story, words[1], &candidate))
        return false;
    *ok = story->world->nodes[node].disk.hard_state.vote == story->world->nodes[candidate].id;
    return true;
}

static bool is_term_growth(struct story *story, unsigned count, char **words, bool *ok)
{
    if (count != 1)
        return false;
    *ok = world_highest_term(story->world) - story->marked_term == strtoull(words[0], NULL, 10);
    return true;
}

static bool is_sent(struct story *story, unsigned count, char **words, bool *ok)
{
    unsigned node;
    enum raft_message_kind kind;
    if (count != 3 || !story_kind(story, words[0], &kind) || !story_node(story, words[1], &node))
        return false;
    *ok =
        story->world->nodes[node].sent[kind] - story->marked_sent[node][kind] == strtoull(words[2], NULL, 10);
    return true;
}

/* A's members: the learners behind a +. */
static bool is_members(struct story *story, unsigned count, char **words, bool *ok)
{
    unsigned node;
    if (count < 2 || !story_node(story, words[0], &node))
        return false;
    if (!story->world->nodes[node].up)
        return true;
    const struct raft_membership *membership = raft_membership(story->world->nodes[node].raft);
    *ok = membership->count == count - 1;
    for (unsigned i = 1; i < count; i++) {
        unsigned other;
        bool learner = words[i][0] == '+', found = false;
        if (!story_node(story, words[i] + learner, &other))
            return false;
        for (unsigned m = 0; m < membership->count; m++)
            found = found || (membership->members[m].id == story->world->nodes[other].id &&
                              membership->members[m].voter == !learner);
        *ok = *ok && found;
    }
    return true;
}

static bool is_log_start(struct story *story, unsigned count, char **words, bool *ok)
{
    unsigned node;
    if (count != 2 || !story_node(story, words[0], &node))
        return false;
    const struct world_node *n = &story->world->nodes[node];
    *ok = n->up && n->status.snapshot_index == strtoull(words[1], NULL, 10);
    return true;
}

static bool is_same_state(struct story *story, unsigned count, char **words, bool *ok)
{
    *ok = true;
    for (unsigned i = 0; i < count; i++) {
        unsigned node, first;
        if (!story_node(story, words[0], &first) || !story_node(story, words[i], &node))
            return false;
        const struct world_node *a = &story->world->nodes[first], *b = &story->world->nodes[node];
        *ok = *ok && b->up && a->machine.index == b->machine.index && a->machine.chain == b->machine.chain;
    }
    return count > 1;
}

static bool is_reads_done(struct story *story, unsigned count, char **words, bool *ok)
{
    if (count != 1)
        return false;
    *ok = story->world->counts.of[COUNT_READS_DONE] - story->marked_reads == strtoull(words[0], NULL, 10);
    return true;
}

static bool is_reads_open(struct story *story, unsigned count, char **words, bool *ok)
{
    if (count != 1)
        return false;
    *ok = story->world->read_count == strtoull(words[0], NULL, 10);
    return true;
}

static bool is_refused(struct story *story, unsigned count, char **words, bool *ok)
{
    unsigned node;
    if (count != 1 || !story_node(story, words[0], &node))
        return false;
    *ok = story->world->nodes[node].refused;
    return true;
}

static bool is_down(struct story *story, unsigned count, char **words, bool *ok)
{
    unsigned node;
    if (count != 1 || !story_node(story, words[0], &node))
        return false;
    *ok = !story->world->nodes[node].up;
    return true;
}

static const struct {
    const char *name;
    bool (*holds)(struct story *story, unsigned count, char **words, bool *ok);
    bool negated;
} facts[] = {
    {"leader", is_leader, false},
    {"role", is_role, false},
    {"lease", is_lease, false},
    {"no-lease", is_lease, true},
    {"held", is_held, false},
    {"free", is_held, true},
    {"waits", is_waiting, false},
    {"log", is_in_log, false},
    {"no-log", is_in_log, true},
    {"disk", is_on_disk, false},
    {"no-disk", is_on_disk, true},
    {"applied", is_applied, false},
    {"unapplied", is_applied_anywhere, true},
    {"commit", is_commit, false},
    {"vote", is_vote, false},
    {"term-growth", is_term_growth, false},
    {"sent", is_sent, false},
    {"members", is_members, false},
    {"log-start", is_log_start, false},
    {"same-state", is_same_state, false},
    {"reads-done", is_reads_done, false},
    {"reads-open", is_reads_open, false},
    {"refused", is_refused, false},
    {"down", is_down, false},
};

static bool evaluate(struct story *story, unsigned count, char **words, bool *ok)
{
    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++) {
        if (strcmp(facts[i].name, words[0]) != 0)
            continue;
        *ok = false;
        if (!facts[i].holds(story, count - 1, words + 1, ok))
            return story->problem[0] != '\0' ? false : story_fail(story, "wrong words after '%s'", words[0]);
        *ok = *ok != facts[i].negated;
        return true;
    }
    return story_fail(story, "nothing is called '%s'", words[0]);
}

bool story_expect(struct story *story, unsigned count, char **words)
{
    uint64_t for_us = 0;
    bool within = count >= 3 && strcmp(words[count - 2], "within") == 0;
    bool all_the_while = count >= 3 && strcmp(words[count - 2], "for") == 0;
    unsigned fact_words = within || all_the_while ? count - 2 : count;
    if (fact_words < count && !story_time(words[count - 1], &for_us))
        return story_fail(story, "'%s' is not a time", words[count - 1]);
    uint64_t until_us = story->world->now_us + for_us;
    for (;;) {
        bool ok;
        if (!evaluate(story, fact_words, words, &ok))
            return false;
        if (ok && !all_the_while)
            return true;
        if (!ok && !within)
            return describe(story, fact_words, words);
        if (story->world->violation[0] != '\0')
            return story_fail(story, "%s", story->world->violation);
        if (!story_step(story, until_us) && story->world->violation[0] == '\0')
            break; /* that time has come */
    }
    bool ok;
    if (!evaluate(story, fact_words, words, &ok))
        return false;
    return ok || describe(story, fact_words, words);
}
