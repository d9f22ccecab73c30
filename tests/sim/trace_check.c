#include "tests/sim/trace_check.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/cluster/trace.h"
#include "common/base/trace.h"
#include "common/raft/trace.h"
#include "common/replica/replica.h"
#include "tests/sim/machine.h"

/* What the code says should come next. */
struct expected {
    char *line;
    struct expected *next;
};

/* One member: a name of the trace, with all its pure code. */
struct member {
    char *name;
    struct raft *raft;
    struct raft_tracer raft_tracer;
    bool untaken; /* an input to raft whose output was not taken yet */
    struct policy_replay *policy;
    struct policy_tracer policy_tracer;
    struct expected *first, **last;
    struct member *next;
};

struct check {
    FILE *file;
    struct trace_report *report;
    struct member *members;
    char *line, *next_line; /* without their ends; NULL: the end of the file */
    size_t line_room, next_room;
};

/* ---- members ---- */

static void on_line(void *context, uint64_t now_us, const char *text)
{
    struct member *member = context;
    struct expected *expected = calloc(1, sizeof *expected);
    assert(expected != NULL);
    int length = asprintf(&expected->line, "%" PRIu64 ".%06" PRIu64 " %s %s", now_us / 1000000,
                          now_us % 1000000, member->name, text);
    assert(length > 0);
    *member->last = expected;
    member->last = &expected->next;
}

static void drop_first(struct member *member)
{
    struct expected *expected = member->first;
    member->first = expected->next;
    if (member->first == NULL)
        member->last = &member->first;
    free(expected->line);
    free(expected);
}

static struct member *find_member(struct check *check, const char *name)
{
    for (struct member *member = check->members; member != NULL; member = member->next) {
        if (strcmp(member->name, name) == 0)
            return member;
    }
    struct member *member = calloc(1, sizeof *member);
    assert(member != NULL);
    member->name = strdup(name);
    assert(member->name != NULL);
    member->last = &member->first;
    member->raft_tracer = (struct raft_tracer){.line = on_line, .context = member};
    member->policy_tracer = (struct policy_tracer){.line = on_line, .context = member};
    member->policy = policy_replay_new();
    assert(member->policy != NULL);
    member->next = check->members;
    check->members = member;
    return member;
}

static void forget_members(struct check *check)
{
    while (check->members != NULL) {
        struct member *member = check->members;
        check->members = member->next;
        while (member->first != NULL)
            drop_first(member);
        raft_free(member->raft);
        raft_tracer_end(&member->raft_tracer);
        policy_replay_free(member->policy);
        policy_tracer_end(&member->policy_tracer);
        free(member->name);
        free(member);
    }
}

/* ---- lines ---- */

static bool read_line(struct check *check)
{
    char *line = check->line;
    size_t room = check->line_room;
    check->line = check->next_line;
    check->line_room = check->next_room;
    ssize_t size = getline(&line, &room, check->file);
    if (size <= 0) {
        free(line);
        line = NULL;
    } else if (line[size - 1] == '\n') {
        line[size - 1] = '\0';
    } else { /* broken off at the end of the file */
        free(line);
        line = NULL;
    }
    check->next_line = line;
    check->next_room = line == NULL ? 0 : room;
    return check->line != NULL;
}

static bool is_first_line(const char *line)
{
    return line != NULL && strcmp(line, TRACE_FIRST_LINE) == 0;
}

/* SECONDS.MICROSECONDS */
static bool read_time(const char *text, uint64_t *us)
{
    char *end, *fraction;
    uint64_t seconds = strtoull(text, &end, 10);
    if (end == text || *end != '.')
        return false;
    fraction = end + 1;
    *us = seconds * 1000000 + strtoull(fraction, &end, 10);
    return end == fraction + 6 && *end == '\0';
}

/* Whoever owns a raft takes the output of each input before the next one; but for those at the start, and for
 * a look at the status. */
static void feed_raft(struct check *check, struct member *member, uint64_t now_us, const struct words *words)
{
    const char *what = words->count > 1 ? words->list[1].key : "";
    bool takes = strcmp(what, "->") == 0, starts = strcmp(what, "new") == 0;
    if (member->untaken && !takes && !starts && strcmp(what, "status") != 0) {
        raft_trace_take(&member->raft_tracer, member->raft);
        return;
    }
    check->report->raft_inputs += !takes;
    struct raft_trace_codec codecs[] = {
        replica_trace_codec,
        {.name = "model",
         .decode_membership = machine_decode_membership,
         .decode_snapshot = machine_decode_snapshot},
        {0},
    };
    raft_trace_replay(&member->raft_tracer, &member->raft, now_us, words, codecs);
    member->untaken =
        !takes && !starts && member->raft != NULL && (member->untaken || strcmp(what, "status") != 0);
}

/* Gives the line to the code that it belongs to, which then tells what it should say. */
static void feed(struct check *check, struct member *member, uint64_t now_us, struct words *words)
{
    struct words rest = {.list = words->list + 2, .count = words->count - 2};
    if (strcmp(rest.list[0].key, "raft") == 0) {
        feed_raft(check, member, now_us, &rest);
    } else if (strcmp(rest.list[0].key, "policy") == 0) {
        check->report->policy_inputs++;
        policy_trace_replay(&member->policy_tracer, member->policy, now_us, &rest);
    }
}

static bool differ(struct check *check, const char *wanted)
{
    /* What a killed program left may break off in the middle of a line. */
    if (is_first_line(check->next_line) && strncmp(check->line, wanted, strlen(check->line)) == 0)
        return true;
    check->report->differs = true;
    check->report->line = check->report->lines;
    text_add(&check->report->wanted, "%s", wanted[0] == '\0' ? "(no such line)" : wanted);
    text_add(&check->report->got, "%s", check->line);
    return false;
}

static bool check_line(struct check *check)
{
    struct words words;
    uint64_t now_us;
    bool good = words_read(&words, check->line) && words.count >= 3 && read_time(words.list[0].key, &now_us);
    struct member *member = good ? find_member(check, words.list[1].key) : NULL;
    if (good && member->first == NULL)
        feed(check, member, now_us, &words);
    words_free(&words);
    if (!good || member->first == NULL)
        return differ(check, "");
    if (strcmp(member->first->line, check->line) != 0)
        return differ(check, member->first->line);
    drop_first(member);
    return true;
}

static bool fail(struct trace_report *report, const char *path, const char *why)
{
    text_add(&report->wanted, "%s: %s", path, why);
    return false;
}

bool trace_check_file(const char *path, struct trace_report *report)
{
    struct check check = {.file = fopen(path, "r"), .report = report};
    *report = (struct trace_report){0};
    if (check.file == NULL)
        return fail(report, path, strerror(errno));
    read_line(&check);
    bool good = is_first_line(check.next_line), same = good;
    while (same && read_line(&check)) {
        report->lines++;
        if (is_first_line(check.line)) {
            report->starts++;
            forget_members(&check);
        } else {
            same = check_line(&check);
        }
    }
    forget_members(&check);
    free(check.line);
    free(check.next_line);
    fclose(check.file);
    return good || fail(report, path, "its first line is not \"" TRACE_FIRST_LINE "\"");
}

void trace_report_free(struct trace_report *report)
{
    text_free(&report->wanted);
    text_free(&report->got);
}
