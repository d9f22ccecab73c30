/* The shared key file of a cluster. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/net/net.h"

#define KEY_TEXT_BYTES (2 * NET_KEY_BYTES)

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static bool key_parse(const char *text, ssize_t size, uint8_t key[NET_KEY_BYTES])
{
    if (size == KEY_TEXT_BYTES + 1 && text[KEY_TEXT_BYTES] == '\n')
        size--;
    if (size != KEY_TEXT_BYTES)
        return false;
    for (unsigned i = 0; i < NET_KEY_BYTES; i++) {
        int high = hex_digit(text[2 * i]);
        int low = hex_digit(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        key[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

enum error_code net_key_read(const char *path, uint8_t key[NET_KEY_BYTES], struct error *err)
{
    char text[KEY_TEXT_BYTES + 2]; /* one more than fits, to see that there is more */
    struct stat facts;
    ssize_t got;
    bool sound;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0)
        return error_set(
            err, ERR_IO,
            "key file %s cannot be read: %s; copy the cluster's key there (the first one is made by "
            "`mhactl key generate`), owner root, group mha4rdb, mode 0640",
            path, strerror(errno));
    if (fstat(fd, &facts) != 0 || !S_ISREG(facts.st_mode)) {
        close(fd);
        return error_set(err, ERR_INVALID,
                         "key file %s is not a regular file; name the file that `mhactl key generate` made",
                         path);
    }
    if (facts.st_mode & S_IRWXO) {
        close(fd);
        return error_set(
            err, ERR_INVALID,
            "key file %s has mode %04o: others than its owner and group have access; chmod 0640 %s", path,
            (unsigned)facts.st_mode & 07777u, path);
    }
    got = read(fd, text, sizeof text);
    close(fd);
    sound = got >= 0 && key_parse(text, got, key);
    OPENSSL_cleanse(text, sizeof text);
    if (!sound)
        return error_set(
            err, ERR_INVALID,
            "key file %s does not hold 64 hexadecimal digits and a newline; copy it again from another "
            "member, or make a new one for all members with `mhactl key generate`",
            path);
    return ERR_OK;
}
