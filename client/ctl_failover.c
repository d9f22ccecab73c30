#include <string.h>

#include "client/ctl.h"

static bool in_sync_set(const Mha__StatusReply *status, const Mha__NodeStatus *node)
{
    const Mha__SyncSet *sync = status->state ? status->state->sync : NULL;

    for (size_t i = 0; sync && i < sync->n_members; i++) {
        if (sync->members[i]->node == node->id)
            return true;
    }
    return false;
}

static bool is_unheard(const Mha__NodeStatus *primary)
{
    return primary && !primary->reachable && !primary->self;
}

static void print_positions(const struct ctl *ctl, const Mha__NodeStatus *target,
                            const Mha__NodeStatus *primary)
{
    if (target->database)
        fprintf(ctl->err, "- %s holds %s.\n", target->name,
                target->database->received[0]   ? target->database->received
                : target->database->executed[0] ? target->database->executed
                                                : "no transaction");
    if (primary && primary->database && primary->database->executed[0])
        fprintf(ctl->err, "- the primary, %s, was last seen with %s.\n", primary->name,
                primary->database->executed);
}

void failover_explain(const struct ctl *ctl, const Mha__StatusReply *status, const char *to,
                      const char *lacks, bool accepted)
{
    const Mha__NodeStatus *target = status_find_name(status, to);
    const Mha__NodeStatus *primary = status_primary(status);

    if (!target || target->kind != MHA__MEMBER_KIND__MEMBER_DATA) {
        fprintf(ctl->err, "\"%s\" is not a database node of cluster %s; `mhactl status` lists them.\n", to,
                status->cluster);
        return;
    }
    if (target == primary) {
        fprintf(ctl->err, "%s is the primary already.\n", to);
        return;
    }
    if (in_sync_set(status, target) && target->promotable) {
        fprintf(
            ctl->err,
            "%s is in the sync set and holds every acknowledged write: nothing need be risked. Use `mhactl "
            "switchover --to %s`.\n",
            to, to);
        return;
    }
    fprintf(ctl->err,
            "A failover by hand to %s may lose acknowledged writes: those that %s has not received are gone "
            "from the "
            "cluster for good, and a node that has them must then be cut back or rebuilt.\n",
            to, to);
    if (!in_sync_set(status, target))
        fprintf(ctl->err, "- %s is not in the sync set: commits were acknowledged without it.\n", to);
    if (target->waiting_for[0])
        fprintf(ctl->err, "- %s is not promoted by itself: %s.\n", to, target->waiting_for);
    if (lacks[0])
        fprintf(ctl->err, "%s%s", lacks, lacks[strlen(lacks) - 1] == '\n' ? "" : "\n");
    else
        print_positions(ctl, target, primary);
    if (is_unheard(primary))
        fprintf(ctl->err,
                "- %s is not heard from, so its fence cannot be confirmed. If you know that it is powered "
                "off, add "
                "--old-primary-is-off; if it still runs, clients may be reading and writing there.\n",
                primary->name);
    fprintf(ctl->err, "Bringing %s back is better where it can be done.\n",
            primary ? primary->name : "the last primary");
    if (!accepted)
        fprintf(ctl->err, "To go on all the same:\n  mhactl failover --to %s --accept-data-loss%s\n", to,
                is_unheard(primary) ? " [--old-primary-is-off]" : "");
}

static void fill_request(Mha__ControlRequest *request, Mha__FailoverRequest *failover)
{
    request->body_case = MHA__CONTROL_REQUEST__BODY_FAILOVER;
    request->failover = failover;
}

/* What would be lost, on ctl->err: from the state that the agent here knows, and in the words of the leader,
 * which knows all positions. CTL_OK: it was told, and the leader would do it. */
static enum ctl_exit explain(struct ctl *ctl, const Mha__FailoverRequest *asked)
{
    Mha__FailoverRequest failover = *asked;
    Mha__ControlRequest request = MHA__CONTROL_REQUEST__INIT;
    Mha__ControlReply *answer, *status;
    enum ctl_exit result;

    failover.explain = true;
    fill_request(&request, &failover);
    result = ctl_ask_whole(ctl, &request, CTL_TIMEOUT_MS, &answer);
    if (result != CTL_UNREACHABLE && ctl_ask_status(ctl, "", false, &status) == CTL_OK) {
        failover_explain(ctl, status->status, asked->to, answer->message, asked->accept_data_loss);
        mha4rdb_reply_free(status);
    } else {
        result = CTL_UNREACHABLE;
    }
    if (result == CTL_REFUSED)
        fprintf(ctl->err, "mhactl failover: it is refused now: %s\n", answer->error);
    mha4rdb_reply_free(answer);
    return result;
}

bool failover_confirm(struct ctl *ctl, const char *to)
{
    char line[256] = "";

    if (!ctl->terminal) {
        fprintf(ctl->err,
                "mhactl failover: nobody can be asked here, so nothing was done; a script says --yes\n");
        return false;
    }
    fprintf(ctl->err, "\nType the name of the node, %s, to make it the primary: ", to);
    fflush(ctl->err);
    if (!fgets(line, sizeof line, ctl->in))
        line[0] = '\0';
    line[strcspn(line, "\r\n")] = '\0';
    if (strcmp(line, to) == 0)
        return true;
    fprintf(ctl->err, "mhactl failover: that is not \"%s\"; nothing was done\n", to);
    return false;
}

enum ctl_exit ctl_failover(struct ctl *ctl, int argc, char **argv)
{
    Mha__FailoverRequest failover = MHA__FAILOVER_REQUEST__INIT;
    Mha__ControlRequest request = MHA__CONTROL_REQUEST__INIT;
    const char *to = NULL;
    bool accepted = false, off = false, yes = false;
    const struct ctl_option options[] = {
        {.name = "to", .value = &to},
        {.name = "accept-data-loss", .flag = &accepted},
        {.name = "old-primary-is-off", .flag = &off},
        {.name = "yes", .letter = 'y', .flag = &yes},
        {0},
    };
    enum ctl_exit result;

    if (!ctl_read_options(ctl, argc, argv, options))
        return CTL_USAGE;
    if (!to || to[0] == '\0') {
        fprintf(ctl->err, "mhactl failover: name the node: --to NODE\n");
        return CTL_USAGE;
    }
    failover.to = (char *)to;
    failover.accept_data_loss = accepted;
    failover.old_primary_is_off = off;
    result = explain(ctl, &failover);
    if (!accepted)
        fprintf(ctl->err, "mhactl failover: nothing was done: it goes nowhere without --accept-data-loss\n");
    if (result != CTL_OK || !accepted)
        return result == CTL_OK ? CTL_REFUSED : result;
    if (!yes && !failover_confirm(ctl, to))
        return CTL_REFUSED;
    fill_request(&request, &failover);
    return ctl_command(ctl, &request, CTL_COMMAND_TIMEOUT_MS);
}
