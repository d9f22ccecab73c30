/* The commit rule and the promotion rule on a whole small world: three nodes, a few writes, a few faults, and
 * every order in which it all can happen, with the real policy deciding for every node. What is checked: a
 * database is opened only with every write that was acknowledged or could be read before.
 *
 * The world is coarser than the simulator's (tests/sim): consensus is a committed state that all see at once
 * and an election is a step; the clock stands still, a leader that waits for time to pass gets both answers.
 * In return nothing is left to chance. An agent that is silent neither hears nor is heard, while its database
 * goes on to write, receive and acknowledge: no fence is ever in time here. A server that restarts may have
 * lost what it received.
 *
 *   TRACE=1 test_policy_model      the steps that led to a violation are printed in any case; this prints
 *                                  how many states there were */
#include "tests/unit/policy_world.h"

#define WRITES 1
#define FAULTS 2
#define STATES_MAX 1000000

enum step_kind {
    STEP_BEGIN,
    STEP_DECIDE,
    STEP_DECIDE_LATE,
    STEP_COMMIT,
    STEP_WRITE,
    STEP_RECEIVE,
    STEP_SERVER_DIES,
    STEP_SERVER_LOSES,
    STEP_SILENT,
    STEP_STUCK,
    STEP_HEARD,
    STEP_ELECTION
};

static const char *const step_names[] = {"begin",
                                         "decides",
                                         "decides after a while",
                                         "commit",
                                         "a client writes",
                                         "receives",
                                         "its server dies",
                                         "its server will lose what it received last",
                                         "its agent falls silent",
                                         "its agent is stuck",
                                         "its agent is heard again",
                                         "is elected"};

struct visit {
    struct model model;
    uint32_t parent;
    uint8_t step, node;
};

static struct {
    struct visit *visits;
    uint32_t count, capacity;
    uint64_t *seen; /* hashes */
    uint64_t seen_size;
} all;

/* ---- all that can happen ---- */

static uint64_t hash_of(const struct model *m)
{
    const uint8_t *bytes = (const uint8_t *)m;
    uint64_t hash = 1469598103934665603u;

    for (size_t i = 0; i < sizeof *m; i++)
        hash = (hash ^ bytes[i]) * 1099511628211u;
    hash ^= hash >> 29;
    return hash ? hash : 1;
}

static void visit(const struct model *m, uint32_t parent, enum step_kind step, unsigned node)
{
    uint64_t hash = hash_of(m), at = hash % all.seen_size;

    while (all.seen[at] && all.seen[at] != hash)
        at = (at + 1) % all.seen_size;
    if (all.seen[at] || all.count == all.capacity)
        return;
    all.seen[at] = hash;
    all.visits[all.count++] = (struct visit){*m, parent, (uint8_t)step, (uint8_t)node};
}

/* All but the leader do at once what they decide: that they freeze or follow late is seen through silence. */
static void others_decide(struct model *m)
{
    struct model before;

    do {
        before = *m;
        for (unsigned i = 0; i < NODES; i++)
            if (i != m->leader && !m->nodes[i].silent) {
                struct model tried = *m;
                if (decide(&tried, i, false))
                    *m = tried;
            }
        answer(m);
    } while (!run.violation && memcmp(&before, m, sizeof before) != 0);
}

/* What the leader keeps to itself makes no difference to them. */
static bool news_for_others(const struct model *before, const struct model *m)
{
    if (before->term != m->term || before->epoch != m->epoch || before->opened != m->opened ||
        before->sync.version != m->sync.version)
        return true;
    for (unsigned i = 0; i < NODES; i++)
        if (before->nodes[i].up != m->nodes[i].up || before->nodes[i].silent != m->nodes[i].silent ||
            before->nodes[i].count != m->nodes[i].count || before->nodes[i].allowed != m->nodes[i].allowed)
            return true;
    return false;
}

/* Makes the step on a copy and looks at what came of it. */
static void take(uint32_t parent, enum step_kind step, unsigned i)
{
    struct model m = all.visits[parent].model;
    struct model_node *node = &m.nodes[i];
    const struct model_node *source = node->source ? &m.nodes[node->source - 1] : NULL;
    bool done = true;

    switch (step) {
    case STEP_DECIDE:
    case STEP_DECIDE_LATE:
        done = i == m.leader && !node->silent && decide(&m, i, step == STEP_DECIDE_LATE);
        break;
    case STEP_COMMIT:
        done = m.proposed && commit(&m);
        break;
    case STEP_WRITE:
        done = node->up && node->open && m.writes_left > 0 && append_own(&m, i);
        m.writes_left--;
        break;
    case STEP_RECEIVE:
        done = node->up && node->receiving && source && source->up && node->count < source->count &&
               memcmp(node->log, source->log, node->count) == 0 && append(node, source->log[node->count]);
        node->answered = node->count;
        break;
    case STEP_SERVER_LOSES: /* and dies: its relay log goes */
        done = !run.durable && node->up && m.faults_left > 0 && node->count > node->applied;
        if (done) {
            node->log[--node->count] = 0;
            node->answered = node->count;
        }
        /* fall through */
    case STEP_SERVER_DIES:
        done = done && node->up && m.faults_left > 0;
        node->up = node->open = 0;
        m.faults_left--;
        break;
    case STEP_SILENT:
    case STEP_STUCK:
        done = !node->silent && m.faults_left > 0 && (step == STEP_SILENT || i != m.leader);
        node->silent = step == STEP_SILENT ? SILENT : STUCK;
        m.faults_left--;
        break;
    case STEP_HEARD:
        done = node->silent;
        node->silent = 0;
        break;
    case STEP_ELECTION: {
        unsigned heard = 0;
        for (unsigned k = 0; k < NODES; k++)
            heard += m.nodes[k].silent != SILENT;
        done = i != m.leader && !node->silent && heard > NODES / 2 && m.nodes[m.leader].silent &&
               new_term(&m, i);
        break;
    }
    case STEP_BEGIN:
        break;
    }
    if (!done)
        return;
    answer(&m);
    if (step != STEP_WRITE && step != STEP_RECEIVE && news_for_others(&all.visits[parent].model, &m))
        others_decide(&m);
    visit(&m, parent, step, i);
}

static void print_way(uint32_t at)
{
    if (at)
        print_way(all.visits[at].parent);
    const struct visit *visit = &all.visits[at];
    const struct model *m = &visit->model;
    printf("    %s %-24s term %u leader %s, M {", names[visit->node], step_names[visit->step], m->term,
           names[m->leader]);
    for (unsigned i = 0; i < m->sync.count; i++)
        printf("%s/%u ", names[m->sync.node[i] - 1], m->sync.incarnation[i]);
    printf("} k %u, primary %s epoch %u%s", m->sync.acks, names[m->primary - 1], m->epoch,
           m->opened ? "" : " not open yet");
    for (unsigned i = 0; i < NODES; i++) {
        const struct model_node *node = &m->nodes[i];
        printf("; %s%s%s%s %u acks %u of %x:", names[i], node->up ? "" : " down",
               node->silent == SILENT ? " silent"
               : node->silent         ? " stuck"
                                      : "",
               node->open ? " open" : "", node->incarnation, node->acks, node->allowed);
        for (unsigned k = 0; k < node->count; k++)
            printf("%s%u-%u", k == node->answered ? "|" : " ", TXN_SERVER(node->log[k]),
                   TXN_SEQUENCE(node->log[k]));
    }
    printf("\n");
}

/* A is the open primary of epoch 1, and all hold its record. */
static struct model beginning(unsigned members, unsigned acks)
{
    struct model m;

    memset(&m, 0, sizeof m);
    m.term = m.epoch = m.opened = m.primary = m.primary_incarnation = m.opened_epoch = 1;
    m.epoch_record = TXN(1, 1);
    m.sync.acks = (uint8_t)acks;
    m.sync.count = (uint8_t)members;
    m.writes_left = WRITES;
    m.faults_left = FAULTS;
    for (unsigned i = 0; i < NODES; i++) {
        struct model_node *node = &m.nodes[i];
        node->up = node->incarnation = node->count = node->applied = node->answered = 1;
        node->log[0] = TXN(1, 1);
        node->source = i ? 1 : 0;
        node->receiving = node->source_epoch = i != 0;
        node->allowed = 7u & ~(1u << i); /* whatever it was left with */
        if (i < members) {
            m.sync.node[i] = (uint8_t)(i + 1);
            m.sync.incarnation[i] = 1;
        }
    }
    m.nodes[0].written_epoch = m.nodes[0].open = 1;
    m.nodes[0].written = TXN(1, 1);
    m.nodes[0].acks = (uint8_t)acks;
    m.nodes[0].allowed = members == 3 ? 6 : members == 2 ? 2 : 0;
    keep(&m, TXN(1, 1));
    return m;
}

/* true: every state within the bound was seen, and none was wrong. */
static bool explore(enum policy_acks_kind kind, bool durable, unsigned terms, const struct model *first)
{
    bool complete;

    memset(&run, 0, sizeof run);
    memset(&all, 0, sizeof all);
    run.kind = kind;
    run.durable = durable;
    run.terms = terms;
    all.capacity = STATES_MAX;
    all.visits = calloc(all.capacity, sizeof *all.visits);
    all.seen_size = (uint64_t)all.capacity * 2 + 1;
    all.seen = calloc(all.seen_size, sizeof *all.seen);
    CU_ASSERT_TRUE_FATAL(all.visits != NULL && all.seen != NULL);
    visit(first, 0, STEP_BEGIN, 0);
    for (uint32_t at = 0; at < all.count && !run.violation; at++)
        for (unsigned i = 0; i < NODES && !run.violation; i++)
            for (unsigned step = STEP_DECIDE; step <= STEP_ELECTION && !run.violation; step++) {
                take(at, (enum step_kind)step, i);
                if (run.violation) {
                    printf("\n  %s\n", run.violation);
                    print_way(at);
                    printf("    then %s %s\n", names[i], step_names[step]);
                }
            }
    complete = all.count < all.capacity;
    if (getenv("TRACE"))
        printf("\n  %" PRIu32 " states%s; openings elsewhere %u, drops %u, joins %u, raises %u, restarts %u, "
               "hand-overs %u\n",
               all.count, complete ? "" : " (the bound)", run.failovers, run.drops, run.joins, run.raises,
               run.restarts, run.hand_overs);
    free(all.visits);
    free(all.seen);
    return run.violation == NULL && complete;
}

static void explore_kind(enum policy_acks_kind kind, bool durable, unsigned members, unsigned terms)
{
    struct model m = beginning(members, members > 1);

    CU_ASSERT_TRUE(explore(kind, durable, terms, &m));
    CU_ASSERT_TRUE(run.failovers > 0 && run.drops > 0 && run.joins > 0 && run.raises > 0 && run.restarts > 0);
}

static void test_count(void)
{
    explore_kind(ACKS_COUNT, false, 3, 3);
}

static void test_any(void)
{
    explore_kind(ACKS_ANY, false, 2, 3);
}

static void test_named(void)
{
    explore_kind(ACKS_NAMED, true, 3, 2);
}

static void test_any_alone(void)
{
    explore_kind(ACKS_ANY, false, 1, 2);
}

static void test_named_alone(void)
{
    explore_kind(ACKS_NAMED, true, 1, 2);
}

int main(void)
{
    CU_initialize_registry();
    CU_pSuite suite = CU_add_suite("policy: every order of events in a small world", NULL, NULL);
    CU_add_test(suite, "k-wait, three members", test_count);
    CU_add_test(suite, "one-wait, one replica and a standby", test_any);
    CU_add_test(suite, "one-wait, no replica yet", test_any_alone);
    CU_add_test(suite, "named-wait, three members, what is received is durable", test_named);
    CU_add_test(suite, "named-wait, no replica yet", test_named_alone);
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    unsigned failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures != 0;
}
