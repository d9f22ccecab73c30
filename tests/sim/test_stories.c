/* Runs every story in tests/sim/stories (from the repository's root), or those named on the command line.
 * WORLD_TRACE=1 shows every message; REWRITE=1 writes the
 * traces of now into the files (story_file.h). */
#include <CUnit/Basic.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/sim/story.h"
#include "tests/sim/story_base.h"

static const char *pattern = "tests/sim/stories/*.story";

static void test_stories(void)
{
    glob_t files;
    if (glob(pattern, 0, NULL, &files) != 0) {
        CU_FAIL("no stories found: run from the repository's root");
        return;
    }
    for (size_t i = 0; i < files.gl_pathc; i++) {
        char problem[STORY_PROBLEM_BYTES];
        bool good = story_run(files.gl_pathv[i], problem, sizeof problem);
        printf("\n  %s %s", good ? "ok  " : "FAIL", good ? files.gl_pathv[i] : problem);
        CU_ASSERT_TRUE(good);
    }
    printf("\n");
    globfree(&files);
}

/* ---- the trace itself ---- */

static bool run_text(const char *text, char *problem)
{
    char path[] = "/tmp/mha-story-XXXXXX";
    int fd = mkstemp(path);
    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
        return false;
    bool good = story_run(path, problem, STORY_PROBLEM_BYTES);
    close(fd);
    unlink(path);
    return good;
}

static void test_wrong_traces_are_found(void)
{
    char problem[STORY_PROBLEM_BYTES];
    unsetenv("REWRITE");
    CU_ASSERT_TRUE(run_text("cluster A X\n start A\n        | 0.000 A starts\n", problem));
    /* a line too few, one too many, another one, another place */
    CU_ASSERT_FALSE(run_text("cluster A X\n start A\n", problem));
    CU_ASSERT_PTR_NOT_NULL(strstr(problem, "+   3         | 0.000 A starts"));
    CU_ASSERT_FALSE(run_text("cluster A X\n        | 0.000 A starts\n", problem));
    CU_ASSERT_PTR_NOT_NULL(strstr(problem, "-   2         | 0.000 A starts"));
    CU_ASSERT_FALSE(run_text("cluster A X\n start A\n        | 0.001 A starts\n", problem));
    CU_ASSERT_PTR_NOT_NULL(strstr(problem, "-   3         | 0.001 A starts"));
    CU_ASSERT_PTR_NOT_NULL(strstr(problem, "+   4         | 0.000 A starts"));
    CU_ASSERT_FALSE(run_text("cluster A X\n        | 0.000 A starts\n start A\n", problem));
}

/* The file that is rewritten is the same but for its traces, and agrees from then on; one that fails stays.
 */
static void test_rewriting(void)
{
    static const char text[] = "# why\ncluster A X # these\n        | 9.000 B is down\n\n start A\n",
                      wanted[] = "# why\ncluster A X # these\n\n start A\n        | 0.000 A starts\n";
    char path[] = "/tmp/mha-story-XXXXXX", problem[STORY_PROBLEM_BYTES], now[256];
    int fd = mkstemp(path);
    CU_ASSERT_EQUAL_FATAL(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    setenv("REWRITE", "1", 1);
    CU_ASSERT_TRUE(story_run(path, problem, sizeof problem));
    unsetenv("REWRITE");
    ssize_t size = pread(fd, now, sizeof now, 0);
    CU_ASSERT_EQUAL(size, (ssize_t)strlen(wanted));
    CU_ASSERT_NSTRING_EQUAL(now, wanted, strlen(wanted));
    CU_ASSERT_TRUE(story_run(path, problem, sizeof problem));
    close(fd);
    unlink(path);
    setenv("REWRITE", "1", 1);
    CU_ASSERT_FALSE(run_text("cluster A X\n start A\n expect leader A\n", problem));
    CU_ASSERT_PTR_NOT_NULL(strstr(problem, "expected: leader A"));
    unsetenv("REWRITE");
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc > 1)
        pattern = argv[1];
    CU_initialize_registry();
    CU_pSuite suite = CU_add_suite("stories", NULL, NULL);
    CU_add_test(suite, "all", test_stories);
    CU_add_test(suite, "wrong traces are found", test_wrong_traces_are_found);
    CU_add_test(suite, "rewriting", test_rewriting);
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    unsigned failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures == 0 ? 0 : 1;
}
