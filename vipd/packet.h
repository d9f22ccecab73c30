/* packet.h - the agent's requests and our answers as bytes (proto/vipd.proto), one packet each.
 *
 * Everything that a packet says is checked here or by the lease. Parsing uses a fixed arena: no packet can
 * make vipd allocate. */
#ifndef MHA_VIPD_PACKET_H
#define MHA_VIPD_PACKET_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vipd/address.h"

#define PACKET_BYTES_MAX 4096

enum packet_kind { PACKET_LEASE, PACKET_RELEASE, PACKET_QUERY };

struct packet_request {
    enum packet_kind kind;
    uint64_t id;
    char address[INET_ADDRSTRLEN]; /* as sent; one of ours or not */
    uint64_t epoch;
    uint64_t deadline_us;
};

/* false: not a request. */
bool packet_parse(const uint8_t *data, size_t size, struct packet_request *out);
/* The size written. */
size_t packet_write(uint8_t out[PACKET_BYTES_MAX], uint64_t id, const char *address,
                    const struct address_state *state);

#endif
