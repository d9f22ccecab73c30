/* trace_fields.h - the names in a trace (trace.h): between trace.c and trace_replay.c. */
#ifndef MHA_RAFT_TRACE_FIELDS_H
#define MHA_RAFT_TRACE_FIELDS_H

#include "common/raft/trace.h"

extern const char *const raft_trace_message_kinds[RAFT_MESSAGE_KINDS];
#define RAFT_TRACE_ENTRY_KINDS 3
extern const char *const raft_trace_entry_kinds[RAFT_TRACE_ENTRY_KINDS];
#define RAFT_TRACE_CODES 5
extern const char *const raft_trace_codes[RAFT_TRACE_CODES];

extern const struct field raft_trace_config_fields[];
extern const struct field raft_trace_hard_state_fields[];
extern const struct field raft_trace_message_fields[];

#endif
