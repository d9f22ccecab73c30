/* cluster.h - a whole cluster in virtual time: the real policy on models of what stands around it.
 *
 * On each data node of a world (world.h, the real consensus code) stands the agent's real policy
 * (agent/cluster: track, decide, apply, codec) with glue that mirrors agent/gather.c and agent/carry_out.c
 * step by step (agent*.c), on models of
 *
 *   database.c          one server of three kinds: log, read_only, clients' commits, start and death
 *   rebuild.c           mha4rdb-rebuild
 *   replication.c       receiver, relay log, applier, acknowledgements between servers
 *   dbworker*.c         mha4rdb-dbworker: looks, operations, lease and fence; its lease is the real one
 *   vip.c               mha4rdb-vipd and the kernel's address; vipd/lease.c is the real one
 *   cluster.c           hosts, processes, the network between agents, faults; cluster_events.c their events
 *   clients.c           who writes and reads
 *   operator.c          what operators do: maintenance, upgrades, forced failovers, rebuilding, replacing
 *   cluster_check.c     the invariants I2 to I6 and I8 of the design; check_powers.c, check_calm.c
 *   cluster_chaos.c     a seed's decisions; cluster_config.c its cluster; cluster_strikes.c what can happen
 *   fleet.c             many of these with one arbiter
 *
 * Every process can be killed, stopped (SIGSTOP) for a while and started again by itself; a host loses power
 * as a whole. Everything follows from the world's seed. Times are microseconds: world time unless a name or
 * comment says "clock", which is the host's own (world_clock_us). */
#ifndef MHA_SIM_CLUSTER_H
#define MHA_SIM_CLUSTER_H

#include <stdio.h>

#include "agent/cluster/policy.h"
#include "tests/sim/counts.h"
#include "tests/sim/rebuild_model.h"
#include "tests/sim/room.h"
#include "tests/sim/world.h"

enum process { PROCESS_KERNEL, PROCESS_AGENT, PROCESS_WORKER, PROCESS_VIPD, PROCESS_SERVER, PROCESS_COUNT };

struct process_state {
    bool up;
    uint64_t life;             /* counts starts and ends: what was due in an earlier life is void */
    uint64_t begun_us;         /* this life */
    uint64_t stopped_until_us; /* SIGSTOP until then */
};

/* How a server waits for its replicas; database.h tells what follows from it. */
enum server_kind {
    SERVER_ONE_WAIT,   /* MariaDB: for one acknowledgement, whoever's */
    SERVER_K_WAIT,     /* MySQL: for k distinct ones */
    SERVER_NAMED_WAIT, /* PostgreSQL: for k of those that it names */
    SERVER_KINDS
};

struct server;
struct worker_model;
struct vip_model;
struct agent_model;
struct cluster_check;

struct host {
    bool powered;
    bool restart_due;                              /* of the agent, by its service manager */
    uint64_t frozen_until_us;                      /* its machine is paused, by a hypervisor */
    struct process_state processes[PROCESS_COUNT]; /* the agent's `up` is that of the world's node */
    struct server *server;                         /* as are these, NULL on an arbiter */
    struct worker_model *worker;
    struct vip_model *vip;
    struct agent_model *agent;
    struct rebuild_model rebuild;
};

struct cluster_faults {
    /* An operation of the worker's, by enum policy_db_op, fails at once with this chance. */
    unsigned op_fails_permille[WORLD_NODES_MAX][POLICY_DB_OPS];
    uint64_t statement_hangs_us[WORLD_NODES_MAX];   /* each takes so much longer */
    uint64_t replication_delay_us[WORLD_NODES_MAX]; /* on the way to this replica, on top of the network's */
    bool vip_refused[WORLD_NODES_MAX];              /* the kernel refuses the address */
    bool start_fails[WORLD_NODES_MAX];              /* the start command fails */
    bool agent_stays_down[WORLD_NODES_MAX];         /* nobody starts it again */
    unsigned rebuild_fails_permille;                /* before it has destroyed anything */
};

struct cluster_config {
    struct world_config world;
    enum server_kind kind;
    bool volatile_commits; /* servers that the preflight objects to: they do not sync what they commit or
                              receive */
    bool shared_account;   /* replicas connect by one account: who acknowledges cannot be told apart */
    bool available;        /* durability: a failover may lose what is younger than ... */
    uint64_t lag_most_us;
    bool rejoin_auto; /* who holds something alone is rebuilt by itself */
    bool has_vip;
    uint64_t probe_interval_us, probe_timeout_us;
    uint64_t op_min_us, op_max_us;       /* one statement of the worker's */
    uint64_t apply_min_us, apply_max_us; /* one transaction by the applier */
    uint64_t start_min_us, start_max_us; /* the start command of a server */
    uint64_t copy_min_us, copy_max_us;   /* all of a donor's data */
    uint64_t restart_us;                 /* until the service manager starts a dead program again */
    uint64_t write_every_us;             /* the client of the address; 0: none */
    uint64_t hostile_every_us;           /* the client that writes to every server; 0: none */
};

struct cluster_event;

struct cluster {
    struct world *world;
    struct cluster_config config;
    struct cluster_faults faults;
    struct host hosts[WORLD_NODES_MAX];
    unsigned data_count;
    struct cluster_event *events; /* all that wait, to be freed */
    struct cluster_check *check;
    uint64_t next_incarnation;
    uint64_t next_uid;
    FILE *trace;             /* decisions and events; NULL: no */
    bool quiet;              /* no client writes or reads */
    bool calm;               /* the faults are over: operators begin nothing any more */
    uint64_t hangs_until_us; /* the last statement that was made to hang */
    struct client *clients;
    bool replacing; /* a host that was wiped is to be let in again */
    bool wiped;     /* there was one, once is enough for a run */
    bool upgrading;
    unsigned to_upgrade; /* hosts, as bits */
    struct kept *kept;
    struct rooms rooms;
};

/* All hosts are powered off. */
struct cluster *cluster_new(const struct cluster_config *config);
void cluster_free(struct cluster *cluster);
struct cluster_config cluster_default_config(unsigned data_nodes, unsigned arbiters);

/* ---- faults; `host` is the world's node ---- */
void cluster_power_on(struct cluster *cluster, unsigned host); /* agent and vipd; the agent starts the rest */
void cluster_power_off(struct cluster *cluster, unsigned host);
/* Its disks are lost, with all that was on them: it comes back as a new member, once it is let in. */
void cluster_wipe(struct cluster *cluster, unsigned host);
void cluster_kill(struct cluster *cluster, unsigned host, enum process process);
void cluster_stop(struct cluster *cluster, unsigned host, enum process process, uint64_t for_us);
void cluster_stop_host(struct cluster *cluster, unsigned host, uint64_t for_us);
/* The whole machine, whose clock and timers do not count it. Not while its agent is down or stopped. */
void cluster_pause_machine(struct cluster *cluster, unsigned host, uint64_t for_us);
void cluster_restart_server(struct cluster *cluster, unsigned host); /* by hand, in place */
void cluster_agent_stop(struct cluster *cluster, unsigned host);     /* told to stop, as by its unit */

/* Zeroed; freed with the cluster. */
void *cluster_keep(struct cluster *cluster, size_t size);

/* ---- events ---- */
typedef void (*cluster_call)(struct cluster *cluster, unsigned host, const void *data);
/* Calls after `delay_us`, unless the process has ended or another life of it began; later if it is stopped
 * then. `data` is copied. */
void cluster_after(struct cluster *cluster, unsigned host, enum process process, uint64_t delay_us,
                   cluster_call call, const void *data, size_t size);
/* The same at an instant of the host's clock. */
void cluster_at_clock(struct cluster *cluster, unsigned host, enum process process, uint64_t clock_us,
                      cluster_call call, const void *data, size_t size);

void cluster_free_events(struct cluster *cluster); /* all that wait */

/* At most one event of it waits: what is set later than that one is looked at again when it comes. Zeroed
 * with its process. */
struct cluster_timer {
    uint64_t at_us; /* of the host's clock; 0: off */
    uint64_t pending_us, generation;
};

void cluster_set_timer(struct cluster *cluster, unsigned host, enum process process,
                       struct cluster_timer *timer, uint64_t at_us, cluster_call call);
/* In its call: false when it is off, or set to later. */
bool cluster_timer_is_due(struct cluster *cluster, unsigned host, enum process process,
                          struct cluster_timer *timer, cluster_call call, const void *data);

bool cluster_is_frozen(const struct cluster *cluster, unsigned host);
void cluster_process_begins(struct cluster *cluster, unsigned host, enum process process);
bool cluster_up(const struct cluster *cluster, unsigned host, enum process process);
bool cluster_stopped(const struct cluster *cluster, unsigned host, enum process process);
bool cluster_runs(const struct cluster *cluster, unsigned host, enum process process); /* up, not stopped */
/* Without a pause; 0: it does not run. */
uint64_t cluster_runs_since_us(const struct cluster *cluster, unsigned host, enum process process);
uint64_t cluster_clock_us(const struct cluster *cluster, unsigned host);
/* What `from` sends now arrives at `to` after some delay, or not at all. */
bool cluster_linked(const struct cluster *cluster, unsigned from, unsigned to);
uint64_t cluster_net_delay_us(struct cluster *cluster);
uint64_t cluster_op_delay_us(struct cluster *cluster);
const char *cluster_host_name(const struct cluster *cluster, unsigned host);
void cluster_trace(const struct cluster *cluster, unsigned host, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

void cluster_trace_all(const struct cluster *cluster, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The host of a member: one that was wiped has another id than before. */
static inline unsigned cluster_host_of(uint64_t id)
{
    return (unsigned)((id - 1) % WORLD_IDS_STEP);
}

/* ---- the server's process, from the agent's commands and the worker's fence ---- */
void cluster_start_server(struct cluster *cluster, unsigned host, bool to_follow);

#endif
