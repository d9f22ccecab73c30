/* What concerns several nodes, compared: server_ids, versions, settings, clocks, keys, the virtual IP. */
#include <CUnit/Basic.h>
#include <stdio.h>
#include <string.h>

#include "agent/api/compare.h"

enum { DB1, DB2, ARB, COUNT };

#define SECOND 1000000ULL
#define NOW (1790000000 * SECOND)

static struct compare_node nodes[COUNT];
static Mha__ControlReply replies[COUNT];
static Mha__CheckFacts facts[COUNT];
static Mha__VipState vips[COUNT];
static Mha__PeerTrouble peer, *peers[] = {&peer};
static struct compare_input input;
static struct findings found;

static char *s(const char *text)
{
    return (char *)text; /* protobuf-c's fields are not const; nothing here writes to them */
}

static const char *const settings_of_all =
    "heartbeat_ms=100\nelection_ms=1000\nnodes=(arb a arbiter, db1 b, db2 c)\n";
static const char *const settings_of_data = "heartbeat_ms=100\nelection_ms=1000\nnodes=(arb a arbiter, db1 "
                                            "b, db2 c)\nvip={ address = \"192.0.2.10\"; }\n"
                                            "kind=\"mariadb\"\nreplication_user=\"mha4rdb_%n\"\nreplication_"
                                            "tls=false\ndurability=\"quorum\"\nrejoin=\"manual\"\n";

/* Two data nodes and an arbiter, with which nothing is wrong; db1 is asked, and the primary. */
static void make_healthy(void)
{
    static const char *const names[] = {"db1", "db2", "arb"};

    findings_free(&found);
    for (unsigned i = 0; i < COUNT; i++) {
        nodes[i] = (struct compare_node){.name = names[i],
                                         .arbiter = i == ARB,
                                         .self = i == DB1,
                                         .reply = &replies[i],
                                         .trouble = "",
                                         .asked_us = NOW,
                                         .answered_us = NOW + 3 * SECOND};
        mha__control_reply__init(&replies[i]);
        mha__check_facts__init(&facts[i]);
        replies[i].facts = &facts[i];
        facts[i].program_version = s("0.1.0");
        facts[i].wall_clock_us =
            NOW + 3 * SECOND - 500; /* it took nearly all the time, and half a ms on the way */
        facts[i].took_us = 3 * SECOND - 1000;
        facts[i].settings = s(i == ARB ? settings_of_all : settings_of_data);
        if (i == ARB)
            continue;
        facts[i].server_id = 11 + i;
        facts[i].server_version = s("10.11.6-MariaDB-log");
        facts[i].server_kind = s("mariadb");
        mha__vip_state__init(&vips[i]);
        vips[i].held = i == DB1;
        vips[i].link_up = true;
        vips[i].interface = s("eth0");
        vips[i].prefix_length = 24;
        facts[i].vip_state = &vips[i];
        facts[i].vip_reached = true;
    }
    mha__peer_trouble__init(&peer);
    input = (struct compare_input){.count = COUNT,
                                   .nodes = nodes,
                                   .primary = "db1",
                                   .primary_open = true,
                                   .vip = "192.0.2.10",
                                   .port = 3306,
                                   .cluster = "shop",
                                   .key_file = "/etc/mha4rdb/shop.key"};
}

/* Exactly one finding, about `node` and `subject`, with `says` in its problem or remedy. */
static void expect_line(unsigned line, const char *node, bool fatal, const char *subject, const char *says)
{
    compare_nodes(&input, &found);
    if (found.count == 1 && strcmp(found.items[0]->node, node) == 0 && found.items[0]->fatal == fatal &&
        strcmp(found.items[0]->subject, subject) == 0 &&
        (strstr(found.items[0]->problem, says) || strstr(found.items[0]->remedy, says))) {
        CU_PASS("as expected");
    } else {
        printf("\n  line %u: expected one about %s, %s: %s\n", line, node, subject, says);
        for (size_t i = 0; i < found.count; i++)
            printf("  found: %s: %s %s: %s | %s\n", found.items[i]->node,
                   found.items[i]->fatal ? "FATAL" : "warning", found.items[i]->subject,
                   found.items[i]->problem, found.items[i]->remedy);
        CU_FAIL("not the finding that was expected");
    }
    findings_free(&found);
}
#define EXPECT(node, fatal, subject, says) expect_line(__LINE__, node, fatal, subject, says)

static void expect_nothing(void)
{
    compare_nodes(&input, &found);
    CU_ASSERT_EQUAL(found.count, 0);
    for (size_t i = 0; i < found.count; i++)
        printf("\n  found: %s: %s: %s\n", found.items[i]->node, found.items[i]->subject,
               found.items[i]->problem);
    findings_free(&found);
}

static void test_healthy(void)
{
    make_healthy();
    expect_nothing();
}

static void test_not_heard(void)
{
    make_healthy();
    nodes[DB2].reply = NULL;
    nodes[DB2].trouble = "no answer from 192.0.2.12:7420";
    EXPECT("db2", true, "agent", "no answer from 192.0.2.12:7420");
    nodes[DB2].trouble = "it has another key for our cluster; copy one key file to all members";
    EXPECT("db2", true, "key",
           "scp /etc/mha4rdb/shop.key db2:/etc/mha4rdb/shop.key && ssh db2 systemctl restart mha4rdb-agent");
    make_healthy();
    nodes[ARB].reply = NULL;
    nodes[ARB].trouble = "connection refused";
    EXPECT("arb", true, "agent", "systemctl status mha4rdb-arbiter");
    make_healthy();
    replies[DB2].error = s("it is being stopped");
    replies[DB2].facts = NULL;
    EXPECT("db2", true, "check", "it is being stopped");
}

static void test_partial_cut(void)
{
    make_healthy();
    peer.name = s("arb");
    peer.trouble = s("connection timed out");
    facts[DB2].peers = peers;
    facts[DB2].n_peers = 1;
    EXPECT("db2", false, "connection", "no connection to arb: connection timed out");
    nodes[ARB].reply = NULL; /* nobody hears it: said once */
    nodes[ARB].trouble = "connection timed out";
    EXPECT("arb", true, "agent", "connection timed out");
}

static void test_server_ids(void)
{
    make_healthy();
    facts[DB2].server_id = 11;
    EXPECT("db2", true, "server_id", "it is 11, as on db1");
    facts[DB1].server_id = facts[DB2].server_id = 0; /* neither was told */
    expect_nothing();
}

static void test_servers(void)
{
    make_healthy();
    facts[DB2].server_version = s("10.6.18-MariaDB");
    EXPECT("db2", true, "server", "older than db1, the primary's 10.11.6-MariaDB-log");
    facts[DB2].server_version = s("10.11.5-MariaDB");
    EXPECT("db2", false, "server", "10.11.5-MariaDB is older");
    facts[DB2].server_version = s("11.8.2-MariaDB"); /* the next step of a rolling upgrade */
    expect_nothing();
    facts[DB2].server_version = s("9.7.4");
    facts[DB2].server_kind = s("mysql");
    EXPECT("db2", true, "server", "it is mysql (9.7.4), and db1, the primary, is mariadb");
    input.primary = ""; /* with no primary there is nobody to be older than */
    input.primary_open = false;
    expect_nothing();
}

static void test_versions(void)
{
    unsigned series, patch;

    CU_ASSERT_TRUE(compare_version("10.11.6-MariaDB-0+deb12u1-log", &series, &patch));
    CU_ASSERT_EQUAL(series, 1011);
    CU_ASSERT_EQUAL(patch, 6);
    CU_ASSERT_TRUE(compare_version("9.7.4", &series, &patch));
    CU_ASSERT_EQUAL(series, 907);
    CU_ASSERT_FALSE(compare_version("unknown", &series, &patch));
}

static void test_programs(void)
{
    make_healthy();
    facts[ARB].program_version = s("0.2.0");
    facts[DB1].program_version = s("0.2.0");
    EXPECT("db2", false, "mha4rdb", "0.1.0");
}

static void test_settings(void)
{
    char mine[512];

    make_healthy();
    snprintf(mine, sizeof mine, "%s", settings_of_data);
    memcpy(strstr(mine, "=1000"), "=2000", 5);
    facts[DB1].settings = mine;
    EXPECT("db1", false, "election_ms",
           "in agent.conf: election_ms = 1000;"); /* two against one, though it was asked */
    make_healthy();
    snprintf(mine, sizeof mine, "%s", settings_of_data);
    memcpy(strstr(mine, "\"quorum\""), "\"others\"", 8);
    facts[DB2].settings = mine;
    EXPECT("db2", true, "durability", "durability = \"quorum\";");
    make_healthy();
    facts[ARB].settings = s("heartbeat_ms=100\nelection_ms=1000\nnodes=(arb a arbiter, db1 b, db3 c)\n");
    EXPECT("arb", true, "nodes", "make nodes in arbiter.conf the same as on db1");
    make_healthy();
    facts[DB2].settings = s(""); /* an older program tells nothing */
    expect_nothing();
}

/* A check that took three seconds does not make a clock wrong, nor hide one that is. */
static void test_clocks(void)
{
    make_healthy();
    facts[DB2].wall_clock_us += 1400 * 1000; /* beyond a second, whatever the way took */
    EXPECT("db2", false, "clock", "1.4 s ahead of that of db1");
    facts[DB2].wall_clock_us -= 2 * 1400 * 1000;
    EXPECT("db2", false, "clock", "1.4 s behind that of db1");
    make_healthy();
    facts[DB2].wall_clock_us += 900 * 1000;
    expect_nothing();
    make_healthy(); /* two seconds on the way explain as much */
    facts[DB2].took_us = SECOND;
    facts[DB2].wall_clock_us -= 1400 * 1000;
    expect_nothing();
    make_healthy(); /* one that claims to have worked longer than we waited */
    facts[DB2].took_us = 3600 * SECOND;
    expect_nothing();
}

static void test_vipd(void)
{
    make_healthy();
    facts[DB2].vip_state = NULL;
    facts[DB2].vipd_trouble = s("/run/mha4rdb-vipd/vipd.sock: Connection refused");
    EXPECT("db2", true, "VIP", "systemctl enable --now mha4rdb-vipd");
    make_healthy();
    vips[DB2].trouble = s("interface eth0 is down or has no carrier");
    EXPECT("db2", true, "VIP", "ip link set eth0 up");
    make_healthy();
    vips[DB1].trouble = s("another host, 02:00:00:00:00:07, answers for the address on eth0");
    vips[DB1].conflict = true;
    EXPECT("db1", true, "VIP", "take the address away from the host that answers");
    make_healthy();
    vips[DB2].prefix_length = 32;
    EXPECT("db2", false, "VIP", "address = \"192.0.2.10/24\"");
}

static void test_holders(void)
{
    make_healthy();
    vips[DB2].held = true;
    compare_nodes(&input, &found);
    CU_ASSERT_EQUAL(found.count, 2); /* two have it, and one of them is not the primary */
    findings_free(&found);
    vips[DB1].held = false;
    EXPECT("db2", true, "VIP", "192.0.2.10 is here, and the primary is db1");
    vips[DB2].held = false;
    EXPECT("", true, "VIP", "no node holds 192.0.2.10, and yet somebody answers at its port 3306");
    facts[DB1].vip_reached = facts[DB2].vip_reached = false;
    EXPECT("db1", true, "VIP", "192.0.2.10 is on no node, though the primary is open");
    nodes[DB2].reply = NULL; /* it may be there */
    EXPECT("db2", true, "agent", "does not answer");
    facts[DB1].vip_reached = true;
    EXPECT("db2", true, "agent", "does not answer");
    make_healthy();
    input.primary_open = false; /* nobody should hold it */
    vips[DB1].held = false;
    expect_nothing();
    make_healthy();
    input.vip = "";
    facts[DB1].vip_state = facts[DB2].vip_state = NULL;
    expect_nothing();
}

static void test_reachability(void)
{
    make_healthy();
    facts[DB2].vip_reached = false;
    facts[DB2].vip_unreachable = s("Connection refused");
    EXPECT("db2", false, "VIP", "port 3306 at 192.0.2.10 cannot be reached from here: Connection refused");
}

/* A finding keeps the node that it names itself. */
static void test_findings(void)
{
    Mha__Finding finding = MHA__FINDING__INIT;

    findings_free(&found);
    finding.subject = s("a");
    findings_take(&found, "db1", &finding);
    finding.node = s("db2");
    finding.fatal = true;
    CU_ASSERT_FALSE(findings_fatal(&found));
    findings_take(&found, "db1", &finding);
    CU_ASSERT_TRUE(findings_fatal(&found));
    CU_ASSERT_STRING_EQUAL(found.items[0]->node, "db1");
    CU_ASSERT_STRING_EQUAL(found.items[1]->node, "db2");
    for (unsigned i = 0; i < 100; i++)
        findings_add(&found, "", false, "many", "", "number %u", i);
    CU_ASSERT_EQUAL(found.count, 102);
    CU_ASSERT_STRING_EQUAL(found.items[101]->problem, "number 99");
    findings_free(&found);
}

int main(void)
{
    CU_pSuite suite;
    unsigned failures;

    if (CU_initialize_registry() != CUE_SUCCESS)
        return 1;
    suite = CU_add_suite("comparing nodes", NULL, NULL);
    CU_ADD_TEST(suite, test_healthy);
    CU_ADD_TEST(suite, test_not_heard);
    CU_ADD_TEST(suite, test_partial_cut);
    CU_ADD_TEST(suite, test_server_ids);
    CU_ADD_TEST(suite, test_servers);
    CU_ADD_TEST(suite, test_versions);
    CU_ADD_TEST(suite, test_programs);
    CU_ADD_TEST(suite, test_settings);
    CU_ADD_TEST(suite, test_clocks);
    CU_ADD_TEST(suite, test_vipd);
    CU_ADD_TEST(suite, test_holders);
    CU_ADD_TEST(suite, test_reachability);
    CU_ADD_TEST(suite, test_findings);
    CU_basic_set_mode(CU_BRM_NORMAL);
    CU_basic_run_tests();
    failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures ? 1 : 0;
}
