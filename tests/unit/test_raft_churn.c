/* Groups whose members come and go while messages get lost, disks are slow and processes crash: random runs,
 * each from its seed. Checked all the time: one leader a term, one history, one live lease, reads that see
 * what was committed before them; at the end, that everybody agrees again.
 *
 * test_raft_churn [first seed [count]] */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/raft/internal.h"
#include "tests/unit/test_raft_fixture.h"

#define HISTORY_MAX 20000
#define TERMS_MAX 4096
#define STEP_US 500
#define RUN_US (40 * ELECTION_US)
#define HEAL_US (30 * ELECTION_US)

struct write {
    struct write *next;
    uint64_t number;
    uint64_t due_us;
    bool has_snapshot;
    struct raft_snapshot snapshot;
    bool has_hard_state;
    struct raft_hard_state hard_state;
    struct raft_entry *entries;
    unsigned count;
};

struct packet {
    struct packet *next;
    uint64_t due_us;      /* on its way */
    uint64_t after_write; /* or still waiting for its sender's disk */
    struct raft_message message;
};

struct node {
    struct raft *raft; /* NULL: down */
    /* the disk */
    bool written;
    struct raft_hard_state hard_state;
    struct raft_snapshot snapshot;
    struct raft_entry *entries;
    unsigned count;
    /* the process */
    struct write *writes;
    struct packet *waiting;
    uint64_t write_done;
    uint64_t applied;
    uint64_t state; /* of the state machine: a hash of all that was applied */
    struct raft_membership members;
    uint64_t snapshot_write; /* a leader's snapshot is being written: nothing after it is applied before */
    struct raft_snapshot incoming;
    uint64_t back_us;
    /* what it gave out, whether it lives or not */
    uint64_t lease_until_us;
    uint64_t read_floor[RAFT_READS_MAX * 4]; /* by number modulo: what was committed at the call */
};

struct counts {
    unsigned changes, installs, compactions, reads, lost_reads, crashes, elections, leases, removed_told;
};

static struct counts counts;
static uint64_t seed, random_state, now_us;
static struct node nodes[IDS];
static struct packet *network;
static bool cut[IDS][IDS];
static uint64_t leaders[TERMS_MAX];
static struct {
    uint64_t term;
    uint64_t state; /* after it */
} history[HISTORY_MAX];
static uint64_t committed; /* by anybody */
static bool healing;
static uint64_t cut_one_in, crash_one_in; /* steps */
static unsigned lost_permille;
static char violation[200];

static uint64_t random_below(uint64_t bound)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (random_state * UINT64_C(0x2545F4914F6CDD1D) >> 20) % bound;
}

static bool chance(unsigned permille)
{
    return random_below(1000) < permille;
}

#define VIOLATE(...)                                            \
    do {                                                        \
        if (violation[0] == '\0')                               \
            snprintf(violation, sizeof violation, __VA_ARGS__); \
    } while (0)

/* ---- copies ---- */

static void *copy(const void *data, size_t size)
{
    void *bytes = malloc(size + 1);
    if (bytes == NULL)
        abort();
    if (size > 0)
        memcpy(bytes, data, size);
    return bytes;
}

static struct raft_entry *copy_entries(const struct raft_entry *entries, unsigned count)
{
    struct raft_entry *copies = calloc(count + 1, sizeof *copies);
    if (copies == NULL)
        abort();
    for (unsigned i = 0; i < count; i++) {
        copies[i] = entries[i];
        copies[i].data = copy(entries[i].data, entries[i].size);
    }
    return copies;
}

static void free_entries(struct raft_entry *entries, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        free((void *)entries[i].data);
    free(entries);
}

static void free_packet(struct packet *packet)
{
    free_entries((struct raft_entry *)packet->message.entries, packet->message.entry_count);
    free((void *)packet->message.data);
    free(packet);
}

static struct packet *copy_packet(const struct raft_message *message)
{
    struct packet *packet = calloc(1, sizeof *packet);
    if (packet == NULL)
        abort();
    packet->message = *message;
    packet->message.entries = copy_entries(message->entries, message->entry_count);
    packet->message.data = copy(message->data, message->size);
    return packet;
}

/* ---- the network ---- */

static void transmit_once(const struct raft_message *message)
{
    struct packet *packet = copy_packet(message);
    packet->due_us = now_us + 100 + random_below(chance(50) ? 300 * MS : 3 * MS);
    packet->next = network;
    network = packet;
}

static void transmit(const struct raft_message *message)
{
    if (message->to == 0 || message->to >= IDS) {
        VIOLATE("a message to nobody");
        return;
    }
    if (cut[message->from][message->to] || (!healing && chance(lost_permille)))
        return;
    transmit_once(message);
    if (chance(20))
        transmit_once(message);
}

/* ---- the disk ---- */

static uint64_t disk_last(const struct node *node)
{
    return node->snapshot.index + node->count;
}

static void disk_drop_prefix(struct node *node, uint64_t index)
{
    unsigned gone =
        index - node->snapshot.index > node->count ? node->count : (unsigned)(index - node->snapshot.index);
    for (unsigned i = 0; i < gone; i++)
        free((void *)node->entries[i].data);
    node->count -= gone;
    memmove(node->entries, node->entries + gone, node->count * sizeof *node->entries);
}

static void disk_drop_from(struct node *node, uint64_t index)
{
    while (node->count > 0 && disk_last(node) >= index)
        free((void *)node->entries[--node->count].data);
}

static void disk_set_snapshot(struct node *node, const struct raft_snapshot *snapshot)
{
    const struct raft_entry *last =
        snapshot->index > node->snapshot.index && snapshot->index <= disk_last(node)
            ? &node->entries[snapshot->index - node->snapshot.index - 1]
            : NULL;
    if (last != NULL && last->term == snapshot->term)
        disk_drop_prefix(node, snapshot->index);
    else
        disk_drop_from(node, 0);
    void *data = copy(snapshot->data, snapshot->size);
    free((void *)node->snapshot.data);
    node->snapshot = *snapshot;
    node->snapshot.data = data;
}

static void disk_write(struct node *node, struct write *write)
{
    node->written = true;
    if (write->has_snapshot && write->snapshot.index > node->snapshot.index)
        disk_set_snapshot(node, &write->snapshot);
    if (write->has_hard_state)
        node->hard_state = write->hard_state;
    for (unsigned i = 0; i < write->count; i++) {
        struct raft_entry *entry = &write->entries[i];
        if (entry->index <= node->snapshot.index)
            continue; /* the owner's snapshot was faster */
        if (i == 0 || entry->index == node->snapshot.index + 1)
            disk_drop_from(node, entry->index);
        if (entry->index != disk_last(node) + 1) {
            VIOLATE("a gap on a disk before %" PRIu64, entry->index);
            return;
        }
        node->entries = realloc(node->entries, (node->count + 1) * sizeof *node->entries);
        node->entries[node->count] = *entry;
        node->entries[node->count++].data = copy(entry->data, entry->size);
    }
}

static void free_write(struct write *write)
{
    free_entries(write->entries, write->count);
    free((void *)write->snapshot.data);
    free(write);
}

static void enqueue_write(struct node *node, const struct raft_output *out)
{
    struct write *write = calloc(1, sizeof *write);
    if (write == NULL)
        abort();
    *write = (struct write){.number = out->write,
                            .due_us = now_us + random_below(chance(20) ? 500 * MS : 5 * MS),
                            .has_snapshot = out->has_snapshot,
                            .snapshot = out->snapshot,
                            .has_hard_state = out->has_hard_state,
                            .hard_state = out->hard_state,
                            .entries = copy_entries(out->entries, out->entry_count),
                            .count = out->entry_count};
    write->snapshot.data = copy(out->snapshot.data, out->snapshot.size);
    struct write **end = &node->writes;
    for (; *end != NULL; end = &(*end)->next) {
        if (write->due_us < (*end)->due_us)
            write->due_us = (*end)->due_us;
    }
    *end = write;
}

/* ---- the owner ---- */

static uint64_t mix(uint64_t state, const struct raft_entry *entry)
{
    const unsigned char *bytes = entry->data;
    state = (state ^ entry->term ^ ((uint64_t)entry->kind << 32)) * UINT64_C(0x100000001b3) + entry->index;
    for (size_t i = 0; i < entry->size; i++)
        state = (state ^ bytes[i]) * UINT64_C(0x100000001b3);
    return state;
}

static void compare_history(uint64_t id, uint64_t index, uint64_t term, uint64_t state)
{
    if (index >= HISTORY_MAX)
        abort();
    if (history[index].term == 0) {
        history[index].term = term;
        history[index].state = state;
    } else if (history[index].term != term || history[index].state != state) {
        VIOLATE("%" PRIu64 " has another history at %" PRIu64, id, index);
    }
}

static void apply(uint64_t id, uint64_t commit_index)
{
    struct node *node = &nodes[id];
    if (commit_index > committed)
        committed = commit_index;
    if (node->snapshot_write > node->write_done)
        return; /* the snapshot comes first */
    while (node->applied < commit_index) {
        const struct raft_entry *entry = raft_entry_at(node->raft, node->applied + 1);
        if (entry == NULL) {
            VIOLATE("%" PRIu64 " lacks the committed entry %" PRIu64, id, node->applied + 1);
            return;
        }
        node->applied++;
        node->state = mix(node->state, entry);
        if (entry->kind == RAFT_ENTRY_MEMBERSHIP) {
            fixture_decode_membership(entry->data, entry->size, &node->members);
            if (history[entry->index].term == 0)
                counts.changes++;
        }
        compare_history(id, entry->index, entry->term, node->state);
    }
}

static void load_snapshot(struct node *node, uint64_t id, const struct raft_snapshot *snapshot)
{
    const unsigned char *bytes = snapshot->data;
    if (node->applied >= snapshot->index)
        return;
    node->applied = snapshot->index;
    fixture_decode_snapshot(bytes, snapshot->size, &node->members);
    memcpy(&node->state, bytes + snapshot->size - sizeof node->state, sizeof node->state);
    compare_history(id, snapshot->index, snapshot->term, node->state);
}

static void check_leases(uint64_t id)
{
    for (uint64_t other = 1; other < IDS; other++) {
        if (other != id && nodes[other].lease_until_us > now_us)
            VIOLATE("%" PRIu64 " and %" PRIu64 " have leases", id, other);
    }
}

static void observe(uint64_t id)
{
    struct raft_status status = fixture_status(nodes[id].raft, now_us);
    if (status.role == RAFT_LEADER) {
        if (status.term >= TERMS_MAX)
            abort();
        if (leaders[status.term] == 0)
            counts.elections++;
        else if (leaders[status.term] != id)
            VIOLATE("two leaders in term %" PRIu64, status.term);
        leaders[status.term] = id;
    }
    if (status.lease_until_us != 0) {
        nodes[id].lease_until_us = status.lease_until_us;
        counts.leases++;
        check_leases(id);
    }
    if (status.dropped_messages > 0 && raft_membership(nodes[id].raft)->count == 0)
        VIOLATE("%" PRIu64 " knows nobody and drops messages", id);
}

static void take(uint64_t id)
{
    struct node *node = &nodes[id];
    const struct raft_output *out = raft_take(node->raft);
    for (unsigned i = 0; i < out->message_count; i++) {
        const struct raft_send *send = &out->messages[i];
        if (send->after_write <= node->write_done) {
            transmit(&send->message);
            continue;
        }
        struct packet *packet = copy_packet(&send->message), **end = &node->waiting;
        packet->after_write = send->after_write;
        while (*end != NULL)
            end = &(*end)->next;
        *end = packet;
    }
    if (out->has_snapshot) {
        counts.installs++;
        node->snapshot_write = out->write;
        free((void *)node->incoming.data);
        node->incoming = out->snapshot;
        node->incoming.data = copy(out->snapshot.data, out->snapshot.size);
    }
    for (unsigned i = 0; i < out->read_count; i++) {
        const struct raft_read *read = &out->reads[i];
        counts.reads += read->done;
        counts.lost_reads += !read->done;
        if (read->done && read->index < node->read_floor[read->read % (RAFT_READS_MAX * 4)])
            VIOLATE("%" PRIu64 " answers a read from %" PRIu64 ", older than what was committed before it",
                    id, read->index);
    }
    uint64_t commit_index = out->commit_index;
    if (out->has_write)
        enqueue_write(node, out);
    apply(id, commit_index);
    observe(id);
}

static void step_disk(uint64_t id)
{
    struct node *node = &nodes[id];
    while (node->raft != NULL && node->writes != NULL && node->writes->due_us <= now_us) {
        struct write *write = node->writes;
        node->writes = write->next;
        disk_write(node, write);
        node->write_done = write->number;
        while (node->waiting != NULL && node->waiting->after_write <= node->write_done) {
            struct packet *packet = node->waiting;
            node->waiting = packet->next;
            transmit(&packet->message);
            free_packet(packet);
        }
        if (node->snapshot_write != 0 && node->snapshot_write <= node->write_done) {
            load_snapshot(node, id, &node->incoming);
            node->snapshot_write = 0;
        }
        const struct raft_entry *last = write->count > 0 ? &write->entries[write->count - 1] : NULL;
        raft_persisted(node->raft, now_us, write->number, last == NULL ? 0 : last->index,
                       last == NULL ? 0 : last->term);
        free_write(write);
        take(id);
    }
}

/* ---- life ---- */

static void start(uint64_t id)
{
    struct node *node = &nodes[id];
    struct raft_config config = fixture_full_config;
    config.id = id;
    struct raft_restored restored = {.hard_state = node->hard_state,
                                     .snapshot = node->snapshot,
                                     .entries = node->entries,
                                     .entry_count = node->count,
                                     .restarted = node->written};
    if (node->snapshot.index != 0)
        fixture_decode_snapshot(node->snapshot.data, node->snapshot.size, &restored.membership);
    else if (id <= X)
        restored.membership = fixture_restored().membership;
    node->members = restored.membership;
    if (raft_new(&config, &restored, now_us, &node->raft) != RAFT_OK) {
        VIOLATE("%" PRIu64 " cannot start", id);
        return;
    }
    node->applied = node->snapshot.index;
    node->state = 0;
    if (node->snapshot.index != 0)
        memcpy(&node->state,
               (const unsigned char *)node->snapshot.data + node->snapshot.size - sizeof node->state,
               sizeof node->state);
    take(id);
}

static void crash(uint64_t id, bool keep)
{
    struct node *node = &nodes[id];
    for (struct write *write; (write = node->writes) != NULL;) {
        node->writes = write->next;
        keep = keep && chance(700);
        if (keep)
            disk_write(node, write);
        free_write(write);
    }
    for (struct packet *packet; (packet = node->waiting) != NULL;) {
        node->waiting = packet->next;
        free_packet(packet);
    }
    raft_free(node->raft);
    node->raft = NULL;
    node->write_done = node->snapshot_write = 0;
    node->back_us = now_us + random_below(3 * ELECTION_US);
}

static void compact(uint64_t id)
{
    struct node *node = &nodes[id];
    if (id == X || node->applied <= node->snapshot.index || node->snapshot_write != 0 || node->applied == 0)
        return;
    unsigned char bytes[128];
    size_t size = fixture_encode(&node->members, bytes);
    memset(bytes + size, 7, 30);
    size += 30;
    memcpy(bytes + size, &node->state, sizeof node->state);
    size += sizeof node->state;
    struct raft_snapshot snapshot = {
        .index = node->applied, .term = history[node->applied].term, .data = bytes, .size = size};
    disk_set_snapshot(node, &snapshot); /* durable before raft is told */
    if (raft_compact(node->raft, now_us, &snapshot) != RAFT_OK)
        VIOLATE("%" PRIu64 " refuses its snapshot of %" PRIu64, id, snapshot.index);
    counts.compactions++;
    take(id);
}

/* ---- the operator ---- */

static void change(uint64_t id)
{
    struct raft_membership to = *raft_membership(nodes[id].raft);
    uint64_t which = 1 + random_below(IDS - 1);
    unsigned at = raft_membership_find(&to, which);
    if (at == to.count) {
        for (at = 0; at < to.count && to.members[at].id < which; at++)
            ;
        memmove(&to.members[at + 1], &to.members[at], (to.count - at) * sizeof to.members[0]);
        to.members[at] =
            (struct raft_member){.id = which, .kind = which == X ? RAFT_ARBITER : RAFT_DATA, .voter = false};
        to.count++;
    } else if (!to.members[at].voter) {
        to.members[at].voter = true;
    } else {
        to.count--;
        memmove(&to.members[at], &to.members[at + 1], (to.count - at) * sizeof to.members[0]);
    }
    unsigned char bytes[64];
    uint64_t index;
    size_t size = fixture_encode(&to, bytes);
    (void)raft_propose(nodes[id].raft, now_us, RAFT_ENTRY_MEMBERSHIP, bytes, size, &index);
    take(id);
}

static void command(uint64_t id)
{
    uint64_t value = random_below(1000), index;
    (void)raft_propose(nodes[id].raft, now_us, RAFT_ENTRY_COMMAND, &value, sizeof value, &index);
    take(id);
}

static void read(uint64_t id)
{
    uint64_t number;
    uint64_t floor = committed;
    if (raft_read(nodes[id].raft, now_us, &number) == RAFT_OK)
        nodes[id].read_floor[number % (RAFT_READS_MAX * 4)] = floor;
    take(id);
}

static void hand_over(uint64_t id)
{
    struct node *node = &nodes[id];
    raft_end_lease(node->raft, now_us);
    take(id);
    if (fixture_status(node->raft, now_us).role == RAFT_LEADER) {
        node->lease_until_us = 0;
        raft_released(node->raft, now_us);
        (void)raft_transfer(node->raft, now_us, 1 + random_below(IDS - 1));
        take(id);
    }
}

static void cut_at_random(void)
{
    uint64_t one = 1 + random_below(IDS - 1), other = 1 + random_below(IDS - 1);
    bool all = chance(300), both = chance(700), value = chance(500);
    for (uint64_t id = 1; id < IDS; id++) {
        if (id != other && !all)
            continue;
        cut[one][id] = value;
        cut[id][one] = both ? value : cut[id][one];
    }
}

static void bad_luck(void)
{
    if (random_below(cut_one_in) == 0)
        cut_at_random();
    uint64_t id = 1 + random_below(IDS - 1);
    if (nodes[id].raft != NULL && random_below(crash_one_in) == 0) {
        counts.crashes++;
        crash(id, true);
    }
}

/* What an owner does with a leadership whose lease has ended. */
static void renew(void)
{
    for (uint64_t id = 1; id < IDS; id++) {
        if (nodes[id].raft == NULL || !fixture_status(nodes[id].raft, now_us).lease_ended || !chance(5))
            continue;
        nodes[id].lease_until_us = 0;
        raft_released(nodes[id].raft, now_us);
        (void)raft_renew_term(nodes[id].raft, now_us);
        take(id);
    }
}

static void operate(void)
{
    uint64_t id = 1 + random_below(IDS - 1);
    if (nodes[id].raft == NULL)
        return;
    if (chance(40))
        command(id);
    if (nodes[id].raft != NULL && chance(30))
        read(id);
    if (chance(15))
        change(id);
    if (chance(15))
        compact(id);
    if (chance(1))
        hand_over(id);
}

/* ---- a run ---- */

static void deliver(void)
{
    for (struct packet **at = &network; *at != NULL;) {
        struct packet *packet = *at;
        if (packet->due_us > now_us) {
            at = &packet->next;
            continue;
        }
        *at = packet->next;
        uint64_t to = packet->message.to;
        if (nodes[to].raft != NULL) {
            raft_receive(nodes[to].raft, now_us, &packet->message);
            take(to);
            at = &network; /* what was sent stands at the front */
        }
        free_packet(packet);
    }
}

static void step(void)
{
    now_us += STEP_US;
    for (uint64_t id = 1; id < IDS; id++) {
        if (nodes[id].raft == NULL && now_us >= nodes[id].back_us)
            start(id);
        if (nodes[id].raft == NULL)
            continue;
        step_disk(id);
        if (raft_deadline_us(nodes[id].raft) <= now_us) {
            raft_tick(nodes[id].raft, now_us);
            take(id);
        }
    }
    deliver();
}

static void check_agreement(void)
{
    uint64_t leader = 0;
    for (uint64_t id = 1; id < IDS; id++) {
        if (nodes[id].raft != NULL && fixture_status(nodes[id].raft, now_us).ready)
            leader = id;
    }
    if (leader == 0) {
        VIOLATE("nobody leads in the end");
        return;
    }
    struct raft_status status = fixture_status(nodes[leader].raft, now_us);
    const struct raft_membership *members = raft_membership(nodes[leader].raft);
    if (status.lease_until_us == 0 && leader != X)
        VIOLATE("%" PRIu64 " leads without a lease in the end", leader);
    for (unsigned i = 0; i < members->count; i++) {
        uint64_t id = members->members[i].id;
        struct raft_status there = fixture_status(nodes[id].raft, now_us);
        if (there.commit_index != status.commit_index || nodes[id].applied != status.commit_index ||
            !raft_membership_equal(raft_membership(nodes[id].raft), members))
            VIOLATE("%" PRIu64 " has not caught up with %" PRIu64 " in the end", id, leader);
    }
    for (uint64_t id = 1; id < IDS; id++) {
        bool is_member = raft_membership_find(members, id) < members->count;
        /* Who knows the leader asks it, and is told. */
        const struct raft_membership *known = raft_membership(nodes[id].raft);
        bool asks = raft_membership_may_campaign(nodes[id].raft) && id != X;
        if (!is_member && asks && raft_membership_find(known, leader) < known->count)
            VIOLATE("%" PRIu64 " was removed and never told", id);
        counts.removed_told += !is_member && raft_membership(nodes[id].raft)->count > 0;
    }
}

static void clean_up(void)
{
    for (uint64_t id = 1; id < IDS; id++) {
        struct node *node = &nodes[id];
        if (node->raft != NULL)
            crash(id, false);
        free((void *)node->snapshot.data);
        free((void *)node->incoming.data);
        free_entries(node->entries, node->count);
    }
    for (struct packet *packet; (packet = network) != NULL;) {
        network = packet->next;
        free_packet(packet);
    }
}

static void print_nodes(void)
{
    for (uint64_t id = 1; id < IDS; id++) {
        if (nodes[id].raft == NULL)
            continue;
        struct raft_status status = fixture_status(nodes[id].raft, now_us);
        printf("    %" PRIu64 ": role %d term %" PRIu64 " leader %" PRIu64 " commit %" PRIu64 " last %" PRIu64
               " snapshot %" PRIu64 " membership %" PRIu64 ":",
               id, status.role, status.term, status.leader, status.commit_index, status.last_index,
               status.snapshot_index, status.membership_index);
        const struct raft_membership *members = raft_membership(nodes[id].raft);
        for (unsigned i = 0; i < members->count; i++)
            printf(" %" PRIu64 "%s", members->members[i].id, members->members[i].voter ? "" : "(learns)");
        printf("; %s\n", status.waits_for);
    }
}

static bool run(uint64_t of_seed)
{
    seed = of_seed;
    random_state = (seed + 1) * UINT64_C(0x9E3779B97F4A7C15);
    now_us = BEGIN_US;
    cut_one_in = 300 << random_below(6);
    crash_one_in = 500 << random_below(7);
    lost_permille = (unsigned)random_below(60);
    memset(nodes, 0, sizeof nodes);
    memset(cut, 0, sizeof cut);
    memset(leaders, 0, sizeof leaders);
    memset(history, 0, sizeof history);
    committed = 0;
    healing = false;
    violation[0] = '\0';
    for (uint64_t until_us = now_us + RUN_US; now_us < until_us && violation[0] == '\0';) {
        step();
        bad_luck();
        operate();
    }
    healing = true;
    memset(cut, 0, sizeof cut);
    for (uint64_t until_us = now_us + HEAL_US; now_us < until_us && violation[0] == '\0';) {
        step();
        renew();
    }
    if (violation[0] == '\0')
        check_agreement();
    if (violation[0] != '\0') {
        printf("seed %" PRIu64 ", at %.6f s: %s\n", seed, (double)now_us / 1e6, violation);
        print_nodes();
    }
    clean_up();
    return violation[0] == '\0';
}

static uint64_t first_seed = 1, seed_count = 40;

static void test_churn(void)
{
    for (uint64_t i = 0; i < seed_count; i++)
        CU_ASSERT_TRUE(run(first_seed + i));
    printf("\n    %u elections, %u leases, %u crashes, %u changes, %u compactions, %u installed, %u reads "
           "(%u lost), %u removed and told ",
           counts.elections, counts.leases, counts.crashes, counts.changes, counts.compactions,
           counts.installs, counts.reads, counts.lost_reads, counts.removed_told);
    /* What never happened was not tested. */
    CU_ASSERT_TRUE(counts.elections > 0 && counts.leases > 0 && counts.crashes > 0 && counts.changes > 0);
    CU_ASSERT_TRUE(counts.compactions > 0 && counts.installs > 0 && counts.reads > 0 &&
                   counts.lost_reads > 0);
    CU_ASSERT_TRUE(counts.removed_told > 0);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        first_seed = strtoull(argv[1], NULL, 10);
    if (argc > 2)
        seed_count = strtoull(argv[2], NULL, 10);
    CU_initialize_registry();
    CU_pSuite suite = CU_add_suite("raft churn", NULL, NULL);
    CU_add_test(suite, "members come and go", test_churn);
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    unsigned failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures == 0 ? 0 : 1;
}
