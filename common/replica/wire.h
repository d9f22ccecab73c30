/* wire.h - what members say to each other, and what the log's entries and snapshots mean, as bytes and as
 * values.
 *
 * Pure conversion, both ways, of peer.proto's PeerFrame and log.proto's Membership and Snapshot. Whatever
 * comes out of an unpack function has been checked: kinds are known, counts and sizes are within the limits
 * of raft.h and of this header, texts are NUL-terminated and within their arrays, names and addresses
 * well-formed, an APPEND's entries follow its log_index without gaps, a SNAPSHOT's chunk lies within its
 * total_bytes. What the values mean (a known sender, a term) the caller checks.
 *
 * Packed bytes come from malloc and belong to the caller. Errors: ERR_INVALID (the text says what is wrong),
 * ERR_NO_MEMORY. */
#ifndef MHA_REPLICA_WIRE_H
#define MHA_REPLICA_WIRE_H

#include "common/base/error.h"
#include "common/raft/raft.h"
#include "common/replica/membership.h"

#define WIRE_VERSION 1
#define WIRE_REFUSED_BYTES 256
/* The entries of one packed APPEND take at most this (a frame may be NET_FRAME_BYTES_MAX). */
#define WIRE_APPEND_BYTES_MAX (768 * 1024)

/* One chunk of a snapshot (raft_config.chunk_bytes). */
#define WIRE_CHUNK_BYTES_MAX 65536

struct wire_bytes {
    uint8_t *data; /* free() it */
    size_t size;
};

struct wire_hello {
    uint32_t version;
    char cluster[REPLICA_NAME_BYTES];
    char name[REPLICA_NAME_BYTES];
    uint64_t id;
    bool formed;
    struct replica_membership membership; /* count 0: none */
    char refused[WIRE_REFUSED_BYTES];     /* "": welcome */
    char to[REPLICA_NAME_BYTES];          /* "" in an answer */
    uint64_t nodes_digest;                /* see formation.h */
    uint64_t membership_index;            /* where it stands in the sender's log */
    char address[REPLICA_ADDRESS_BYTES];  /* the sender's own; not checked: whoever uses it does */
    bool arbiter;
};

enum wire_frame_kind { WIRE_HELLO, WIRE_RAFT, WIRE_FORM, WIRE_APPLICATION };

struct wire_frame {
    enum wire_frame_kind kind;
    union {
        struct wire_hello hello;
        struct raft_message raft;       /* its entries and all data live in `memory` */
        struct replica_membership form; /* at least one member */
        struct {
            const uint8_t *data; /* in `memory`; at most REPLICA_APPLICATION_BYTES_MAX */
            size_t size;
        } application;
    };
    void *memory;
    struct raft_entry entries[RAFT_APPEND_ENTRIES_MAX];
};

/* `refused`, too long, is cut. */
enum error_code wire_pack_hello(const struct wire_hello *hello, struct wire_bytes *out, struct error *err);
/* An APPEND takes as many of its first entries as fit in WIRE_APPEND_BYTES_MAX, at least one; `packed` (NULL
 * allowed) tells how many. For the rest the caller packs further messages (log_index and log_term those of
 * the last packed entry), or lets Raft send them again. */
enum error_code wire_pack_raft(const struct raft_message *message, struct wire_bytes *out, unsigned *packed,
                               struct error *err);
enum error_code wire_pack_form(const struct replica_membership *membership, struct wire_bytes *out,
                               struct error *err);
/* ERR_INVALID: more than REPLICA_APPLICATION_BYTES_MAX. */
enum error_code wire_pack_application(const void *data, size_t size, struct wire_bytes *out,
                                      struct error *err);

/* `out` needs wire_free_frame only after ERR_OK. It must not be moved: message.entries points into it. */
enum error_code wire_unpack_frame(const void *data, size_t size, struct wire_frame *out, struct error *err);
void wire_free_frame(struct wire_frame *frame);

/* The data of a RAFT_ENTRY_MEMBERSHIP entry. */
enum error_code wire_pack_membership(const struct replica_membership *membership, struct wire_bytes *out,
                                     struct error *err);
enum error_code wire_unpack_membership(const void *data, size_t size, struct replica_membership *out,
                                       struct error *err);

/* A snapshot, as store_save_snapshot wants it and store_recovered gives it. */
struct wire_snapshot {
    uint64_t last_index;
    uint64_t last_term;
    struct replica_membership membership;
    const uint8_t *state; /* after unpacking: in `memory` */
    size_t state_size;
    void *memory;
};
enum error_code wire_pack_snapshot(const struct wire_snapshot *snapshot, struct wire_bytes *out,
                                   struct error *err);
/* `out` needs wire_free_snapshot only after ERR_OK. */
enum error_code wire_unpack_snapshot(const void *data, size_t size, struct wire_snapshot *out,
                                     struct error *err);
void wire_free_snapshot(struct wire_snapshot *snapshot);

#endif
