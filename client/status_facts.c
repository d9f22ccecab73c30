#include <ctype.h>
#include <string.h>

#include "client/ctl.h"

const Mha__NodeStatus *status_find_node(const Mha__StatusReply *status, uint64_t id)
{
    for (size_t i = 0; i < status->n_nodes; i++) {
        if (status->nodes[i]->id == id && id != 0)
            return status->nodes[i];
    }
    return NULL;
}

const Mha__NodeStatus *status_find_name(const Mha__StatusReply *status, const char *name)
{
    for (size_t i = 0; i < status->n_nodes; i++) {
        if (strcmp(status->nodes[i]->name, name) == 0)
            return status->nodes[i];
    }
    return NULL;
}

const char *status_node_name(const Mha__StatusReply *status, uint64_t id)
{
    const Mha__NodeStatus *node = status_find_node(status, id);

    if (id == 0)
        return "";
    return node ? node->name : "unknown";
}

const Mha__NodeStatus *status_primary(const Mha__StatusReply *status)
{
    if (!status->state || !status->state->primary)
        return NULL;
    return status_find_node(status, status->state->primary->node);
}

uint64_t status_epoch(const Mha__StatusReply *status)
{
    return status->state && status->state->primary ? status->state->primary->epoch : 0;
}

bool status_primary_open(const Mha__StatusReply *status)
{
    return status->state && status->state->primary && status->state->primary->opened;
}

const Mha__Switchover *status_switchover(const Mha__StatusReply *status)
{
    const Mha__Switchover *switchover = status->state ? status->state->switchover : NULL;
    return switchover && switchover->id != 0 ? switchover : NULL;
}

const Mha__Pause *status_pause(const Mha__StatusReply *status)
{
    const Mha__Pause *pause = status->state ? status->state->pause : NULL;
    return pause && pause->id != 0 ? pause : NULL;
}

const Mha__Force *status_force(const Mha__StatusReply *status)
{
    const Mha__Force *force = status->state ? status->state->force : NULL;
    return force && force->id != 0 ? force : NULL;
}

bool status_is_serving(const Mha__StatusReply *status)
{
    const Mha__NodeStatus *primary = status_primary(status);

    if (!status->formed || !status->has_quorum || !primary || !status_primary_open(status))
        return false;
    if (!primary->self && !primary->reachable)
        return false;
    if (primary->database && primary->database->state != MHA__DB_STATE__DB_UP)
        return false;
    return status->vip[0] == '\0' || strcmp(status->vip_holder, primary->name) == 0;
}

bool status_is_arbiters(const Mha__StatusReply *status)
{
    for (size_t i = 0; i < status->n_nodes; i++) {
        if (status->nodes[i]->self)
            return status->nodes[i]->kind == MHA__MEMBER_KIND__MEMBER_ARBITER;
    }
    return false;
}

bool status_is_fine(const Mha__StatusReply *status)
{
    if (status_is_arbiters(status))
        return status->formed && status->has_quorum && status->leader[0] != '\0';
    return status_is_serving(status);
}

const char *status_kind_name(Mha__MemberKind kind)
{
    return kind == MHA__MEMBER_KIND__MEMBER_ARBITER ? "arbiter" : "data";
}

const char *status_change_name(Mha__ChangeKind kind)
{
    switch (kind) {
    case MHA__CHANGE_KIND__CHANGE_FIRST_START:
        return "first start";
    case MHA__CHANGE_KIND__CHANGE_FAILOVER:
        return "failover";
    case MHA__CHANGE_KIND__CHANGE_SWITCHOVER:
        return "switchover";
    case MHA__CHANGE_KIND__CHANGE_RESTART:
        return "restart";
    case MHA__CHANGE_KIND__CHANGE_FORCED:
        return "forced failover";
    default:
        return "unknown";
    }
}

const char *status_database_name(Mha__DbState state)
{
    switch (state) {
    case MHA__DB_STATE__DB_DOWN:
        return "down";
    case MHA__DB_STATE__DB_HUNG:
        return "hung";
    case MHA__DB_STATE__DB_UP:
        return "up";
    case MHA__DB_STATE__DB_REFUSED:
        return "refused";
    default:
        return "unknown";
    }
}

const char *status_trouble_name(Mha__DbTrouble kind)
{
    switch (kind) {
    case MHA__DB_TROUBLE__DB_TROUBLE_DISK_FULL:
        return "disk full";
    case MHA__DB_TROUBLE__DB_TROUBLE_READ_ONLY_FILES:
        return "file system is read-only";
    case MHA__DB_TROUBLE__DB_TROUBLE_WRITES_HELD:
        return "writes are held up";
    case MHA__DB_TROUBLE__DB_TROUBLE_NO_CONNECTION_FREE:
        return "no connection is free";
    case MHA__DB_TROUBLE__DB_TROUBLE_APPLIER_STOPPED:
        return "applier stopped";
    case MHA__DB_TROUBLE__DB_TROUBLE_REPLICATION_REFUSED:
        return "replication account refused";
    case MHA__DB_TROUBLE__DB_TROUBLE_RECEIVER_FAILS:
        return "receiver stopped";
    default:
        return "";
    }
}

/* 1234567890 -> "1.2 GB" */
static void describe_bytes(uint64_t bytes, char *text, size_t size)
{
    static const char *const units[] = {"bytes", "kB", "MB", "GB", "TB", "PB", "EB"};
    double value = (double)bytes;
    unsigned i = 0;

    for (; value >= 1000 && i < sizeof units / sizeof units[0] - 1; i++)
        value /= 1000;
    snprintf(text, size, i ? "%.1f %s" : "%.0f %s", value, units[i]);
}

/* The total is an estimate: a copy may come to more. */
static unsigned percent(uint64_t done, uint64_t total)
{
    return done >= total ? 100 : (unsigned)((double)done * 100 / (double)total);
}

void rebuild_describe(const Mha__NodeStatus *node, char *text, size_t size)
{
    const Mha__RebuildState *rebuild = node->rebuild;
    char done[32], total[32];

    text[0] = '\0';
    if (!rebuild || rebuild->phase[0] == '\0')
        return;
    describe_bytes(rebuild->done_bytes, done, sizeof done);
    describe_bytes(rebuild->total_bytes, total, sizeof total);
    if (rebuild->total_bytes)
        snprintf(text, size, "%s, from %s: %s of %s (%u %%)", rebuild->phase, rebuild->donor, done, total,
                 percent(rebuild->done_bytes, rebuild->total_bytes));
    else if (rebuild->done_bytes)
        snprintf(text, size, "%s, from %s: %s", rebuild->phase, rebuild->donor, done);
    else
        snprintf(text, size, "%s, from %s", rebuild->phase, rebuild->donor);
}

uint64_t status_phases_total_us(const Mha__Phases *phases)
{
    return phases->detected_us + phases->elected_us + phases->frozen_us + phases->drained_us +
           phases->promoted_us + phases->announced_us;
}

struct domain_end {
    unsigned long domain;
    unsigned long server;
    unsigned long long sequence;
};

/* Reads one "domain-server-sequence" and moves *text behind it and its comma. */
static bool read_item(const char **text, struct domain_end *item)
{
    int length = 0;

    if (sscanf(*text, "%lu-%lu-%llu%n", &item->domain, &item->server, &item->sequence, &length) != 3)
        return false;
    *text += length;
    if (**text != ',' && **text != '\0')
        return false;
    *text += **text == ',';
    return true;
}

#define DOMAINS_SHOWN_MAX 8
#define DOMAIN_END_BYTES sizeof ",18446744073709551615-18446744073709551615-18446744073709551615"

/* false: not a GTID list, or one of more domains than are shown. */
static bool read_ends(const char *position, struct domain_end ends[DOMAINS_SHOWN_MAX], unsigned *count)
{
    *count = 0;
    while (*position) {
        struct domain_end item;
        unsigned i = 0;
        if (!read_item(&position, &item))
            return false;
        while (i < *count && ends[i].domain != item.domain)
            i++;
        if (i == DOMAINS_SHOWN_MAX)
            return false;
        if (i == *count)
            ends[(*count)++] = item;
        else if (item.sequence > ends[i].sequence)
            ends[i] = item;
    }
    return true;
}

#define UUID_BYTES 36 /* 8-4-4-4-12 */
#define UUID_SHOWN 8

static bool is_uuid(const char *text)
{
    for (unsigned i = 0; i < UUID_BYTES; i++)
        if (i == 8 || i == 13 || i == 18 || i == 23 ? text[i] != '-' : !isxdigit((unsigned char)text[i]))
            return false;
    return text[UUID_BYTES] == ':';
}

/* A GTID set's "uuid:1-5:7-9,..." as "the uuid's beginning:9,..."; false: something else. */
static bool shorten_set(const char *position, char *text, size_t size)
{
    size_t used = 0;

    text[0] = '\0';
    for (const char *item = position; *item;) {
        size_t length = strcspn(item, ","), last = length;
        if (!is_uuid(item))
            return false;
        while (last > UUID_BYTES && isdigit((unsigned char)item[last - 1]))
            last--;
        if (used < size)
            used += (size_t)snprintf(text + used, size - used, "%s%.*s:%.*s", used ? "," : "", UUID_SHOWN,
                                     item, (int)(length - last), item + last);
        item += length + (item[length] == ',');
    }
    return position[0] != '\0';
}

void status_short_position(const char *position, char *text, size_t size)
{
    struct domain_end ends[DOMAINS_SHOWN_MAX];
    char whole[DOMAINS_SHOWN_MAX * DOMAIN_END_BYTES] = "-";
    unsigned count;
    size_t used = 0;

    if (read_ends(position, ends, &count)) {
        for (unsigned i = 0; i < count; i++)
            used += (size_t)snprintf(whole + used, sizeof whole - used, "%s%lu-%lu-%llu", i ? "," : "",
                                     ends[i].domain, ends[i].server, ends[i].sequence);
    } else if (!shorten_set(position, whole, sizeof whole)) {
        snprintf(whole, sizeof whole, "%s", position);
    }
    if (snprintf(text, size, "%s", whole) >= (int)size)
        memcpy(text + size - 4, "...", 4);
}
