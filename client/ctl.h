/* ctl.h - what the verbs of mhactl share.
 *
 * Each verb is one file, ctl_<verb>.c: it reads its own arguments, asks the agent at most a question or two
 * through libmha4rdb, and prints. What is printed is made by functions that take a message and a stream, so
 * that tests can hold the output against a text. Standard output carries the answer, standard error every
 * complaint. */
#ifndef MHA_CLIENT_CTL_H
#define MHA_CLIENT_CTL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "client/mha4rdb.h"

/* The exit statuses; mhactl(1) documents them. */
enum ctl_exit {
    CTL_OK = 0,
    CTL_REFUSED = 1, /* the cluster refused the command, or it cannot serve writes, or a finding is fatal */
    CTL_USAGE = 2,   /* a wrong argument, a file that cannot be written */
    CTL_UNREACHABLE = 3, /* no answer from the agent */
};

#define CTL_TIMEOUT_MS 5000
/* Commands that wait for the cluster to act (switchover, failover, pause) get longer, unless --timeout says
 * otherwise. */
#define CTL_COMMAND_TIMEOUT_MS 60000

struct ctl {
    const char *socket;
    uint32_t timeout_ms; /* 0: the verb's own default */
    bool json;
    FILE *in; /* answers of the operator */
    FILE *out;
    FILE *err;
    bool colour;   /* `out` is a terminal that wants it */
    bool terminal; /* somebody sits at `in` and can be asked */
};

struct ctl_verb {
    const char *name;
    const char *arguments; /* for the usage text */
    const char *purpose;
    enum ctl_exit (*run)(struct ctl *ctl, int argc, char **argv); /* argv[0] is the verb */
};

extern const struct ctl_verb ctl_verbs[]; /* ends with name NULL */

enum ctl_exit ctl_status(struct ctl *ctl, int argc, char **argv);
enum ctl_exit ctl_switchover(struct ctl *ctl, int argc, char **argv);
enum ctl_exit ctl_failover(struct ctl *ctl, int argc, char **argv);
enum ctl_exit ctl_pause(struct ctl *ctl, int argc, char **argv);
enum ctl_exit ctl_resume(struct ctl *ctl, int argc, char **argv);
enum ctl_exit ctl_check(struct ctl *ctl, int argc, char **argv);
enum ctl_exit ctl_init(struct ctl *ctl, int argc, char **argv);
enum ctl_exit ctl_rebuild(struct ctl *ctl, int argc, char **argv);
enum ctl_exit ctl_history(struct ctl *ctl, int argc, char **argv);
enum ctl_exit ctl_member(struct ctl *ctl, int argc, char **argv);
enum ctl_exit ctl_key(struct ctl *ctl, int argc, char **argv);
enum ctl_exit ctl_version(struct ctl *ctl, int argc, char **argv);

/* ---- arguments (ctl.c) ---- */

/* Reads the options that stand after the verb: the common ones (-s, -o, --timeout) into *ctl, a verb's own
 * into its list. `value` takes a text, `number` milliseconds from 1 to 86400000, `flag` neither. The list
 * ends with name NULL. A verb's own option comes before a common one of the same name. false: a mistake,
 * already explained on ctl->err. */
struct ctl_option {
    const char *name; /* without the dashes */
    char letter;      /* 0: none */
    const char **value;
    uint32_t *number;
    bool *flag;
};
bool ctl_read_options(struct ctl *ctl, int argc, char **argv, const struct ctl_option *options);
bool ctl_read_ms(struct ctl *ctl, const char *option, const char *text, uint32_t *ms);
bool ctl_read_output(struct ctl *ctl, const char *text);

/* ---- asking (ctl.c) ---- */

/* One question on a connection of its own. CTL_OK: *reply is the caller's. CTL_REFUSED: the agent's reply had
 * an error, which was printed. Both errors' texts go to ctl->err. `default_ms` serves when --timeout was not
 * given. */
enum ctl_exit ctl_ask(struct ctl *ctl, const Mha__ControlRequest *request, uint32_t default_ms,
                      Mha__ControlReply **reply);
/* The same, but a reply with an error is the caller's, too, and nothing was printed of it: CTL_REFUSED. */
enum ctl_exit ctl_ask_whole(struct ctl *ctl, const Mha__ControlRequest *request, uint32_t default_ms,
                            Mha__ControlReply **reply);
/* Of all texts in a reply: control characters but newlines become spaces. A database's error message, say,
 * may hold what a client of it made up, and must not steer an operator's terminal. ctl_ask does so for all
 * but JSON, which has escapes of its own. */
void ctl_make_printable(ProtobufCMessage *message);
/* `cluster` picks one of an arbiter's clusters; "": the only or first one. `confirmed`: only what a quorum
 * has confirmed, by the leader. */
enum ctl_exit ctl_ask_status(struct ctl *ctl, const char *cluster, bool confirmed, Mha__ControlReply **reply);
/* Asks, prints the reply's message ({"message": ...} as JSON), frees it. */
enum ctl_exit ctl_command(struct ctl *ctl, const Mha__ControlRequest *request, uint32_t default_ms);
/* Prints and drops `json`. CTL_REFUSED when memory or the stream failed. */
enum ctl_exit ctl_print_json(struct ctl *ctl, json_t *json);

/* A JSON string of any bytes; NULL: no memory. */
json_t *ctl_text_json(const char *text);

/* ---- colours ---- */

enum ctl_colour { CTL_PLAIN, CTL_BOLD, CTL_GREEN, CTL_YELLOW, CTL_RED };
const char *ctl_colour_on(const struct ctl *ctl, enum ctl_colour colour); /* "" without colour */
const char *ctl_colour_off(const struct ctl *ctl, enum ctl_colour colour);

/* ---- the facts of a StatusReply that more than one verb wants (status_facts.c) ---- */

const Mha__NodeStatus *status_find_node(const Mha__StatusReply *status, uint64_t id);
const Mha__NodeStatus *status_find_name(const Mha__StatusReply *status, const char *name);
/* The name of member `id`; "" for 0, "unknown" for one that the reply does not list. */
const char *status_node_name(const Mha__StatusReply *status, uint64_t id);
/* NULL: there is none yet. */
const Mha__NodeStatus *status_primary(const Mha__StatusReply *status);
uint64_t status_epoch(const Mha__StatusReply *status); /* 0: no primary yet */
bool status_primary_open(const Mha__StatusReply *status);
/* NULL when nothing of the kind is under way. */
const Mha__Switchover *status_switchover(const Mha__StatusReply *status);
const Mha__Pause *status_pause(const Mha__StatusReply *status);
const Mha__Force *status_force(const Mha__StatusReply *status);
/* A cluster that serves: formed, a quorum, an open primary that is reachable, the address (if it has one)
 * held by that node. */
bool status_is_serving(const Mha__StatusReply *status);
/* The word of an arbiter, which sees the members but knows no database, no primary and no address. */
bool status_is_arbiters(const Mha__StatusReply *status);
/* Of an arbiter: the group has a leader and a quorum. Of an agent: it serves. */
bool status_is_fine(const Mha__StatusReply *status);
const char *status_kind_name(Mha__MemberKind kind);
const char *status_change_name(Mha__ChangeKind kind);
const char *status_database_name(Mha__DbState state);
uint64_t status_phases_total_us(const Mha__Phases *phases);
/* A GTID list or set cut to what tells a person where the node stands: the last event of each domain, of each
 * server with the beginning of its UUID; "..." where it does not fit. "-" when empty. */
void status_short_position(const char *position, char *text, size_t size);

/* ---- printing ---- */

void status_print(const struct ctl *ctl, const Mha__StatusReply *status); /* status_text.c */
json_t *status_to_json(const Mha__StatusReply *status);                   /* status_json.c; NULL: no memory */
json_t *history_to_json(const Mha__StatusReply *status);                  /* status_json.c */
void history_print(const struct ctl *ctl, const Mha__StatusReply *status); /* ctl_history.c */
void members_print(const struct ctl *ctl, const Mha__StatusReply *status); /* ctl_member.c */
json_t *members_to_json(const Mha__StatusReply *status);                   /* status_json.c */
/* What a forced failover may lose. `lacks`: what the target lacks, in the leader's words; "": not known.
 * `accepted`: the operator said so already; else how to say it. ctl_failover.c */
void failover_explain(const struct ctl *ctl, const Mha__StatusReply *status, const char *to,
                      const char *lacks, bool accepted);
/* On a terminal: asks for the node's name to be typed. false: it was not, or there is nobody to ask; why is
 * on ctl->err. */
bool failover_confirm(struct ctl *ctl, const char *to);                  /* ctl_failover.c */
void check_print(const struct ctl *ctl, const Mha__ControlReply *reply); /* ctl_check.c */
/* The findings alone, by node, in the order in which the nodes first occur. */
void check_print_findings(const struct ctl *ctl, const Mha__ControlReply *reply); /* ctl_check.c */
json_t *check_to_json(const Mha__ControlReply *reply);                            /* ctl_check.c */
bool check_is_fatal(const Mha__ControlReply *reply);                              /* ctl_check.c */
/* One node's rebuild in a few words, "copying from db1: 1.2 of 3.4 GB (35 %)"; "" when none runs. */
void rebuild_describe(const Mha__NodeStatus *node, char *text, size_t size); /* status_facts.c */
enum rebuild_progress { REBUILD_GOES_ON, REBUILD_OVER, REBUILD_FAILED };
/* How far the rebuild of node `name` is, for --watch; ctl_rebuild.c */
enum rebuild_progress rebuild_progress(const Mha__StatusReply *status, const char *name, char *text,
                                       size_t size);
const char *status_trouble_name(Mha__DbTrouble kind); /* "" for none and what has no name; status_facts.c */

/* 32 bytes of getrandom(2) as 64 hex digits and a newline. */
#define KEY_TEXT_BYTES 66
enum error_code key_generate(char text[KEY_TEXT_BYTES], struct error *err);
/* A new file of mode 0640, synced; an existing one is refused (ERR_REFUSED). Removed again when it cannot be
 * written. */
enum error_code key_write(const char *path, const char *text, struct error *err);

#endif
