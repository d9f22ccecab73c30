#include "tests/sim/cluster_check.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/agent.h"
#include "tests/sim/dbworker.h"
#include "tests/sim/vip.h"

#define SCHEDULING_US 5000u /* an enforcer that runs again needs a moment */
#define FENCE_ASKED_US 450000u
#define ON_ITS_WAY_US 100000u

struct host_check {
    uint64_t vipd_since_us, worker_since_us; /* runs since then; 0: does not */
    uint64_t server_since_us;
    uint64_t no_lease_since_us; /* 0: has one */
    uint64_t answers;           /* since the mark */
    uint64_t answered_us;       /* its last answered commit */
    uint64_t calm_incarnation;  /* of its server when the faults ended; 0: not running then */
};

struct cluster_check {
    struct cluster_state state; /* all that anybody applied */
    uint64_t index;
    unsigned char *rows; /* by uid: 1: acknowledged or readable */
    uint64_t rows_size;
    uint64_t answered_epoch;
    uint64_t opened_epoch, written_epoch;
    unsigned opened_host;
    uint64_t forced_epoch;
    struct host_check hosts[WORLD_NODES_MAX];
    uint64_t calm_us;
    uint64_t gap_us, gap_since_us; /* since the mark */
    unsigned changes;
    struct cluster_totals totals;
};

struct cluster_check *cluster_check_new(struct cluster *cluster)
{
    struct cluster_check *check = calloc(1, sizeof *check);

    (void)cluster;
    assert(check != NULL);
    cluster_state_init(&check->state);
    return check;
}

void cluster_check_free(struct cluster_check *check)
{
    free(check->rows);
    free(check);
}

const struct cluster_state *cluster_check_state(const struct cluster *cluster)
{
    return &cluster->check->state;
}

struct cluster_totals cluster_check_totals(const struct cluster *cluster)
{
    return cluster->check->totals;
}

static unsigned host_of(uint64_t id)
{
    return (unsigned)id - 1;
}

/* ---- rows ---- */

static void protect_row(struct cluster_check *check, uint64_t uid)
{
    if (uid >= check->rows_size) {
        uint64_t size = uid * 2 + 1024;
        check->rows = realloc(check->rows, size);
        assert(check->rows != NULL);
        memset(check->rows + check->rows_size, 0, size - check->rows_size);
        check->rows_size = size;
    }
    check->rows[uid] = 1;
}

static bool log_has(const struct log *log, uint64_t uid)
{
    for (unsigned i = log->count; i-- > 0;)
        if (log->txns[i].uid == uid)
            return true;
    return false;
}

/* The first protected row that neither the log nor (with `received`) the relay log holds; 0: all are there.
 */
static uint64_t missing_row(const struct cluster *cluster, const struct server *server, bool received)
{
    struct cluster_check *check = cluster->check;
    uint64_t missing = 0;

    for (unsigned i = 0; i < server->log.count; i++)
        if (server->log.txns[i].uid < check->rows_size && check->rows[server->log.txns[i].uid])
            check->rows[server->log.txns[i].uid] = 2;
    for (unsigned i = 0; received && i < server->relay.count; i++)
        if (server->relay.txns[i].uid < check->rows_size && check->rows[server->relay.txns[i].uid])
            check->rows[server->relay.txns[i].uid] = 2;
    for (uint64_t uid = 0; uid < check->rows_size; uid++) {
        if (check->rows[uid] == 1 && missing == 0)
            missing = uid;
        if (check->rows[uid] == 2)
            check->rows[uid] = 1;
    }
    return missing;
}

/* ---- commits and openings ---- */

/* Members of the sync set other than `host` that hold the transaction, in the start of theirs that counts. */
static unsigned holders(const struct cluster *cluster, unsigned host, uint64_t uid)
{
    const struct cluster_state *state = &cluster->check->state;
    unsigned count = 0;

    for (unsigned i = 0; i < state->sync.count; i++) {
        const struct sync_member *member = &state->sync.members[i];
        const struct server *other = cluster->hosts[host_of(member->node)].server;
        if (host_of(member->node) == host)
            continue;
        if (other->incarnation == member->incarnation)
            count += log_has(&other->relay, uid) || log_has(&other->log, uid);
        else /* what it acknowledged before its end may be on its way */
            count += cluster->world->now_us < other->begun_us + ON_ITS_WAY_US;
    }
    return count;
}

static bool is_primary_of_record(const struct cluster *cluster, unsigned host)
{
    const struct cluster_primary *primary = &cluster->check->state.primary;

    return host_of(primary->node) == host && primary->epoch == server_epoch(cluster->hosts[host].server);
}

static void check_rule(struct cluster *cluster, unsigned host, const struct txn *txn)
{
    unsigned acks = cluster->check->state.sync.acks, in_force = cluster->hosts[host].server->acks;

    if (!is_primary_of_record(cluster, host))
        return;
    if (in_force < acks)
        world_violate(cluster->world, "rule: %s answers a commit under acks = %u, committed are %u",
                      cluster_host_name(cluster, host), in_force, acks);
    if (holders(cluster, host, txn->uid) < acks)
        world_violate(cluster->world, "rule: %s answers a commit that %u of %u members of the sync set hold",
                      cluster_host_name(cluster, host), holders(cluster, host, txn->uid), acks);
}

void cluster_check_acknowledged(struct cluster *cluster, unsigned host, const struct txn *txn)
{
    struct cluster_check *check = cluster->check;
    uint64_t epoch = server_epoch(cluster->hosts[host].server);

    /* A process that was stopped with the acknowledgement in its socket may answer late, if the row is where
     * it must be. */
    if (epoch < check->answered_epoch && !log_has(&cluster->hosts[check->opened_host].server->log, txn->uid))
        world_violate(cluster->world,
                      "I3: %s answers a commit under epoch %" PRIu64 ", after one under %" PRIu64
                      ", whose primary lacks it",
                      cluster_host_name(cluster, host), epoch, check->answered_epoch);
    if (epoch > check->answered_epoch)
        check->answered_epoch = epoch;
    check_rule(cluster, host, txn);
    protect_row(check, txn->uid);
    check->hosts[host].answered_us = cluster->world->now_us;
    check->hosts[host].answers++;
    check->gap_us = cluster_check_gap_us(cluster);
    check->gap_since_us = cluster->world->now_us;
    check->totals.acknowledged++;
}

static void accept_loss(struct cluster *cluster, const struct server *server)
{
    struct cluster_check *check = cluster->check;

    for (uint64_t uid = 0; uid < check->rows_size; uid++)
        if (check->rows[uid] && !log_has(&server->log, uid))
            check->rows[uid] = 0;
}

void cluster_check_opening(struct cluster *cluster, unsigned host)
{
    struct cluster_check *check = cluster->check;
    const struct server *server = cluster->hosts[host].server;
    uint64_t epoch = server_epoch(server), missing;

    if (epoch < check->opened_epoch || (epoch == check->opened_epoch && host != check->opened_host))
        world_violate(cluster->world, "I5: %s opens under epoch %" PRIu64 " after %" PRIu64,
                      cluster_host_name(cluster, host), epoch, check->opened_epoch);
    check->opened_epoch = epoch;
    check->opened_host = host;
    if (check->forced_epoch == epoch)
        accept_loss(cluster, server);
    missing = missing_row(cluster, server, false);
    if (missing)
        world_violate(cluster->world,
                      "I4: %s opens under epoch %" PRIu64 " without row %" PRIu64
                      ", which a client was told or could read",
                      cluster_host_name(cluster, host), epoch, missing);
    if (!is_primary_of_record(cluster, host))
        world_violate(cluster->world, "I5: %s opens, but is not the primary of record",
                      cluster_host_name(cluster, host));
    if (holders(cluster, host, server->log.txns[server->log.count - 1].uid) < check->state.sync.acks)
        world_violate(cluster->world,
                      "I4: %s opens before %u members of the sync set hold what clients can read there",
                      cluster_host_name(cluster, host), check->state.sync.acks);
    if (server->acks < check->state.sync.acks)
        world_violate(cluster->world, "rule: %s opens under acks = %u, committed are %u",
                      cluster_host_name(cluster, host), server->acks, check->state.sync.acks);
    /* From now on clients can read all of it. */
    for (unsigned i = 0; i < server->log.count; i++)
        protect_row(check, server->log.txns[i].uid);
    check->totals.openings++;
}

void cluster_check_cut(struct cluster *cluster, unsigned host)
{
    const struct cluster_state *state = &cluster->check->state;

    if (cluster_sync_find(&state->sync, cluster->world->nodes[host].id))
        world_violate(cluster->world, "%s, a member of the sync set, is cut",
                      cluster_host_name(cluster, host));
}

void cluster_check_epoch(struct cluster *cluster, unsigned host, uint64_t epoch)
{
    struct cluster_check *check = cluster->check;

    if (epoch <= check->written_epoch)
        world_violate(cluster->world, "I5: %s writes epoch %" PRIu64 ", %" PRIu64 " was written before",
                      cluster_host_name(cluster, host), epoch, check->written_epoch);
    check->written_epoch = epoch;
}

/* ---- the replicated state ---- */

/* What makes a new rule sound, looked at in the servers themselves. */
static void check_members(struct cluster *cluster)
{
    const struct cluster_state *state = &cluster->check->state;

    if (cluster->check->forced_epoch && cluster->check->forced_epoch >= state->primary.epoch)
        return;
    for (unsigned i = 0; i < state->sync.count; i++) {
        const struct sync_member *member = &state->sync.members[i];
        const struct server *server = cluster->hosts[host_of(member->node)].server;
        bool counts = member->node == state->primary.node || state->sync.count - 1 == state->sync.acks;
        uint64_t missing;
        if (!counts || server->incarnation != member->incarnation)
            continue;
        /* A primary must have applied them: a restart would lose what it has only received. */
        missing = missing_row(cluster, server, member->node != state->primary.node);
        if (missing)
            world_violate(cluster->world,
                          "I4: %s is %s without row %" PRIu64 ", which a client was told or could read",
                          cluster_host_name(cluster, host_of(member->node)),
                          member->node == state->primary.node ? "made the primary" : "counted on", missing);
    }
}

void cluster_check_applied(struct cluster *cluster, uint64_t index, const struct cluster_command *command)
{
    struct cluster_check *check = cluster->check;

    if (index <= check->index)
        return;
    check->index = index;
    check->totals.commands++;
    if (cluster_state_apply(&check->state, command) != NULL)
        return;
    if (command->kind == COMMAND_PROMOTE && command->change == MHA__CHANGE_KIND__CHANGE_FORCED)
        check->forced_epoch = command->epoch;
    check->changes += command->kind == COMMAND_PROMOTE;
    if (command->kind == COMMAND_PROMOTE || command->kind == COMMAND_SYNC)
        check_members(cluster);
}

/* ---- powers ---- */

static bool is_writable(const struct cluster *cluster, unsigned host)
{
    return cluster_up(cluster, host, PROCESS_SERVER) && !cluster->hosts[host].server->read_only;
}

static bool is_paused(const struct cluster *cluster, unsigned host)
{
    const struct cluster_pause *pause = &cluster->check->state.pause;

    return pause->id && host_of(pause->holder) == host;
}

void cluster_check_released(struct cluster *cluster, unsigned host)
{
    const struct worker_model *worker = cluster->hosts[host].worker;
    const char *name = cluster_host_name(cluster, host);

    if (cluster->config.has_vip && vip_may_hold(cluster, host))
        world_violate(cluster->world, "I6: %s says that it has let go, but vipd has the address or takes it",
                      name);
    /* What an earlier term opened, and nobody was there to fence, is no power of this term's: check_leases.
     */
    if (is_writable(cluster, host) &&
        server_epoch(cluster->hosts[host].server) == cluster->world->nodes[host].status.term)
        world_violate(cluster->world, "I6: %s says that it has let go, but its server is writable", name);
    if (cluster_up(cluster, host, PROCESS_WORKER) && (worker->running.id || worker->pending.id) &&
        (worker->running.op == DB_OP_OPEN || worker->pending.op == DB_OP_OPEN))
        world_violate(cluster->world, "I6: %s says that it has let go, but its server is being opened", name);
}

static void note_running(uint64_t *since_us, bool runs, uint64_t now_us)
{
    if (!runs)
        *since_us = 0;
    else if (*since_us == 0)
        *since_us = now_us;
}

static bool for_longer(uint64_t since_us, uint64_t now_us, uint64_t than_us)
{
    return since_us != 0 && now_us - since_us > than_us;
}

static void check_leases(struct cluster *cluster, unsigned host)
{
    struct host_check *h = &cluster->check->hosts[host];
    uint64_t now_us = cluster->world->now_us, margin_us;
    const char *name = cluster_host_name(cluster, host);

    note_running(&h->vipd_since_us, cluster_runs(cluster, host, PROCESS_VIPD), now_us);
    note_running(&h->worker_since_us, cluster_runs(cluster, host, PROCESS_WORKER), now_us);
    note_running(&h->server_since_us, cluster_runs(cluster, host, PROCESS_SERVER), now_us);
    note_running(&h->no_lease_since_us,
                 !world_lease_is_live(cluster->world, host) && !is_paused(cluster, host), now_us);
    if (!for_longer(h->no_lease_since_us, now_us, SCHEDULING_US))
        return;
    if (vip_address_is_here(cluster, host) && for_longer(h->vipd_since_us, now_us, SCHEDULING_US))
        world_violate(cluster->world, "I6: %s has the address without a lease", name);
    /* A worker that came late has not been told this lease, or finds an open server: it needs the time of a
     * whole fence, counted from its start and a first election timeout. */
    margin_us = h->worker_since_us + cluster->config.world.election_us + FENCE_ASKED_US < h->no_lease_since_us
                    ? SCHEDULING_US
                    : FENCE_ASKED_US;
    if (is_writable(cluster, host) && for_longer(h->worker_since_us, now_us, margin_us) &&
        for_longer(h->no_lease_since_us, now_us, margin_us) &&
        for_longer(h->server_since_us, now_us, margin_us)) /* stopped it answers nobody */
        world_violate(cluster->world, "I6: the server of %s is writable without a lease", name);
}

static void check_addresses(struct cluster *cluster)
{
    unsigned holders = 0;
    uint64_t now_us = cluster->world->now_us;

    for (unsigned i = 0; i < cluster->data_count; i++)
        holders += vip_address_is_here(cluster, i);
    for (unsigned i = 0; holders > 1 && i < cluster->data_count; i++) {
        const struct host_check *h = &cluster->check->hosts[i];
        if (!vip_address_is_here(cluster, i) || world_lease_is_live(cluster->world, i))
            continue;
        if (for_longer(h->vipd_since_us, now_us, SCHEDULING_US) || now_us > vip_kernel_until_us(cluster, i))
            world_violate(cluster->world, "I2: %s has the address beside another, without a lease",
                          cluster_host_name(cluster, i));
    }
}

static bool can_answer(const struct cluster *cluster, unsigned host)
{
    return is_writable(cluster, host) && !cluster_stopped(cluster, host, PROCESS_SERVER) &&
           (cluster->hosts[host].server->acks == 0 || server_has_acknowledger(cluster, host));
}

void cluster_check_step(struct cluster *cluster)
{
    unsigned answering = 0;

    for (unsigned i = 0; i < cluster->data_count; i++) {
        check_leases(cluster, i);
        answering += can_answer(cluster, i);
    }
    if (answering > 1)
        world_violate(cluster->world, "I3: %u servers can answer commits at once", answering);
    if (cluster->config.has_vip)
        check_addresses(cluster);
}

/* ---- calm ---- */

unsigned cluster_serving(const struct cluster *cluster)
{
    for (unsigned i = 0; i < cluster->data_count; i++)
        if (can_answer(cluster, i) && !cluster->hosts[i].server->closing && cluster->hosts[i].powered &&
            (!cluster->config.has_vip || vip_address_is_here(cluster, i)))
            return i;
    return cluster->world->node_count;
}

void cluster_check_calm(struct cluster *cluster)
{
    cluster->check->calm_us = cluster->world->now_us;
    for (unsigned i = 0; i < cluster->data_count; i++)
        cluster->check->hosts[i].calm_incarnation =
            cluster_runs(cluster, i, PROCESS_SERVER) ? cluster->hosts[i].server->incarnation : 0;
}

static bool is_there(const struct cluster *cluster, unsigned host)
{
    return cluster->hosts[host].powered && !cluster->faults.agent_stays_down[host];
}

/* NULL: somebody must serve; otherwise why the rules forbid it. */
static const char *forbidden(const struct cluster *cluster)
{
    const struct cluster_state *state = &cluster->check->state;
    unsigned voters = 0, data = 0, primary = host_of(state->primary.node);

    for (unsigned i = 0; i < cluster->world->node_count; i++) {
        voters += is_there(cluster, i);
        data += i < cluster->data_count && is_there(cluster, i);
    }
    if (voters <= cluster->world->node_count / 2)
        return "there is no quorum";
    if (state->primary.node == 0)
        return data < cluster->data_count ? "a first start needs all servers" : NULL;
    if (is_there(cluster, primary) && !cluster->faults.start_fails[primary])
        return NULL;
    for (unsigned i = 0; i < state->sync.count; i++) {
        unsigned host = host_of(state->sync.members[i].node);
        if (is_there(cluster, host) &&
            cluster->check->hosts[host].calm_incarnation == state->sync.members[i].incarnation)
            return NULL;
    }
    return "no member of the sync set is there as it was in sync";
}

bool cluster_check_settled(struct cluster *cluster, bool *serves)
{
    unsigned host = cluster_serving(cluster);
    const char *why_not = forbidden(cluster);

    *serves = host < cluster->data_count &&
              cluster->check->hosts[host].answered_us + 500000 > cluster->world->now_us;
    if (!*serves && why_not == NULL)
        world_violate(cluster->world, "I8: nobody serves, though the faults are over since %.3f s",
                      (double)(cluster->world->now_us - cluster->check->calm_us) / 1e6);
    if (*serves && why_not != NULL && strcmp(why_not, "there is no quorum") == 0)
        world_violate(cluster->world, "I6: %s serves without a quorum", cluster_host_name(cluster, host));
    return cluster->world->violation[0] == '\0';
}

/* ---- for stories ---- */

void cluster_check_mark(struct cluster *cluster)
{
    struct cluster_check *check = cluster->check;

    check->gap_us = 0;
    check->gap_since_us = cluster->world->now_us;
    check->changes = 0;
    for (unsigned i = 0; i < WORLD_NODES_MAX; i++)
        check->hosts[i].answers = 0;
}

uint64_t cluster_check_gap_us(const struct cluster *cluster)
{
    uint64_t gap_us = cluster->world->now_us - cluster->check->gap_since_us;

    return gap_us > cluster->check->gap_us ? gap_us : cluster->check->gap_us;
}

uint64_t cluster_check_answers(const struct cluster *cluster, unsigned host)
{
    return cluster->check->hosts[host].answers;
}

unsigned cluster_check_changes(const struct cluster *cluster)
{
    return cluster->check->changes;
}
