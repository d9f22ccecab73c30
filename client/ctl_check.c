#include "client/ctl.h"

#include <string.h>

/* Every node's worker asks its server some dozens of questions, each with its own bound. */
#define CHECK_TIMEOUT_MS 30000

bool check_is_fatal(const Mha__ControlReply *reply)
{
    for (size_t i = 0; i < reply->n_findings; i++) {
        if (reply->findings[i]->fatal)
            return true;
    }
    return false;
}

static void print_finding(const struct ctl *ctl, const Mha__Finding *finding)
{
    enum ctl_colour colour = finding->fatal ? CTL_RED : CTL_YELLOW;

    fprintf(ctl->out, "  %s%s%s  %s: %s\n", ctl_colour_on(ctl, colour),
            finding->fatal ? "FATAL  " : "warning", ctl_colour_off(ctl, colour), finding->subject,
            finding->problem);
    if (finding->remedy[0])
        fprintf(ctl->out, "           %s\n", finding->remedy);
}

/* Was this node's name met in an earlier finding? */
static bool met_before(const Mha__ControlReply *reply, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (strcmp(reply->findings[i]->node, reply->findings[index]->node) == 0)
            return true;
    return false;
}

void check_print_findings(const struct ctl *ctl, const Mha__ControlReply *reply)
{
    for (size_t i = 0; i < reply->n_findings; i++) {
        const char *node = reply->findings[i]->node;
        if (met_before(reply, i))
            continue;
        fprintf(ctl->out, "%s%s%s\n", ctl_colour_on(ctl, CTL_BOLD), node[0] ? node : "the cluster",
                ctl_colour_off(ctl, CTL_BOLD));
        for (size_t k = i; k < reply->n_findings; k++)
            if (strcmp(reply->findings[k]->node, node) == 0)
                print_finding(ctl, reply->findings[k]);
    }
}

void check_print(const struct ctl *ctl, const Mha__ControlReply *reply)
{
    size_t fatal = 0;

    for (size_t i = 0; i < reply->n_findings; i++)
        fatal += reply->findings[i]->fatal;
    check_print_findings(ctl, reply);
    if (reply->n_findings == 0)
        fprintf(ctl->out, "%s\n", reply->message[0] ? reply->message : "Nothing stands in the way.");
    else if (fatal > 0)
        fprintf(ctl->out, "\n%zu of %zu findings %s fatal: without a remedy the promise does not hold.\n",
                fatal, reply->n_findings, fatal == 1 ? "is" : "are");
    else
        fprintf(ctl->out, "\n%zu finding%s, none fatal.\n", reply->n_findings,
                reply->n_findings == 1 ? "" : "s");
}

json_t *check_to_json(const Mha__ControlReply *reply)
{
    json_t *array = json_array();

    for (size_t i = 0; i < reply->n_findings; i++) {
        const Mha__Finding *finding = reply->findings[i];
        json_array_append_new(array, json_pack("{s:o s:o s:o s:o s:b}", "node",
                                               finding->node[0] ? ctl_text_json(finding->node) : json_null(),
                                               "subject", ctl_text_json(finding->subject), "problem",
                                               ctl_text_json(finding->problem), "remedy",
                                               ctl_text_json(finding->remedy), "fatal", finding->fatal));
    }
    return json_pack("{s:o s:b}", "findings", array, "fatal", check_is_fatal(reply));
}

enum ctl_exit ctl_check(struct ctl *ctl, int argc, char **argv)
{
    Mha__CheckRequest check = MHA__CHECK_REQUEST__INIT;
    Mha__ControlRequest request = MHA__CONTROL_REQUEST__INIT;
    const struct ctl_option options[] = {{0}};
    Mha__ControlReply *reply;
    enum ctl_exit result;

    if (!ctl_read_options(ctl, argc, argv, options))
        return CTL_USAGE;
    request.body_case = MHA__CONTROL_REQUEST__BODY_CHECK;
    request.check = &check;
    result = ctl_ask(ctl, &request, CHECK_TIMEOUT_MS, &reply);
    if (result != CTL_OK)
        return result;
    if (ctl->json)
        result = ctl_print_json(ctl, check_to_json(reply));
    else
        check_print(ctl, reply);
    if (result == CTL_OK && check_is_fatal(reply))
        result = CTL_REFUSED;
    mha4rdb_reply_free(reply);
    return result;
}
