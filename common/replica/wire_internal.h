/* wire_internal.h - what wire.c and wire_membership.c share. */
#ifndef MHA_REPLICA_WIRE_INTERNAL_H
#define MHA_REPLICA_WIRE_INTERNAL_H

#include "common/replica/wire.h"
#include "log.pb-c.h"

enum error_code wire_pack(const ProtobufCMessage *message, struct wire_bytes *out, struct error *err);
/* ERR_INVALID: does not fit; `what` is its name in the text. */
enum error_code wire_copy_text(const char *from, char *out, size_t size, const char *what, struct error *err);

/* A membership as a message that borrows its texts, with the arrays that it points to. */
struct wire_membership_proto {
    Mha__Membership message;
    Mha__Member members[RAFT_MEMBERS_MAX];
    Mha__Member *pointers[RAFT_MEMBERS_MAX];
    Mha__Member joining;
};
void wire_membership_to_proto(const struct replica_membership *membership, struct wire_membership_proto *out);
enum error_code wire_membership_from_proto(const Mha__Membership *message, struct replica_membership *out,
                                           struct error *err);

#endif
