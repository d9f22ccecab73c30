/* Who may connect. The TLS key says that the other side belongs to the cluster; its greeting says who it is,
 * and the membership that counts here says whether that one is a member. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/replica/formation.h"
#include "common/replica/internal.h"

#define STRANGER_SEEN_US MS_TO_US(10000) /* whoever is there dials more often, in any profile */

bool greeting_pack(const struct replica *replica, const char *to, const char *refused, struct wire_bytes *out)
{
    struct wire_hello *hello = calloc(1, sizeof *hello);
    struct error err;
    bool packed;

    if (!hello)
        return false;
    hello->version = WIRE_VERSION;
    memcpy(hello->cluster, replica->cluster, sizeof hello->cluster);
    memcpy(hello->name, replica->name, sizeof hello->name);
    hello->id = replica->id;
    hello->formed = replica->formed;
    if (replica->formed) {
        hello->membership = replica->membership;
        hello->membership_index = replica->membership_index;
    }
    hello->nodes_digest = replica->nodes_digest;
    for (unsigned i = 0; i < replica->node_count; i++) {
        if (strcmp(replica->nodes[i].name, replica->name) != 0)
            continue;
        memcpy(hello->address, replica->nodes[i].address, sizeof hello->address);
        hello->arbiter = replica->nodes[i].arbiter;
    }
    snprintf(hello->refused, sizeof hello->refused, "%s", refused);
    snprintf(hello->to, sizeof hello->to, "%s", to);
    packed = wire_pack_hello(hello, out, &err) == ERR_OK;
    free(hello);
    return packed;
}

/* ---- strangers ---- */

const struct stranger *greeting_stranger(const struct replica *replica, const char *name, uint64_t now_us)
{
    for (unsigned i = 0; i < STRANGERS_MAX; i++) {
        const struct stranger *stranger = &replica->strangers[i];
        if (name[0] != '\0' && strcmp(stranger->name, name) == 0 &&
            now_us < stranger->seen_us + STRANGER_SEEN_US)
            return stranger;
    }
    return NULL;
}

void greeting_forget(struct replica *replica, uint64_t id)
{
    for (unsigned i = 0; i < STRANGERS_MAX; i++)
        if (replica->strangers[i].id == id)
            memset(&replica->strangers[i], 0, sizeof replica->strangers[i]);
}

/* One for each name, the newest that was seen; the one that was silent for longest gives way. */
static void remember(struct replica *replica, const struct wire_hello *hello)
{
    struct stranger *slot = &replica->strangers[0];
    const struct peer *peer;

    if (hello->id == 0)
        return;
    for (unsigned i = 0; i < STRANGERS_MAX; i++) {
        struct stranger *stranger = &replica->strangers[i];
        if (strcmp(stranger->name, hello->name) == 0) {
            slot = stranger;
            break;
        }
        if (stranger->seen_us < slot->seen_us)
            slot = stranger;
    }
    memcpy(slot->name, hello->name, sizeof slot->name);
    memcpy(slot->address, hello->address, sizeof slot->address);
    slot->id = hello->id;
    slot->arbiter = hello->arbiter;
    peer = peers_by_name(replica, hello->name);
    if (hello->address[0] == '\0' && peer) { /* an older program tells neither */
        memcpy(slot->address, peer->address, sizeof slot->address);
        slot->arbiter = peer->arbiter;
    }
    slot->seen_us = clock_now_us();
    engine_note_change(replica);
}

/* ---- the judgement ---- */

#define WIPED                                                                                           \
    "its data directory was wiped or replaced. Put the old one back, or let the new one in by `mhactl " \
    "member replace %s`"

/* It is ahead of us, and knows us both as members. */
static bool vouches(const struct replica *replica, const struct wire_hello *hello)
{
    return replica->formed && hello->formed && hello->membership_index > replica->membership_index &&
           formation_includes_us(replica, &hello->membership) &&
           members_has(&hello->membership, hello->name, hello->id);
}

uint64_t greeting_lacks_us(const struct replica *replica, const struct wire_hello *hello)
{
    bool lacks_us = hello->refused[0] != '\0' && replica->formed && hello->formed &&
                    hello->membership_index > replica->membership_index &&
                    !formation_includes_us(replica, &hello->membership);

    return lacks_us ? hello->membership_index : 0;
}

static void judge_program(const struct replica *replica, const struct wire_hello *hello,
                          char why[WIRE_REFUSED_BYTES])
{
    if (hello->version != WIRE_VERSION)
        snprintf(why, WIRE_REFUSED_BYTES,
                 "%s speaks protocol version %u and %s version %u; upgrade the older one", hello->name,
                 hello->version, replica->name, WIRE_VERSION);
    else if (strcmp(hello->cluster, replica->cluster) != 0)
        snprintf(why, WIRE_REFUSED_BYTES,
                 "%s belongs to cluster \"%s\"; make `cluster` the same in both files", hello->name,
                 hello->cluster);
    else if (strcmp(hello->name, replica->name) == 0)
        snprintf(why, WIRE_REFUSED_BYTES, "two nodes call themselves %s; give each its own `node`",
                 replica->name);
}

/* No group yet, on either side or on one. */
static void judge_unformed(const struct replica *replica, const struct wire_hello *hello,
                           char why[WIRE_REFUSED_BYTES])
{
    if (hello->formed && !members_has(&hello->membership, hello->name, hello->id)) {
        snprintf(why, WIRE_REFUSED_BYTES,
                 "%s is no member of its own group; `mhactl member add %s` lets it in", hello->name,
                 hello->name);
    } else if (hello->formed) {
        if (formation_includes_us(replica, &hello->membership))
            return;
        if (replica_membership_by_name(&hello->membership, replica->name))
            snprintf(why, WIRE_REFUSED_BYTES, "%s knows %s by another identity: " WIPED, hello->name,
                     replica->name, replica->name);
        else
            snprintf(why, WIRE_REFUSED_BYTES,
                     "the group of %s was formed without %s; let it in by `mhactl member add %s`",
                     hello->name, replica->name, replica->name);
    } else if (!peers_by_name((struct replica *)replica, hello->name)) {
        snprintf(why, WIRE_REFUSED_BYTES,
                 "%s is not in the `nodes` of %s; make `nodes` the same in all files", hello->name,
                 replica->name);
    } else if (hello->nodes_digest != replica->nodes_digest) {
        snprintf(why, WIRE_REFUSED_BYTES,
                 "the `nodes` of %s and %s differ in their names or arbiters; make them the same",
                 hello->name, replica->name);
    }
}

/* We have a membership: is that one in it? What its own says of us is for the other side to judge, as that
 * may come to nothing. */
static void judge_member(struct replica *replica, const struct wire_hello *hello,
                         char why[WIRE_REFUSED_BYTES])
{
    const struct replica_membership_member *member = members_find(replica, hello->name);

    if (member && member->id == hello->id) {
        const struct replica_membership_member *ours =
            hello->formed ? replica_membership_by_name(&hello->membership, replica->name) : NULL;
        bool behind = hello->membership_index < replica->membership_index &&
                      formation_includes_us(replica, &replica->membership);
        if (ours && ours->id != replica->id && !behind)
            snprintf(why, WIRE_REFUSED_BYTES, "%s knows %s by another identity: " WIPED, hello->name,
                     replica->name, replica->name);
        return;
    }
    if (replica_membership_by_name(&replica->membership, hello->name))
        snprintf(why, WIRE_REFUSED_BYTES, "%s has a new identity: " WIPED, hello->name, hello->name);
    else
        snprintf(why, WIRE_REFUSED_BYTES, "%s is no member of the group; let it in by `mhactl member add %s`",
                 hello->name, hello->name);
    remember(replica, hello);
}

/* The member that vouches for itself may be one that is not configured here. */
static void take_up(struct replica *replica, const struct wire_hello *hello, char why[WIRE_REFUSED_BYTES])
{
    struct peer *peer = peers_by_name(replica, hello->name);
    const struct replica_membership_member *member = replica_membership_by_id(&hello->membership, hello->id);
    struct error err;

    if (!peer) {
        if (peers_add(replica, member->name, member->address, member->arbiter, false, &err) != ERR_OK) {
            snprintf(why, WIRE_REFUSED_BYTES, "%.200s", err.text);
            return;
        }
        peer = peers_by_name(replica, hello->name);
    }
    peer->vouched_id = peer->id = hello->id;
    peer->vouched_index = hello->membership_index;
}

void greeting_judge(struct replica *replica, const struct wire_hello *hello, char why[WIRE_REFUSED_BYTES])
{
    why[0] = '\0';
    judge_program(replica, hello, why);
    if (why[0] != '\0')
        return;
    if (vouches(replica, hello))
        take_up(replica, hello, why);
    else if (replica->formed)
        judge_member(replica, hello, why);
    else
        judge_unformed(replica, hello, why);
}
