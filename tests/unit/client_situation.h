/* Clusters made by hand, in one situation each, and what mhactl prints of them held against the texts in
 * tests/unit/client_golden/. MHA_UPDATE_GOLDEN=1 in the environment writes them anew; look at the difference
 * before it is committed. */
#ifndef MHA_UNIT_CLIENT_SITUATION_H
#define MHA_UNIT_CLIENT_SITUATION_H

#include <CUnit/Basic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/ctl.h"

#define GOLDEN_DIR "tests/unit/client_golden/"
#define GOLDEN_BYTES_MAX 65536

enum { DB1 = 0x1111, DB2 = 0x2222, ARB = 0xa0a0 };

/* ---- a cluster made by hand ---- */

struct situation {
    Mha__StatusReply status;
    Mha__ClusterState state;
    Mha__Primary primary;
    Mha__SyncSet sync;
    Mha__SyncMember member[2];
    Mha__SyncMember *members[2];
    Mha__Switchover switchover;
    Mha__Pause pause;
    Mha__Force force;
    Mha__Change change[3];
    Mha__Change *changes[3];
    Mha__Phases phases;
    Mha__NodeStatus node[3];
    Mha__NodeStatus *nodes[3];
    Mha__DbObservation database[2];
    Mha__VipState vip[2];
};

static inline char *s(const char *text)
{
    return (char *)text; /* protobuf-c's fields are not const; nothing here writes to them */
}

static inline void make_node(struct situation *it, unsigned i, uint64_t id, const char *name,
                             const char *address)
{
    mha__node_status__init(&it->node[i]);
    it->nodes[i] = &it->node[i];
    it->node[i].id = id;
    it->node[i].name = s(name);
    it->node[i].address = s(address);
    it->node[i].reachable = true;
    it->node[i].heard_ms_ago = 40;
    it->node[i].health = s("ok");
    it->node[i].program_version = s("0.1.0");
}

static inline void make_database(struct situation *it, unsigned i)
{
    Mha__DbObservation *database = &it->database[i];

    mha__db_observation__init(database);
    database->state = MHA__DB_STATE__DB_UP;
    database->version = s("10.11.19-MariaDB");
    database->incarnation = 0x77770000 + i;
    database->executed = s("0-1-340,0-2-310");
    database->received = s("0-1-340,0-2-310");
    database->fence_cost_us = 1500;
    it->node[i].database = database;
    mha__vip_state__init(&it->vip[i]);
    it->vip[i].address = s("192.0.2.10");
    it->vip[i].epoch = 7;
    it->vip[i].link_up = true;
    it->node[i].vip = &it->vip[i];
}

/* Two data nodes and an arbiter, all well, asked at db1, the primary. */
static inline void make_healthy(struct situation *it)
{
    memset(it, 0, sizeof *it);
    mha__status_reply__init(&it->status);
    mha__cluster_state__init(&it->state);
    mha__primary__init(&it->primary);
    mha__sync_set__init(&it->sync);
    mha__switchover__init(&it->switchover);
    mha__pause__init(&it->pause);
    mha__force__init(&it->force);

    make_node(it, 0, DB1, "db1", "192.0.2.11:7420");
    make_node(it, 1, DB2, "db2", "192.0.2.12:7420");
    make_node(it, 2, ARB, "arb", "192.0.2.13:7420");
    make_database(it, 0);
    make_database(it, 1);
    it->node[0].self = true;
    it->node[0].role = s("primary");
    it->node[0].leader = true;
    it->node[0].in_sync = true;
    it->database[0].open = true;
    it->database[0].acks = 1;
    it->database[0].acks_enforced = true;
    it->database[0].received = s("");
    it->vip[0].held = true;
    it->node[1].role = s("replica");
    it->node[1].in_sync = true;
    it->node[1].promotable = true;
    it->database[1].read_only = true;
    it->database[1].receiving = true;
    it->database[1].applying = true;
    it->database[1].acknowledging = true;
    it->database[1].source = s("192.0.2.11:3306");
    it->database[1].lag_ms = 3;
    it->node[2].kind = MHA__MEMBER_KIND__MEMBER_ARBITER;
    it->node[2].role = s("arbiter");

    it->primary.node = DB1;
    it->primary.epoch = 7;
    it->primary.opened = true;
    it->primary.epoch_position = s("0-1-300");
    it->primary.incarnation = 0x77770000;
    for (unsigned i = 0; i < 2; i++) {
        mha__sync_member__init(&it->member[i]);
        it->member[i].node = i ? DB2 : DB1;
        it->members[i] = &it->member[i];
    }
    it->sync.version = 4;
    it->sync.n_members = 2;
    it->sync.members = it->members;
    it->sync.acks = 1;
    it->state.primary = &it->primary;
    it->state.sync = &it->sync;
    it->state.switchover = &it->switchover;
    it->state.pause = &it->pause;
    it->state.force = &it->force;

    it->status.cluster = s("shop");
    it->status.self = s("db1");
    it->status.term = 7;
    it->status.leader = s("db1");
    it->status.has_quorum = true;
    it->status.formed = true;
    it->status.state = &it->state;
    it->status.n_nodes = 3;
    it->status.nodes = it->nodes;
    it->status.vip = s("192.0.2.10");
    it->status.vip_holder = s("db1");
    it->status.lease_ms = 850;
    it->status.applied_index = 41;
    it->status.summary = s("db1 is the primary; db2 holds every acknowledged write");
    it->status.if_one_fails =
        s("db1 fails: db2 takes over.\ndb2 fails: writes wait one detection time, then go on.\n"
          "arb fails: nothing moves; one more failure would stop the cluster.");
}

static inline void make_unreachable(struct situation *it, unsigned i, uint64_t heard_ms_ago)
{
    it->node[i].reachable = false;
    it->node[i].heard_ms_ago = heard_ms_ago;
    it->node[i].health = s("its agent is not heard");
    it->node[i].role = s(i == 2 ? "arbiter" : "unknown");
    it->node[i].database = NULL;
    it->node[i].vip = NULL;
    it->node[i].promotable = false;
}

static inline void make_degraded(struct situation *it)
{
    make_healthy(it);
    make_unreachable(it, 1, 125000);
    it->node[1].in_sync = false;
    it->sync.n_members = 1;
    it->sync.acks = 0;
    it->database[0].acks = 0;
    it->status.summary = s("db1 is the primary and the only member of the sync set");
    it->status.if_one_fails = s("db1 fails: no other node may be promoted; writes stop until db1 is back.");
}

static inline void make_no_quorum(struct situation *it)
{
    make_healthy(it);
    make_unreachable(it, 1, 12300);
    make_unreachable(it, 2, 4100);
    it->node[0].leader = false;
    it->node[0].role = s("closed");
    it->node[0].health = s("fenced: no quorum");
    it->database[0].open = false;
    it->database[0].read_only = true;
    it->database[0].fenced = true;
    it->vip[0].held = false;
    it->status.leader = s("");
    it->status.has_quorum = false;
    it->status.vip_holder = s("");
    it->status.lease_ms = 0;
    it->status.summary = s("no quorum: db1 hears neither db2 nor arb; one of them must come back");
    it->status.if_one_fails = s("");
}

static inline void make_forming(struct situation *it)
{
    make_healthy(it);
    make_unreachable(it, 1, 0);
    it->node[0].leader = false;
    it->node[0].in_sync = false;
    it->node[0].role = s("closed");
    it->node[1].in_sync = false;
    it->node[1].id = 0;
    it->database[0].open = false;
    it->database[0].executed = s("");
    it->vip[0].held = false;
    it->status.formed = false;
    it->status.has_quorum = false;
    it->status.leader = s("");
    it->status.term = 0;
    it->status.state = NULL;
    it->status.vip_holder = s("");
    it->status.summary = s("not formed yet: waiting for db2");
    it->status.if_one_fails = s("");
}

static inline void make_arbiter_down(struct situation *it)
{
    make_healthy(it);
    make_unreachable(it, 2, 61000);
    it->status.summary = s("db1 is the primary; db2 holds every acknowledged write; arb is down");
    it->status.if_one_fails = s("db1 or db2 fails: no quorum, writes stop.");
}

static inline void make_diverged(struct situation *it)
{
    make_degraded(it);
    make_database(it, 1);
    it->node[1].reachable = true;
    it->node[1].role = s("closed");
    it->node[1].health = s("diverged");
    it->node[1].waiting_for = s("has 0-2-345, which the primary lacks: rebuild it from db1");
    it->database[1].read_only = true;
    it->database[1].executed = s("0-1-320,0-2-345");
    it->database[1].received = s("");
    it->database[1].trouble = s("error 1236: it is ahead of its source");
    it->status.summary = s("db1 is the primary; db2 has diverged and is set aside");
}

/* What the arbiter says: it sees the members, and nothing of their databases. */
static inline void make_arbiters_view(struct situation *it)
{
    make_healthy(it);
    for (unsigned i = 0; i < 2; i++) {
        it->node[i].self = false;
        it->node[i].role = s("unknown");
        it->node[i].in_sync = false;
        it->node[i].database = NULL;
        it->node[i].vip = NULL;
    }
    it->node[2].self = true;
    it->status.self = s("arb");
    it->status.state = NULL;
    it->status.vip = s("");
    it->status.vip_holder = s("");
    it->status.summary = s("db1 leads, 3 of 3 members are reached");
    it->status.if_one_fails = s("the group bears the loss of any one member");
}

static inline void make_busy(struct situation *it)
{
    make_healthy(it);
    it->switchover.id = 12;
    it->switchover.from = DB1;
    it->switchover.to = DB2;
    it->switchover.epoch = 7;
    it->switchover.timeout_us = 10000000;
    it->pause.id = 13;
    it->pause.holder = DB1;
    it->pause.epoch = 7;
    it->pause.length_us = 60000000;
    it->force.id = 14;
    it->force.node = DB2;
    it->force.old_primary_is_off = true;
    it->database[0].waiting_commits = 3;
    it->database[1].acknowledging = false; /* else it is no news */
    it->database[1].lag_ms = 42000;
    it->vip[1].trouble = s("link eth0 is down\033[2J");
    it->status.vip_holder = s("db2");
    it->primary.opened = false;
}

static inline void add_history(struct situation *it)
{
    for (unsigned i = 0; i < 2; i++) {
        mha__change__init(&it->change[i]);
        it->changes[i] = &it->change[i];
    }
    it->change[0].id = 1;
    it->change[0].to = DB2;
    it->change[0].epoch = 3;
    it->change[0].reason = s("both are empty; db2 has the smaller name");
    it->change[0].complete = true;
    mha__phases__init(&it->phases);
    it->phases.detected_us = 1020400;
    it->phases.elected_us = 3150;
    it->phases.frozen_us = 12900;
    it->phases.drained_us = 400;
    it->phases.promoted_us = 9099;
    it->phases.announced_us = 800;
    it->change[1].id = 2;
    it->change[1].kind = MHA__CHANGE_KIND__CHANGE_FAILOVER;
    it->change[1].from = DB2;
    it->change[1].to = DB1;
    it->change[1].epoch = 7;
    it->change[1].reason = s("db2 was not heard from");
    it->change[1].complete = true;
    it->change[1].phases = &it->phases;
    mha__change__init(&it->change[2]);
    it->changes[2] = &it->change[2];
    it->change[2].id = 3;
    it->change[2].kind = MHA__CHANGE_KIND__CHANGE_RESTART;
    it->change[2].from = DB1;
    it->change[2].to = DB1;
    it->change[2].epoch = 8;
    it->change[2].reason = s("its database was killed");
    it->state.n_history = 3;
    it->state.history = it->changes;
}

/* ---- comparing ---- */

static inline bool read_golden(const char *path, char *text)
{
    FILE *file = fopen(path, "re");
    size_t length;

    if (!file)
        return false;
    length = fread(text, 1, GOLDEN_BYTES_MAX - 1, file);
    text[length] = '\0';
    fclose(file);
    return true;
}

static inline void compare(const char *name, const char *printed)
{
    static char expected[GOLDEN_BYTES_MAX];
    char path[256];

    snprintf(path, sizeof path, GOLDEN_DIR "%s", name);
    if (getenv("MHA_UPDATE_GOLDEN")) {
        FILE *file = fopen(path, "we");
        CU_ASSERT_PTR_NOT_NULL_FATAL(file);
        fputs(printed, file);
        fclose(file);
    }
    if (!read_golden(path, expected) || strcmp(expected, printed) != 0) {
        fprintf(stderr, "%s differs; printed was:\n%s", path, printed);
        CU_FAIL("the output is not the expected one");
    }
}

typedef void (*printer)(const struct ctl *ctl, const void *message);

static inline void golden(const char *name, printer print, const void *message)
{
    struct ctl ctl = {.socket = ""};
    char *printed = NULL;
    size_t size;

    ctl.out = ctl.err = open_memstream(&printed, &size);
    CU_ASSERT_PTR_NOT_NULL_FATAL(ctl.out);
    print(&ctl, message);
    fclose(ctl.out);
    compare(name, printed);
    free(printed);
}

static inline void print_status(const struct ctl *ctl, const void *message)
{
    status_print(ctl, message);
}

static inline void print_json(const struct ctl *ctl, const void *message)
{
    struct ctl copy = *ctl;
    CU_ASSERT_EQUAL(ctl_print_json(&copy, status_to_json(message)), CTL_OK);
}

static inline void print_history(const struct ctl *ctl, const void *message)
{
    history_print(ctl, message);
}

static inline void print_explanation(const struct ctl *ctl, const void *message)
{
    failover_explain(ctl, message, "db2", "", false);
}

/* The same in the leader's words, to an operator who accepted it. */
static inline void print_loss(const struct ctl *ctl, const void *message)
{
    failover_explain(
        ctl, message, "db2",
        "What db2 lacks (it holds 0-1-338):\n"
        "  of the last primary db1, as last heard 90 s ago: 2 transactions are missing: 0-1-339..340, and "
        "what it wrote after that.\n"
        "db2 is not in the sync set: clients may have been told \"committed\" for what is missing.\n",
        true);
}

static inline void print_check(const struct ctl *ctl, const void *message)
{
    check_print(ctl, message);
}

static inline void print_check_json(const struct ctl *ctl, const void *message)
{
    struct ctl copy = *ctl;
    CU_ASSERT_EQUAL(ctl_print_json(&copy, check_to_json(message)), CTL_OK);
}

#endif
