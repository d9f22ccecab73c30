#include <inttypes.h>

#include "client/ctl.h"
#include "client/table.h"

static void set_ms(struct table *table, unsigned column, uint64_t us)
{
    table_set(table, column, CTL_PLAIN, "%" PRIu64 ".%" PRIu64, us / 1000, us % 1000 / 100);
}

void history_print(const struct ctl *ctl, const Mha__StatusReply *status)
{
    static const char *const headings[] = {"ID",        "KIND",    "FROM",   "TO",      "EPOCH",
                                           "DETECTED",  "ELECTED", "FROZEN", "DRAINED", "PROMOTED",
                                           "ANNOUNCED", "TOTAL",   "REASON"};
    static const Mha__Phases no_phases = MHA__PHASES__INIT;
    static struct table table; /* too large for the stack's taste */
    size_t count = status->state ? status->state->n_history : 0;

    if (count == 0) {
        fprintf(ctl->out, "No change of primary yet.\n");
        return;
    }
    table_start(&table, 13, headings);
    for (size_t i = 0; i < count; i++) {
        const Mha__Change *change = status->state->history[i];
        const Mha__Phases *phases = change->phases ? change->phases : &no_phases;
        table_add_row(&table);
        table_set(&table, 0, CTL_PLAIN, "%" PRIu64, change->id);
        table_set(&table, 1, CTL_PLAIN, "%s", status_change_name(change->kind));
        table_set(&table, 2, CTL_PLAIN, "%s", change->from ? status_node_name(status, change->from) : "-");
        table_set(&table, 3, CTL_BOLD, "%s", status_node_name(status, change->to));
        table_set(&table, 4, CTL_PLAIN, "%" PRIu64, change->epoch);
        set_ms(&table, 5, phases->detected_us);
        set_ms(&table, 6, phases->elected_us);
        set_ms(&table, 7, phases->frozen_us);
        set_ms(&table, 8, phases->drained_us);
        set_ms(&table, 9, phases->promoted_us);
        set_ms(&table, 10, phases->announced_us);
        if (change->complete)
            set_ms(&table, 11, status_phases_total_us(phases));
        else
            table_set(&table, 11, CTL_YELLOW, "unfinished");
        table_set(&table, 12, CTL_PLAIN, "%s", change->reason);
    }
    table_print(&table, ctl);
    fprintf(ctl->out, "\nTimes in milliseconds; the newest change is the last one.\n");
}

enum ctl_exit ctl_history(struct ctl *ctl, int argc, char **argv)
{
    const struct ctl_option options[] = {{0}};
    Mha__ControlReply *reply;
    enum ctl_exit result;

    if (!ctl_read_options(ctl, argc, argv, options))
        return CTL_USAGE;
    result = ctl_ask_status(ctl, "", false, &reply);
    if (result != CTL_OK)
        return result;
    if (ctl->json)
        result = ctl_print_json(ctl, history_to_json(reply->status));
    else
        history_print(ctl, reply->status);
    mha4rdb_reply_free(reply);
    return result;
}
