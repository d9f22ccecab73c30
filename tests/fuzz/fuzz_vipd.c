/* Packets to vipd and its lease under them (vipd/packet.h, vipd/lease.h). fuzz: runs=60000 max_len=4200
 *
 * Steps are packets; the control byte moves the clock and carries out, or fails, what the lease asks for. A
 * packet that is accepted says what its message says. The lease never goes back to an older epoch, keeps
 * nothing past its deadline (I6), and asks for something bounded. */
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "vipd.pb-c.h"
#include "vipd/lease.h"
#include "vipd/packet.h"

static const char *const words[] = {"192.0.2.10",       "192.0.2.11", "255.255.255.255",
                                    "255.255.255.2555", "",           NULL};

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    return fuzz_mutate_steps(&mha__vip_request__descriptor, words, data, size, max_size, seed);
}

static void check_packet(const struct packet_request *request)
{
    Mha__VipRequest message = MHA__VIP_REQUEST__INIT;
    Mha__VipLease lease = MHA__VIP_LEASE__INIT;
    Mha__VipRelease release = MHA__VIP_RELEASE__INIT;
    Mha__VipQuery query = MHA__VIP_QUERY__INIT;
    struct packet_request again;
    uint8_t packed[PACKET_BYTES_MAX];
    char *address = (char *)request->address;

    FUZZ_CHECK(memchr(request->address, 0, sizeof request->address), "the address ends");
    message.id = request->id;
    if (request->kind == PACKET_LEASE) {
        message.body_case = MHA__VIP_REQUEST__BODY_LEASE;
        message.lease = &lease;
        lease.address = address;
        lease.epoch = request->epoch;
        lease.deadline_us = request->deadline_us;
    } else if (request->kind == PACKET_RELEASE) {
        message.body_case = MHA__VIP_REQUEST__BODY_RELEASE;
        message.release = &release;
        release.address = address;
        release.epoch = request->epoch;
    } else {
        message.body_case = MHA__VIP_REQUEST__BODY_QUERY;
        message.query = &query;
        query.address = address;
    }
    FUZZ_CHECK(packet_parse(packed, mha__vip_request__pack(&message, packed), &again), "it parses again");
    FUZZ_CHECK(memcmp(request, &again, sizeof again) == 0, "to the same");
}

static void check_answer(const struct lease *lease, const struct packet_request *request)
{
    struct address_state state = {.held = lease->held,
                                  .link_up = lease->link_up,
                                  .conflict = lease->conflict,
                                  .epoch = lease->epoch,
                                  .deadline_us = lease->deadline_us};
    uint8_t packed[PACKET_BYTES_MAX];
    Mha__VipState *message;

    memset(state.trouble, 't', sizeof state.trouble - 1);
    message =
        mha__vip_state__unpack(NULL, packet_write(packed, request->id, request->address, &state), packed);
    FUZZ_CHECK(message && message->id == request->id && message->held == state.held &&
                   message->epoch == state.epoch && strcmp(message->trouble, state.trouble) == 0,
               "the answer says what is");
    mha__vip_state__free_unpacked(message, NULL);
}

/* Does what the lease asks for until it waits. */
static void run(struct lease *lease, uint64_t *now_us, bool works)
{
    for (unsigned i = 0;; i++) {
        struct lease_step step = lease_next(lease, *now_us);
        FUZZ_CHECK(i < 64, "it comes to rest");
        if (step.action == LEASE_WAIT) {
            FUZZ_CHECK(step.wake_us > *now_us, "a wait is for later");
            return;
        }
        if (step.action == LEASE_ADD || step.action == LEASE_REFRESH || step.action == LEASE_PROBE)
            FUZZ_CHECK(lease->deadline_us > *now_us, "an address is taken under a live lease only (I6)");
        if (step.action == LEASE_ADD || step.action == LEASE_REFRESH)
            FUZZ_CHECK(step.lifetime_s > 0 &&
                           (step.lifetime_s - 1) * UINT64_C(1000000) < lease->deadline_us - *now_us,
                       "the kernel's lifetime is the lease's, in whole seconds");
        lease_done(lease, step.action, *now_us, *now_us + 100, works);
        *now_us += 100;
        if (lease->held && works)
            FUZZ_CHECK(lease->deadline_us > *now_us - 200 || step.action != LEASE_REMOVE,
                       "a removal removes");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    struct fuzz_step step;
    struct lease lease;
    uint64_t now_us = 1000000, epoch = 0;

    lease_init(&lease);
    lease_set_link(&lease, now_us, true, true);
    while (fuzz_next_step(&input, &step)) {
        struct packet_request request;
        now_us += (uint64_t)(step.control & 15) << 12 << (step.control >> 4 & 3) * 2;
        if (packet_parse(step.data, step.size, &request)) {
            check_packet(&request);
            uint64_t deadline_us =
                request.deadline_us < 100000000 ? now_us + request.deadline_us : request.deadline_us;
            if (request.kind == PACKET_LEASE &&
                lease_grant(&lease, now_us, request.epoch, deadline_us) == LEASE_ACCEPTED)
                FUZZ_CHECK(request.epoch >= epoch && lease.deadline_us > now_us,
                           "a lease of an older epoch is never accepted (I5)");
            else if (request.kind == PACKET_RELEASE && lease_release(&lease, request.epoch) == LEASE_ACCEPTED)
                FUZZ_CHECK(request.epoch >= epoch && lease.deadline_us == 0, "a release ends the lease");
            check_answer(&lease, &request);
        } else if (step.control & 64) {
            lease_see_other(&lease, now_us);
        } else {
            lease_set_held(&lease, now_us, step.control & 1);
        }
        FUZZ_CHECK(lease.epoch >= epoch, "the highest epoch seen never goes back (I5)");
        epoch = lease.epoch;
        run(&lease, &now_us, !(step.control & 128));
        if (!(step.control & 128))
            FUZZ_CHECK(!lease.held || lease.deadline_us > now_us || lease.retry_us > now_us,
                       "no address without a live lease (I6)");
    }
    return 0;
}
