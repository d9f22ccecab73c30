/* commits - how many commits a second a server takes, and how long each takes.
 *
 *     commits HOST PORT USER PASSWORD DATABASE SESSIONS SECONDS
 *
 * Each session inserts one row after the other into DATABASE.commits, each row a transaction; the first tenth
 * of the time is not counted. Prints one line of name=value: commits, seconds, per_second, p50_us, p95_us,
 * p99_us, max_us, failed. */
#include <mysql.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SESSIONS_MAX 256
/* Latencies are counted in buckets of 1/64 of their power of two: 1.6 % apart. */
#define BUCKETS_PER_POWER 64
#define BUCKETS (BUCKETS_PER_POWER * 40)

struct session {
    pthread_t thread;
    unsigned number;
    uint64_t counts[BUCKETS];
    uint64_t commits;
    uint64_t longest_us;
    unsigned failed;
};

static char **arguments;
static uint64_t count_from_us, end_us;
static struct session sessions[SESSIONS_MAX];
static atomic_uint ready;

static uint64_t now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static unsigned bucket_of(uint64_t us)
{
    unsigned power = 0;

    while (us >> power >= 2 * BUCKETS_PER_POWER)
        power++;
    unsigned bucket = power * BUCKETS_PER_POWER + (unsigned)(us >> power);
    return bucket < BUCKETS ? bucket : BUCKETS - 1;
}

static uint64_t bucket_us(unsigned bucket)
{
    unsigned power = bucket < 2 * BUCKETS_PER_POWER ? 0 : bucket / BUCKETS_PER_POWER - 1;

    return (uint64_t)(bucket - power * BUCKETS_PER_POWER) << power;
}

static void *session_run(void *argument)
{
    struct session *session = argument;
    MYSQL *mysql = mysql_init(NULL);
    char text[200];

    if (mysql == NULL || mysql_real_connect(mysql, arguments[1], arguments[3], arguments[4], arguments[5],
                                            (unsigned)atoi(arguments[2]), NULL, 0) == NULL) {
        fprintf(stderr, "commits: %s\n", mysql != NULL ? mysql_error(mysql) : "out of memory");
        exit(1);
    }
    atomic_fetch_add(&ready, 1);
    while (atomic_load(&ready) < (unsigned)atoi(arguments[6]) + 1)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    for (uint64_t sent = now_us(); sent < end_us; sent = now_us()) {
        int size = snprintf(text, sizeof text,
                            "INSERT INTO commits (session, note) VALUES (%u, 'twenty-four bytes of text')",
                            session->number);
        if (mysql_real_query(mysql, text, (unsigned long)size) != 0) {
            fprintf(stderr, "commits: %s\n", mysql_error(mysql));
            session->failed++;
            break;
        }
        uint64_t took = now_us() - sent;
        if (sent < count_from_us)
            continue;
        session->commits++;
        session->counts[bucket_of(took)]++;
        if (took > session->longest_us)
            session->longest_us = took;
    }
    mysql_close(mysql);
    mysql_thread_end();
    return NULL;
}

static uint64_t percentile(const struct session *all, unsigned percent)
{
    uint64_t seen = 0;

    for (unsigned i = 0; i < BUCKETS; i++) {
        seen += all->counts[i];
        if (seen * 100 >= all->commits * percent)
            return bucket_us(i);
    }
    return 0;
}

int main(int argc, char **argv)
{
    static struct session all;

    if (argc != 8 || atoi(argv[6]) < 1 || atoi(argv[6]) > SESSIONS_MAX || atof(argv[7]) <= 0) {
        fprintf(stderr, "usage: commits HOST PORT USER PASSWORD DATABASE SESSIONS SECONDS\n");
        return 2;
    }
    arguments = argv;
    unsigned count = (unsigned)atoi(argv[6]);
    if (mysql_library_init(0, NULL, NULL) != 0)
        return 1;
    for (unsigned i = 0; i < count; i++) {
        sessions[i].number = i;
        if (pthread_create(&sessions[i].thread, NULL, session_run, &sessions[i]) != 0)
            return 1;
    }
    while (atomic_load(&ready) < count)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    double seconds = atof(argv[7]);
    uint64_t begun_us = now_us();
    count_from_us = begun_us + (uint64_t)(seconds * 1e5);
    end_us = begun_us + (uint64_t)(seconds * 1e6);
    atomic_fetch_add(&ready, 1);
    for (unsigned i = 0; i < count; i++)
        pthread_join(sessions[i].thread, NULL);
    for (unsigned i = 0; i < count; i++) {
        all.commits += sessions[i].commits;
        all.failed += sessions[i].failed;
        if (sessions[i].longest_us > all.longest_us)
            all.longest_us = sessions[i].longest_us;
        for (unsigned b = 0; b < BUCKETS; b++)
            all.counts[b] += sessions[i].counts[b];
    }
    double counted = (double)(end_us - count_from_us) / 1e6;
    printf("commits=%llu seconds=%.1f per_second=%.0f p50_us=%llu p95_us=%llu p99_us=%llu max_us=%llu "
           "failed=%u\n",
           (unsigned long long)all.commits, counted, (double)all.commits / counted,
           (unsigned long long)percentile(&all, 50), (unsigned long long)percentile(&all, 95),
           (unsigned long long)percentile(&all, 99), (unsigned long long)all.longest_us, all.failed);
    mysql_library_end();
    return all.failed == 0 ? 0 : 1;
}
