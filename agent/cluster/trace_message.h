/* trace_message.h - protobuf messages as words of a trace (common/base/text.h): `name=value`, nested ones as
 * `outer.inner=value`, repeated ones as `name[0]=value`; what is 0, false or empty is left out. */
#ifndef MHA_CLUSTER_TRACE_MESSAGE_H
#define MHA_CLUSTER_TRACE_MESSAGE_H

#include <protobuf-c/protobuf-c.h>

#include "common/base/text.h"

/* `prefix`: "" or one that ends with a dot. Numbers, booleans, enums, strings and messages. */
void trace_message_write(struct text *text, const char *prefix, const ProtobufCMessage *message);
/* Freed with protobuf_c_message_free_unpacked(.., NULL). NULL: no memory. */
ProtobufCMessage *trace_message_read(const struct words *words, const char *prefix,
                                     const ProtobufCMessageDescriptor *descriptor);

#endif
