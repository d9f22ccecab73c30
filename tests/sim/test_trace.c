/* Traces of simulated groups and clusters, given to the pure code again: the same outputs; and what was
 * planted is found. */
#include <CUnit/Basic.h>
#include <glob.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/sim/chaos.h"
#include "tests/sim/cluster_chaos.h"
#include "tests/sim/policy_story.h"
#include "tests/sim/story_base.h"
#include "tests/sim/trace_check.h"

static char path[64], spoilt_path[64];

static void expect_no_difference(uint64_t raft_inputs, uint64_t policy_inputs)
{
    struct trace_report report;
    CU_ASSERT_TRUE_FATAL(trace_check_file(path, &report));
    if (report.differs)
        printf("\n  line %" PRIu64 "\n  code:  %s\n  trace: %s\n", report.line, report.wanted.data,
               report.got.data);
    CU_ASSERT_FALSE(report.differs);
    CU_ASSERT_TRUE(report.raft_inputs >= raft_inputs);
    CU_ASSERT_TRUE(report.policy_inputs >= policy_inputs);
    trace_report_free(&report);
}

static void test_groups(void)
{
    unlink(path);
    setenv("TRACE_FILE", path, 1);
    for (uint64_t seed = 1; seed <= 24; seed++) {
        static struct chaos_run run;
        memset(&run, 0, sizeof run);
        run.seed = seed;
        CU_ASSERT_TRUE(chaos_run(&run));
    }
    unsetenv("TRACE_FILE");
    expect_no_difference(20000, 0);
}

static void test_clusters(void)
{
    glob_t files;
    CU_ASSERT_EQUAL_FATAL(glob("tests/sim/policy/*.story", 0, NULL, &files), 0);
    unlink(path);
    setenv("TRACE_FILE", path, 1);
    for (size_t i = 0; i < files.gl_pathc; i += 3) {
        char problem[STORY_PROBLEM_BYTES];
        CU_ASSERT_TRUE(policy_story_run(files.gl_pathv[i], problem, sizeof problem));
    }
    unsetenv("TRACE_FILE");
    globfree(&files);
    expect_no_difference(5000, 20000);
}

static void test_clusters_under_faults(void)
{
    unlink(path);
    setenv("TRACE_FILE", path, 1);
    for (uint64_t seed = 1; seed <= 8; seed++) {
        struct cluster_config config = cluster_chaos_config(seed);
        struct cluster *cluster = cluster_new(&config);
        struct chaos_choice choice;
        struct chaos chaos;
        CU_ASSERT_TRUE_FATAL(chaos_choice_read(NULL, NULL, &choice));
        cluster_chaos_init(&chaos, seed, &choice, cluster);
        cluster_chaos_begin(cluster, &chaos);
        for (unsigned i = 0; i < 40 && cluster_chaos_step(cluster, &chaos); i++)
            ;
        CU_ASSERT_STRING_EQUAL(cluster->world->violation, "");
        cluster_free(cluster);
    }
    unsetenv("TRACE_FILE");
    expect_no_difference(5000, 20000);
}

/* ---- planted ---- */

enum spoil { SPOIL_NUMBER, SPOIL_REMOVE };

/* The last digit of the line becomes another one. */
static void change_number(char *line)
{
    for (size_t i = strlen(line); i-- > 0;) {
        if (line[i] >= '0' && line[i] <= '9') {
            line[i] = line[i] == '9' ? '8' : (char)(line[i] + 1);
            return;
        }
    }
}

/* Copies the trace with line number `at` spoilt; false: it is no output, and left as it is. */
static bool plant(uint64_t at, enum spoil spoil)
{
    FILE *from = fopen(path, "r"), *to = fopen(spoilt_path, "w");
    char *line = NULL;
    size_t room = 0;
    bool planted = false;
    for (uint64_t number = 1; getline(&line, &room, from) > 0; number++) {
        bool here = number == at && strstr(line, " -> ") != NULL;
        planted = planted || here;
        if (here && spoil == SPOIL_NUMBER)
            change_number(line);
        if (!here || spoil != SPOIL_REMOVE)
            fputs(line, to);
    }
    free(line);
    fclose(from);
    fclose(to);
    return planted;
}

/* At the line itself, or soon after: a line too few is seen when the same member says something again. */
static void expect_found(uint64_t at, uint64_t within, const char *what)
{
    struct trace_report report;
    CU_ASSERT_TRUE_FATAL(trace_check_file(spoilt_path, &report));
    bool found = report.differs && report.line >= at && report.line <= at + within;
    if (!found)
        printf("\n  %s in line %" PRIu64 ": found %d in line %" PRIu64 "\n", what, at, report.differs,
               report.line);
    CU_ASSERT_TRUE(found);
    trace_report_free(&report);
}

static void test_planted_lines(void)
{
    char problem[STORY_PROBLEM_BYTES];
    struct trace_report report;
    unsigned planted = 0;
    unlink(path);
    setenv("TRACE_FILE", path, 1);
    CU_ASSERT_TRUE(
        policy_story_run("tests/sim/policy/01-the-database-is-killed.story", problem, sizeof problem));
    unsetenv("TRACE_FILE");
    CU_ASSERT_TRUE_FATAL(trace_check_file(path, &report));
    for (uint64_t at = 2; at < report.lines - 1; at += report.lines / 40) {
        if (!plant(at, SPOIL_NUMBER))
            continue;
        planted++;
        expect_found(at, 0, "another number");
        plant(at, SPOIL_REMOVE);
        expect_found(at, 40, "a line too few");
    }
    CU_ASSERT_TRUE(planted >= 10);
    trace_report_free(&report);
}

static void test_planted_code(void)
{
    struct trace_report report;
    FILE *from = fopen(path, "r"), *to = fopen(spoilt_path, "w");
    char *line = NULL;
    size_t room = 0;
    while (getline(&line, &room, from) > 0) { /* as if the code took another E for granted */
        char *found = strstr(line, " raft new ") == NULL ? NULL : strstr(line, "election_us=1000000");
        if (found != NULL)
            found[strlen("election_us=")] = '2';
        fputs(line, to);
    }
    free(line);
    fclose(from);
    fclose(to);
    CU_ASSERT_TRUE_FATAL(trace_check_file(spoilt_path, &report));
    CU_ASSERT_TRUE(report.differs);
    CU_ASSERT_PTR_NOT_NULL(report.wanted.data);
    trace_report_free(&report);
}

static void test_no_trace(void)
{
    struct trace_report report;
    CU_ASSERT_FALSE(trace_check_file("/nowhere/trace", &report));
    CU_ASSERT_PTR_NOT_NULL(strstr(report.wanted.data, "/nowhere/trace"));
    trace_report_free(&report);
    FILE *file = fopen(spoilt_path, "w");
    fputs("mha4rdb-trace 2\n", file);
    fclose(file);
    CU_ASSERT_FALSE(trace_check_file(spoilt_path, &report));
    trace_report_free(&report);
}

/* Garbage is a difference, not a crash. */
static void test_garbage(void)
{
    static const char *const lines[] = {
        "",
        "x",
        "1.000001 A",
        "1.000001 A raft",
        "1.000001 A raft tick",
        "1.000001 A raft receive",
        "1.000001 A raft -> next 1",
        "1.000001 A raft new codec=none",
        "1.000001 A raft new codec=none id=1 heartbeat_us=100000 election_us=1000000 members=1:data:voter "
        "entries=1/1/noop",
        "1.000001 A policy",
        "1.000001 A policy decide nodes=99",
        "1.000001 A policy node i=99",
        "1.000001 A policy apply index=1 data=ffff",
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct trace_report report;
        FILE *file = fopen(spoilt_path, "w");
        fprintf(file, "mha4rdb-trace 1\n%s\n1.000002 A end\n", lines[i]);
        fclose(file);
        CU_ASSERT_TRUE_FATAL(trace_check_file(spoilt_path, &report));
        CU_ASSERT_TRUE(report.differs);
        CU_ASSERT_EQUAL(report.line, 2);
        trace_report_free(&report);
    }
}

/* A killed program leaves a part of a line, and the outputs of its last input may be missing. */
static void test_cut_off(void)
{
    static const char whole[] =
        "mha4rdb-trace 1\n"
        "1.000000 A raft new codec=none id=1 heartbeat_us=100000 election_us=1000000 members=1:data:voter\n";
    struct trace_report report;
    FILE *file = fopen(spoilt_path, "w");
    fprintf(file, "%s1.500000 A raft ti\n%s", whole, whole);
    fclose(file);
    CU_ASSERT_TRUE_FATAL(trace_check_file(spoilt_path, &report));
    CU_ASSERT_TRUE(report.differs); /* no line of the code's begins so */
    trace_report_free(&report);
    file = fopen(spoilt_path, "w");
    fprintf(file, "%s1.000000 A raft -> ne\n%s1.000000 A raft -> ne", whole, whole);
    fclose(file);
    CU_ASSERT_TRUE_FATAL(trace_check_file(spoilt_path, &report));
    CU_ASSERT_FALSE(report.differs);
    CU_ASSERT_EQUAL(report.starts, 2);
    trace_report_free(&report);
}

int main(void)
{
    snprintf(path, sizeof path, "/tmp/mha-sim-trace-%d", (int)getpid());
    snprintf(spoilt_path, sizeof spoilt_path, "/tmp/mha-sim-spoilt-%d", (int)getpid());
    setvbuf(stdout, NULL, _IOLBF, 0);
    CU_initialize_registry();
    CU_pSuite suite = CU_add_suite("traces of simulations", NULL, NULL);
    CU_add_test(suite, "groups", test_groups);
    CU_add_test(suite, "clusters", test_clusters);
    CU_add_test(suite, "clusters under faults", test_clusters_under_faults);
    CU_add_test(suite, "planted lines", test_planted_lines);
    CU_add_test(suite, "planted code", test_planted_code);
    CU_add_test(suite, "no trace", test_no_trace);
    CU_add_test(suite, "garbage", test_garbage);
    CU_add_test(suite, "cut off", test_cut_off);
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    unsigned failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    unlink(path);
    unlink(spoilt_path);
    return failures == 0 ? 0 : 1;
}
