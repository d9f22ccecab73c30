#include "agent/db/worker/pause_note.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"

#define BOOT_ID_BYTES 40
#define TEXT_BYTES 128

/* "": not to be had; then nothing is kept. */
static void read_boot_id(char out[BOOT_ID_BYTES])
{
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");

    out[0] = '\0';
    if (!file)
        return;
    if (!fgets(out, BOOT_ID_BYTES, file))
        out[0] = '\0';
    out[strcspn(out, "\n")] = '\0';
    fclose(file);
}

void pause_note_open(struct pause_note *note, const char *lock_path)
{
    char boot_id[BOOT_ID_BYTES], written[BOOT_ID_BYTES];
    uint64_t epoch, deadline_us;
    FILE *file;

    memset(note, 0, sizeof *note);
    if (!lock_path ||
        snprintf(note->path, sizeof note->path, "%s.pause", lock_path) >= (int)sizeof note->path) {
        note->path[0] = '\0';
        return;
    }
    read_boot_id(boot_id);
    file = fopen(note->path, "re");
    if (!file)
        return;
    if (fscanf(file, "%39s %" SCNu64 " %" SCNu64, written, &epoch, &deadline_us) == 3 && boot_id[0] &&
        strcmp(written, boot_id) == 0) {
        note->epoch = epoch;
        note->deadline_us = deadline_us;
    }
    fclose(file);
}

void pause_note_set(struct pause_note *note, uint64_t epoch, uint64_t deadline_us)
{
    char boot_id[BOOT_ID_BYTES], text[TEXT_BYTES], temporary[PAUSE_NOTE_PATH_BYTES + 4];
    int fd, length;
    bool written;

    if (!note->path[0] || (epoch == note->epoch && (epoch == 0 || deadline_us == note->deadline_us)))
        return;
    note->epoch = epoch;
    note->deadline_us = deadline_us;
    if (epoch == 0) {
        unlink(note->path);
        return;
    }
    /* A crash of the machine voids it anyway (another boot), so it is not synced; the rename keeps it whole.
     */
    read_boot_id(boot_id);
    length = snprintf(text, sizeof text, "%s %" PRIu64 " %" PRIu64 "\n", boot_id, epoch, deadline_us);
    snprintf(temporary, sizeof temporary, "%s.new", note->path);
    fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    written = fd >= 0 && write(fd, text, (size_t)length) == length;
    if (fd >= 0)
        close(fd);
    if (!written || rename(temporary, note->path) != 0)
        log_warning("%s cannot be written: %s; a restart of the agent in this pause will close the database",
                    note->path, strerror(errno));
}
