#include "agent/api/compare.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/net/net.h"

#define REMEDY_BYTES 512
#define VALUE_BYTES 512

static const Mha__CheckFacts *facts_of(const struct compare_node *node)
{
    return node->reply ? node->reply->facts : NULL;
}

/* ---- who is not heard, and why ---- */

static void tell_trouble(const struct compare_input *input, const struct compare_node *node,
                         const char *about, const char *trouble, struct findings *out)
{
    char remedy[REMEDY_BYTES];
    const char *program = node->arbiter ? "mha4rdb-arbiter" : "mha4rdb-agent";

    if (strstr(trouble, NET_OTHER_KEY)) {
        snprintf(remedy, sizeof remedy, "scp %s %s:%s && ssh %s systemctl restart %s", input->key_file,
                 node->name, input->key_file, node->name, program);
        findings_add(out, node->name, true, "key", remedy, "%s: %s", about, trouble);
        return;
    }
    snprintf(remedy, sizeof remedy, "ssh %s systemctl status %s", node->name, program);
    findings_add(out, node->name, true, "agent", remedy, "%s: %s", about,
                 trouble[0] ? trouble : "nothing is known of why");
}

static void compare_presence(const struct compare_input *input, struct findings *out)
{
    for (unsigned i = 0; i < input->count; i++) {
        const struct compare_node *node = &input->nodes[i];
        if (!node->reply)
            tell_trouble(input, node, "it does not answer, and was not checked", node->trouble, out);
        else if (node->reply->error[0])
            findings_add(out, node->name, true, "check", "", "it could not be checked: %s",
                         node->reply->error);
    }
}

static const struct compare_node *find(const struct compare_input *input, const char *name)
{
    for (unsigned i = 0; i < input->count; i++)
        if (strcmp(input->nodes[i].name, name) == 0)
            return &input->nodes[i];
    return NULL;
}

/* Two that hear the one who was asked, but not each other: a partial cut. */
static void compare_connections(const struct compare_input *input, struct findings *out)
{
    for (unsigned i = 0; i < input->count; i++) {
        const Mha__CheckFacts *facts = facts_of(&input->nodes[i]);
        for (size_t k = 0; facts && k < facts->n_peers; k++) {
            const struct compare_node *other = find(input, facts->peers[k]->name);
            if (other && other->reply) /* who answers nobody was named already */
                findings_add(out, input->nodes[i].name, false, "connection",
                             "look at the firewalls and routes between the two hosts",
                             "it has no connection to %s: %s", other->name, facts->peers[k]->trouble);
        }
    }
}

/* ---- versions ---- */

bool compare_version(const char *text, unsigned *series, unsigned *patch)
{
    unsigned major, minor;

    *patch = 0;
    if (sscanf(text, "%u.%u.%u", &major, &minor, patch) < 2)
        return false;
    *series = major * 100 + minor;
    return true;
}

static void compare_with_primary(const struct compare_node *node, const Mha__CheckFacts *mine,
                                 const struct compare_node *primary, const Mha__CheckFacts *theirs,
                                 struct findings *out)
{
    unsigned series, patch, primary_series, primary_patch;

    if (node == primary || !mine->server_version[0] || !theirs->server_version[0])
        return;
    if (strcmp(mine->server_kind, theirs->server_kind) != 0) {
        findings_add(out, node->name, true, "server", "install the same kind of server on all nodes",
                     "it is %s (%s), and %s, the primary, is %s (%s): they do not replicate from each other",
                     mine->server_kind, mine->server_version, primary->name, theirs->server_kind,
                     theirs->server_version);
        return;
    }
    if (!compare_version(mine->server_version, &series, &patch) ||
        !compare_version(theirs->server_version, &primary_series, &primary_patch) ||
        series > primary_series || (series == primary_series && patch >= primary_patch))
        return;
    findings_add(
        out, node->name, series < primary_series, "server",
        "upgrade its server: replicas first, then mhactl switchover, then the old primary",
        "its %s is older than %s, the primary's %s: a replica may not understand what a newer source logs",
        mine->server_version, primary->name, theirs->server_version);
}

static void compare_servers(const struct compare_input *input, struct findings *out)
{
    const struct compare_node *primary = find(input, input->primary);
    const Mha__CheckFacts *theirs = primary ? facts_of(primary) : NULL;

    for (unsigned i = 0; theirs && i < input->count; i++) {
        const Mha__CheckFacts *mine = facts_of(&input->nodes[i]);
        if (mine && !input->nodes[i].arbiter)
            compare_with_primary(&input->nodes[i], mine, primary, theirs, out);
    }
}

static void compare_server_ids(const struct compare_input *input, struct findings *out)
{
    for (unsigned i = 0; i < input->count; i++) {
        const Mha__CheckFacts *facts = facts_of(&input->nodes[i]);
        for (unsigned k = 0; k < i && facts && facts->server_id; k++) {
            const Mha__CheckFacts *other = facts_of(&input->nodes[k]);
            if (!other || other->server_id != facts->server_id)
                continue;
            findings_add(out, input->nodes[i].name, true, "server_id",
                         "[mysqld] server_id = N   (another N on every server, and a restart)",
                         "it is %" PRIu64 ", as on %s: a replica drops events that carry its own server_id",
                         facts->server_id, input->nodes[k].name);
            break;
        }
    }
}

static void compare_programs(const struct compare_input *input, struct findings *out)
{
    const struct compare_node *newest = NULL;
    unsigned most = 0, most_patch = 0, series, patch;

    for (unsigned i = 0; i < input->count; i++) {
        const Mha__CheckFacts *facts = facts_of(&input->nodes[i]);
        if (facts && compare_version(facts->program_version, &series, &patch) &&
            (!newest || series > most || (series == most && patch > most_patch))) {
            newest = &input->nodes[i];
            most = series;
            most_patch = patch;
        }
    }
    for (unsigned i = 0; newest && i < input->count; i++) {
        const Mha__CheckFacts *facts = facts_of(&input->nodes[i]);
        if (facts && strcmp(facts->program_version, facts_of(newest)->program_version) != 0)
            findings_add(out, input->nodes[i].name, false, "mha4rdb", "install the newer package there",
                         "its programs are %s, those of %s %s", facts->program_version, newest->name,
                         facts_of(newest)->program_version);
    }
}

/* ---- settings that must be the same ---- */

/* What becomes of a difference. Settings that are not here are named, too, as warnings. */
static const struct {
    const char *name;
    bool fatal;
    const char *why;
} settings[] = {
    {"nodes", true, "a member that starts anew could found another group"},
    {"kind", true, "they do not replicate from each other"},
    {"vip", true, "the address would change with the primary"},
    {"replication_user", true, "a replica could not log in, or its acknowledgements would not be told apart"},
    {"durability", true, "what a client is promised would change with the primary"},
    {"heartbeat_ms", false, "how quickly a failure is noticed depends on who leads"},
    {"election_ms", false, "how quickly a failure is noticed depends on who leads"},
    {"lag_most_ms", false, "what a failover may lose depends on who is promoted"},
    {"rejoin", false, "what becomes of a returned node depends on which one it is"},
    {"replication_tls", false, "whether rows travel in plain text depends on the node"},
};

static bool value_of(const char *text, const char *name, char value[VALUE_BYTES])
{
    size_t length = strlen(name);

    while (text && *text) {
        size_t line = strcspn(text, "\n");
        if (line > length && strncmp(text, name, length) == 0 && text[length] == '=') {
            snprintf(value, VALUE_BYTES, "%.*s", (int)(line - length - 1), text + length + 1);
            return true;
        }
        text += line + (text[line] == '\n');
    }
    return false;
}

/* The value that most nodes have; of two as frequent the one that comes first. */
static const struct compare_node *usual(const struct compare_input *input, const char *name,
                                        char value[VALUE_BYTES])
{
    const struct compare_node *best = NULL;
    unsigned most = 0;
    char mine[VALUE_BYTES], other[VALUE_BYTES];

    for (unsigned i = 0; i < input->count; i++) {
        const Mha__CheckFacts *facts = facts_of(&input->nodes[i]);
        unsigned same = 0;
        if (!facts || !value_of(facts->settings, name, mine))
            continue;
        for (unsigned k = 0; k < input->count; k++) {
            const Mha__CheckFacts *theirs = facts_of(&input->nodes[k]);
            same += theirs && value_of(theirs->settings, name, other) && strcmp(mine, other) == 0;
        }
        if (same > most) {
            most = same;
            best = &input->nodes[i];
            memcpy(value, mine, VALUE_BYTES);
        }
    }
    return best;
}

/* The list of the nodes is told in another form than a file has it, and "none" is no value at all. */
static bool value_is_to_paste(const char *name)
{
    return strcmp(name, "nodes") != 0 && strcmp(name, "vip") != 0;
}

static void compare_setting(const struct compare_input *input, const char *name, bool fatal, const char *why,
                            struct findings *out)
{
    char expected[VALUE_BYTES] = "", value[VALUE_BYTES], remedy[REMEDY_BYTES * 2];
    const struct compare_node *right = usual(input, name, expected);

    for (unsigned i = 0; right && i < input->count; i++) {
        const struct compare_node *node = &input->nodes[i];
        const Mha__CheckFacts *facts = facts_of(node);
        if (!facts || !value_of(facts->settings, name, value) || strcmp(value, expected) == 0)
            continue;
        if (value_is_to_paste(name))
            snprintf(remedy, sizeof remedy,
                     "in agent.conf: %s = %s;   (and a restart of mha4rdb-agent, in mhactl pause)", name,
                     expected);
        else
            snprintf(remedy, sizeof remedy, "make %s in %s the same as on %s", name,
                     node->arbiter ? "arbiter.conf" : "agent.conf", right->name);
        findings_add(out, node->name, fatal, name, remedy, "it is %s, and %s on %s: %s", value, expected,
                     right->name, why);
    }
}

static void compare_settings(const struct compare_input *input, struct findings *out)
{
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++)
        compare_setting(input, settings[i].name, settings[i].fatal, settings[i].why, out);
}

/* ---- wall clocks ---- */

/* By how much a node's clock is ahead of ours at least, negative: behind. Its reply was made at some moment
 * between our question and the answer, and the time that it worked on it is no part of that uncertainty. */
static int64_t clock_ahead_us(const struct compare_node *node, const Mha__CheckFacts *facts)
{
    int64_t latest = (int64_t)node->answered_us, made = (int64_t)facts->wall_clock_us;
    int64_t earliest = (int64_t)node->asked_us + (int64_t)facts->took_us;

    if (earliest > latest)
        earliest = latest;
    return made > latest ? made - latest : made < earliest ? made - earliest : 0;
}

static void compare_clocks(const struct compare_input *input, struct findings *out)
{
    const char *self = "";

    for (unsigned i = 0; i < input->count; i++)
        if (input->nodes[i].self)
            self = input->nodes[i].name;
    for (unsigned i = 0; i < input->count; i++) {
        const struct compare_node *node = &input->nodes[i];
        const Mha__CheckFacts *facts = facts_of(node);
        int64_t ahead = facts && !node->self && facts->wall_clock_us ? clock_ahead_us(node, facts) : 0;
        if (ahead <= COMPARE_CLOCK_US && ahead >= -COMPARE_CLOCK_US)
            continue;
        findings_add(out, node->name, false, "clock",
                     "timedatectl set-ntp true   (and timedatectl timesync-status)",
                     "its wall clock is %.1f s %s that of %s: nothing here depends on it, but times in the "
                     "logs, NOW() "
                     "and certificates do",
                     (double)(ahead < 0 ? -ahead : ahead) / 1000000, ahead < 0 ? "behind" : "ahead of", self);
    }
}

/* ---- the virtual IP ---- */

static void check_vipd(const struct compare_input *input, const struct compare_node *node,
                       const Mha__CheckFacts *facts, struct findings *out)
{
    const Mha__VipState *vip = facts->vip_state;
    char remedy[REMEDY_BYTES];

    if (!vip) {
        findings_add(out, node->name, true, "VIP", "systemctl enable --now mha4rdb-vipd",
                     "mha4rdb-vipd is not connected, so this node cannot become the primary: %s",
                     facts->vipd_trouble);
        return;
    }
    if (vip->trouble[0]) {
        snprintf(remedy, sizeof remedy, "ip address show; ip link set %s up   (and look at vipd.conf)",
                 vip->interface[0] ? vip->interface : "INTERFACE");
        findings_add(out, node->name, true, "VIP",
                     vip->conflict ? "take the address away from the host that answers for it" : remedy,
                     "%s: %s", input->vip, vip->trouble);
    }
}

static void compare_prefixes(const struct compare_input *input, struct findings *out)
{
    const struct compare_node *first = NULL;
    uint32_t prefix = 0;
    char remedy[REMEDY_BYTES];

    for (unsigned i = 0; i < input->count; i++) {
        const struct compare_node *node = &input->nodes[i];
        const Mha__CheckFacts *facts = facts_of(node);
        if (!facts || !facts->vip_state || !facts->vip_state->prefix_length)
            continue;
        if (!first) {
            first = node;
            prefix = facts->vip_state->prefix_length;
        } else if (facts->vip_state->prefix_length != prefix) {
            snprintf(remedy, sizeof remedy,
                     "in vipd.conf: address = \"%s/%u\"   (and systemctl restart mha4rdb-vipd)", input->vip,
                     prefix);
            findings_add(out, node->name, false, "VIP", remedy, "its prefix length is %u, and %u on %s",
                         facts->vip_state->prefix_length, prefix, first->name);
        }
    }
}

static void compare_holders(const struct compare_input *input, struct findings *out)
{
    const struct compare_node *holder = NULL;
    bool all_known = true, reached = false;

    for (unsigned i = 0; i < input->count; i++) {
        const struct compare_node *node = &input->nodes[i];
        const Mha__CheckFacts *facts = facts_of(node);
        if (node->arbiter)
            continue;
        all_known = all_known && facts;
        reached = reached || (facts && facts->vip_reached);
        if (!facts || !facts->vip_state || !facts->vip_state->held)
            continue;
        if (holder)
            findings_add(out, node->name, true, "VIP",
                         "ip address del ...   (on the one that is not the primary)",
                         "%s is on this host and on %s", input->vip, holder->name);
        holder = node;
    }
    if (!input->primary_open)
        return;
    if (holder && strcmp(holder->name, input->primary) != 0)
        findings_add(out, holder->name, true, "VIP", "mhactl status   (it passes, or tells why not)",
                     "%s is here, and the primary is %s", input->vip, input->primary);
    if (!holder && all_known && reached)
        findings_add(out, "", true, "VIP", "find that host: ip neighbour show; arping -D",
                     "no node holds %s, and yet somebody answers at its port %u", input->vip, input->port);
    else if (!holder && all_known)
        findings_add(out, input->primary, true, "VIP", "mhactl status   (it tells why not)",
                     "%s is on no node, though the primary is open: clients cannot reach it", input->vip);
}

static void compare_vip(const struct compare_input *input, struct findings *out)
{
    if (!input->vip[0])
        return;
    for (unsigned i = 0; i < input->count; i++) {
        const struct compare_node *node = &input->nodes[i];
        const Mha__CheckFacts *facts = facts_of(node);
        if (!facts || node->arbiter)
            continue;
        check_vipd(input, node, facts, out);
        if (input->primary_open && facts->vip_unreachable[0])
            findings_add(out, node->name, false, "VIP",
                         "look at bind_address of the server, at firewalls, and at `ip neighbour show`",
                         "port %u at %s cannot be reached from here: %s", input->port, input->vip,
                         facts->vip_unreachable);
    }
    compare_prefixes(input, out);
    compare_holders(input, out);
}

void compare_nodes(const struct compare_input *input, struct findings *out)
{
    compare_presence(input, out);
    compare_connections(input, out);
    compare_server_ids(input, out);
    compare_servers(input, out);
    compare_programs(input, out);
    compare_settings(input, out);
    compare_clocks(input, out);
    compare_vip(input, out);
}
