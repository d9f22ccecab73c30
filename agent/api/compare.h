/* compare.h - what concerns several nodes, compared: pure functions of what each node said of itself.
 *
 * `mhactl check` asks every node for its own findings and its facts (CheckFacts); here the facts are held
 * against each other: server_ids that must differ, versions and settings that must agree, wall clocks, keys,
 * the virtual IP. Findings name the node that is to be mended. */
#ifndef MHA_API_COMPARE_H
#define MHA_API_COMPARE_H

#include <stdint.h>

#include "agent/api/findings.h"
#include "control.pb-c.h"

struct compare_node {
    const char *name;
    bool arbiter;
    bool self;                      /* who was asked: the others' clocks are compared with its own */
    const Mha__ControlReply *reply; /* NULL: it has not answered */
    const char *trouble;            /* why not, as far as the one that was asked knows; "" */
    uint64_t asked_us, answered_us; /* CLOCK_REALTIME here when it was asked, and when the answer came */
};

struct compare_input {
    unsigned count;
    const struct compare_node *nodes;
    const char *primary; /* node name; "": none */
    bool primary_open;
    const char *vip;                /* without prefix length; "": none */
    unsigned port;                  /* of the primary's database */
    const char *cluster, *key_file; /* for remedies */
};

/* Wall clocks that are further apart are worth a word: a second, beyond what the way of the messages
 * explains. */
#define COMPARE_CLOCK_US 1000000

void compare_nodes(const struct compare_input *input, struct findings *out);

/* "10.11.6-MariaDB-log", "8.4.3": the series (major * 100 + minor) and the patch level. false: no version. */
bool compare_version(const char *text, unsigned *series, unsigned *patch);

#endif
