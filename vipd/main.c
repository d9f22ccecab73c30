/* mha4rdb-vipd - holds virtual IPs for as long as the agent's leases last, and not a moment longer.
 *
 * One thread, one loop around poll(2). Each round looks at the clock first: whatever the agent has sent, and
 * however long this process was stopped, a lease that has run out is ended before anything else is read.
 * After the start nothing allocates. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/notify.h"
#include "vipd/address.h"
#include "vipd/netlink.h"
#include "vipd/privileges.h"
#include "vipd/server.h"
#include "vipd/settings.h"

#define DEFAULT_CONFIG "/etc/mha4rdb/vipd.conf"
#define EXIT_CONFIG 2
#define STOP_ATTEMPTS 10

struct vipd {
    struct vipd_settings settings;
    struct netlink *netlink;
    struct address addresses[VIPD_ADDRESSES_MAX];
    struct server server;
    int timer;
    int signals;
    bool overrun; /* events were lost: look at everything again */
};

static struct vipd vipd;

static const char usage[] =
    "Usage: mha4rdb-vipd [-c FILE] [-t] [-V] [-h]\n"
    "Holds the virtual IPs named in its configuration while the agent's leases last.\n\n"
    "  -c FILE  read FILE instead of " DEFAULT_CONFIG "\n"
    "  -t       check the configuration and exit: 0 it is good, 2 it is not\n"
    "  -V       print the version and exit\n"
    "  -h       print this and exit\n\n"
    "SIGTERM removes the addresses and ends. See mha4rdb-vipd(8).\n";

static void on_link(void *context, const struct netlink_link *link)
{
    (void)context;
    for (unsigned i = 0; i < vipd.settings.address_count; i++)
        address_set_link(&vipd.addresses[i], clock_now_us(), link);
}

static void on_address(void *context, int index, struct in_addr which, bool there)
{
    (void)context;
    for (unsigned i = 0; i < vipd.settings.address_count; i++)
        address_set_present(&vipd.addresses[i], clock_now_us(), index, which, there);
}

static void on_overrun(void *context)
{
    (void)context;
    vipd.overrun = true;
}

static const struct netlink_callbacks netlink_callbacks = {on_link, on_address, on_overrun};

static int look_at_everything(void)
{
    for (unsigned i = 0; i < vipd.settings.address_count; i++)
        address_forget(&vipd.addresses[i], clock_now_us());
    return netlink_dump(vipd.netlink);
}

/* Whoever reads the log may hang, on a disk too; lines are then lost rather than waited with. A regular file
 * cannot be treated so. */
static void keep_log_from_blocking(void)
{
    struct stat status;
    int fd;

    if (fstat(STDERR_FILENO, &status) < 0)
        return;
    if (S_ISSOCK(status.st_mode)) { /* the journal's: ours alone */
        fcntl(STDERR_FILENO, F_SETFL, fcntl(STDERR_FILENO, F_GETFL) | O_NONBLOCK);
    } else if (S_ISFIFO(status.st_mode)) {
        /* An open file of our own, so that whoever else writes there is not affected. */
        fd = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_CLOEXEC);
        if (fd >= 0) {
            dup2(fd, STDERR_FILENO);
            close(fd);
        }
    }
}

static enum error_code open_signals(struct error *err)
{
    sigset_t set;

    signal(SIGPIPE, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    vipd.signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    /* CLOCK_BOOTTIME is the leases' own clock: the timer of a lease that ran out in a suspend is due on
     * waking. */
    vipd.timer = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    if (vipd.signals < 0 || vipd.timer < 0)
        return error_set(err, ERR_IO, "no timer or signal descriptor: %s; check the limit of open files",
                         strerror(errno));
    return ERR_OK;
}

/* Everything that needs root, then its end. */
static enum error_code start(struct error *err)
{
    enum error_code code = open_signals(err);

    if (code == ERR_OK)
        code = netlink_open(&netlink_callbacks, NULL, &vipd.netlink, err);
    for (unsigned i = 0; code == ERR_OK && i < vipd.settings.address_count; i++)
        code = address_open(&vipd.addresses[i], &vipd.settings.addresses[i], vipd.netlink, err);
    if (code == ERR_OK)
        code = server_open(&vipd.server, &vipd.settings, vipd.addresses, err);
    if (code != ERR_OK)
        return code;
    privileges_take_precedence();
    return privileges_drop(&vipd.settings, err);
}

/* What an earlier run left on the interfaces goes before anybody is served. */
static enum error_code clean_up(struct error *err)
{
    int problem = look_at_everything();

    if (problem)
        return error_set(err, ERR_IO, "the kernel does not tell its links and addresses: %s",
                         strerror(problem));
    for (unsigned i = 0; i < vipd.settings.address_count; i++) {
        struct address *address = &vipd.addresses[i];
        const char *interface = address->settings->interface;

        if (address->index == 0)
            log_warning("%s: there is no interface %s yet; vipd waits for it", address->settings->text,
                        interface);
        address_clean_up(address);
    }
    return ERR_OK;
}

static void arm_timer(uint64_t wake_us)
{
    struct itimerspec when = {0};

    if (wake_us != LEASE_NEVER) {
        when.it_value.tv_sec = (time_t)(wake_us / 1000000);
        when.it_value.tv_nsec = (long)(wake_us % 1000000) * 1000;
        if (wake_us == 0)
            when.it_value.tv_nsec = 1; /* zero would disarm it */
    }
    timerfd_settime(vipd.timer, TFD_TIMER_ABSTIME, &when, NULL);
}

/* What is due now, for all addresses, and the news about it; the next instant at which something is. */
static uint64_t run_addresses(void)
{
    uint64_t wake_us = LEASE_NEVER;

    for (unsigned i = 0; i < vipd.settings.address_count; i++) {
        uint64_t own_us = address_run(&vipd.addresses[i]);
        if (own_us < wake_us)
            wake_us = own_us;
    }
    for (unsigned i = 0; i < vipd.settings.address_count; i++)
        if (address_changed(&vipd.addresses[i]))
            server_tell(&vipd.server, i);
    return wake_us;
}

enum { POLL_TIMER, POLL_SIGNALS, POLL_NETLINK, POLL_ARP };

static void read_events(const struct pollfd *polls)
{
    uint64_t expirations;

    if ((polls[POLL_TIMER].revents & POLLIN) && read(vipd.timer, &expirations, sizeof expirations) < 0)
        log_debug("the timer was armed anew meanwhile");
    if (polls[POLL_NETLINK].revents)
        netlink_read(vipd.netlink);
    if (vipd.overrun) {
        int problem;

        vipd.overrun = false;
        log_warning("events of the kernel were lost: looking at all links and addresses again");
        problem = look_at_everything();
        if (problem) {
            log_error("the kernel does not tell its links and addresses: %s; trying again",
                      strerror(problem));
            vipd.overrun = true;
        }
    }
    for (unsigned i = 0; i < vipd.settings.address_count; i++)
        if (polls[POLL_ARP + i].revents)
            address_hear(&vipd.addresses[i], clock_now_us());
}

/* Until SIGTERM or SIGINT. */
static void serve(void)
{
    for (;;) {
        struct pollfd polls[POLL_ARP + VIPD_ADDRESSES_MAX + SERVER_POLL_MAX] = {
            [POLL_TIMER] = {.fd = vipd.timer, .events = POLLIN},
            [POLL_SIGNALS] = {.fd = vipd.signals, .events = POLLIN},
            [POLL_NETLINK] = {.fd = netlink_fd(vipd.netlink), .events = POLLIN},
        };
        unsigned count = POLL_ARP, server_first, server_count;

        arm_timer(run_addresses());
        for (unsigned i = 0; i < vipd.settings.address_count; i++)
            polls[count++] = (struct pollfd){.fd = vipd.addresses[i].announce.fd, .events = POLLIN};
        server_first = count;
        server_count = server_prepare(&vipd.server, polls + server_first);
        if (poll(polls, server_first + server_count, vipd.overrun ? 100 : -1) < 0)
            continue; /* EINTR: after a stop, say */
        run_addresses();
        if (polls[POLL_SIGNALS].revents)
            return;
        read_events(polls);
        run_addresses();
        server_serve(&vipd.server, polls + server_first, server_count);
    }
}

/* SIGTERM: the addresses go. 0, or 1 if the kernel refuses: then its own lifetime removes them. */
static int stop(void)
{
    bool held = true;

    notify_manager("STOPPING=1");
    for (unsigned i = 0; i < vipd.settings.address_count; i++)
        address_stop(&vipd.addresses[i]);
    for (unsigned attempt = 0; held && attempt < STOP_ATTEMPTS; attempt++) {
        if (attempt)
            poll(NULL, 0, LEASE_RETRY_REMOVE_US / 1000);
        run_addresses();
        held = false;
        for (unsigned i = 0; i < vipd.settings.address_count; i++)
            held = held || vipd.addresses[i].lease.held;
    }
    server_close(&vipd.server);
    for (unsigned i = 0; i < vipd.settings.address_count; i++)
        address_close(&vipd.addresses[i]);
    netlink_close(vipd.netlink);
    log_notice("ends%s",
               held ? ", with an address still there: the kernel removes it at the end of its lifetime" : "");
    return held ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    const char *config = DEFAULT_CONFIG;
    bool check_only = false;
    struct error err;
    int option;

    while ((option = getopt(argc, argv, "c:tVh")) != -1) {
        switch (option) {
        case 'c':
            config = optarg;
            break;
        case 't':
            check_only = true;
            break;
        case 'V':
            puts("mha4rdb-vipd " MHA_VERSION);
            return EXIT_SUCCESS;
        case 'h':
            fputs(usage, stdout);
            return EXIT_SUCCESS;
        default:
            fputs(usage, stderr);
            return EXIT_CONFIG;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "mha4rdb-vipd: \"%s\" is one argument too many\n%s", argv[optind], usage);
        return EXIT_CONFIG;
    }
    log_open("mha4rdb-vipd", LOG_LEVEL_INFO);
    if (vipd_settings_read(config, &vipd.settings, &err) != ERR_OK) {
        log_error("%s", err.text);
        return EXIT_CONFIG;
    }
    if (check_only)
        return EXIT_SUCCESS;
    log_set_level(vipd.settings.log_level);
    keep_log_from_blocking();
    if (start(&err) != ERR_OK || clean_up(&err) != ERR_OK) {
        log_error("%s", err.text);
        return EXIT_FAILURE;
    }
    log_notice("version " MHA_VERSION ": %u address%s, socket %s", vipd.settings.address_count,
               vipd.settings.address_count == 1 ? "" : "es", vipd.settings.socket);
    notify_manager("READY=1");
    serve();
    return stop();
}
