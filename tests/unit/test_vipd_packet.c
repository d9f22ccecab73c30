/* The agent's requests as bytes (vipd/packet.h): what is understood, and that nothing else is. */
#include <CUnit/Basic.h>
#include <CUnit/CUnit.h>
#include <stdlib.h>
#include <string.h>

#include "vipd.pb-c.h"
#include "vipd/packet.h"

static uint8_t bytes[PACKET_BYTES_MAX + 64];
static struct packet_request request;

static size_t pack_lease(const char *address)
{
    Mha__VipLease lease = MHA__VIP_LEASE__INIT;
    Mha__VipRequest message = MHA__VIP_REQUEST__INIT;

    lease.address = (char *)address;
    lease.epoch = 7;
    lease.deadline_us = UINT64_MAX;
    message.id = 42;
    message.body_case = MHA__VIP_REQUEST__BODY_LEASE;
    message.lease = &lease;
    return mha__vip_request__pack(&message, bytes);
}

static void test_each_kind_is_understood(void)
{
    Mha__VipRelease release = MHA__VIP_RELEASE__INIT;
    Mha__VipQuery query = MHA__VIP_QUERY__INIT;
    Mha__VipRequest message = MHA__VIP_REQUEST__INIT;

    CU_ASSERT_TRUE(packet_parse(bytes, pack_lease("192.0.2.10"), &request));
    CU_ASSERT_EQUAL(request.kind, PACKET_LEASE);
    CU_ASSERT_EQUAL(request.id, 42);
    CU_ASSERT_EQUAL(request.epoch, 7);
    CU_ASSERT_EQUAL(request.deadline_us, UINT64_MAX);
    CU_ASSERT_STRING_EQUAL(request.address, "192.0.2.10");

    release.address = (char *)"192.0.2.11";
    release.epoch = 8;
    message.body_case = MHA__VIP_REQUEST__BODY_RELEASE;
    message.release = &release;
    CU_ASSERT_TRUE(packet_parse(bytes, mha__vip_request__pack(&message, bytes), &request));
    CU_ASSERT_EQUAL(request.kind, PACKET_RELEASE);
    CU_ASSERT_EQUAL(request.epoch, 8);
    CU_ASSERT_EQUAL(request.deadline_us, 0);

    query.address = (char *)"";
    message.body_case = MHA__VIP_REQUEST__BODY_QUERY;
    message.query = &query;
    CU_ASSERT_TRUE(packet_parse(bytes, mha__vip_request__pack(&message, bytes), &request));
    CU_ASSERT_EQUAL(request.kind, PACKET_QUERY);
    CU_ASSERT_STRING_EQUAL(request.address, "");
}

static void test_what_is_no_request_is_refused(void)
{
    static const uint8_t no_body[] = {0x08, 0x01};
    size_t size;

    CU_ASSERT_FALSE(packet_parse(no_body, 0, &request));
    CU_ASSERT_FALSE(packet_parse(no_body, sizeof no_body, &request));
    CU_ASSERT_FALSE(packet_parse(bytes, pack_lease("an address that is far too long for IPv4"), &request));
    size = pack_lease("192.0.2.10");
    CU_ASSERT_TRUE(packet_parse(bytes, size, &request));
    for (size_t cut = 3; cut < size; cut++)
        CU_ASSERT_FALSE(packet_parse(bytes, cut, &request));
    memset(bytes, 0x78, sizeof bytes);
    CU_ASSERT_FALSE(packet_parse(bytes, PACKET_BYTES_MAX + 1, &request));
}

static void test_unknown_fields_survive_up_to_a_bound(void)
{
    size_t size = pack_lease("192.0.2.10");

    for (unsigned i = 0; i < 10; i++) {
        bytes[size++] = 0x78; /* field 15, a varint */
        bytes[size++] = 0x01;
    }
    CU_ASSERT_TRUE(packet_parse(bytes, size, &request));
    CU_ASSERT_EQUAL(request.epoch, 7);
    while (size + 2 <= PACKET_BYTES_MAX) {
        bytes[size++] = 0x78;
        bytes[size++] = 0x01;
    }
    CU_ASSERT_FALSE(packet_parse(bytes, size, &request)); /* it would not fit into the arena */
    CU_ASSERT_TRUE(packet_parse(bytes, pack_lease("192.0.2.10"), &request));
}

/* The sanitizers are the judges here. */
static void test_damaged_packets_do_no_harm(void)
{
    srand(1);
    for (unsigned i = 0; i < 100000; i++) {
        size_t size = pack_lease("192.0.2.10");
        for (unsigned damage = 0; damage < 1 + i % 4; damage++)
            bytes[(size_t)rand() % size] = (uint8_t)rand();
        if (packet_parse(bytes, size - (size_t)rand() % 3, &request))
            CU_ASSERT_FATAL(memchr(request.address, '\0', sizeof request.address) != NULL);
    }
    for (unsigned i = 0; i < 5000; i++) {
        size_t size = (size_t)rand() % PACKET_BYTES_MAX;
        for (size_t k = 0; k < size; k++)
            bytes[k] = (uint8_t)(rand() % 4 ? rand() % 32 : rand());
        packet_parse(bytes, size, &request);
    }
}

static void test_state_reads_back(void)
{
    struct address_state state = {.held = true,
                                  .conflict = true,
                                  .epoch = UINT64_MAX,
                                  .deadline_us = 5,
                                  .interface = "eth0",
                                  .prefix_length = 24};
    Mha__VipState *message;
    size_t size;

    memset(state.trouble, 'x', sizeof state.trouble - 1);
    size = packet_write(bytes, 9, "192.0.2.10", &state);
    message = mha__vip_state__unpack(NULL, size, bytes);
    CU_ASSERT_PTR_NOT_NULL_FATAL(message);
    CU_ASSERT_EQUAL(message->id, 9);
    CU_ASSERT_TRUE(message->held && message->conflict && !message->link_up);
    CU_ASSERT_EQUAL(message->epoch, UINT64_MAX);
    CU_ASSERT_EQUAL(message->deadline_us, 5);
    CU_ASSERT_STRING_EQUAL(message->address, "192.0.2.10");
    CU_ASSERT_STRING_EQUAL(message->trouble, state.trouble);
    CU_ASSERT_STRING_EQUAL(message->interface, "eth0");
    CU_ASSERT_EQUAL(message->prefix_length, 24);
    mha__vip_state__free_unpacked(message, NULL);
}

int main(void)
{
    CU_pSuite suite;
    unsigned failures;

    if (CU_initialize_registry() != CUE_SUCCESS)
        return 1;
    suite = CU_add_suite("vipd_packet", NULL, NULL);
    CU_ADD_TEST(suite, test_each_kind_is_understood);
    CU_ADD_TEST(suite, test_what_is_no_request_is_refused);
    CU_ADD_TEST(suite, test_unknown_fields_survive_up_to_a_bound);
    CU_ADD_TEST(suite, test_damaged_packets_do_no_harm);
    CU_ADD_TEST(suite, test_state_reads_back);
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures != 0;
}
