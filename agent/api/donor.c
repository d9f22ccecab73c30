#include "agent/api/donor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The donor's child starts, listens and says where: a matter of a moment, but its host may be busy. */
#define DONATE_US 20000000u

struct donor {
    struct agent *agent;
    struct forwards *forwards;
    bool answering;
    struct asker asker; /* of the donation that is being prepared here */
};

static void on_answered(void *context, const Mha__ControlReply *reply)
{
    struct donor *donor = context;

    if (!reply)
        rebuild_child_offer(donor->agent->rebuild, "",
                            "the donor's agent did not answer; is it of this version?");
    else
        rebuild_child_offer(donor->agent->rebuild, reply->message, reply->error);
}

void donor_ask(struct donor *donor, const char *name, unsigned rate_mb)
{
    struct agent *agent = donor->agent;
    Mha__ControlRequest request = MHA__CONTROL_REQUEST__INIT;
    Mha__DonateRequest donate = MHA__DONATE_REQUEST__INIT;
    unsigned members = replica_member_count(agent->replica);
    struct replica_member member = {0};
    char why[256];

    for (unsigned i = 0; i < members; i++) {
        replica_member(agent->replica, i, &member);
        if (strcmp(member.name, name) == 0)
            break;
        member = (struct replica_member){0};
    }
    donate.to = (char *)agent->settings->group.node;
    donate.rate_mb = rate_mb;
    request.body_case = MHA__CONTROL_REQUEST__BODY_DONATE;
    request.donate = &donate;
    if (!member.id || !member.connected)
        snprintf(why, sizeof why, "%s, the donor, is not connected: %s", name,
                 member.id ? member.trouble : "it is no member");
    else if (!forward_send(donor->forwards, member.id, &request, DONATE_US, on_answered, donor))
        snprintf(why, sizeof why, "%s, the donor, could not be asked: too much is under way", name);
    else
        return;
    rebuild_child_offer(agent->rebuild, "", why);
}

static void on_donating(void *context, const char *message, const char *error)
{
    struct donor *donor = context;

    donor->answering = false;
    asker_reply_text(donor->agent, &donor->asker, error ? error : "", error ? "" : message);
}

void donor_answer(struct donor *donor, const struct asker *asker, const Mha__DonateRequest *asked)
{
    struct error err;

    if (donor->answering) {
        asker_reply_text(donor->agent, asker, "this node is being made a donor already", "");
        return;
    }
    donor->asker = *asker;
    donor->answering = true;
    if (rebuild_child_donate(donor->agent->rebuild, asked->to, asked->rate_mb, on_donating, donor, &err) ==
        ERR_OK)
        return;
    donor->answering = false;
    asker_reply_text(donor->agent, asker, err.text, "");
}

struct donor *donor_new(struct agent *agent, struct forwards *forwards)
{
    struct donor *donor = calloc(1, sizeof *donor);

    if (donor)
        *donor = (struct donor){.agent = agent, .forwards = forwards};
    return donor;
}

void donor_free(struct donor *donor)
{
    free(donor);
}
