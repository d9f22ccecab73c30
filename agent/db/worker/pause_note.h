/* pause_note.h - the lease of a pause, kept over the restart of agent and worker.
 *
 * In a pause the worker ends with its agent and leaves the database open. The next worker must know until
 * when that is right: the note stands beside the lock file, names this boot of the machine, the epoch and the
 * deadline, and is removed with the pause. It may be lost: the database is then closed, as always without a
 * lease. Only the holder of the lock file reads and writes it. */
#ifndef MHA_DB_WORKER_PAUSE_NOTE_H
#define MHA_DB_WORKER_PAUSE_NOTE_H

#include <stdbool.h>
#include <stdint.h>

#define PAUSE_NOTE_PATH_BYTES 600

struct pause_note {
    char path[PAUSE_NOTE_PATH_BYTES]; /* "": none is kept */
    uint64_t epoch;                   /* what is written there; 0: nothing */
    uint64_t deadline_us;             /* CLOCK_BOOTTIME */
};

/* Reads what an earlier worker of this boot left beside `lock_path` (NULL: none is kept). */
void pause_note_open(struct pause_note *note, const char *lock_path);
/* Makes the file say this; does nothing if it does. epoch 0: no pause is in force. */
void pause_note_set(struct pause_note *note, uint64_t epoch, uint64_t deadline_us);

#endif
