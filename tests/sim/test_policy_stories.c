/* Runs every story in tests/sim/policy (from the repository's root), or those named on the command line.
 * CLUSTER_TRACE=1 shows what everybody does, WORLD_TRACE=1 every message; REWRITE=1 writes the
 * traces of now into the files (story_file.h). */
#include <CUnit/Basic.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/sim/policy_story.h"
#include "tests/sim/story_base.h"

static const char *pattern = "tests/sim/policy/*.story";

static void test_stories(void)
{
    glob_t files;
    if (glob(pattern, 0, NULL, &files) != 0) {
        CU_FAIL("no stories found: run from the repository's root");
        return;
    }
    for (size_t i = 0; i < files.gl_pathc; i++) {
        char problem[STORY_PROBLEM_BYTES];
        bool good = policy_story_run(files.gl_pathv[i], problem, sizeof problem);
        printf("\n  %s %s", good ? "ok  " : "FAIL", good ? files.gl_pathv[i] : problem);
        CU_ASSERT_TRUE(good);
    }
    printf("\n");
    globfree(&files);
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc > 1)
        pattern = argv[1];
    CU_initialize_registry();
    CU_pSuite suite = CU_add_suite("stories of whole clusters", NULL, NULL);
    CU_add_test(suite, "all", test_stories);
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    unsigned failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures == 0 ? 0 : 1;
}
