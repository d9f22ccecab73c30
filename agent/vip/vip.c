#include "agent/vip/vip.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "vipd.pb-c.h"

#define PACKET_BYTES_MAX 4096 /* vipd.proto */
#define BACKOFF_FIRST_MS 20
#define BACKOFF_MOST_MS 1000
#define PACKETS_AT_ONCE 16

enum wish { WISH_NOTHING, WISH_LEASE, WISH_RELEASE };

struct vip {
    struct event_base *base;
    char address[VIP_ADDRESS_BYTES];
    struct sockaddr_un where;
    struct vip_callbacks callbacks;
    void *context;

    int fd; /* -1: not connected */
    struct event *readable;
    struct event *timer;    /* the next dial, or the end of the patience with an unanswered request */
    struct event *announce; /* tells of a changed state, from the loop */
    unsigned backoff_ms;

    enum wish wish;
    uint64_t wish_epoch;
    uint64_t wish_deadline_us;
    bool wish_sent;   /* on this connection */
    uint64_t wish_id; /* of the request that carried it */
    bool wish_answered;

    uint64_t last_id;     /* of the last request */
    uint64_t answered_id; /* of the last that was answered on this connection */

    struct vip_state state;
    struct vip_state told; /* what the callback saw last */
};

static void note_change(struct vip *vip)
{
    struct vip_state now = vip->state;

    now.deadline_us = vip->told.deadline_us;
    if (memcmp(&now, &vip->told, sizeof now) != 0)
        event_active(vip->announce, EV_TIMEOUT, 0);
}

static void on_announce(evutil_socket_t fd, short what, void *context)
{
    struct vip *vip = context;

    (void)fd;
    (void)what;
    vip->told = vip->state;
    vip->callbacks.changed(vip->context, &vip->told);
}

static void arm_timer(struct vip *vip, unsigned ms)
{
    struct timeval delay = {.tv_sec = ms / 1000, .tv_usec = (long)(ms % 1000) * 1000};

    evtimer_add(vip->timer, &delay);
}

/* vip_state is compared as a whole: text fields are zero to their ends. */
static void set_text(char text[VIP_TEXT_BYTES], const char *value)
{
    memset(text, 0, VIP_TEXT_BYTES);
    snprintf(text, VIP_TEXT_BYTES, "%s", value);
}

/* Logged once for each new reason. */
static void set_unconnected(struct vip *vip, const char *reason)
{
    if (vip->state.connected || strcmp(vip->state.reason, reason) != 0)
        log_warning("vip %s: %s", vip->address, reason);
    vip->state.connected = false;
    set_text(vip->state.reason, reason);
    note_change(vip);
}

static void dial_later(struct vip *vip)
{
    arm_timer(vip, vip->backoff_ms);
    vip->backoff_ms = vip->backoff_ms * 2 < BACKOFF_MOST_MS ? vip->backoff_ms * 2 : BACKOFF_MOST_MS;
}

static void disconnect(struct vip *vip, const char *reason)
{
    if (vip->readable)
        event_free(vip->readable);
    vip->readable = NULL;
    if (vip->fd >= 0)
        close(vip->fd);
    vip->fd = -1;
    vip->wish_sent = false;
    set_unconnected(vip, reason);
    dial_later(vip);
}

/* false: there is no connection, or vipd does not read: the wish is said again with its next answer. */
static bool send_request(struct vip *vip, Mha__VipRequest *request)
{
    uint8_t packet[PACKET_BYTES_MAX];
    size_t size;

    if (vip->fd < 0)
        return false;
    request->id = vip->last_id + 1;
    size = mha__vip_request__get_packed_size(request);
    assert(size <= sizeof packet);
    mha__vip_request__pack(request, packet);
    if (send(vip->fd, packet, size, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
        return false; /* a broken connection is seen by its reader */
    if (vip->answered_id == vip->last_id)
        arm_timer(vip, VIP_SILENCE_MS);
    vip->last_id++;
    return true;
}

static bool send_query(struct vip *vip)
{
    Mha__VipQuery query = MHA__VIP_QUERY__INIT;
    Mha__VipRequest request = MHA__VIP_REQUEST__INIT;

    query.address = vip->address;
    request.body_case = MHA__VIP_REQUEST__BODY_QUERY;
    request.query = &query;
    return send_request(vip, &request);
}

static bool send_lease(struct vip *vip)
{
    Mha__VipLease lease = MHA__VIP_LEASE__INIT;
    Mha__VipRequest request = MHA__VIP_REQUEST__INIT;

    lease.address = vip->address;
    lease.epoch = vip->wish_epoch;
    lease.deadline_us = vip->wish_deadline_us;
    request.body_case = MHA__VIP_REQUEST__BODY_LEASE;
    request.lease = &lease;
    return send_request(vip, &request);
}

static bool send_release(struct vip *vip)
{
    Mha__VipRelease release = MHA__VIP_RELEASE__INIT;
    Mha__VipRequest request = MHA__VIP_REQUEST__INIT;

    release.address = vip->address;
    release.epoch = vip->wish_epoch;
    request.body_case = MHA__VIP_REQUEST__BODY_RELEASE;
    request.release = &release;
    return send_request(vip, &request);
}

static void send_wish(struct vip *vip)
{
    vip->wish_answered = false;
    if (vip->wish == WISH_LEASE)
        vip->wish_sent = vip->wish_deadline_us <= clock_now_us() || send_lease(vip);
    else if (vip->wish == WISH_RELEASE)
        vip->wish_sent = send_release(vip);
    else
        vip->wish_sent = true;
    vip->wish_id = vip->last_id;
}

static void on_state(struct vip *vip, const Mha__VipState *message)
{
    struct vip_state *state = &vip->state;

    if (strcmp(message->address, vip->address) != 0)
        return; /* vipd tells everyone of all its addresses */
    if (!state->connected)
        log_info("vip %s: vipd answers", vip->address);
    state->connected = true;
    set_text(state->reason, "");
    state->held = message->held;
    state->epoch = message->epoch;
    state->deadline_us = message->deadline_us;
    state->link_up = message->link_up;
    state->conflict = message->conflict;
    set_text(state->trouble, message->trouble);
    memset(state->interface, 0, sizeof state->interface);
    snprintf(state->interface, sizeof state->interface, "%s", message->interface);
    state->prefix_length = message->prefix_length;

    vip->backoff_ms = BACKOFF_FIRST_MS;
    if (message->id > vip->answered_id && message->id <= vip->last_id) {
        vip->answered_id = message->id;
        /* Each answer is a sign of life: the patience with the next request begins anew. */
        if (vip->answered_id == vip->last_id)
            evtimer_del(vip->timer);
        else
            arm_timer(vip, VIP_SILENCE_MS);
    }
    if (!vip->wish_sent)
        send_wish(vip);
    else if (message->id >= vip->wish_id && message->id != 0)
        vip->wish_answered = true;
    if (vip->wish == WISH_RELEASE && vip->wish_sent && vip->wish_answered && !state->held &&
        state->deadline_us == 0 && state->released_epoch < vip->wish_epoch)
        state->released_epoch = vip->wish_epoch;
}

static void on_readable(evutil_socket_t fd, short what, void *context)
{
    struct vip *vip = context;

    (void)what;
    for (unsigned i = 0; i < PACKETS_AT_ONCE; i++) {
        uint8_t packet[PACKET_BYTES_MAX];
        ssize_t size = recv(fd, packet, sizeof packet, MSG_DONTWAIT);
        Mha__VipState *message;

        if (size < 0 && (errno == EAGAIN || errno == EINTR))
            break;
        if (size <= 0) {
            disconnect(vip, vip->answered_id ? "mha4rdb-vipd has closed the connection; see its log"
                                             : "mha4rdb-vipd turns us away; make this user its peer_user");
            return;
        }
        message = mha__vip_state__unpack(NULL, (size_t)size, packet);
        if (!message) {
            disconnect(vip, "what mha4rdb-vipd says cannot be read; are both of the same version?");
            return;
        }
        on_state(vip, message);
        mha__vip_state__free_unpacked(message, NULL);
    }
    note_change(vip);
}

static void fail_to_dial(struct vip *vip, int why)
{
    char reason[VIP_TEXT_BYTES + sizeof vip->where.sun_path];

    snprintf(reason, sizeof reason, "mha4rdb-vipd cannot be reached at %s: %s; %s", vip->where.sun_path,
             strerror(why), why == EACCES ? "make this user its peer_user" : "is it running?");
    disconnect(vip, reason);
}

static void dial(struct vip *vip)
{
    vip->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (vip->fd < 0 || connect(vip->fd, (struct sockaddr *)&vip->where, sizeof vip->where) < 0) {
        fail_to_dial(vip, errno);
        return;
    }
    vip->readable = event_new(vip->base, vip->fd, EV_READ | EV_PERSIST, on_readable, vip);
    if (!vip->readable || event_add(vip->readable, NULL) < 0) {
        fail_to_dial(vip, ENOMEM);
        return;
    }
    vip->last_id = 0;
    vip->answered_id = 0;
    send_query(vip);
    send_wish(vip);
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
    struct vip *vip = context;

    (void)fd;
    (void)what;
    if (vip->fd < 0)
        dial(vip);
    else
        set_unconnected(vip, "mha4rdb-vipd does not answer; is it stopped?");
}

enum error_code vip_new(struct event_base *base, const char *socket_path, const char *address,
                        const struct vip_callbacks *callbacks, void *context, struct vip **out,
                        struct error *err)
{
    struct vip *vip;

    if (strlen(socket_path) >= sizeof vip->where.sun_path || strlen(address) >= sizeof vip->address)
        return error_set(err, ERR_INVALID, "vip: \"%s\" or \"%s\" is too long; shorten it", socket_path,
                         address);
    vip = calloc(1, sizeof *vip);
    if (!vip)
        return error_set(err, ERR_NO_MEMORY, "no memory for the connection to mha4rdb-vipd");
    vip->base = base;
    vip->callbacks = *callbacks;
    vip->context = context;
    vip->fd = -1;
    vip->backoff_ms = BACKOFF_FIRST_MS;
    vip->where.sun_family = AF_UNIX;
    memcpy(vip->where.sun_path, socket_path, strlen(socket_path) + 1);
    memcpy(vip->address, address, strlen(address) + 1);
    vip->timer = evtimer_new(base, on_timer, vip);
    vip->announce = event_new(base, -1, 0, on_announce, vip);
    if (!vip->timer || !vip->announce) {
        vip_free(vip);
        return error_set(err, ERR_NO_MEMORY, "no memory for the connection to mha4rdb-vipd");
    }
    set_text(vip->state.reason, "mha4rdb-vipd has not answered yet");
    vip->told = vip->state;
    dial(vip);
    *out = vip;
    return ERR_OK;
}

void vip_free(struct vip *vip)
{
    if (!vip)
        return;
    if (vip->readable)
        event_free(vip->readable);
    if (vip->timer)
        event_free(vip->timer);
    if (vip->announce)
        event_free(vip->announce);
    if (vip->fd >= 0)
        close(vip->fd);
    free(vip);
}

/* This very lease was sent, and is not answered yet, or vipd says that it holds. */
static bool is_granted(const struct vip *vip, uint64_t epoch, uint64_t deadline_us)
{
    return vip->wish == WISH_LEASE && vip->wish_epoch == epoch && vip->wish_deadline_us == deadline_us &&
           vip->wish_sent &&
           (!vip->wish_answered || (vip->state.epoch == epoch && vip->state.deadline_us == deadline_us));
}

void vip_lease(struct vip *vip, uint64_t epoch, uint64_t deadline_us)
{
    if (is_granted(vip, epoch, deadline_us))
        return;
    vip->wish = WISH_LEASE;
    vip->wish_epoch = epoch;
    vip->wish_deadline_us = deadline_us;
    if (vip->state.released_epoch >= epoch) {
        vip->state.released_epoch = epoch > 0 ? epoch - 1 : 0;
        note_change(vip);
    }
    send_wish(vip);
}

void vip_release(struct vip *vip, uint64_t epoch)
{
    if (vip->wish == WISH_RELEASE && vip->wish_epoch == epoch && vip->wish_sent)
        return;
    vip->wish = WISH_RELEASE;
    vip->wish_epoch = epoch;
    send_wish(vip);
}

const struct vip_state *vip_get_state(const struct vip *vip)
{
    return &vip->state;
}
