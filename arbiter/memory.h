/* memory.h - gives back what only the start needed. */
#ifndef MHA_ARBITER_MEMORY_H
#define MHA_ARBITER_MEMORY_H

/* Unmaps the pages of code and constants of this program and its libraries, and the free end of the heap.
 * What is used again is mapped again from the page cache, at a page fault's cost; most of it (OpenSSL's
 * set-up, the dynamic linker's tables) never is. */
void memory_release_startup(void);

#endif
