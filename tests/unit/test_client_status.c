/* What `mhactl status`, `history`, `check` and `member` print of a cluster in one situation each. */
#include "tests/unit/client_situation.h"

/* ---- the tests ---- */

static struct situation it;

static void test_healthy(void)
{
    make_healthy(&it);
    golden("healthy.txt", print_status, &it.status);
    CU_ASSERT_TRUE(status_is_serving(&it.status));
}

static void test_degraded(void)
{
    make_degraded(&it);
    golden("degraded.txt", print_status, &it.status);
    CU_ASSERT_TRUE(status_is_serving(&it.status));
}

static void test_no_quorum(void)
{
    make_no_quorum(&it);
    golden("no_quorum.txt", print_status, &it.status);
    CU_ASSERT_FALSE(status_is_serving(&it.status));
}

static void test_forming(void)
{
    make_forming(&it);
    golden("forming.txt", print_status, &it.status);
    golden("forming.json", print_json, &it.status);
    CU_ASSERT_FALSE(status_is_serving(&it.status));
}

static void test_arbiter_down(void)
{
    make_arbiter_down(&it);
    golden("arbiter_down.txt", print_status, &it.status);
    CU_ASSERT_TRUE(status_is_serving(&it.status));
}

static void test_diverged(void)
{
    make_diverged(&it);
    golden("diverged.txt", print_status, &it.status);
    CU_ASSERT_TRUE(status_is_serving(&it.status));
}

static void test_arbiters_view(void)
{
    make_arbiters_view(&it);
    golden("arbiters_view.txt", print_status, &it.status);
    golden("arbiters_view.json", print_json, &it.status);
    CU_ASSERT_TRUE(status_is_fine(&it.status));
    it.status.leader = s("");
    CU_ASSERT_FALSE(status_is_fine(&it.status));
    make_arbiters_view(&it);
    it.status.has_quorum = false;
    CU_ASSERT_FALSE(status_is_fine(&it.status));
    make_healthy(&it);
    CU_ASSERT_TRUE(status_is_fine(&it.status));
    it.primary.opened = false;
    CU_ASSERT_FALSE(status_is_fine(&it.status));
}

static void print_members(const struct ctl *ctl, const void *message)
{
    members_print(ctl, message);
}

static void print_members_json(const struct ctl *ctl, const void *message)
{
    struct ctl copy = *ctl;
    CU_ASSERT_EQUAL(ctl_print_json(&copy, members_to_json(message)), CTL_OK);
}

/* Who is to be let in stands in the status too, with the command. */
static void test_members(void)
{
    Mha__Stranger stranger[2], *strangers[2] = {&stranger[0], &stranger[1]};

    make_healthy(&it);
    for (unsigned i = 0; i < 3; i++)
        it.node[i].voter = true;
    golden("members.txt", print_members, &it.status);
    mha__stranger__init(&stranger[0]);
    stranger[0].name = s("arb");
    stranger[0].id = 0x1122334455667788;
    stranger[0].kind = MHA__MEMBER_KIND__MEMBER_ARBITER;
    stranger[0].address = s("192.0.2.13:7420");
    stranger[0].seen_ms_ago = 17;
    stranger[0].replaces = true;
    mha__stranger__init(&stranger[1]);
    stranger[1].name = s("db3");
    stranger[1].id = 5;
    it.status.n_strangers = 2;
    it.status.strangers = strangers;
    it.status.changing = s("db2 has been let in, and votes once it has caught up");
    it.node[1].voter = false;
    it.status.confirmed = true;
    golden("strangers.txt", print_status, &it.status);
    golden("member_list.txt", print_members, &it.status);
    it.status.removed = s("this node was removed from the group");
    golden("member_list.json", print_members_json, &it.status);
}

static void test_busy(void)
{
    make_busy(&it);
    golden("busy.txt", print_status, &it.status);
    add_history(&it);
    golden("busy.json", print_json, &it.status);
    CU_ASSERT_FALSE(status_is_serving(&it.status));
}

/* Its receiver does not even try: with a reason that the server gives, and the agent sees to it; or without.
 */
static void test_receiver_stopped(void)
{
    Mha__Aside aside = MHA__ASIDE__INIT, *asides[] = {&aside};

    make_healthy(&it);
    it.database[1].receiving = it.database[1].acknowledging = false;
    it.database[1].receiver_stopped = true;
    golden("receiver_stopped.txt", print_status, &it.status);
    it.database[1].trouble_kind = MHA__DB_TROUBLE__DB_TROUBLE_REPLICATION_REFUSED;
    it.database[1].trouble = s("error 1045: Access denied for user 'mha4rdb_db2'@'192.0.2.12'");
    it.node[1].health = it.database[1].trouble;
    golden("receiver_gave_up.txt", print_status, &it.status);
    golden("receiver_gave_up.json", print_json, &it.status);
    it.database[1].applying = false;
    golden("receiver_and_applier_stopped.txt", print_status, &it.status);

    /* nothing to say: nobody serves, so it may be frozen; it is kept out */
    make_healthy(&it);
    it.database[1].receiver_stopped = true;
    it.primary.opened = false;
    golden("receiver_frozen.txt", print_status, &it.status);
    it.primary.opened = true;
    aside.id = 4;
    aside.node = DB2;
    aside.kind = MHA__ASIDE_KIND__ASIDE_DRAIN;
    it.state.asides = asides;
    it.state.n_asides = 1;
    golden("drained.txt", print_status, &it.status);
}

/* Each condition of "serving" alone takes it away. */
static void test_serving(void)
{
    make_healthy(&it);
    it.status.formed = false;
    CU_ASSERT_FALSE(status_is_serving(&it.status));
    make_healthy(&it);
    it.status.has_quorum = false;
    CU_ASSERT_FALSE(status_is_serving(&it.status));
    make_healthy(&it);
    it.primary.opened = false;
    CU_ASSERT_FALSE(status_is_serving(&it.status));
    make_healthy(&it);
    it.node[0].self = false;
    CU_ASSERT_TRUE(status_is_serving(&it.status));
    it.node[0].reachable = false;
    CU_ASSERT_FALSE(status_is_serving(&it.status));
    make_healthy(&it);
    it.database[0].state = MHA__DB_STATE__DB_HUNG;
    CU_ASSERT_FALSE(status_is_serving(&it.status));
    make_healthy(&it);
    it.status.vip_holder = s("");
    CU_ASSERT_FALSE(status_is_serving(&it.status));
    it.status.vip = s("");
    CU_ASSERT_TRUE(status_is_serving(&it.status));
    make_healthy(&it);
    it.status.state = NULL;
    CU_ASSERT_FALSE(status_is_serving(&it.status));
}

static void test_history(void)
{
    make_healthy(&it);
    golden("history_none.txt", print_history, &it.status);
    add_history(&it);
    golden("history.txt", print_history, &it.status);
}

static void test_failover_explained(void)
{
    make_healthy(&it);
    golden("failover_needless.txt", print_explanation, &it.status);
    make_degraded(&it);
    make_database(&it, 1);
    it.node[1].reachable = true;
    make_unreachable(&it, 0, 90000);
    it.node[0].self = false;
    it.node[1].self = true;
    it.node[1].waiting_for = s("it waits for db1, the only member of the sync set");
    golden("failover.txt", print_explanation, &it.status);
    golden("failover_lacks.txt", print_loss, &it.status);
    it.node[1].kind = MHA__MEMBER_KIND__MEMBER_ARBITER;
    golden("failover_arbiter.txt", print_explanation, &it.status);
}

static void test_check(void)
{
    Mha__ControlReply reply = MHA__CONTROL_REPLY__INIT;
    Mha__Finding finding[2] = {MHA__FINDING__INIT, MHA__FINDING__INIT};
    Mha__Finding *findings[2] = {&finding[0], &finding[1]};

    golden("check_fine.txt", print_check, &reply);
    CU_ASSERT_FALSE(check_is_fatal(&reply));
    finding[0].subject = s("slave_net_timeout");
    finding[0].problem = s("it is 60 s; a silent source is noticed late");
    finding[0].remedy = s("SET GLOBAL slave_net_timeout=4;");
    finding[1].subject = s("sync_binlog");
    finding[1].problem = s("it is 0: a power cut loses acknowledged writes");
    finding[1].remedy = s("sync_binlog=1 below [mariadb] in my.cnf");
    reply.findings = findings;
    reply.n_findings = 1;
    golden("check_warning.txt", print_check, &reply);
    CU_ASSERT_FALSE(check_is_fatal(&reply));
    finding[1].fatal = true;
    reply.n_findings = 2;
    golden("check_fatal.txt", print_check, &reply);
    CU_ASSERT_TRUE(check_is_fatal(&reply));
}

static void test_printable(void)
{
    Mha__ControlReply reply = MHA__CONTROL_REPLY__INIT;
    Mha__Finding finding = MHA__FINDING__INIT;
    Mha__Finding *findings[] = {&finding};
    char message[] = "two\nlines\ttab", problem[] = "\x1b[31mred\x7f \xc3\xa9";

    reply.message = message;
    reply.n_findings = 1;
    reply.findings = findings;
    finding.problem = problem;
    ctl_make_printable(&reply.base);
    CU_ASSERT_STRING_EQUAL(message, "two\nlines tab");
    CU_ASSERT_STRING_EQUAL(problem, " [31mred  \xc3\xa9");
    CU_ASSERT_STRING_EQUAL(reply.error, ""); /* protobuf-c's own, which is read-only */
}

static void test_short_position(void)
{
    char text[12];

    status_short_position("", text, sizeof text);
    CU_ASSERT_STRING_EQUAL(text, "-");
    status_short_position("0-1-340,0-2-7", text, sizeof text);
    CU_ASSERT_STRING_EQUAL(text, "0-1-340");
    status_short_position("0-2-7,0-1-340", text, sizeof text);
    CU_ASSERT_STRING_EQUAL(text, "0-1-340");
    status_short_position("0-1-3,1-1-4", text, sizeof text);
    CU_ASSERT_STRING_EQUAL(text, "0-1-3,1-1-4");
    status_short_position("0-1-3,1-1-44", text, sizeof text);
    CU_ASSERT_STRING_EQUAL(text, "0-1-3,1-...");
    status_short_position("something else", text, sizeof text);
    CU_ASSERT_STRING_EQUAL(text, "somethin...");
    /* More domains than are shown: the text itself, cut. */
    status_short_position("0-1-1,1-1-1,2-1-1,3-1-1,4-1-1,5-1-1,6-1-1,7-1-1,8-1-1", text, sizeof text);
    CU_ASSERT_STRING_EQUAL(text, "0-1-1,1-...");
    char set[40];
    status_short_position("0c134130-e5e1-11f1-a23b-0277aabbccdd:1-46", set, sizeof set);
    CU_ASSERT_STRING_EQUAL(set, "0c134130:46");
    status_short_position(
        "0c134130-e5e1-11f1-a23b-0277aabbccdd:1-46:48,9f134130-e5e1-11f1-a23b-0277aabbccdd:7", set,
        sizeof set);
    CU_ASSERT_STRING_EQUAL(set, "0c134130:48,9f134130:7");
    status_short_position("0c134130-e5e1-11f1-a23b-0277aabbccdd:tag:1-5", set, sizeof set);
    CU_ASSERT_STRING_EQUAL(set, "0c134130:5");
    status_short_position("0c134130-e5e1-11f1-a23b-0277aabbccdd", set, sizeof set);
    CU_ASSERT_STRING_EQUAL(set, "0c134130-e5e1-11f1-a23b-0277aabbccdd");
    status_short_position("0c134130-e5e1-11f1-a23b-0277aabbccdd:", set, sizeof set);
    CU_ASSERT_STRING_EQUAL(set, "0c134130:");
    /* no server has such numbers, but an answer may */
    char long_one[9 * 64] = "";
    for (unsigned i = 0; i < 8; i++)
        snprintf(long_one + strlen(long_one), sizeof long_one - strlen(long_one),
                 "%s1844674407370955160%u-18446744073709551615-18446744073709551615", i ? "," : "", i);
    status_short_position(long_one, text, sizeof text);
    CU_ASSERT(memchr(text, 0, sizeof text) != NULL);
    CU_ASSERT_STRING_EQUAL(text, "18446744...");
}

static void test_json_text(void)
{
    json_t *json = ctl_text_json("caf\xe9");
    CU_ASSERT_STRING_EQUAL(json_string_value(json), "caf?");
    json_decref(json);
    json = ctl_text_json("caf\xc3\xa9");
    CU_ASSERT_STRING_EQUAL(json_string_value(json), "caf\xc3\xa9");
    json_decref(json);
}

int main(void)
{
    CU_pSuite suite;
    unsigned failures;

    if (CU_initialize_registry() != CUE_SUCCESS)
        return 1;
    suite = CU_add_suite("mhactl's output", NULL, NULL);
    CU_ADD_TEST(suite, test_healthy);
    CU_ADD_TEST(suite, test_degraded);
    CU_ADD_TEST(suite, test_no_quorum);
    CU_ADD_TEST(suite, test_forming);
    CU_ADD_TEST(suite, test_arbiter_down);
    CU_ADD_TEST(suite, test_diverged);
    CU_ADD_TEST(suite, test_arbiters_view);
    CU_ADD_TEST(suite, test_members);
    CU_ADD_TEST(suite, test_busy);
    CU_ADD_TEST(suite, test_receiver_stopped);
    CU_ADD_TEST(suite, test_serving);
    CU_ADD_TEST(suite, test_history);
    CU_ADD_TEST(suite, test_failover_explained);
    CU_ADD_TEST(suite, test_check);
    CU_ADD_TEST(suite, test_short_position);
    CU_ADD_TEST(suite, test_printable);
    CU_ADD_TEST(suite, test_json_text);
    CU_basic_set_mode(CU_BRM_NORMAL);
    CU_basic_run_tests();
    failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures ? 1 : 0;
}
