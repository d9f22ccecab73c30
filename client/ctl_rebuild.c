#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/ctl.h"

#define RATE_MOST_MB 100000
/* The control socket answers questions and tells nothing by itself: so often is asked how far it is. */
#define WATCH_INTERVAL_NS 500000000

static bool read_rate(struct ctl *ctl, const char *text, uint32_t *rate)
{
    unsigned long value;
    char *end;

    errno = 0;
    value = strtoul(text, &end, 10);
    if (errno != 0 || *text < '0' || *text > '9' || *end != '\0' || value < 1 || value > RATE_MOST_MB) {
        fprintf(ctl->err, "mhactl rebuild: --rate %s: give megabytes a second, from 1 to %d\n", text,
                RATE_MOST_MB);
        return false;
    }
    *rate = (uint32_t)value;
    return true;
}

enum rebuild_progress rebuild_progress(const Mha__StatusReply *status, const char *name, char *text,
                                       size_t size)
{
    const Mha__NodeStatus *node = status_find_name(status, name);
    const Mha__Aside *aside = NULL;

    snprintf(text, size, "%s is no member", name);
    if (!node)
        return REBUILD_FAILED;
    for (size_t i = 0; status->state && i < status->state->n_asides; i++)
        if (status->state->asides[i]->node == node->id &&
            status->state->asides[i]->kind == MHA__ASIDE_KIND__ASIDE_REBUILD)
            aside = status->state->asides[i];
    rebuild_describe(node, text, size);
    if (text[0])
        return REBUILD_GOES_ON;
    if (aside) {
        snprintf(text, size, "%s",
                 !node->self && !node->reachable ? "its agent is not heard"
                 : node->in_sync                 ? "waits until it has left the sync set"
                                                 : "between two steps");
        return REBUILD_GOES_ON;
    }
    if (node->rebuild && node->rebuild->failed[0]) {
        snprintf(text, size, "%s", node->rebuild->failed);
        return REBUILD_FAILED;
    }
    snprintf(text, size, "done");
    return REBUILD_OVER;
}

/* Until it is over, a line for each change. */
static enum ctl_exit watch(struct ctl *ctl, const char *name)
{
    const struct timespec interval = {0, WATCH_INTERVAL_NS};
    char last[256] = "", text[256];
    enum rebuild_progress progress;

    for (;;) {
        Mha__ControlReply *reply;
        enum ctl_exit result = ctl_ask_status(ctl, "", false, &reply);
        if (result != CTL_OK)
            return result;
        progress = rebuild_progress(reply->status, name, text, sizeof text);
        mha4rdb_reply_free(reply);
        if (strcmp(text, last) != 0)
            fprintf(progress == REBUILD_FAILED ? ctl->err : ctl->out, "%s: %s\n", name, text);
        fflush(ctl->out);
        memcpy(last, text, sizeof last);
        if (progress != REBUILD_GOES_ON)
            return progress == REBUILD_OVER ? CTL_OK : CTL_REFUSED;
        nanosleep(&interval, NULL);
    }
}

enum ctl_exit ctl_rebuild(struct ctl *ctl, int argc, char **argv)
{
    Mha__RebuildRequest rebuild = MHA__REBUILD_REQUEST__INIT;
    Mha__ControlRequest request = MHA__CONTROL_REQUEST__INIT;
    const char *node = "", *donor = "", *rate = NULL;
    bool cancel = false, watched = false;
    const struct ctl_option options[] = {
        {.name = "node", .value = &node},    {.name = "donor", .value = &donor},
        {.name = "rate", .value = &rate},    {.name = "cancel", .flag = &cancel},
        {.name = "watch", .flag = &watched}, {0}};
    enum ctl_exit result;

    if (!ctl_read_options(ctl, argc, argv, options) || (rate && !read_rate(ctl, rate, &rebuild.rate_mb)))
        return CTL_USAGE;
    if (node[0] == '\0') {
        fprintf(ctl->err, "mhactl rebuild: name the node whose database is made anew: --node NODE\n");
        return CTL_USAGE;
    }
    if (cancel && (donor[0] || rate || watched)) {
        fprintf(ctl->err, "mhactl rebuild: --cancel goes with --node alone\n");
        return CTL_USAGE;
    }
    rebuild.node = (char *)node;
    rebuild.donor = (char *)donor;
    rebuild.action = cancel ? MHA__REBUILD_ACTION__REBUILD_CANCEL : MHA__REBUILD_ACTION__REBUILD_START;
    request.body_case = MHA__CONTROL_REQUEST__BODY_REBUILD;
    request.rebuild = &rebuild;
    result = ctl_command(ctl, &request, CTL_COMMAND_TIMEOUT_MS);
    return result == CTL_OK && watched ? watch(ctl, node) : result;
}
