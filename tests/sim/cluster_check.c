#include "tests/sim/cluster_check_internal.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/agent.h"

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
    free(check->row_us);
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

/* ---- rows ---- */

static void protect_row(struct cluster *cluster, uint64_t uid)
{
    struct cluster_check *check = cluster->check;

    if (uid >= check->rows_size) {
        uint64_t size = uid * 2 + 1024;
        check->rows = realloc(check->rows, size);
        assert(check->rows != NULL);
        memset(check->rows + check->rows_size, 0, size - check->rows_size);
        check->row_us = realloc(check->row_us, size * sizeof *check->row_us);
        assert(check->row_us != NULL);
        check->rows_size = size;
    }
    if (check->rows[uid] != ROW_COUNTS)
        check->row_us[uid] = cluster->world->now_us;
    check->rows[uid] = ROW_COUNTS;
}

bool cluster_check_row_counts(const struct cluster *cluster, uint64_t uid)
{
    return uid < cluster->check->rows_size && cluster->check->rows[uid] == ROW_COUNTS;
}

bool cluster_check_is_given_up(const struct cluster *cluster, uint64_t uid)
{
    return uid < cluster->check->rows_size && cluster->check->rows[uid] == ROW_GIVEN_UP;
}

static bool log_has(const struct log *log, uint64_t uid)
{
    for (unsigned i = log->count; i-- > 0;)
        if (log->txns[i].uid == uid)
            return true;
    return false;
}

static void mark_rows(struct cluster_check *check, const struct log *log)
{
    for (unsigned i = 0; i < log->count; i++)
        if (log->txns[i].uid < check->rows_size && check->rows[log->txns[i].uid] == ROW_COUNTS)
            check->rows[log->txns[i].uid] = ROW_MARKED;
}

/* The first protected row that neither the log nor (with `received`) the relay log holds; 0: all are there.
 */
static uint64_t missing_row(const struct cluster *cluster, const struct server *server, bool received)
{
    struct cluster_check *check = cluster->check;
    uint64_t missing = 0;

    mark_rows(check, &server->log);
    if (received)
        mark_rows(check, &server->relay);
    for (uint64_t uid = 0; uid < check->rows_size; uid++) {
        if (check->rows[uid] == ROW_COUNTS && missing == 0)
            missing = uid;
        if (check->rows[uid] == ROW_MARKED)
            check->rows[uid] = ROW_COUNTS;
    }
    return missing;
}

/* ---- commits and openings ---- */

/* Members of the sync set other than `host` that hold the transaction at `index` of its log, or acknowledged
 * it, in the start of theirs that counts. What a member acknowledged and lost with a restart may be told
 * late, by a server that was stopped meanwhile: another start of it counts for nothing until the rule is
 * changed. */
static unsigned holders(const struct cluster *cluster, unsigned host, unsigned index)
{
    const struct cluster_state *state = &cluster->check->state;
    const struct server *server = cluster->hosts[host].server;
    uint64_t uid = server->log.txns[index].uid;
    bool durable = cluster->config.kind != SERVER_ONE_WAIT;
    unsigned count = 0;

    for (unsigned i = 0; i < state->sync.count; i++) {
        const struct sync_member *member = &state->sync.members[i];
        const struct server *other = cluster->hosts[cluster_host_of(member->node)].server;
        const struct replica *replica = &server->replicas[other->host];
        if (other->host == host)
            continue;
        /* Where what it received is lost by a restart, only the start that is a member counts. */
        if ((durable || replica->incarnation == member->incarnation) && replica->count > index)
            count++;
        else if (durable || other->incarnation == member->incarnation)
            count += log_has(&other->relay, uid) || log_has(&other->log, uid);
    }
    return count;
}

bool cluster_check_is_primary(const struct cluster *cluster, unsigned host)
{
    const struct cluster_primary *primary = &cluster->check->state.primary;

    return cluster_host_of(primary->node) == host &&
           primary->epoch == server_epoch(cluster->hosts[host].server);
}

/* Of a server that was never ours nothing is promised before it is taken over. */
static bool is_foreign(const struct cluster *cluster, unsigned host)
{
    return server_epoch(cluster->hosts[host].server) == 0;
}

static void check_rule(struct cluster *cluster, unsigned host, const struct txn *txn)
{
    const struct server *server = cluster->hosts[host].server;
    unsigned acks = cluster->check->state.sync.acks, in_force = server->acks, held;

    if (!cluster_check_is_primary(cluster, host))
        return;
    held = holders(cluster, host, (unsigned)(txn - server->log.txns));
    if (in_force < acks)
        world_violate(cluster->world, "I4: %s answers a commit under acks = %u, committed are %u",
                      cluster_host_name(cluster, host), in_force, acks);
    if (held < acks)
        world_violate(cluster->world, "I4: %s answers a commit that %u of %u members of the sync set hold",
                      cluster_host_name(cluster, host), held, acks);
}

void cluster_check_acknowledged(struct cluster *cluster, unsigned host, const struct txn *txn)
{
    struct cluster_check *check = cluster->check;
    uint64_t epoch = server_epoch(cluster->hosts[host].server);

    if (is_foreign(cluster, host)) {
        check->hosts[host].answers++;
        return;
    }
    /* A process that was stopped with the acknowledgement in its socket may answer late, if whoever opened
     * since then had the row. */
    if (epoch < check->answered_epoch && !cluster_check_row_counts(cluster, txn->uid) &&
        !cluster->config.available)
        world_violate(cluster->world,
                      "I3: %s answers a commit under epoch %" PRIu64 ", after one under %" PRIu64
                      ", whose primary lacks it",
                      cluster_host_name(cluster, host), epoch, check->answered_epoch);
    if (epoch > check->answered_epoch)
        check->answered_epoch = epoch;
    check_rule(cluster, host, txn);
    if (!cluster->config.available || epoch >= check->answered_epoch)
        protect_row(cluster, txn->uid);
    check->hosts[host].answered_us = cluster->world->now_us;
    check->hosts[host].answers++;
    check->gap_us = cluster_check_gap_us(cluster);
    check->gap_since_us = cluster->world->now_us;
    check->totals.acknowledged++;
    counts_add(&cluster->world->counts, COUNT_WRITES_ACKNOWLEDGED, 1);
}

/* An accepted loss is the only one that is allowed: by name, or within the bound of durability = "available".
 */
static void accept_loss(struct cluster *cluster, const struct server *server, uint64_t younger_than_us)
{
    struct cluster_check *check = cluster->check;

    for (uint64_t uid = 0; uid < check->rows_size; uid++)
        if (check->rows[uid] == ROW_COUNTS && check->row_us[uid] >= younger_than_us &&
            !log_has(&server->log, uid)) {
            check->rows[uid] = ROW_GIVEN_UP;
            counts_add(&cluster->world->counts, COUNT_ROWS_GIVEN_UP, 1);
        }
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
    missing = missing_row(cluster, server, false);
    if (missing)
        world_violate(cluster->world,
                      "I4: %s opens under epoch %" PRIu64 " without row %" PRIu64
                      ", which a client was told or could read",
                      cluster_host_name(cluster, host), epoch, missing);
    if (!cluster_check_is_primary(cluster, host))
        world_violate(cluster->world, "I5: %s opens, but is not the primary of record",
                      cluster_host_name(cluster, host));
    if (holders(cluster, host, server->log.count - 1) < check->state.sync.acks)
        world_violate(cluster->world,
                      "I4: %s opens before %u members of the sync set hold what clients can read there",
                      cluster_host_name(cluster, host), check->state.sync.acks);
    if (server->acks < check->state.sync.acks)
        world_violate(cluster->world, "I4: %s opens under acks = %u, committed are %u",
                      cluster_host_name(cluster, host), server->acks, check->state.sync.acks);
    /* From now on clients can read all of it. */
    for (unsigned i = 0; i < server->log.count; i++)
        protect_row(cluster, server->log.txns[i].uid);
    check->totals.openings++;
    counts_add(&cluster->world->counts, COUNT_OPENINGS, 1);
}

void cluster_check_cut(struct cluster *cluster, unsigned host)
{
    const struct cluster_state *state = &cluster->check->state;

    if (cluster_sync_find(&state->sync, cluster->world->nodes[host].id))
        world_violate(cluster->world, "I4: %s, a member of the sync set, is cut",
                      cluster_host_name(cluster, host));
}

/* One that is cut off may finish what it began when another has begun anew: it opens nothing by that. */
void cluster_check_epoch(struct cluster *cluster, unsigned host, uint64_t epoch)
{
    uint64_t before = server_epoch(cluster->hosts[host].server);

    if (epoch <= before)
        world_violate(cluster->world, "I5: %s writes epoch %" PRIu64 " after %" PRIu64,
                      cluster_host_name(cluster, host), epoch, before);
}

/* ---- the replicated state ---- */

/* What makes a new rule sound, looked at in the servers themselves. */
static void check_members(struct cluster *cluster)
{
    const struct cluster_state *state = &cluster->check->state;

    for (unsigned i = 0; i < state->sync.count; i++) {
        const struct sync_member *member = &state->sync.members[i];
        const struct server *server = cluster->hosts[cluster_host_of(member->node)].server;
        bool counts = member->node == state->primary.node || state->sync.count - 1 == state->sync.acks;
        uint64_t missing;
        if (!counts || server->incarnation != member->incarnation)
            continue;
        /* A primary must have applied them: a restart would lose what it has only received. */
        missing = missing_row(cluster, server, member->node != state->primary.node);
        if (missing)
            world_violate(cluster->world,
                          "I4: %s is %s without row %" PRIu64 ", which a client was told or could read",
                          cluster_host_name(cluster, cluster_host_of(member->node)),
                          member->node == state->primary.node ? "made the primary" : "counted on", missing);
    }
}

/* How far the new primary lagged is measured by reports, which come once a heartbeat while the old one leads,
 * and of which the last may be as old as its lease. */
static void accept_what_lags(struct cluster *cluster, const struct cluster_command *command)
{
    const struct cluster_check *check = cluster->check;
    uint64_t from = check->state.history[check->state.history_count - 1].from;
    uint64_t slack_us = cluster->config.lag_most_us + 3 * cluster->world->config.election_us +
                        2 * cluster->config.probe_interval_us;
    uint64_t until_us = from ? check->hosts[cluster_host_of(from)].answered_us : 0;

    if (command->change != MHA__CHANGE_KIND__CHANGE_FAILOVER || check->sync_acks_before > 0)
        return;
    counts_add(&cluster->world->counts, COUNT_FAILOVERS_AVAILABLE, 1);
    accept_loss(cluster, cluster->hosts[cluster_host_of(command->node)].server,
                until_us > slack_us ? until_us - slack_us : 0);
}

static void count_command(struct cluster *cluster, const struct cluster_command *command, unsigned members)
{
    static const enum count_kind of_change[] = {[MHA__CHANGE_KIND__CHANGE_FIRST_START] = COUNT_FIRST_STARTS,
                                                [MHA__CHANGE_KIND__CHANGE_FAILOVER] = COUNT_FAILOVERS,
                                                [MHA__CHANGE_KIND__CHANGE_SWITCHOVER] = COUNT_SWITCHOVERS,
                                                [MHA__CHANGE_KIND__CHANGE_RESTART] = COUNT_RESTARTS,
                                                [MHA__CHANGE_KIND__CHANGE_FORCED] = COUNT_FORCED};

    if (command->kind == COMMAND_PROMOTE)
        counts_add(&cluster->world->counts, of_change[command->change], 1);
    if (command->kind == COMMAND_SYNC)
        counts_add(&cluster->world->counts, command->sync.count > members ? COUNT_JOINED : COUNT_LEFT, 1);
    if (command->kind == COMMAND_SYNC && strstr(command->text, "an operator drains it"))
        counts_add(&cluster->world->counts, COUNT_DRAINED, 1);
    if (command->kind == COMMAND_PAUSE)
        counts_add(&cluster->world->counts, COUNT_PAUSED, 1);
}

void cluster_check_applied(struct cluster *cluster, uint64_t index, const struct cluster_command *command)
{
    struct cluster_check *check = cluster->check;
    unsigned members = check->state.sync.count;

    if (index <= check->index)
        return;
    check->index = index;
    check->totals.commands++;
    check->sync_acks_before = check->state.sync.acks;
    if (cluster_state_apply(&check->state, command) != NULL)
        return;
    if (command->kind == COMMAND_PROMOTE && command->change == MHA__CHANGE_KIND__CHANGE_FORCED)
        accept_loss(cluster, cluster->hosts[cluster_host_of(command->node)].server, 0);
    else if (command->kind == COMMAND_PROMOTE && cluster->config.available)
        accept_what_lags(cluster, command);
    check->changes += command->kind == COMMAND_PROMOTE;
    count_command(cluster, command, members);
    if (command->kind == COMMAND_PROMOTE || command->kind == COMMAND_SYNC)
        check_members(cluster);
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
