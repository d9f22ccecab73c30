#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/ctl.h"

#define KEY_BYTES 32
#define KEY_MODE 0640
#define KEY_GROUP "mha4rdb"

enum error_code key_generate(char text[KEY_TEXT_BYTES], struct error *err)
{
    uint8_t bytes[KEY_BYTES];

    /* getrandom(2): up to 256 bytes are never cut short once the kernel's pool is ready, and it waits for
     * that. */
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return error_set(err, ERR_IO, "the kernel gives no random bytes: %s", strerror(errno));
    for (unsigned i = 0; i < KEY_BYTES; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    text[2 * KEY_BYTES] = '\n';
    text[2 * KEY_BYTES + 1] = '\0';
    explicit_bzero(bytes, sizeof bytes);
    return ERR_OK;
}

/* The agent runs as user mha4rdb and must read what root has written. */
static void give_to_group(int fd)
{
    const struct group *group = geteuid() == 0 ? getgrnam(KEY_GROUP) : NULL;

    /* Without that group the programs are not installed here: the file is to be copied elsewhere anyway. */
    if (group && fchown(fd, (uid_t)-1, group->gr_gid) != 0)
        return;
}

enum error_code key_write(const char *path, const char *text, struct error *err)
{
    size_t size = strlen(text);
    int number;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd < 0 && errno == EEXIST)
        return error_set(
            err, ERR_REFUSED,
            "%s: exists already and is not overwritten: members with the old key would be cut off; "
            "remove it first if that is meant",
            path);
    if (fd < 0)
        return error_set(err, ERR_IO, "%s: cannot be made: %s", path, strerror(errno));
    give_to_group(fd);
    errno = 0;
    if (fchmod(fd, KEY_MODE) == 0 && write(fd, text, size) == (ssize_t)size && fsync(fd) == 0) {
        close(fd);
        return ERR_OK;
    }
    number = errno ? errno : ENOSPC;
    close(fd);
    unlink(path);
    return error_set(err, ERR_IO, "%s: cannot be written: %s", path, strerror(number));
}

enum ctl_exit ctl_key(struct ctl *ctl, int argc, char **argv)
{
    const char *path = NULL;
    const struct ctl_option options[] = {{.name = "output", .letter = 'o', .value = &path}, {0}};
    char text[KEY_TEXT_BYTES];
    struct error err;

    if (argc < 2 || strcmp(argv[1], "generate") != 0) {
        fprintf(ctl->err, "mhactl key: the one thing to do with a key is `mhactl key generate [-o FILE]`\n");
        return CTL_USAGE;
    }
    if (!ctl_read_options(ctl, argc - 1, argv + 1, options))
        return CTL_USAGE;
    if (key_generate(text, &err) != ERR_OK || (path && key_write(path, text, &err) != ERR_OK)) {
        fprintf(ctl->err, "mhactl: %s\n", err.text);
        return CTL_USAGE;
    }
    if (path)
        fprintf(ctl->err,
                "%s: written, mode 0640. Copy it to every member of the cluster; group " KEY_GROUP
                " must be able to read it, nobody else.\n",
                path);
    else
        fputs(text, ctl->out);
    explicit_bzero(text, sizeof text);
    return CTL_OK;
}
