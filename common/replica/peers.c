/* The other members. Each has our link to it, for what we send, and its link to us, for what it sends. The
 * first frame of either is a greeting (Hello) and its answer; nothing else goes before both fit. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/replica/formation.h"
#include "common/replica/internal.h"

struct peer *peers_by_name(struct replica *replica, const char *name)
{
    for (unsigned i = 0; i < replica->peer_count && name[0] != '\0'; i++)
        if (strcmp(replica->peers[i].name, name) == 0)
            return &replica->peers[i];
    return NULL;
}

struct peer *peers_by_id(struct replica *replica, uint64_t id)
{
    for (unsigned i = 0; i < replica->peer_count && id != 0; i++)
        if (replica->peers[i].id == id)
            return &replica->peers[i];
    return NULL;
}

bool peers_connected(const struct peer *peer)
{
    return peer->welcomed && net_link_up(peer->link);
}

const char *peers_trouble(const struct peer *peer)
{
    if (peers_connected(peer))
        return "";
    if (peer->trouble[0] != '\0')
        return peer->trouble;
    return net_link_up(peer->link) ? "connected, its greeting is awaited" : net_link_trouble(peer->link);
}

bool peers_send(struct replica *replica, uint64_t to, const struct wire_bytes *bytes)
{
    struct peer *peer = peers_by_id(replica, to);

    return peer && peers_connected(peer) && net_link_send(peer->link, bytes->data, bytes->size);
}

/* ---- our link ---- */

static void set_trouble(struct peer *peer, const char *why)
{
    if (strcmp(peer->trouble, why) != 0) {
        snprintf(peer->trouble, sizeof peer->trouble, "%s", why);
        log_warning("cluster \"%s\": no connection with %s (%s): %s", peer->replica->cluster, peer->name,
                    peer->address, why);
    }
    engine_note_change(peer->replica);
}

static void on_link_up(void *context, struct net_link *link)
{
    struct peer *peer = net_link_user(link);
    struct wire_bytes bytes;

    (void)context;
    peer->welcomed = false;
    if (!greeting_pack(peer->replica, peer->name, "", &bytes)) {
        net_link_reset(link);
        return;
    }
    net_link_send(link, bytes.data, bytes.size);
    free(bytes.data);
}

static void refuse_answer(struct peer *peer, const char *why)
{
    set_trouble(peer, why);
    net_link_reset(peer->link);
}

static void on_answer(struct peer *peer, const struct wire_hello *hello)
{
    struct replica *replica = peer->replica;
    char why[WIRE_REFUSED_BYTES];

    greeting_judge(replica, hello, why);
    peer->without_us_index = greeting_lacks_us(replica, hello);
    if (why[0] == '\0' && strcmp(hello->name, peer->name) != 0)
        snprintf(why, sizeof why, "%s answers there; mend its address in `nodes`", hello->name);
    /* Our own judgement first: it names the remedy from this side. */
    if (why[0] != '\0' || hello->refused[0] != '\0') {
        refuse_answer(peer, why[0] ? why : hello->refused);
        return;
    }
    peer->welcomed = true;
    peer->unformed = !hello->formed;
    peer->heard_us = clock_now_us();
    peer->trouble[0] = '\0';
    if (!replica->formed)
        peer->id = hello->id;
    log_info("cluster \"%s\": connected with %s (%s)", replica->cluster, peer->name, peer->address);
    if (hello->formed)
        formation_learn(replica, peer->name, &hello->membership);
    formation_try(replica);
    engine_note_change(replica);
}

static void on_link_frame(void *context, struct net_link *link, const uint8_t *data, size_t size)
{
    struct peer *peer = net_link_user(link);
    struct wire_frame frame;
    struct error err;

    (void)context;
    if (peer->replica->failed)
        return;
    if (wire_unpack_frame(data, size, &frame, &err) != ERR_OK) {
        refuse_answer(peer, err.text);
        return;
    }
    if (frame.kind != WIRE_HELLO || peer->welcomed)
        refuse_answer(peer, "it answers our greeting with something else; is its version the same as ours?");
    else
        on_answer(peer, &frame.hello);
    wire_free_frame(&frame);
}

static void on_link_down(void *context, struct net_link *link, const char *why)
{
    struct peer *peer = net_link_user(link);

    (void)context;
    if (peer->welcomed)
        log_notice("cluster \"%s\": lost %s (%s): %s", peer->replica->cluster, peer->name, peer->address,
                   why);
    peer->welcomed = false;
    engine_note_change(peer->replica);
}

/* ---- its link to us ---- */

static void on_accepted(void *context, struct net_conn *conn)
{
    (void)context;
    net_conn_set_user(conn, NULL); /* until its greeting */
}

static void on_greeting(struct replica *replica, struct net_conn *conn, const struct wire_hello *hello)
{
    struct wire_bytes bytes;
    struct peer *peer;
    char why[WIRE_REFUSED_BYTES];

    greeting_judge(replica, hello, why);
    if (why[0] == '\0' && strcmp(hello->to, replica->name) != 0)
        snprintf(why, sizeof why, "%s looks for \"%s\", and %s answers here; mend the address there",
                 hello->name, hello->to, replica->name);
    if (why[0] == '\0' && hello->formed) /* before our answer, which then says that we are formed */
        formation_learn(replica, hello->name, &hello->membership);
    peer = peers_by_name(replica, hello->name);
    if (replica->failed)
        return;
    if (why[0] == '\0' && !peer)
        snprintf(why, sizeof why, "%s is no member", hello->name);
    if (greeting_pack(replica, "", why, &bytes)) {
        net_conn_send(conn, bytes.data, bytes.size);
        free(bytes.data);
    }
    if (why[0] != '\0') {
        refusals_log(&replica->refusals, clock_now_us(), net_conn_peer_address(conn), why);
        net_conn_close(conn);
        return;
    }
    if (peer->conn) {
        net_conn_set_user(peer->conn, NULL);
        net_conn_close(peer->conn); /* an older one, from before it dialled again */
    }
    peer->conn = conn;
    peer->heard_us = clock_now_us();
    net_conn_set_user(conn, peer);
    net_link_hurry(peer->link);
    engine_note_change(replica);
}

static void on_member_frame(struct peer *peer, const struct wire_frame *frame)
{
    struct replica *replica = peer->replica;

    peer->heard_us = clock_now_us();
    switch (frame->kind) {
    case WIRE_RAFT:
        if (frame->raft.from == peer->id && frame->raft.to == replica->id)
            engine_receive(replica, &frame->raft);
        return;
    case WIRE_FORM:
        formation_learn(replica, peer->name, &frame->form);
        return;
    case WIRE_APPLICATION:
        if (replica->formed && peer->id != 0 && replica->callbacks.message)
            replica->callbacks.message(replica->context, peer->id, frame->application.data,
                                       frame->application.size);
        return;
    case WIRE_HELLO:
        return; /* not reached: on_frame */
    }
}

static void on_frame(void *context, struct net_conn *conn, const uint8_t *data, size_t size)
{
    struct replica *replica = context;
    struct peer *peer = net_conn_user(conn);
    struct wire_frame frame;
    struct error err;

    if (replica->failed)
        return;
    if (wire_unpack_frame(data, size, &frame, &err) != ERR_OK) {
        refusals_log(&replica->refusals, clock_now_us(), net_conn_peer_address(conn), err.text);
        if (peer)
            peer->conn = NULL;
        net_conn_close(conn);
        return;
    }
    if ((frame.kind == WIRE_HELLO) != (peer == NULL)) {
        refusals_log(&replica->refusals, clock_now_us(), net_conn_peer_address(conn),
                     "it greets at the wrong time; is its version the same as ours?");
        if (peer)
            peer->conn = NULL;
        net_conn_close(conn);
    } else if (peer) {
        on_member_frame(peer, &frame);
    } else {
        on_greeting(replica, conn, &frame.hello);
    }
    wire_free_frame(&frame);
}

static void on_closed(void *context, struct net_conn *conn, const char *why)
{
    struct peer *peer = net_conn_user(conn);

    (void)context;
    (void)why;
    if (peer && peer->conn == conn)
        peer->conn = NULL;
}

const struct net_callbacks peers_callbacks = {
    .accepted = on_accepted,
    .frame = on_frame,
    .closed = on_closed,
    .link_up = on_link_up,
    .link_frame = on_link_frame,
    .link_down = on_link_down,
};

/* ---- who they are ---- */

enum error_code peers_add(struct replica *replica, const char *name, const char *address, bool arbiter,
                          bool configured, struct error *err)
{
    enum error_code failed;
    struct peer *peer;
    unsigned slot = 0;

    while (slot < replica->peer_count && replica->peers[slot].name[0] != '\0')
        slot++;
    if (slot == REPLICA_PEERS_MAX)
        return error_set(err, ERR_INVALID, "more than %d members", REPLICA_PEERS_MAX);
    peer = &replica->peers[slot];
    memset(peer, 0, sizeof *peer);
    peer->replica = replica;
    peer->arbiter = arbiter;
    peer->configured = configured;
    failed = net_link_new(replica->group, address, peer, &peer->link, err);
    if (failed)
        return failed;
    snprintf(peer->name, sizeof peer->name, "%s", name);
    snprintf(peer->address, sizeof peer->address, "%s", address);
    if (slot == replica->peer_count)
        replica->peer_count++;
    return ERR_OK;
}

void peers_reset(struct peer *peer)
{
    peer->welcomed = false;
    net_link_reset(peer->link);
    if (peer->conn) {
        net_conn_set_user(peer->conn, NULL);
        net_conn_close(peer->conn);
        peer->conn = NULL;
    }
}

void peers_drop(struct peer *peer)
{
    peers_reset(peer);
    net_link_free(peer->link);
    memset(peer, 0, sizeof *peer);
}

enum error_code peers_open(struct replica *replica, struct error *err)
{
    enum error_code failed = ERR_OK;

    for (unsigned i = 0; i < replica->node_count && !failed; i++) {
        const struct replica_node *node = &replica->nodes[i];
        if (strcmp(node->name, replica->name) != 0)
            failed = peers_add(replica, node->name, node->address, node->arbiter, true, err);
    }
    return failed;
}
