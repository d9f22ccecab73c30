/* crc32c.h - CRC-32C (Castagnoli): RFC 3720 (iSCSI), section 12.1 and appendix B.4. */
#ifndef MHA_BASE_CRC32C_H
#define MHA_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Start with crc 0 (or a seed of one's own); the result continues in a next call. Uses the CPU's instruction
 * where there is one. */
uint32_t crc32c(uint32_t crc, const void *data, size_t size);
/* The same without the instruction. */
uint32_t crc32c_portable(uint32_t crc, const void *data, size_t size);

#endif
