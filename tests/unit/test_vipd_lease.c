/* The lease on one address (vipd/lease.h): each rule by a small story, then a long random walk against the
 * invariants. */
#include <CUnit/Basic.h>
#include <CUnit/CUnit.h>
#include <stdlib.h>

#include "vipd/lease.h"

#define MS 1000u
#define SECOND 1000000u

static struct lease lease;
static uint64_t now; /* us */

static void setup(void)
{
    lease_init(&lease);
    now = 1000 * (uint64_t)SECOND;
    lease_set_link(&lease, now, true, true);
}

static enum lease_verdict grant(uint64_t epoch, uint64_t length_us)
{
    return lease_grant(&lease, now, epoch, now + length_us);
}

/* Does the step at hand, which costs `cost_us`, and says which it was. */
static enum lease_action step_costing(uint64_t cost_us)
{
    struct lease_step step = lease_next(&lease, now);

    if (step.action != LEASE_WAIT) {
        lease_done(&lease, step.action, now, now + cost_us, true);
        now += cost_us;
    }
    return step.action;
}

static enum lease_action step(void)
{
    return step_costing(50);
}

/* Advances to the next instant at which the lease wants to be asked. */
static uint64_t wait_for_wake(void)
{
    struct lease_step next = lease_next(&lease, now);

    CU_ASSERT_EQUAL_FATAL(next.action, LEASE_WAIT);
    CU_ASSERT_FATAL(next.wake_us > now);
    now = next.wake_us;
    return now;
}

static void take(uint64_t epoch, uint64_t length_us)
{
    CU_ASSERT_EQUAL(grant(epoch, length_us), LEASE_ACCEPTED);
    CU_ASSERT_EQUAL(step(), LEASE_PROBE);
    wait_for_wake();
    CU_ASSERT_EQUAL(step(), LEASE_ADD);
    CU_ASSERT_TRUE(lease.held);
}

static void test_taking_probes_then_adds_then_announces(void)
{
    uint64_t asked;

    setup();
    CU_ASSERT_EQUAL(lease_next(&lease, now).wake_us, LEASE_NEVER);
    CU_ASSERT_EQUAL(grant(1, SECOND), LEASE_ACCEPTED);
    asked = now;
    CU_ASSERT_EQUAL(step(), LEASE_PROBE);
    CU_ASSERT_TRUE(wait_for_wake() - asked <= LEASE_PROBE_US + 50);
    CU_ASSERT_EQUAL(step(), LEASE_ADD);
    CU_ASSERT_EQUAL(step(), LEASE_ANNOUNCE);
    CU_ASSERT_EQUAL(lease_next(&lease, now).action, LEASE_WAIT);
}

static void test_lifetime_is_the_rest_in_whole_seconds_rounded_up(void)
{
    static const struct {
        uint64_t left_us;
        uint32_t lifetime_s;
    } table[] = {{20 * MS, 1}, {999 * MS, 1}, {SECOND, 1}, {SECOND + 1, 2}, {60 * SECOND, 60}};

    for (unsigned i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct lease_step next;
        setup();
        lease_set_link(&lease, now, true, false); /* no probe */
        grant(1, table[i].left_us);
        next = lease_next(&lease, now);
        CU_ASSERT_EQUAL(next.action, LEASE_ADD);
        CU_ASSERT_EQUAL(next.lifetime_s, table[i].lifetime_s);
    }
}

static void test_renewal_refreshes_the_kernel_when_its_time_would_not_last(void)
{
    setup();
    take(1, 10 * SECOND);
    step();                          /* announce */
    grant(1, 10 * SECOND - 20 * MS); /* the kernel's ten seconds reach that far */
    CU_ASSERT_EQUAL(lease_next(&lease, now).action, LEASE_WAIT);
    now += 30 * MS;
    grant(1, 10 * SECOND);
    CU_ASSERT_EQUAL(step(), LEASE_REFRESH);
    CU_ASSERT_TRUE(lease.kernel_until_us >= lease.deadline_us);
}

static void test_removal_begins_before_the_deadline_and_is_measured(void)
{
    uint64_t deadline;

    setup();
    take(1, SECOND);
    deadline = lease.deadline_us;
    step();
    while (lease.held)
        if (step() == LEASE_WAIT)
            wait_for_wake();
    CU_ASSERT_FALSE(lease.held);
    CU_ASSERT_TRUE(now <= deadline && now > deadline - 5 * MS);
    CU_ASSERT_EQUAL(lease.deadline_us, 0);
    /* A removal that cost 40 ms is begun that much earlier the next time. */
    take(1, SECOND);
    lease_release(&lease, 1);
    CU_ASSERT_EQUAL(step_costing(40 * MS), LEASE_REMOVE);
    take(1, SECOND);
    CU_ASSERT_TRUE(lease_removal_lead_us(&lease) >= 40 * MS);
    /* One that took an hour does not eat more than a third of a lease. */
    lease_release(&lease, 1);
    CU_ASSERT_EQUAL(step_costing(3600ull * SECOND), LEASE_REMOVE);
    grant(1, 900 * MS);
    CU_ASSERT_EQUAL(lease_removal_lead_us(&lease), 300 * MS);
}

static void test_epochs_only_grow(void)
{
    setup();
    CU_ASSERT_EQUAL(grant(0, SECOND), LEASE_EPOCH_TOO_LOW);
    take(5, SECOND);
    CU_ASSERT_EQUAL(grant(4, 5 * SECOND), LEASE_EPOCH_TOO_LOW);
    CU_ASSERT_EQUAL(lease_release(&lease, 4), LEASE_EPOCH_TOO_LOW);
    CU_ASSERT_TRUE(lease.held && lease.deadline_us != 0 && lease.epoch == 5);
    CU_ASSERT_EQUAL(lease_release(&lease, 9), LEASE_ACCEPTED);
    CU_ASSERT_EQUAL(step(), LEASE_REMOVE);
    CU_ASSERT_EQUAL(grant(8, SECOND), LEASE_EPOCH_TOO_LOW);
    CU_ASSERT_EQUAL(lease_next(&lease, now).action, LEASE_WAIT);
}

static void test_higher_epoch_goes_on_without_a_gap_or_ends_the_older(void)
{
    setup();
    take(5, 5 * SECOND);
    step();
    CU_ASSERT_EQUAL(grant(6, 2 * SECOND), LEASE_ACCEPTED);
    CU_ASSERT_EQUAL(lease.deadline_us, now + 2 * SECOND);
    CU_ASSERT_EQUAL(step(), LEASE_REFRESH); /* the kernel would have kept it for five */
    CU_ASSERT_EQUAL(lease_next(&lease, now).action, LEASE_WAIT);
    /* Its deadline has passed: it was given up before we heard of it, and so was epoch 6. */
    CU_ASSERT_EQUAL(lease_grant(&lease, now, 7, now - 1), LEASE_DEADLINE_PASSED);
    CU_ASSERT_EQUAL(step(), LEASE_REMOVE);
}

static void test_the_newest_deadline_holds(void)
{
    uint64_t deadline;

    setup();
    take(1, 2 * SECOND);
    deadline = lease.deadline_us;
    step();                                                /* announce */
    CU_ASSERT_EQUAL(grant(1, SECOND / 2), LEASE_ACCEPTED); /* a pause has ended before its time */
    CU_ASSERT_EQUAL(lease.deadline_us, now + SECOND / 2);
    CU_ASSERT(lease.deadline_us < deadline);
    CU_ASSERT_EQUAL(step(), LEASE_REFRESH); /* the kernel's lifetime was made for the later one */
    deadline = lease.deadline_us;
    CU_ASSERT_EQUAL(lease_grant(&lease, now, 1, now), LEASE_DEADLINE_PASSED);
    CU_ASSERT_EQUAL(lease_grant(&lease, now, 1, 0), LEASE_DEADLINE_PASSED);
    CU_ASSERT_EQUAL(lease_grant(&lease, now, 1, UINT64_MAX), LEASE_DEADLINE_TOO_FAR);
    CU_ASSERT_EQUAL(grant(1, LEASE_LENGTH_MAX_US + 1), LEASE_DEADLINE_TOO_FAR);
    CU_ASSERT_EQUAL(lease.deadline_us, deadline);
    CU_ASSERT_EQUAL(grant(1, LEASE_LENGTH_MAX_US), LEASE_ACCEPTED);
}

static void test_late_waking_removes_first(void)
{
    setup();
    take(1, 300 * MS);
    now += 10 * SECOND; /* stopped */
    CU_ASSERT_EQUAL(step(), LEASE_REMOVE);
}

static void test_release_and_lease_in_one_epoch(void)
{
    setup();
    take(3, SECOND);
    lease_release(&lease, 3);
    CU_ASSERT_EQUAL(step(), LEASE_REMOVE);
    take(3, SECOND); /* probed again */
}

static void test_taken_away_is_put_back_without_a_probe(void)
{
    setup();
    take(1, 60 * SECOND);
    step();
    now += SECOND;
    lease_set_held(&lease, now, false);
    CU_ASSERT_EQUAL(step(), LEASE_ADD);
    CU_ASSERT_EQUAL(step(), LEASE_ANNOUNCE);
    lease_set_held(&lease, now, false); /* again at once: not in a frenzy */
    CU_ASSERT_EQUAL(lease_next(&lease, now).action, LEASE_WAIT);
    wait_for_wake();
    CU_ASSERT_EQUAL(step(), LEASE_ADD);
}

static void test_address_without_a_lease_is_removed(void)
{
    setup();
    lease_set_held(&lease, now, true);
    CU_ASSERT_EQUAL(step(), LEASE_REMOVE);
    /* With one it gets its lifetime. */
    take(1, 5 * SECOND);
    step();
    lease_set_held(&lease, now, true);
    CU_ASSERT_EQUAL(step(), LEASE_REFRESH);
}

static void test_refused_removal_is_tried_again_for_ever(void)
{
    setup();
    take(1, SECOND);
    lease_release(&lease, 1);
    for (int i = 0; i < 5; i++) {
        struct lease_step next = lease_next(&lease, now);
        CU_ASSERT_EQUAL_FATAL(next.action, LEASE_REMOVE);
        lease_done(&lease, LEASE_REMOVE, now, now + 10, false);
        CU_ASSERT_TRUE(lease.held);
        CU_ASSERT_TRUE(wait_for_wake() <= now + LEASE_RETRY_REMOVE_US + 10);
    }
    lease_next(&lease, now);
    lease_done(&lease, LEASE_REMOVE, now, now + 10, false);
    wait_for_wake();
    CU_ASSERT_EQUAL(step(), LEASE_REMOVE);
    CU_ASSERT_EQUAL(lease_next(&lease, now).wake_us, LEASE_NEVER);
    take(1, SECOND); /* at once */
}

/* In the simulator a step may take its time, and the world goes on meanwhile. */
static void test_outcome_may_come_after_the_lease_has_ended(void)
{
    setup();
    grant(1, SECOND);
    CU_ASSERT_EQUAL(lease_next(&lease, now).action, LEASE_PROBE);
    lease_release(&lease, 1);
    lease_done(&lease, LEASE_PROBE, now, now + 10, true);
    take(1, SECOND); /* with a probe of its own */
    lease_release(&lease, 1);
    CU_ASSERT_EQUAL(step(), LEASE_REMOVE);
    lease_set_link(&lease, now, true, false);
    grant(1, SECOND);
    CU_ASSERT_EQUAL(lease_next(&lease, now).action, LEASE_ADD);
    lease_release(&lease, 1);
    lease_done(&lease, LEASE_ADD, now, now + 10, true);
    CU_ASSERT_EQUAL(step(), LEASE_REMOVE);
    lease_set_link(&lease, now, true, true);
    take(1, SECOND);
}

static void test_refused_addition_is_tried_again_while_leased(void)
{
    setup();
    grant(1, 250 * MS);
    step();
    wait_for_wake();
    for (int i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(lease_next(&lease, now).action, LEASE_ADD);
        lease_done(&lease, LEASE_ADD, now, now + 10, false);
        CU_ASSERT_FALSE(lease.held);
        wait_for_wake();
    }
    while (lease.deadline_us) {
        if (lease_next(&lease, now).action == LEASE_ADD)
            lease_done(&lease, LEASE_ADD, now, now + 10, false);
        else if (lease.deadline_us)
            wait_for_wake();
    }
    CU_ASSERT_EQUAL(lease_next(&lease, now).wake_us, LEASE_NEVER);
}

static void test_conflict_refuses_and_holds_off(void)
{
    setup();
    lease_see_other(&lease, now); /* the present holder: as it should be */
    CU_ASSERT_FALSE(lease.conflict);
    grant(1, SECOND);
    CU_ASSERT_EQUAL(step(), LEASE_PROBE);
    lease_see_other(&lease, now);
    CU_ASSERT_TRUE(lease.conflict);
    CU_ASSERT_EQUAL(lease.deadline_us, 0);
    CU_ASSERT_EQUAL(grant(1, SECOND), LEASE_IN_CONFLICT);
    now += LEASE_CONFLICT_HOLD_US;
    take(1, SECOND);
    CU_ASSERT_FALSE(lease.conflict);
}

static void test_conflict_while_held_is_reported_and_forgotten(void)
{
    setup();
    take(1, 100 * SECOND);
    lease_see_other(&lease, now);
    CU_ASSERT_TRUE(lease.conflict && lease.held && lease.deadline_us);
    while (lease.conflict)
        if (step() == LEASE_WAIT)
            wait_for_wake();
    CU_ASSERT_TRUE(lease.held);
}

static void test_probe_that_cannot_be_sent_costs_no_time(void)
{
    setup();
    grant(1, SECOND);
    CU_ASSERT_EQUAL(lease_next(&lease, now).action, LEASE_PROBE);
    lease_done(&lease, LEASE_PROBE, now, now, false);
    CU_ASSERT_EQUAL(lease_next(&lease, now).action, LEASE_ADD);
}

static void test_burst_then_slow_refresh(void)
{
    static const uint64_t gaps_ms[] = {50, 100, 200, 650, 30000, 30000};
    uint64_t last;

    setup();
    take(1, 200 * SECOND);
    CU_ASSERT_EQUAL(step_costing(0), LEASE_ANNOUNCE);
    last = now;
    for (unsigned i = 0; i < sizeof gaps_ms / sizeof gaps_ms[0]; i++) {
        CU_ASSERT_EQUAL(wait_for_wake() - last, gaps_ms[i] * MS);
        CU_ASSERT_EQUAL(step_costing(0), LEASE_ANNOUNCE);
        last = now;
    }
}

static void test_links(void)
{
    setup();
    lease_set_link(&lease, now, false, false);
    grant(1, 60 * SECOND);
    CU_ASSERT_EQUAL(lease_next(&lease, now).action, LEASE_WAIT);
    lease_set_link(&lease, now, true, false);
    CU_ASSERT_EQUAL(step(), LEASE_ADD); /* nobody to ask, and nobody to tell */
    CU_ASSERT_EQUAL(lease_next(&lease, now).action, LEASE_WAIT);
    lease_set_link(&lease, now, true, true);
    CU_ASSERT_EQUAL(step(), LEASE_ANNOUNCE);
    now += 10 * MS;
    lease_set_link(&lease, now, true, false);
    lease_set_link(&lease, now, true, true); /* on another port of the switch, say: the burst begins anew */
    CU_ASSERT_EQUAL(step(), LEASE_ANNOUNCE);
    CU_ASSERT_EQUAL(lease.announced, 1);
    now += SECOND;
    lease_set_link(&lease, now, false, false);
    CU_ASSERT_FALSE(lease.held);
    lease_set_link(&lease, now, true, true);
    CU_ASSERT_EQUAL(step(), LEASE_ADD);
}

static void test_end(void)
{
    setup();
    take(1, 60 * SECOND);
    lease_end(&lease);
    CU_ASSERT_EQUAL(step(), LEASE_REMOVE);
    CU_ASSERT_EQUAL(lease_next(&lease, now).wake_us, LEASE_NEVER);
}

/* Whatever happens in whatever order: the address is on the interface only under a lease, the epoch never
 * falls, no wake-up lies in the past, and there is no end of steps. The model of the kernel refuses one
 * request in eight and loses addresses. */
static void walk(unsigned seed)
{
    bool on_interface = false;
    uint64_t model_epoch = 0, model_deadline = 0;

    srand(seed);
    setup();
    for (unsigned event = 0; event < 400; event++) {
        uint64_t epoch_before = lease.epoch, epoch = lease.epoch + (uint64_t)(rand() % 4) - 1;
        struct lease_step next;
        unsigned steps = 0;

        switch (rand() % 8) {
        case 0:
        case 1:
        case 2: {
            uint64_t deadline = now + (uint64_t)(rand() % 2000) * MS - 100 * MS;
            if (lease_grant(&lease, now, epoch, deadline) == LEASE_ACCEPTED) {
                CU_ASSERT_FATAL(deadline > now && epoch >= model_epoch);
                model_deadline = deadline;
            } else if (epoch > model_epoch && epoch == lease.epoch) {
                model_deadline = 0;
            }
            break;
        }
        case 3:
            if (lease_release(&lease, epoch) == LEASE_ACCEPTED)
                model_deadline = 0;
            break;
        case 4:
            on_interface = rand() % 2;
            lease_set_held(&lease, now, on_interface);
            break;
        case 5: {
            bool there = rand() % 4;
            on_interface = on_interface && there;
            lease_set_link(&lease, now, there, rand() % 4);
            break;
        }
        case 6:
            lease_see_other(&lease, now);
            break;
        default:
            break;
        }
        CU_ASSERT_FATAL(lease.epoch >= epoch_before);
        model_epoch = lease.epoch;
        /* Given up early, for a conflict or for the cost of a removal: the next may be shorter. */
        if (!lease.deadline_us)
            model_deadline = 0;
        while ((next = lease_next(&lease, now)).action != LEASE_WAIT) {
            bool ok = rand() % 8 != 0;
            CU_ASSERT_FATAL(++steps < 20);
            if (next.action == LEASE_ADD || next.action == LEASE_REFRESH) {
                CU_ASSERT_FATAL(now < model_deadline);
                CU_ASSERT_FATAL(next.lifetime_s * (uint64_t)SECOND >= model_deadline - now);
                CU_ASSERT_FATAL(next.lifetime_s * (uint64_t)SECOND < model_deadline - now + SECOND);
                on_interface = on_interface || ok;
            }
            if (next.action == LEASE_REMOVE && ok)
                on_interface = false;
            lease_done(&lease, next.action, now, now + 20, ok);
            now += 20;
        }
        if (!lease.deadline_us)
            model_deadline = 0;
        CU_ASSERT_FATAL(next.wake_us > now);
        CU_ASSERT_EQUAL_FATAL(lease.held, on_interface);
        /* There without a lease: only after a refusal, and then it is tried again soon. */
        if (on_interface && now >= model_deadline)
            CU_ASSERT_FATAL(next.wake_us <= now + LEASE_RETRY_REMOVE_US);
        if (rand() % 2 && next.wake_us != LEASE_NEVER)
            now = next.wake_us + (uint64_t)(rand() % 2) * (uint64_t)(rand() % 1000);
        else
            now += (uint64_t)(rand() % 50) * MS;
    }
}

static void test_random_walks(void)
{
    for (unsigned seed = 1; seed <= 5000; seed++)
        walk(seed);
}

int main(void)
{
    CU_pSuite suite;
    unsigned failures;

    if (CU_initialize_registry() != CUE_SUCCESS)
        return 1;
    suite = CU_add_suite("vipd_lease", NULL, NULL);
    CU_ADD_TEST(suite, test_taking_probes_then_adds_then_announces);
    CU_ADD_TEST(suite, test_lifetime_is_the_rest_in_whole_seconds_rounded_up);
    CU_ADD_TEST(suite, test_renewal_refreshes_the_kernel_when_its_time_would_not_last);
    CU_ADD_TEST(suite, test_removal_begins_before_the_deadline_and_is_measured);
    CU_ADD_TEST(suite, test_epochs_only_grow);
    CU_ADD_TEST(suite, test_higher_epoch_goes_on_without_a_gap_or_ends_the_older);
    CU_ADD_TEST(suite, test_the_newest_deadline_holds);
    CU_ADD_TEST(suite, test_late_waking_removes_first);
    CU_ADD_TEST(suite, test_release_and_lease_in_one_epoch);
    CU_ADD_TEST(suite, test_taken_away_is_put_back_without_a_probe);
    CU_ADD_TEST(suite, test_address_without_a_lease_is_removed);
    CU_ADD_TEST(suite, test_refused_removal_is_tried_again_for_ever);
    CU_ADD_TEST(suite, test_outcome_may_come_after_the_lease_has_ended);
    CU_ADD_TEST(suite, test_refused_addition_is_tried_again_while_leased);
    CU_ADD_TEST(suite, test_conflict_refuses_and_holds_off);
    CU_ADD_TEST(suite, test_conflict_while_held_is_reported_and_forgotten);
    CU_ADD_TEST(suite, test_probe_that_cannot_be_sent_costs_no_time);
    CU_ADD_TEST(suite, test_burst_then_slow_refresh);
    CU_ADD_TEST(suite, test_links);
    CU_ADD_TEST(suite, test_end);
    CU_ADD_TEST(suite, test_random_walks);
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures != 0;
}
