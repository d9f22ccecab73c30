#include "vipd/address.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"

/* A bug in the lease must not keep the other addresses from their deadlines. */
#define STEPS_AT_ONCE 16

enum error_code address_open(struct address *address, const struct vipd_address_settings *settings,
                             struct netlink *netlink, struct error *err)
{
    enum error_code code;

    memset(address, 0, sizeof *address);
    address->settings = settings;
    address->removal_reason = "it was there without a lease";
    lease_init(&address->lease);
    code = announce_open(&address->announce, settings->address, err);
    if (code == ERR_OK)
        code =
            netlink_address_new(netlink, settings->address, settings->prefix_length, &address->kernel, err);
    return code;
}

void address_close(struct address *address)
{
    announce_close(&address->announce);
    netlink_address_free(address->kernel);
    address->kernel = NULL;
}

/* ip-sysctl: without promote_secondaries the removal of a subnet's first address takes all others of that
 * subnet along. */
static void warn_about_secondaries(const struct address *address)
{
    const char *names[] = {"all", address->settings->interface};
    bool promoted = false;

    if (address->settings->prefix_length == 32)
        return;
    for (unsigned i = 0; i < 2; i++) {
        char path[64 + IFNAMSIZ], value = '1';
        int fd;

        snprintf(path, sizeof path, "/proc/sys/net/ipv4/conf/%s/promote_secondaries", names[i]);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd >= 0) {
            if (read(fd, &value, 1) != 1)
                value = '1';
            close(fd);
        }
        promoted = promoted || value == '1';
    }
    if (!promoted)
        log_warning(
            "net.ipv4.conf.%s.promote_secondaries is 0: should %s/%u become the first address of its subnet "
            "there, its "
            "removal would take the others along; set it to 1, or give the address the prefix length 32",
            address->settings->interface, address->settings->text, address->settings->prefix_length);
}

static void lose_interface(struct address *address, uint64_t now_us)
{
    address->index = 0;
    address->failed_errno = 0;
    announce_bind(&address->announce, NULL);
    lease_set_link(&address->lease, now_us, false, false);
}

void address_set_link(struct address *address, uint64_t now_us, const struct netlink_link *link)
{
    bool named = strcmp(link->name, address->settings->interface) == 0;
    int problem;

    if (address->stray_index == link->index && !link->there)
        address->stray_index = 0;
    if (!link->there || !named) {
        if (address->index == link->index && address->index != 0) {
            log_warning("%s: interface %s is gone", address->settings->text, address->settings->interface);
            lose_interface(address, now_us);
        }
        return;
    }
    if (address->index != link->index) {
        if (address->index)
            lose_interface(address, now_us);
        address->index = link->index;
        warn_about_secondaries(address);
    }
    problem = announce_bind(&address->announce, link);
    if (problem)
        log_error("%s cannot be announced on %s: %s", address->settings->text, link->name, strerror(problem));
    if (link->up != address->lease.link_up)
        log_info("%s: %s is %s", address->settings->text, link->name,
                 link->up ? "up" : "down or has no carrier");
    lease_set_link(&address->lease, now_us, true, link->up);
}

void address_set_present(struct address *address, uint64_t now_us, int index, struct in_addr which,
                         bool there)
{
    if (which.s_addr != address->settings->address.s_addr)
        return;
    if (index == address->index) {
        if (!there && address->lease.held && address->lease.deadline_us)
            log_warning("%s was taken away from %s by someone else", address->settings->text,
                        address->settings->interface);
        lease_set_held(&address->lease, now_us, there);
    } else if (there) {
        address->stray_index = index;
    } else if (address->stray_index == index) {
        address->stray_index = 0;
    }
}

void address_forget(struct address *address, uint64_t now_us)
{
    address->stray_index = 0;
    lease_set_link(&address->lease, now_us, false, false);
}

void address_hear(struct address *address, uint64_t now_us)
{
    bool known = address->lease.conflict;

    if (!announce_hear(&address->announce, address->other_mac))
        return;
    lease_see_other(&address->lease, now_us);
    if (address->lease.conflict && !known) {
        const uint8_t *mac = address->other_mac;
        log_error("another host, %02x:%02x:%02x:%02x:%02x:%02x, answers for %s on %s; find it and take the "
                  "address from it",
                  mac[0], mac[1], mac[2], mac[3], mac[4], mac[5], address->settings->text,
                  address->settings->interface);
    }
}

static void refuse(const struct address *address, enum lease_verdict verdict, uint64_t now_us, uint64_t epoch,
                   uint64_t deadline_us, char trouble[ADDRESS_TROUBLE_BYTES])
{
    switch (verdict) {
    case LEASE_ACCEPTED:
        trouble[0] = '\0';
        return;
    case LEASE_EPOCH_TOO_LOW:
        snprintf(trouble, ADDRESS_TROUBLE_BYTES,
                 "refused: epoch %" PRIu64 " is lower than epoch %" PRIu64 ", which was seen", epoch,
                 address->lease.epoch);
        break;
    case LEASE_DEADLINE_PASSED:
        snprintf(trouble, ADDRESS_TROUBLE_BYTES, "refused: the deadline was %" PRIu64 " us ago",
                 now_us - deadline_us);
        break;
    case LEASE_DEADLINE_TOO_FAR:
        snprintf(trouble, ADDRESS_TROUBLE_BYTES, "refused: the deadline is more than %u s ahead",
                 (unsigned)(LEASE_LENGTH_MAX_US / 1000000));
        break;
    case LEASE_IN_CONFLICT:
        /* The state tells who is in the way. */
        trouble[0] = '\0';
        break;
    }
    log_debug("%s: %s", address->settings->text, trouble);
}

void address_lease(struct address *address, uint64_t now_us, uint64_t epoch, uint64_t deadline_us,
                   char trouble[ADDRESS_TROUBLE_BYTES])
{
    enum lease_verdict verdict = lease_grant(&address->lease, now_us, epoch, deadline_us);

    if (verdict == LEASE_ACCEPTED)
        address->removal_reason = "its lease has run out";
    refuse(address, verdict, now_us, epoch, deadline_us, trouble);
}

void address_release(struct address *address, uint64_t epoch, char trouble[ADDRESS_TROUBLE_BYTES])
{
    enum lease_verdict verdict = lease_release(&address->lease, epoch);

    if (verdict == LEASE_ACCEPTED)
        address->removal_reason = "it was released";
    refuse(address, verdict, 0, epoch, 0, trouble);
}

void address_stop(struct address *address)
{
    lease_end(&address->lease);
    address->removal_reason = "vipd stops";
}

static const char *name_action(enum lease_action action)
{
    switch (action) {
    case LEASE_ADD:
        return "added to";
    case LEASE_REFRESH:
        return "refreshed on";
    case LEASE_REMOVE:
        return "removed from";
    case LEASE_PROBE:
        return "probed on";
    case LEASE_ANNOUNCE:
        return "announced on";
    case LEASE_WAIT:
        break;
    }
    return "left alone on";
}

/* Logs the first failure of a row and the end of the row. */
static void note_outcome(struct address *address, enum lease_action action, int problem)
{
    const struct vipd_address_settings *settings = address->settings;

    if (problem) {
        if (address->failed_errno != problem || address->failed_action != action)
            log_error("%s cannot be %s %s: %s", settings->text, name_action(action), settings->interface,
                      strerror(problem));
        address->failed_errno = problem;
        address->failed_action = action;
        return;
    }
    if (address->failed_action == action || action == LEASE_ADD)
        address->failed_errno = 0;
    if (action == LEASE_REMOVE) {
        log_notice("%s is removed from %s: %s", settings->text, settings->interface, address->removal_reason);
        address->removal_reason = "it was there without a lease";
        address->failed_errno = 0;
    }
}

static int carry_out(struct address *address, const struct lease_step *step)
{
    switch (step->action) {
    case LEASE_PROBE:
        return announce_probe(&address->announce);
    case LEASE_ADD:
    case LEASE_REFRESH:
        return netlink_address_put(address->kernel, address->index, step->lifetime_s);
    case LEASE_REMOVE:
        return netlink_address_remove(address->kernel, address->index);
    case LEASE_ANNOUNCE:
        return announce_send(&address->announce);
    case LEASE_WAIT:
        break;
    }
    return 0;
}

static void remove_stray(struct address *address)
{
    int problem = netlink_address_remove(address->kernel, address->stray_index);

    if (problem)
        log_error("%s is on another interface (number %d) too and cannot be removed there: %s",
                  address->settings->text, address->stray_index, strerror(problem));
    else
        log_notice("%s is removed from another interface (number %d), where it should not be",
                   address->settings->text, address->stray_index);
    address->stray_index = 0;
}

uint64_t address_run(struct address *address)
{
    struct lease_step step = {.action = LEASE_WAIT};
    uint64_t wake_us = 0; /* at once, if the loop below ends by its bound */
    bool added = false;

    if (address->stray_index)
        remove_stray(address);
    for (int i = 0; i < STEPS_AT_ONCE; i++) {
        uint64_t started_us = clock_now_us();
        int problem;

        step = lease_next(&address->lease, started_us);
        if (step.action == LEASE_WAIT) {
            wake_us = step.wake_us;
            break;
        }
        problem = carry_out(address, &step);
        lease_done(&address->lease, step.action, started_us, clock_now_us(), problem == 0);
        added = added || (step.action == LEASE_ADD && problem == 0);
        /* No ARP here (loopback, a tunnel): nobody to ask or to tell. Or the interface is just gone, as
         * netlink is about to tell. */
        if (problem != ENODEV)
            note_outcome(address, step.action, problem);
    }
    /* Last, so that the announcement does not wait for the log. */
    if (added)
        log_notice("%s is on %s, epoch %" PRIu64, address->settings->text, address->settings->interface,
                   address->lease.epoch);
    return wake_us;
}

/* A failure that says something about the address itself, and not only about the wire. */
static bool is_about_kernel(enum lease_action action)
{
    return action == LEASE_ADD || action == LEASE_REFRESH || action == LEASE_REMOVE;
}

static void describe_failure(const struct address *address, struct address_state *out)
{
    snprintf(out->trouble, sizeof out->trouble, "the address cannot be %s %s: %s",
             name_action(address->failed_action), address->settings->interface,
             strerror(address->failed_errno));
}

void address_describe(const struct address *address, struct address_state *out)
{
    const struct lease *lease = &address->lease;
    const char *interface = address->settings->interface;

    memset(out, 0, sizeof *out);
    out->held = lease->held;
    out->link_up = lease->link_up;
    out->conflict = lease->conflict;
    out->epoch = lease->epoch;
    out->deadline_us = lease->deadline_us;
    memcpy(out->interface, interface, sizeof out->interface);
    out->prefix_length = address->settings->prefix_length;
    if (lease->conflict)
        snprintf(out->trouble, sizeof out->trouble,
                 "another host, %02x:%02x:%02x:%02x:%02x:%02x, answers for the address on %s",
                 address->other_mac[0], address->other_mac[1], address->other_mac[2], address->other_mac[3],
                 address->other_mac[4], address->other_mac[5], interface);
    else if (address->failed_errno && is_about_kernel(address->failed_action))
        describe_failure(address, out);
    else if (!lease->there)
        snprintf(out->trouble, sizeof out->trouble, "there is no interface %s", interface);
    else if (!lease->link_up)
        snprintf(out->trouble, sizeof out->trouble, "interface %s is down or has no carrier", interface);
    else if (address->failed_errno)
        describe_failure(address, out);
}

bool address_changed(struct address *address)
{
    struct address_state now;
    bool changed;

    address_describe(address, &now);
    address->reported.deadline_us = now.deadline_us;
    changed = memcmp(&now, &address->reported, sizeof now) != 0;
    address->reported = now;
    return changed;
}

void address_clean_up(struct address *address)
{
    uint64_t started_us = clock_now_us();
    bool left = address->lease.held;

    if (left)
        address->removal_reason = "an earlier run left it";
    else if (address->index && netlink_address_remove(address->kernel, address->index) == 0)
        lease_done(&address->lease, LEASE_REMOVE, started_us, clock_now_us(), true);
    address_run(address);
}
