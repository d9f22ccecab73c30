#include <inttypes.h>
#include <string.h>

#include "client/ctl.h"
#include "client/table.h"

/* ---- list ---- */

static void show_member(struct table *table, const Mha__NodeStatus *node)
{
    table_add_row(table);
    table_set(table, 0, CTL_BOLD, "%s", node->name);
    if (node->id)
        table_set(table, 1, CTL_PLAIN, "%016" PRIx64, node->id);
    else
        table_set(table, 1, CTL_PLAIN, "-");
    table_set(table, 2, CTL_PLAIN, "%s", status_kind_name(node->kind));
    table_set(table, 3, node->voter ? CTL_PLAIN : CTL_YELLOW, "%s", node->voter ? "yes" : "not yet");
    table_set(table, 4, CTL_PLAIN, "%s", node->address);
    table_set(table, 5, node->self || node->reachable ? CTL_PLAIN : CTL_RED, "%s",
              node->self        ? "this one"
              : node->reachable ? "heard"
                                : "not heard");
}

static void print_strangers(const struct ctl *ctl, const Mha__StatusReply *status)
{
    for (size_t i = 0; i < status->n_strangers; i++) {
        const Mha__Stranger *stranger = status->strangers[i];
        fprintf(ctl->out,
                "%s (%016" PRIx64
                ", %s) presents itself and is no member%s; to let it in: mhactl member %s %s\n",
                stranger->name, stranger->id, stranger->address[0] ? stranger->address : "at no address",
                stranger->replaces ? ", for its data directory is not the one that it had" : "",
                stranger->replaces ? "replace" : "add", stranger->name);
    }
}

void members_print(const struct ctl *ctl, const Mha__StatusReply *status)
{
    static const char *const headings[] = {"NAME", "IDENTITY", "KIND", "VOTES", "ADDRESS", "AGENT"};
    static struct table table;

    table_start(&table, 6, headings);
    for (size_t i = 0; i < status->n_nodes; i++)
        show_member(&table, status->nodes[i]);
    table_print(&table, ctl);
    if (status->changing[0] || status->removed[0] || status->n_strangers > 0)
        fputc('\n', ctl->out);
    if (status->removed[0])
        fprintf(ctl->out, "%s\n", status->removed);
    if (status->changing[0])
        fprintf(ctl->out, "%s\n", status->changing);
    print_strangers(ctl, status);
}

static enum ctl_exit list(struct ctl *ctl, int argc, char **argv)
{
    const char *cluster = "";
    const struct ctl_option options[] = {{.name = "cluster", .value = &cluster}, {0}};
    Mha__ControlReply *reply;
    enum ctl_exit result;

    if (!ctl_read_options(ctl, argc, argv, options))
        return CTL_USAGE;
    result = ctl_ask_status(ctl, cluster, false, &reply);
    if (result != CTL_OK)
        return result;
    if (ctl->json)
        result = ctl_print_json(ctl, members_to_json(reply->status));
    else
        members_print(ctl, reply->status);
    mha4rdb_reply_free(reply);
    return result;
}

/* ---- add, remove, replace ---- */

static const struct {
    const char *name;
    Mha__MemberChange change;
} changes[] = {
    {"add", MHA__MEMBER_CHANGE__MEMBER_CHANGE_ADD},
    {"remove", MHA__MEMBER_CHANGE__MEMBER_CHANGE_REMOVE},
    {"replace", MHA__MEMBER_CHANGE__MEMBER_CHANGE_REPLACE},
};

enum ctl_exit ctl_member(struct ctl *ctl, int argc, char **argv)
{
    Mha__MemberRequest member = MHA__MEMBER_REQUEST__INIT;
    Mha__ControlRequest request = MHA__CONTROL_REQUEST__INIT;
    bool drain = false;
    const struct ctl_option options[] = {{.name = "drain", .flag = &drain}, {0}};

    if (argc >= 2 && strcmp(argv[1], "list") == 0)
        return list(ctl, argc - 1, argv + 1);
    for (unsigned i = 0; argc >= 2 && i < sizeof changes / sizeof changes[0]; i++)
        if (strcmp(argv[1], changes[i].name) == 0)
            member.change = changes[i].change;
    if (member.change == MHA__MEMBER_CHANGE__MEMBER_CHANGE_NONE || argc < 3 || argv[2][0] == '-') {
        fprintf(ctl->err,
                "mhactl member: say what: member list, or member add NODE, member remove NODE, member "
                "replace NODE\n");
        return CTL_USAGE;
    }
    member.name = argv[2];
    if (!ctl_read_options(ctl, argc - 2, argv + 2, options))
        return CTL_USAGE;
    if (drain && member.change == MHA__MEMBER_CHANGE__MEMBER_CHANGE_ADD) {
        fprintf(ctl->err, "mhactl member add: --drain is for a node that leaves\n");
        return CTL_USAGE;
    }
    member.drain = drain;
    request.body_case = MHA__CONTROL_REQUEST__BODY_MEMBER;
    request.member = &member;
    return ctl_command(ctl, &request, CTL_COMMAND_TIMEOUT_MS);
}
