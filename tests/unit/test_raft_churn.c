/* Groups whose members come and go while messages get lost, disks are slow and processes crash: random runs,
 * each from its seed. Checked all the time: one leader a term, one history, one live lease, reads that see
 * what was committed before them; at the end, that everybody agrees again.
 *
 * test_raft_churn [first seed [count]] */
#include "tests/unit/test_raft_churn.h"

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
