/* Promises, leases, holds, transfers: to the microsecond. */
#include "tests/unit/test_raft_fixture.h"

#define MARGIN_US (ELECTION_US / 10)

static struct raft_message ask(enum raft_message_kind kind, uint64_t from, uint64_t term)
{
    return (struct raft_message){
        .kind = kind, .from = from, .term = term, .log_index = 100, .log_term = term - 1};
}

static void test_stickiness(void)
{
    struct raft *raft = fixture_new(A, NULL);
    fixture_receive(raft, A, BEGIN_US, fixture_heartbeat(B, 1));
    uint64_t last_us = BEGIN_US + ELECTION_US - 1;
    const struct raft_output *out = fixture_receive(raft, A, last_us, ask(RAFT_PREVOTE, X, 2));
    const struct raft_message *reply = &fixture_find(out, RAFT_PREVOTE_REPLY, X)->message;
    CU_ASSERT_FALSE(reply->granted);
    CU_ASSERT_EQUAL(reply->retry_after_us, 1);
    CU_ASSERT_FALSE(reply->log_short);
    out = fixture_receive(raft, A, last_us, ask(RAFT_VOTE, X, 2));
    reply = &fixture_find(out, RAFT_VOTE_REPLY, X)->message;
    CU_ASSERT_FALSE(reply->granted);
    CU_ASSERT_EQUAL(reply->term, 1); /* not even the term is taken (dissertation 4.2.3) */
    CU_ASSERT_EQUAL(fixture_status(raft, last_us).leader, B);
    out = fixture_receive(raft, A, last_us + 1, ask(RAFT_PREVOTE, X, 2));
    CU_ASSERT_TRUE(fixture_find(out, RAFT_PREVOTE_REPLY, X)->message.granted);
    raft_free(raft);
}

static void test_the_largest_promise_binds(void)
{
    struct raft *raft = fixture_new(A, NULL);
    struct raft_message heartbeat = fixture_heartbeat(B, 1);
    heartbeat.election_us = 5 * ELECTION_US; /* a leader of another profile */
    const struct raft_output *out = fixture_receive(raft, A, BEGIN_US, heartbeat);
    CU_ASSERT_EQUAL(out->hard_state.promised_us, 5 * ELECTION_US);
    CU_ASSERT_EQUAL(fixture_find(out, RAFT_APPEND_REPLY, B)->message.election_us, 5 * ELECTION_US);
    heartbeat.election_us = ELECTION_US;
    out = fixture_receive(raft, A, BEGIN_US, heartbeat);
    CU_ASSERT_FALSE(out->has_write);
    out = fixture_receive(raft, A, BEGIN_US + 4 * ELECTION_US, ask(RAFT_PREVOTE, X, 2));
    CU_ASSERT_EQUAL(fixture_find(out, RAFT_PREVOTE_REPLY, X)->message.retry_after_us, ELECTION_US);
    CU_ASSERT_TRUE(raft_deadline_us(raft) <= BEGIN_US + 5 * ELECTION_US);
    raft_tick(raft, BEGIN_US + 5 * ELECTION_US - 1); /* its own vote is bound, too */
    CU_ASSERT_EQUAL(fixture_status(raft, BEGIN_US).role, RAFT_FOLLOWER);
    raft_free(raft);
}

static void test_retry_right_then(void)
{
    struct raft *raft = fixture_new(A, NULL);
    uint64_t now_us = BEGIN_US + ELECTION_US;
    raft_tick(raft, now_us);
    raft_take(raft);
    fixture_receive(raft, A, now_us,
                    (struct raft_message){.kind = RAFT_PREVOTE_REPLY, .from = X, .retry_after_us = 7 * MS});
    CU_ASSERT_EQUAL(raft_deadline_us(raft), now_us + 7 * MS);
    raft_tick(raft, now_us + 7 * MS);
    const struct raft_output *out = raft_take(raft);
    CU_ASSERT_PTR_NOT_NULL(fixture_find(out, RAFT_PREVOTE, X));
    CU_ASSERT_PTR_NULL(fixture_find(out, RAFT_PREVOTE, B)); /* that one is asked again after a heartbeat */
    CU_ASSERT_EQUAL(raft_deadline_us(raft), now_us + 100 * MS);
    raft_free(raft);
}

static void test_restart(void)
{
    struct raft_restored restored = fixture_restored();
    restored.hard_state = (struct raft_hard_state){.term = 1, .promised_us = ELECTION_US};
    restored.restarted = true;
    struct raft *raft = fixture_new(A, &restored);
    CU_ASSERT_EQUAL(fixture_status(raft, BEGIN_US).held_until_us, BEGIN_US + ELECTION_US);
    struct raft_message vote = ask(RAFT_VOTE, X, 2);
    vote.transfer = true;
    const struct raft_output *out = fixture_receive(raft, A, BEGIN_US + ELECTION_US - 1, vote);
    CU_ASSERT_FALSE(fixture_find(out, RAFT_VOTE_REPLY, X)->message.granted);
    CU_ASSERT_EQUAL(fixture_find(out, RAFT_VOTE_REPLY, X)->message.retry_after_us, 1);
    out = fixture_receive(raft, A, BEGIN_US + ELECTION_US - 1, ask(RAFT_PREVOTE, X, 2));
    CU_ASSERT_FALSE(fixture_find(out, RAFT_PREVOTE_REPLY, X)->message.granted);
    raft_released(raft, BEGIN_US); /* speaks of a lease, not of a restart */
    CU_ASSERT_NOT_EQUAL(fixture_status(raft, BEGIN_US).held_until_us, 0);
    out = fixture_receive(raft, A, BEGIN_US + ELECTION_US, vote);
    CU_ASSERT_TRUE(fixture_find(out, RAFT_VOTE_REPLY, X)->message.granted);
    raft_free(raft);

    restored.hard_state.promised_us = 0; /* never promised anything: nothing to wait for */
    raft = fixture_new(A, &restored);
    CU_ASSERT_EQUAL(fixture_status(raft, BEGIN_US).held_until_us, 0);
    raft_free(raft);
}

static void test_the_lease(void)
{
    struct raft *raft = fixture_new(A, NULL);
    uint64_t led_us = fixture_lead(raft);
    CU_ASSERT_EQUAL(fixture_status(raft, led_us).lease_until_us, led_us + ELECTION_US - MARGIN_US);
    CU_ASSERT_EQUAL(raft_deadline_us(raft), led_us + 100 * MS);
    uint64_t round_us = led_us + 100 * MS;
    raft_tick(raft, round_us);
    const struct raft_output *out = raft_take(raft);
    CU_ASSERT_EQUAL(fixture_find(out, RAFT_APPEND, X)->message.round, round_us);
    CU_ASSERT_EQUAL(fixture_find(out, RAFT_APPEND, X)->message.election_us, ELECTION_US);
    CU_ASSERT_FALSE(out->has_write);
    /* a promise of less than E answers the round, but extends nothing */
    fixture_receive(raft, A, round_us + 5, fixture_echo(X, round_us, ELECTION_US - 1));
    struct raft_status status = fixture_status(raft, round_us + 5);
    CU_ASSERT_EQUAL(status.lease_until_us, led_us + ELECTION_US - MARGIN_US);
    CU_ASSERT_EQUAL(status.round_sent_us, round_us);
    /* it counts from when the round was sent, not from when the answer came */
    fixture_receive(raft, A, round_us + 50 * MS, fixture_echo(B, round_us, ELECTION_US));
    status = fixture_status(raft, round_us + 50 * MS);
    CU_ASSERT_EQUAL(status.lease_until_us, round_us + ELECTION_US - MARGIN_US);
    /* an answer that comes after the next round has begun vouches for its own round only */
    uint64_t next_us = round_us + 100 * MS;
    raft_tick(raft, next_us);
    raft_take(raft);
    fixture_receive(raft, A, next_us + 1, fixture_echo(X, round_us, ELECTION_US));
    CU_ASSERT_EQUAL(fixture_status(raft, next_us + 1).lease_until_us, round_us + ELECTION_US - MARGIN_US);
    /* an echo from the future is made up */
    fixture_receive(raft, A, next_us + 1, fixture_echo(B, next_us + 1, ELECTION_US));
    CU_ASSERT_EQUAL(fixture_status(raft, next_us + 1).dropped_messages, 1);
    /* past its end there is none, and past E no leader */
    CU_ASSERT_EQUAL(fixture_status(raft, round_us + ELECTION_US - MARGIN_US).lease_until_us, 0);
    raft_tick(raft, round_us + ELECTION_US - 1);
    CU_ASSERT_EQUAL(fixture_status(raft, 0).role, RAFT_LEADER);
    raft_tick(raft, round_us + ELECTION_US);
    CU_ASSERT_EQUAL(fixture_status(raft, 0).role, RAFT_FOLLOWER);
    raft_free(raft);
}

static void test_a_leader_is_sticky(void)
{
    struct raft *raft = fixture_new(A, NULL);
    uint64_t led_us = fixture_lead(raft), now_us = led_us + ELECTION_US / 2;
    const struct raft_output *out = fixture_receive(raft, A, now_us, ask(RAFT_PREVOTE, B, 2));
    CU_ASSERT_EQUAL(fixture_find(out, RAFT_PREVOTE_REPLY, B)->message.retry_after_us, ELECTION_US / 2);
    out = fixture_receive(raft, A, now_us, ask(RAFT_VOTE, B, 2));
    CU_ASSERT_FALSE(fixture_find(out, RAFT_VOTE_REPLY, B)->message.granted);
    CU_ASSERT_EQUAL(fixture_status(raft, now_us).role, RAFT_LEADER);
    raft_free(raft);
}

static void step_down(struct raft *raft, uint64_t now_us)
{
    fixture_receive(raft, A, now_us, (struct raft_message){.kind = RAFT_APPEND_REPLY, .from = B, .term = 2});
    CU_ASSERT_EQUAL(fixture_status(raft, now_us).role, RAFT_FOLLOWER);
    CU_ASSERT_EQUAL(fixture_status(raft, now_us).term, 2);
}

static void test_stepping_down_holds(void)
{
    struct raft *raft = fixture_new(A, NULL);
    uint64_t led_us = fixture_lead(raft); /* its status gave a lease out */
    uint64_t until_us = fixture_status(raft, led_us).lease_until_us;
    uint64_t round_us = led_us + 100 * MS;
    raft_tick(raft, round_us);
    raft_take(raft);
    fixture_receive(raft, A, round_us,
                    fixture_echo(X, round_us, ELECTION_US)); /* renewed, but given to nobody */
    step_down(raft, round_us);
    CU_ASSERT_EQUAL(fixture_status(raft, round_us).held_until_us, until_us);
    CU_ASSERT_EQUAL(fixture_status(raft, round_us).lease_until_us, 0);
    const struct raft_output *out = fixture_receive(raft, A, until_us - 1, ask(RAFT_VOTE, B, 3));
    CU_ASSERT_FALSE(fixture_find(out, RAFT_VOTE_REPLY, B)->message.granted);
    raft_released(raft, until_us - 1);
    CU_ASSERT_EQUAL(fixture_status(raft, until_us - 1).held_until_us, 0);
    out = fixture_receive(raft, A, until_us - 1, ask(RAFT_VOTE, B, 3));
    CU_ASSERT_TRUE(fixture_find(out, RAFT_VOTE_REPLY, B)->message.granted);
    raft_free(raft);
}

static void test_ending_is_for_good(void)
{
    struct raft *raft = fixture_new(A, NULL);
    uint64_t now_us = fixture_lead(raft);
    raft_released(raft, now_us); /* not ended: means an older lease, changes nothing */
    raft_end_lease(raft, now_us);
    CU_ASSERT_EQUAL(raft_transfer(raft, now_us, B), RAFT_BUSY);
    CU_ASSERT_EQUAL(raft_transfer(raft, now_us, X), RAFT_INVALID);
    CU_ASSERT_EQUAL(raft_transfer(raft, now_us, A), RAFT_INVALID);
    CU_ASSERT_EQUAL(raft_transfer(raft, now_us, 77), RAFT_INVALID);
    CU_ASSERT_EQUAL(raft_renew_term(raft, now_us), RAFT_BUSY);
    raft_released(raft, now_us);
    CU_ASSERT_EQUAL(raft_transfer(raft, now_us, B), RAFT_OK);
    CU_ASSERT_EQUAL(fixture_status(raft, now_us).role, RAFT_LEADER); /* B has not everything yet */
    uint64_t index;
    CU_ASSERT_EQUAL(raft_propose(raft, now_us, RAFT_ENTRY_COMMAND, "x", 1, &index), RAFT_BUSY);
    raft_take(raft);
    uint64_t round_us = now_us + 100 * MS;
    raft_tick(raft, round_us);
    raft_take(raft);
    fixture_receive(raft, A, round_us, fixture_echo(X, round_us, ELECTION_US));
    CU_ASSERT_EQUAL(fixture_status(raft, round_us).lease_until_us, 0);
    CU_ASSERT_TRUE(fixture_status(raft, round_us).lease_ended);
    const struct raft_output *out =
        fixture_receive(raft, A, round_us, fixture_echo(B, round_us, ELECTION_US));
    const struct raft_send *now = fixture_find(out, RAFT_TIMEOUT_NOW, B);
    CU_ASSERT_PTR_NOT_NULL_FATAL(now);
    CU_ASSERT_EQUAL(now->message.term, 1);
    CU_ASSERT_EQUAL(fixture_status(raft, round_us).role, RAFT_FOLLOWER);
    /* B's votes are asked for in spite of stickiness; this node is free to give its own */
    struct raft_message vote = ask(RAFT_VOTE, B, 2);
    vote.transfer = true;
    out = fixture_receive(raft, A, round_us, vote);
    CU_ASSERT_TRUE(fixture_find(out, RAFT_VOTE_REPLY, B)->message.granted);
    raft_free(raft);
}

static void test_a_transfer_that_cannot_be(void)
{
    struct raft *raft = fixture_new(A, NULL);
    uint64_t now_us = fixture_lead(raft);
    raft_end_lease(raft, now_us);
    raft_released(raft, now_us);
    CU_ASSERT_EQUAL(raft_transfer(raft, now_us, B), RAFT_OK);
    for (unsigned i = 1; i <= 10; i++) { /* B never answers */
        uint64_t round_us = now_us + i * 100 * MS;
        raft_tick(raft, round_us);
        raft_take(raft);
        fixture_receive(raft, A, round_us, fixture_echo(X, round_us, ELECTION_US));
    }
    /* given up after E, with nothing sent: the owner may try something else */
    CU_ASSERT_EQUAL(fixture_status(raft, 0).role, RAFT_LEADER);
    CU_ASSERT_EQUAL(raft_renew_term(raft, now_us + ELECTION_US), RAFT_OK);
    CU_ASSERT_EQUAL(fixture_status(raft, 0).role, RAFT_CANDIDATE);
    const struct raft_send *vote = fixture_find(raft_take(raft), RAFT_VOTE, X);
    CU_ASSERT_PTR_NOT_NULL_FATAL(vote);
    CU_ASSERT_TRUE(vote->message.transfer);
    CU_ASSERT_EQUAL(vote->message.term, 2);
    raft_free(raft);
}

static void test_timeout_now(void)
{
    struct raft *raft = fixture_new(A, NULL);
    fixture_receive(raft, A, BEGIN_US, fixture_heartbeat(B, 2));
    struct raft_message now = {.kind = RAFT_TIMEOUT_NOW, .from = B, .term = 1};
    fixture_receive(raft, A, BEGIN_US, now); /* late */
    CU_ASSERT_EQUAL(fixture_status(raft, BEGIN_US).role, RAFT_FOLLOWER);
    now.term = 3; /* of a term that it has not heard of */
    fixture_receive(raft, A, BEGIN_US, now);
    CU_ASSERT_EQUAL(fixture_status(raft, BEGIN_US).role, RAFT_FOLLOWER);
    now.term = 2;
    now.from = X; /* not its leader */
    fixture_receive(raft, A, BEGIN_US, now);
    CU_ASSERT_EQUAL(fixture_status(raft, BEGIN_US).role, RAFT_FOLLOWER);
    now.from = B;
    const struct raft_output *out = fixture_receive(raft, A, BEGIN_US, now);
    CU_ASSERT_EQUAL(fixture_status(raft, BEGIN_US).role, RAFT_CANDIDATE);
    const struct raft_send *vote = fixture_find(out, RAFT_VOTE, X);
    CU_ASSERT_PTR_NOT_NULL_FATAL(vote);
    CU_ASSERT_TRUE(vote->message.transfer);
    CU_ASSERT_NOT_EQUAL(vote->after_write, 0);
    raft_free(raft);

    raft = fixture_new(X, NULL); /* an arbiter is no target */
    fixture_receive(raft, X, BEGIN_US, fixture_heartbeat(B, 2));
    fixture_receive(raft, X, BEGIN_US, now);
    CU_ASSERT_EQUAL(fixture_status(raft, BEGIN_US).role, RAFT_FOLLOWER);
    raft_free(raft);
}

static void test_the_arbiters_manner(void)
{
    struct raft_restored restored = fixture_restored();
    static const struct raft_entry own[] = {{.index = 1, .term = 1}, {.index = 2, .term = 1}};
    restored.hard_state.term = 1;
    restored.entries = own;
    restored.entry_count = 2;
    struct raft *raft = fixture_new(X, &restored);
    uint64_t now_us = BEGIN_US + 20 * ELECTION_US;
    raft_tick(raft, now_us); /* silence alone is no reason */
    CU_ASSERT_EQUAL(raft_take(raft)->message_count, 0);
    struct raft_message prevote = {.kind = RAFT_PREVOTE, .from = B, .term = 2, .log_index = 1, .log_term = 1};
    const struct raft_output *out = fixture_receive(raft, X, now_us, prevote);
    CU_ASSERT_TRUE(fixture_find(out, RAFT_PREVOTE_REPLY, B)->message.log_short);
    CU_ASSERT_EQUAL(raft_deadline_us(raft), now_us + 100 * MS);
    raft_tick(raft, now_us + 100 * MS);
    CU_ASSERT_PTR_NOT_NULL(fixture_find(raft_take(raft), RAFT_PREVOTE, B));
    raft_free(raft);

    raft = fixture_new(X, &restored); /* a leader that speaks up in the meantime ends it */
    fixture_receive(raft, X, now_us, prevote);
    fixture_receive(raft, X, now_us + 50 * MS, fixture_heartbeat(A, 1));
    raft_tick(raft, now_us + 200 * MS);
    CU_ASSERT_EQUAL(fixture_status(raft, now_us).role, RAFT_FOLLOWER);
    raft_free(raft);
}

static void test_campaign_delay(void)
{
    struct raft *raft = fixture_new(A, NULL);
    raft_set_campaign_delay(raft, BEGIN_US, UINT64_MAX);
    raft_take(raft);
    raft_tick(raft, BEGIN_US + 5 * ELECTION_US - 1);
    CU_ASSERT_EQUAL(fixture_status(raft, 0).role, RAFT_FOLLOWER);
    CU_ASSERT_PTR_NOT_NULL(strstr(fixture_status(raft, 0).waits_for, "campaign delay"));
    fixture_status(raft, BEGIN_US + 6 * ELECTION_US); /* a look at it after the time does not put it off */
    CU_ASSERT_EQUAL(raft_deadline_us(raft), BEGIN_US + 5 * ELECTION_US);
    raft_tick(raft, BEGIN_US + 5 * ELECTION_US); /* E + 4 E: it goes in the end */
    CU_ASSERT_EQUAL(fixture_status(raft, 0).role, RAFT_PRECANDIDATE);
    raft_free(raft);
}

int main(void)
{
    CU_initialize_registry();
    CU_pSuite suite = CU_add_suite("raft leases", NULL, NULL);
    CU_add_test(suite, "stickiness", test_stickiness);
    CU_add_test(suite, "the largest promise binds", test_the_largest_promise_binds);
    CU_add_test(suite, "a candidate asks again right then", test_retry_right_then);
    CU_add_test(suite, "restart", test_restart);
    CU_add_test(suite, "the lease", test_the_lease);
    CU_add_test(suite, "a leader is sticky", test_a_leader_is_sticky);
    CU_add_test(suite, "stepping down holds", test_stepping_down_holds);
    CU_add_test(suite, "ending a lease is for good", test_ending_is_for_good);
    CU_add_test(suite, "a transfer that cannot be", test_a_transfer_that_cannot_be);
    CU_add_test(suite, "TIMEOUT_NOW", test_timeout_now);
    CU_add_test(suite, "the arbiter's manner", test_the_arbiters_manner);
    CU_add_test(suite, "campaign delay", test_campaign_delay);
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    unsigned failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures == 0 ? 0 : 1;
}
