#include "agent/rebuild/donate.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "agent/rebuild/chunks.h"
#include "agent/rebuild/process.h"
#include "agent/rebuild/query.h"
#include "common/base/clock.h"
#include "common/base/config.h"
#include "common/base/log.h"

#define OFFER_US 60000000u
#define STRANGER_US 5000000u
#define READ_BYTES 65536u

/* A stream's patience: `until_us` for who has not shown the token yet, the job's own limits afterwards. */
struct patience {
    struct job *job;
    uint64_t until_us;
};

static enum error_code wait_patiently(void *context, int fd, short events, struct error *err)
{
    const struct patience *patience = context;
    bool ready;
    enum error_code code = job_wait_until(patience->job, fd, events, patience->until_us, &ready, err);

    if (code == ERR_OK && !ready)
        code = error_set(err, ERR_TIMEOUT, "nothing came in time");
    return code;
}

static enum error_code make_token(char token[REBUILD_TOKEN_BYTES], struct error *err)
{
    unsigned char bytes[(REBUILD_TOKEN_BYTES - 1) / 2];

    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return error_set(err, ERR_IO, "no random numbers: %s", strerror(errno));
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(token + 2 * i, 3, "%02x", bytes[i]);
    return ERR_OK;
}

/* Where the members reach this node. */
static enum error_code own_host(const struct job *job, char *out, size_t size, struct error *err)
{
    const struct replica_settings *group = &job->settings->group;
    char host[REPLICA_ADDRESS_BYTES];
    unsigned port;

    for (unsigned i = 0; i < group->node_count; i++)
        if (strcmp(group->nodes[i].name, group->node) == 0 &&
            config_parse_address(group->nodes[i].address, host, sizeof host, &port)) {
            snprintf(out, size, strchr(host, ':') ? "[%s]" : "%s", host);
            return ERR_OK;
        }
    return error_set(err, ERR_INVALID, "this node has no address in \"nodes\"");
}

/* About what will come: the files of InnoDB. 0: not known. */
static uint64_t estimate(struct job *job)
{
    struct query own;
    struct error ignored;
    char text[32] = "";

    if (query_connect_own(&own, &job->settings->database, 30, &ignored) != ERR_OK)
        return 0;
    if (query_text(&own, text, sizeof text, &ignored,
                   "SELECT COALESCE(SUM(FILE_SIZE), 0) FROM information_schema.INNODB_SYS_TABLESPACES") !=
        ERR_OK)
        text[0] = '\0';
    query_close(&own);
    return strtoull(text, NULL, 10);
}

/* The first one who knows the token. */
static enum error_code meet(struct job *job, int listener, const char *token, struct patience *patience,
                            const struct net_stream_waiter *waiter, struct net_stream **out,
                            struct error *err)
{
    const struct replica_settings *group = &job->settings->group;
    uint64_t end_us = clock_now_us() + OFFER_US;

    for (;;) {
        struct net_stream *stream = NULL;
        bool ready;
        enum error_code code = job_wait_until(job, listener, POLLIN, end_us, &ready, err);

        if (code == ERR_OK && !ready)
            code = error_set(err, ERR_TIMEOUT, "%s did not come for its copy in time", job->order.donor);
        if (code != ERR_OK)
            return code;
        patience->until_us = clock_now_us() + STRANGER_US;
        code = net_stream_accept(listener, group->cluster, group->key, waiter, &stream, err);
        if (code == ERR_OK)
            code = chunks_hear(stream, token, err);
        if (code == ERR_OK) {
            patience->until_us = UINT64_MAX;
            *out = stream;
            return ERR_OK;
        }
        net_stream_free(stream);
        if (code == ERR_BUSY || job->cancelled)
            return code;
        log_warning("refused: %s", err->text);
    }
}

/* No more than the rate, from the beginning on. */
static enum error_code keep_rate(struct job *job, uint64_t began_us, uint64_t sent, struct error *err)
{
    uint64_t due_us, now_us = clock_now_us();

    if (job->rate_mb == 0)
        return job_check(job, err);
    due_us = began_us + sent / job->rate_mb; /* a megabyte is a million, a second too */
    return due_us > now_us ? job_pause(job, due_us - now_us, err) : ERR_OK;
}

static enum error_code pump(struct job *job, struct process *process, struct net_stream *stream,
                            uint64_t total_bytes, struct error *err)
{
    char *bytes = malloc(READ_BYTES);
    uint64_t began_us = clock_now_us(), sent = 0;
    enum error_code code = bytes ? ERR_OK : error_set(err, ERR_NO_MEMORY, "no memory for the copy");

    while (code == ERR_OK) {
        ssize_t got = read(process->out, bytes, READ_BYTES);
        if (got == 0)
            break;
        if (got < 0) {
            code = errno == EAGAIN  ? job_wait(job, process->out, POLLIN, err)
                   : errno == EINTR ? ERR_OK
                                    : error_set(err, ERR_IO, "rebuild.donate: %s", strerror(errno));
            continue;
        }
        code = chunks_write(stream, bytes, (size_t)got, err);
        sent += (uint64_t)got;
        job_progress(job, sent, total_bytes);
        if (code == ERR_OK)
            code = keep_rate(job, began_us, sent, err);
    }
    free(bytes);
    return code;
}

static enum error_code serve(struct job *job, struct net_stream *stream, struct error *err)
{
    uint64_t total_bytes = estimate(job);
    struct process process = PROCESS_NONE;
    struct process_order order = {.line = job->settings->rebuild.donate, .third = -1, .out_to = -1};
    char log_path[1024], how[128] = "", words[160];
    enum error_code code;

    snprintf(log_path, sizeof log_path, "%s/donate.log", job->settings->data_dir);
    order.err_to = open(log_path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    code = chunks_begin(stream, total_bytes, err);
    if (code == ERR_OK) {
        job_phase(job, "copying");
        code = process_start(&process, &order, err);
    }
    if (order.err_to >= 0)
        close(order.err_to);
    if (code == ERR_OK)
        code = pump(job, &process, stream, total_bytes, err);
    if (code == ERR_OK)
        code = process_wait(job, &process, UINT64_MAX, how, sizeof how, err);
    process_stop(&process);
    if (code == ERR_OK && how[0]) {
        process_last_words(log_path, words, sizeof words);
        code = error_set(err, ERR_IO, "rebuild.donate %s: %s", how, words);
    }
    job_lives(job);
    if (code == ERR_OK)
        return chunks_end(stream, NULL, err);
    if (!job->cancelled) { /* it says why to the recipient, as far as that still listens */
        struct error ignored;
        chunks_end(stream, err->text, &ignored);
    }
    return code;
}

enum error_code donate_run(struct job *job, struct error *err)
{
    struct patience patience = {.job = job, .until_us = UINT64_MAX};
    struct net_stream_waiter waiter = {.wait = wait_patiently, .context = &patience};
    struct net_stream *stream = NULL;
    char host[REPLICA_ADDRESS_BYTES], address[REBUILD_ADDRESS_BYTES], token[REBUILD_TOKEN_BYTES];
    struct rebuild_line offer = {.verb = REBUILD_OFFER, .address = address, .token = token};
    unsigned port = 0;
    int listener = -1;
    enum error_code code;

    if (!job->settings->rebuild.donate[0])
        return error_set(err, ERR_INVALID,
                         "rebuild.donate is not set in this node's agent.conf, so it can be no donor; see "
                         "mha4rdb.conf(5)");
    code = make_token(token, err);
    if (code == ERR_OK)
        code = own_host(job, host, sizeof host, err);
    if (code != ERR_OK)
        return code;
    snprintf(address, sizeof address, "%s:%u", host, job->settings->rebuild.port);
    code = net_stream_listen(address, &listener, &port, err);
    if (code != ERR_OK)
        return code;
    job_say(&offer);
    code = meet(job, listener, token, &patience, &waiter, &stream, err);
    close(listener);
    if (code == ERR_OK)
        code = serve(job, stream, err);
    net_stream_free(stream);
    return code;
}
