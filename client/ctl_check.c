#include "client/ctl.h"

/* The database's worker asks the server a dozen questions, each with its own bound. */
#define CHECK_TIMEOUT_MS 30000

bool check_is_fatal(const Mha__ControlReply *reply)
{
    for (size_t i = 0; i < reply->n_findings; i++) {
        if (reply->findings[i]->fatal)
            return true;
    }
    return false;
}

void check_print(const struct ctl *ctl, const Mha__ControlReply *reply)
{
    size_t fatal = 0;

    for (size_t i = 0; i < reply->n_findings; i++) {
        const Mha__Finding *finding = reply->findings[i];
        enum ctl_colour colour = finding->fatal ? CTL_RED : CTL_YELLOW;
        fatal += finding->fatal;
        fprintf(ctl->out, "%s%s%s  %s: %s\n", ctl_colour_on(ctl, colour),
                finding->fatal ? "FATAL  " : "warning", ctl_colour_off(ctl, colour), finding->subject,
                finding->problem);
        if (finding->remedy[0])
            fprintf(ctl->out, "         %s\n", finding->remedy);
    }
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
        json_array_append_new(array,
                              json_pack("{s:o s:o s:o s:b}", "subject", ctl_text_json(finding->subject),
                                        "problem", ctl_text_json(finding->problem), "remedy",
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
