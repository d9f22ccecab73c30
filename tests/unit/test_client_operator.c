/* What operators see of checks of all nodes, rebuilds and their own choices, and how a forced failover asks.
 */
#include "tests/unit/client_situation.h"

static struct situation it;

/* Of all nodes: each node's findings together, in the order in which the nodes first occur. */
static void test_check_of_all(void)
{
    static const struct {
        const char *node, *subject, *problem, *remedy;
        bool fatal;
    } facts[] = {
        {"db1", "slave_net_timeout", "it is 60 s", "SET GLOBAL slave_net_timeout = 4;", false},
        {"db2", "sync_binlog", "it is 0", "SET GLOBAL sync_binlog = 1;", true},
        {"", "VIP", "no node holds 192.0.2.10, and yet somebody answers", "arping -D", true},
        {"db1", "clock", "its wall clock is 3.0 s behind that of db2", "", false},
    };
    enum { COUNT = sizeof facts / sizeof facts[0] };
    Mha__ControlReply reply = MHA__CONTROL_REPLY__INIT;
    Mha__Finding finding[COUNT], *findings[COUNT];

    for (unsigned i = 0; i < COUNT; i++) {
        mha__finding__init(&finding[i]);
        finding[i].node = s(facts[i].node);
        finding[i].subject = s(facts[i].subject);
        finding[i].problem = s(facts[i].problem);
        finding[i].remedy = s(facts[i].remedy);
        finding[i].fatal = facts[i].fatal;
        findings[i] = &finding[i];
    }
    reply.findings = findings;
    reply.n_findings = COUNT;
    golden("check_all.txt", print_check, &reply);
    golden("check_all.json", print_check_json, &reply);
}

static void make_rebuild(Mha__RebuildState *rebuild, const char *phase, uint64_t done, uint64_t total)
{
    mha__rebuild_state__init(rebuild);
    rebuild->phase = s(phase);
    rebuild->donor = s("db1");
    rebuild->done_bytes = done;
    rebuild->total_bytes = total;
}

static void test_rebuild(void)
{
    Mha__RebuildState rebuild;
    Mha__Aside aside = MHA__ASIDE__INIT, *asides[] = {&aside};
    char text[256];

    make_degraded(&it);
    make_database(&it, 1);
    aside.id = 4;
    aside.node = DB2;
    aside.by_operator = true;
    it.state.asides = asides;
    it.state.n_asides = 1;
    CU_ASSERT_EQUAL(rebuild_progress(&it.status, "db2", text, sizeof text), REBUILD_GOES_ON);
    make_rebuild(&rebuild, "copying", 1234567890, 4400000000);
    it.node[1].rebuild = &rebuild;
    it.node[1].set_aside = s("/var/lib/mha4rdb/agent/set-aside/20261121-175200");
    golden("rebuild.txt", print_status, &it.status);
    golden("rebuild.json", print_json, &it.status);
    CU_ASSERT_EQUAL(rebuild_progress(&it.status, "db2", text, sizeof text), REBUILD_GOES_ON);
    CU_ASSERT_STRING_EQUAL(text, "copying, from db1: 1.2 GB of 4.4 GB (28 %)");
    make_rebuild(&rebuild, "saving", 999, 0);
    rebuild_progress(&it.status, "db2", text, sizeof text);
    CU_ASSERT_STRING_EQUAL(text, "saving, from db1: 999 bytes");

    /* over: well, or not */
    it.state.n_asides = 0;
    make_rebuild(&rebuild, "", 0, 0);
    CU_ASSERT_EQUAL(rebuild_progress(&it.status, "db2", text, sizeof text), REBUILD_OVER);
    rebuild.failed = s("the donor's disk is full; make room there and ask again");
    CU_ASSERT_EQUAL(rebuild_progress(&it.status, "db2", text, sizeof text), REBUILD_FAILED);
    CU_ASSERT_STRING_EQUAL(text, rebuild.failed);
    golden("rebuild_failed.txt", print_status, &it.status);
    CU_ASSERT_EQUAL(rebuild_progress(&it.status, "db9", text, sizeof text), REBUILD_FAILED);
}

/* What an operator chose, said in every answer; who gives no acknowledgements; what is wrong, in words. */
static void test_choices(void)
{
    Mha__Init init = MHA__INIT__INIT;
    Mha__Aside aside = MHA__ASIDE__INIT, *asides[] = {&aside};

    make_healthy(&it);
    it.status.durability_available = true;
    it.status.lag_most_ms = 2500;
    it.sync.n_members = 1;
    it.sync.acks = 0;
    it.node[1].in_sync = false;
    it.database[1].standing_by = true;
    it.database[1].trouble_kind = MHA__DB_TROUBLE__DB_TROUBLE_APPLIER_STOPPED;
    it.database[1].trouble = s("error 1062: Duplicate entry '7' for key 'PRIMARY'");
    it.database[0].trouble_kind = MHA__DB_TROUBLE__DB_TROUBLE_WRITES_HELD;
    golden("choices.txt", print_status, &it.status);
    golden("choices.json", print_json, &it.status);

    make_healthy(&it);
    init.id = 1;
    init.node = DB1;
    init.discard_others = true;
    it.state.init = &init;
    aside.id = 2;
    aside.node = DB2;
    aside.kind = MHA__ASIDE_KIND__ASIDE_DRAIN;
    it.state.asides = asides;
    it.state.n_asides = 1;
    golden("first_start.txt", print_status, &it.status);
}

/* Only the node's name, typed on a terminal, is a yes. */
static void test_confirmation(void)
{
    static const struct {
        const char *typed;
        bool terminal, yes;
    } cases[] = {
        {"db2\n", true, true}, {"db2", true, true}, {"db1\n", true, false},  {"yes\n", true, false},
        {"\n", true, false},   {"", true, false},   {"db2\n", false, false}, {"db2 \n", true, false},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *complaint = NULL;
        size_t size;
        struct ctl ctl = {.in = fmemopen((char *)cases[i].typed, strlen(cases[i].typed) + 1, "r"),
                          .err = open_memstream(&complaint, &size),
                          .terminal = cases[i].terminal};
        CU_ASSERT_EQUAL(failover_confirm(&ctl, "db2"), cases[i].yes);
        fclose(ctl.in);
        fclose(ctl.err);
        CU_ASSERT_EQUAL(strstr(complaint, "nothing was done") == NULL, cases[i].yes);
        CU_ASSERT_EQUAL(strstr(complaint, "--yes") != NULL, !cases[i].terminal);
        free(complaint);
    }
}

int main(void)
{
    CU_pSuite suite;
    unsigned failures;

    if (CU_initialize_registry() != CUE_SUCCESS)
        return 1;
    suite = CU_add_suite("mhactl for operators", NULL, NULL);
    CU_ADD_TEST(suite, test_check_of_all);
    CU_ADD_TEST(suite, test_rebuild);
    CU_ADD_TEST(suite, test_choices);
    CU_ADD_TEST(suite, test_confirmation);
    CU_basic_set_mode(CU_BRM_NORMAL);
    CU_basic_run_tests();
    failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures ? 1 : 0;
}
