#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "client/ctl.h"
#include "client/table.h"

#define POSITION_WIDTH 32
#define NOTE_BYTES 2048

static void heading(struct table *facts, const char *name)
{
    table_add_row(facts);
    table_set(facts, 0, CTL_PLAIN, "  %s", name);
}

static void show_primary(struct table *facts, const Mha__StatusReply *status)
{
    const Mha__NodeStatus *primary = status_primary(status);

    heading(facts, "primary");
    if (!primary)
        table_set(facts, 1, CTL_RED, "none yet");
    else if (!status_primary_open(status))
        table_set(facts, 1, CTL_RED, "%s, epoch %" PRIu64 ", not open for writes yet", primary->name,
                  status_epoch(status));
    else if (!primary->self && !primary->reachable)
        table_set(facts, 1, CTL_RED, "%s, epoch %" PRIu64 ", not reachable from here", primary->name,
                  status_epoch(status));
    else
        table_set(facts, 1, CTL_BOLD, "%s, epoch %" PRIu64, primary->name, status_epoch(status));
}

static void show_vip(struct table *facts, const Mha__StatusReply *status)
{
    const Mha__NodeStatus *primary = status_primary(status);
    bool right = primary && strcmp(primary->name, status->vip_holder) == 0;

    heading(facts, "VIP");
    if (status->vip[0] == '\0')
        table_set(facts, 1, CTL_PLAIN, "none configured");
    else if (status->vip_holder[0] == '\0')
        table_set(facts, 1, CTL_RED, "%s, held by nobody", status->vip);
    else
        table_set(facts, 1, right ? CTL_PLAIN : CTL_RED, "%s, held by %s", status->vip, status->vip_holder);
}

static void show_sync(struct table *facts, const Mha__StatusReply *status)
{
    const Mha__SyncSet *sync = status->state ? status->state->sync : NULL;
    char names[TABLE_CELL_BYTES / 2] = "";
    size_t used = 0;

    heading(facts, "sync set");
    if (!sync || sync->n_members == 0) {
        table_set(facts, 1, CTL_YELLOW, "none yet");
        return;
    }
    for (size_t i = 0; i < sync->n_members && used < sizeof names; i++)
        used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", i ? ", " : "",
                                 status_node_name(status, sync->members[i]->node));
    if (sync->acks == 0)
        table_set(facts, 1, CTL_YELLOW, "{%s}, 0 acknowledgements: a commit is on one node only", names);
    else
        table_set(facts, 1, CTL_PLAIN, "{%s}, %u acknowledgement%s to each commit", names, sync->acks,
                  sync->acks == 1 ? "" : "s");
}

/* Replicas whose acknowledgements never count: they wait to be taken in, or for somebody to leave. */
static void show_standing_by(struct table *facts, const Mha__StatusReply *status)
{
    char names[TABLE_CELL_BYTES / 2] = "";
    size_t used = 0;

    for (size_t i = 0; i < status->n_nodes && used < sizeof names; i++) {
        const Mha__NodeStatus *node = status->nodes[i];
        if (node->database && node->database->standing_by && !node->in_sync)
            used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", used ? ", " : "", node->name);
    }
    if (names[0] == '\0')
        return;
    heading(facts, "standing by");
    table_set(facts, 1, CTL_PLAIN, "%s: receives all, and commits do not wait for it", names);
}

static void show_durability(struct table *facts, const Mha__StatusReply *status)
{
    if (!status->durability_available)
        return;
    heading(facts, "durability");
    table_set(facts, 1, CTL_YELLOW,
              "available: commits wait for nobody, and a failover may lose %" PRIu64 ".%" PRIu64
              " s of acknowledged writes",
              status->lag_most_ms / 1000, status->lag_most_ms % 1000 / 100);
}

static void show_quorum(struct table *facts, const Mha__StatusReply *status)
{
    heading(facts, "quorum");
    if (!status->formed)
        table_set(facts, 1, CTL_YELLOW, "the cluster is not formed yet");
    else if (!status->has_quorum)
        table_set(facts, 1, CTL_RED,
                  "no, as seen from %s (term %" PRIu64
                  "): everything there is fenced until a majority is back",
                  status->self, status->term);
    else
        table_set(facts, 1, CTL_PLAIN, "yes, term %" PRIu64 ", leader %s", status->term,
                  status->leader[0] ? status->leader : "not known");
}

/* Nodes that are kept out of the sync set, to be made anew or by an operator's wish. */
static void show_asides(struct table *facts, const Mha__StatusReply *status)
{
    for (size_t i = 0; status->state && i < status->state->n_asides; i++) {
        const Mha__Aside *aside = status->state->asides[i];
        const Mha__NodeStatus *node = status_find_node(status, aside->node);
        char progress[TABLE_CELL_BYTES / 2] = "";
        if (node)
            rebuild_describe(node, progress, sizeof progress);
        if (aside->kind == MHA__ASIDE_KIND__ASIDE_DRAIN) {
            heading(facts, "drained");
            table_set(facts, 1, CTL_YELLOW, "%s: it is kept out of the sync set",
                      status_node_name(status, aside->node));
            continue;
        }
        heading(facts, "rebuild");
        table_set(facts, 1, CTL_YELLOW, "%s%s: %s", status_node_name(status, aside->node),
                  aside->cancelled ? ", being cancelled" : "",
                  progress[0]             ? progress
                  : node && node->in_sync ? "waits until it has left the sync set"
                                          : "about to begin");
    }
}

static void show_under_way(struct table *facts, const Mha__StatusReply *status)
{
    const Mha__Switchover *switchover = status_switchover(status);
    const Mha__Pause *pause = status_pause(status);
    const Mha__Force *force = status_force(status);

    if (switchover) {
        heading(facts, "switchover");
        table_set(facts, 1, CTL_YELLOW, "in progress, from %s to %s",
                  status_node_name(status, switchover->from),
                  switchover->to ? status_node_name(status, switchover->to) : "the best candidate");
    }
    if (pause) {
        heading(facts, "pause");
        table_set(facts, 1, CTL_YELLOW,
                  "in force, %" PRIu64 " s at a time, %s stays the primary: no failover",
                  pause->length_us / 1000000, status_node_name(status, pause->holder));
    }
    if (status->state && status->state->init && status->state->init->id) {
        heading(facts, "first start");
        table_set(facts, 1, CTL_YELLOW, "an operator chose %s%s",
                  status_node_name(status, status->state->init->node),
                  status->state->init->discard_others ? "; what the others have that it lacks is set aside"
                                                      : "");
    }
    show_asides(facts, status);
    if (force) {
        heading(facts, "failover");
        table_set(facts, 1, CTL_YELLOW, "an operator accepted the loss of data for %s%s",
                  status_node_name(status, force->node),
                  force->old_primary_is_off ? " and said that the old primary is off" : "");
    }
}

static void show_members(struct table *facts, const Mha__StatusReply *status)
{
    if (status->changing[0]) {
        heading(facts, "members");
        table_set(facts, 1, CTL_YELLOW, "%s", status->changing);
    }
    for (size_t i = 0; i < status->n_strangers; i++) {
        const Mha__Stranger *stranger = status->strangers[i];
        heading(facts, "stranger");
        table_set(facts, 1, CTL_YELLOW,
                  "%s presents itself and is no member; to let it in: mhactl member %s %s", stranger->name,
                  stranger->replaces ? "replace" : "add", stranger->name);
    }
}

static bool is_data(const Mha__NodeStatus *node)
{
    return node->kind == MHA__MEMBER_KIND__MEMBER_DATA;
}

static void show_agent(struct table *nodes, unsigned column, const Mha__NodeStatus *node)
{
    if (node->self)
        table_set(nodes, column, CTL_PLAIN, "this one");
    else if (node->reachable)
        table_set(nodes, column, CTL_PLAIN, "heard");
    else if (node->heard_ms_ago == 0)
        table_set(nodes, column, CTL_RED, "not heard");
    else if (node->heard_ms_ago < 100000)
        table_set(nodes, column, CTL_RED, "silent %" PRIu64 ".%" PRIu64 " s", node->heard_ms_ago / 1000,
                  node->heard_ms_ago % 1000 / 100);
    else
        table_set(nodes, column, CTL_RED, "silent %" PRIu64 " min", node->heard_ms_ago / 60000);
}

static void show_lag(struct table *nodes, unsigned column, const Mha__NodeStatus *node)
{
    const Mha__DbObservation *database = node->database;

    if (!database || strcmp(node->role, "replica") != 0 || !database->applying)
        table_set(nodes, column, CTL_PLAIN, "-");
    else if (database->lag_ms < 10000)
        table_set(nodes, column, CTL_PLAIN, "%" PRIu64 " ms", database->lag_ms);
    else
        table_set(nodes, column, CTL_YELLOW, "%" PRIu64 " s", database->lag_ms / 1000);
}

static void show_node(struct table *nodes, const Mha__NodeStatus *node, bool databases_known)
{
    const char *position = "";
    char shown[POSITION_WIDTH];
    bool ok = strcmp(node->health, "ok") == 0;
    bool synced = !is_data(node) || !databases_known || node->in_sync;

    if (node->database)
        position = node->database->received[0] ? node->database->received : node->database->executed;
    status_short_position(position, shown, sizeof shown);
    table_add_row(nodes);
    table_set(nodes, 0, CTL_BOLD, "%s%s", node->name, node->leader ? " *" : "");
    table_set(nodes, 1, CTL_PLAIN, "%s", status_kind_name(node->kind));
    table_set(nodes, 2, CTL_PLAIN, "%s", node->role[0] ? node->role : "unknown");
    table_set(nodes, 3, synced ? CTL_PLAIN : CTL_YELLOW, "%s",
              !is_data(node) || !databases_known ? "-"
              : node->in_sync                    ? "yes"
                                                 : "no");
    show_lag(nodes, 4, node);
    table_set(nodes, 5, CTL_PLAIN, "%s", shown);
    show_agent(nodes, 6, node);
    table_set(nodes, 7, ok ? CTL_GREEN : CTL_RED, "%s", node->health[0] ? node->health : "unknown");
}

/* What a node has to say beyond its row; `any`: a note was printed before. */
static void show_note(const struct ctl *ctl, bool *any, const char *name, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void show_note(const struct ctl *ctl, bool *any, const char *name, const char *format, ...)
{
    char text[NOTE_BYTES];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    for (char *c = text; *c; c++) /* as in table.c */
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = '?';
    if (!*any)
        fprintf(ctl->out, "\n%sNotes%s\n", ctl_colour_on(ctl, CTL_BOLD), ctl_colour_off(ctl, CTL_BOLD));
    *any = true;
    fprintf(ctl->out, "  %s: %s\n", name, text);
}

/* Somebody is there to acknowledge: then a commit that waits is one on its way, and not worth a word. */
static bool acknowledged(const Mha__StatusReply *status, const Mha__NodeStatus *primary)
{
    for (size_t i = 0; i < status->n_nodes; i++) {
        const Mha__NodeStatus *node = status->nodes[i];
        if (node != primary && node->in_sync && node->reachable && node->database &&
            node->database->acknowledging)
            return true;
    }
    return false;
}

static void note_database(const struct ctl *ctl, bool *any, const Mha__StatusReply *status,
                          const Mha__NodeStatus *node)
{
    const Mha__DbObservation *database = node->database;
    const char *kind = status_trouble_name(database->trouble_kind);

    if (database->trouble[0] && (kind[0] || strcmp(database->trouble, node->health) != 0))
        show_note(ctl, any, node->name, "%s%s%s", kind, kind[0] ? ": " : "", database->trouble);
    else if (kind[0])
        show_note(ctl, any, node->name, "%s", kind);
    if (database->waiting_commits > 0 && database->open && !acknowledged(status, node))
        show_note(ctl, any, node->name, "%u commit%s for an acknowledgement", database->waiting_commits,
                  database->waiting_commits == 1 ? " waits" : "s wait");
}

static bool is_aside(const Mha__StatusReply *status, const Mha__NodeStatus *node)
{
    for (size_t i = 0; status->state && i < status->state->n_asides; i++)
        if (status->state->asides[i]->node == node->id)
            return true;
    return false;
}

/* While a primary serves, a replica's receiver stands still for no longer than a moment, but for these
 * reasons: it has given up, or somebody has stopped it, whom the agent does not contradict. With the applier
 * stopped, too, no statement is named: on MariaDB a start then throws away what was not applied yet. */
static void note_receiver(const struct ctl *ctl, bool *any, const Mha__StatusReply *status,
                          const Mha__NodeStatus *node)
{
    const Mha__DbObservation *database = node->database;

    if (!database->receiver_stopped || database->state != MHA__DB_STATE__DB_UP ||
        !(node->self || node->reachable) || strcmp(node->role, "replica") != 0 ||
        !status_is_serving(status) || is_aside(status, node))
        return;
    if (!database->applying)
        show_note(ctl, any, node->name, "its receiver is stopped, and its applier too");
    else if (database->trouble_kind == MHA__DB_TROUBLE__DB_TROUBLE_REPLICATION_REFUSED ||
             database->trouble_kind == MHA__DB_TROUBLE__DB_TROUBLE_RECEIVER_FAILS)
        show_note(ctl, any, node->name,
                  "its receiver has given up; the agent starts it again, at growing intervals");
    else
        show_note(ctl, any, node->name,
                  "its receiver is stopped without an error, as by STOP REPLICA; to start it: START REPLICA "
                  "IO_THREAD");
}

static void note_rebuild(const struct ctl *ctl, bool *any, const Mha__StatusReply *status,
                         const Mha__NodeStatus *node)
{
    char progress[256];
    bool shown_above = false;

    for (size_t i = 0; status->state && i < status->state->n_asides; i++)
        shown_above = shown_above || (status->state->asides[i]->node == node->id &&
                                      status->state->asides[i]->kind == MHA__ASIDE_KIND__ASIDE_REBUILD);
    rebuild_describe(node, progress, sizeof progress);
    if (progress[0] && !shown_above)
        show_note(ctl, any, node->name, "rebuild: %s", progress);
    if (node->rebuild && node->rebuild->failed[0])
        show_note(ctl, any, node->name, "its last rebuild failed: %s", node->rebuild->failed);
    if (node->set_aside[0])
        show_note(ctl, any, node->name, "what it had alone was saved there in %s", node->set_aside);
}

static void print_notes(const struct ctl *ctl, const Mha__StatusReply *status)
{
    bool any = false;

    for (size_t i = 0; i < status->n_nodes; i++) {
        const Mha__NodeStatus *node = status->nodes[i];
        bool primary = strcmp(node->role, "primary") == 0;
        if (node->database)
            note_database(ctl, &any, status, node);
        if (node->database)
            note_receiver(ctl, &any, status, node);
        note_rebuild(ctl, &any, status, node);
        if (node->vip && node->vip->trouble[0] && strcmp(node->vip->trouble, node->health) != 0)
            show_note(ctl, &any, node->name, "VIP: %s", node->vip->trouble);
        /* a primary that serves waits for something all the time: a replica to come back, say */
        if (is_data(node) && node->waiting_for[0] && strcmp(node->waiting_for, node->health) != 0 &&
            (!primary || !status_is_serving(status)))
            show_note(ctl, &any, node->name, "%s", node->waiting_for);
    }
}

static void print_lines(const struct ctl *ctl, const char *text)
{
    while (*text) {
        size_t length = strcspn(text, "\n");
        if (length > 0)
            fprintf(ctl->out, "  %.*s\n", (int)length, text);
        text += length + (text[length] == '\n');
    }
}

void status_print(const struct ctl *ctl, const Mha__StatusReply *status)
{
    static const char *const node_headings[] = {"NAME", "KIND",     "ROLE",  "IN SYNC",
                                                "LAG",  "POSITION", "AGENT", "HEALTH"};
    /* Two tables in turn in the same memory; they are too large for the stack's taste. */
    static struct table table;
    char title[TABLE_CELL_BYTES];
    const char *const headings[] = {title, ""};

    snprintf(title, sizeof title, "Cluster %s", status->cluster);
    table_start(&table, 2, headings);
    if (status->summary[0])
        table_set(&table, 1, status_is_fine(status) ? CTL_GREEN : CTL_RED, "%s", status->summary);
    if (!status_is_arbiters(status)) {
        show_primary(&table, status);
        show_vip(&table, status);
        show_sync(&table, status);
        show_standing_by(&table, status);
        show_durability(&table, status);
    }
    show_quorum(&table, status);
    show_under_way(&table, status);
    show_members(&table, status);
    if (status->confirmed) {
        heading(&table, "confirmed");
        table_set(&table, 1, CTL_GREEN, "by a majority, since the question was asked");
    }
    table_print(&table, ctl);

    if (status->n_nodes > 0) {
        fputc('\n', ctl->out);
        table_start(&table, 8, node_headings);
        for (size_t i = 0; i < status->n_nodes; i++)
            show_node(&table, status->nodes[i], !status_is_arbiters(status));
        table_print(&table, ctl);
    }

    print_notes(ctl, status);
    if (status->if_one_fails[0]) {
        fprintf(ctl->out, "\n%sIf one more fails%s\n", ctl_colour_on(ctl, CTL_BOLD),
                ctl_colour_off(ctl, CTL_BOLD));
        print_lines(ctl, status->if_one_fails);
    }
}
