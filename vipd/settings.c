#include "vipd/settings.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/config.h"

#define DEFAULT_SOCKET "/run/mha4rdb-vipd/vipd.sock"
#define DEFAULT_PEER "mha4rdb"
#define DEFAULT_RUN_AS "mha4rdb-vipd"
#define USER_BYTES 64

/* What is in this file, vipd does with root's powers: only root may have written it. */
static enum error_code check_owner(const char *path, struct error *err)
{
    struct stat status;

    if (stat(path, &status) < 0)
        return ERR_OK; /* reading it tells the same with its remedy */
    if (status.st_uid != 0 && status.st_uid != geteuid())
        return error_set(err, ERR_INVALID, "%s: belongs to user %u; chown root %s", path,
                         (unsigned)status.st_uid, path);
    if (status.st_mode & (S_IWGRP | S_IWOTH))
        return error_set(err, ERR_INVALID, "%s: may be written by others than its owner; chmod go-w %s", path,
                         path);
    return ERR_OK;
}

static const config_setting_t *setting_of(const config_setting_t *group, const char *key)
{
    const config_setting_t *setting = config_setting_get_member(group, key);

    return setting ? setting : group;
}

/* A name or a number. A number needs no account; its group is then the same number. */
static bool find_user(const char *text, uid_t *uid, gid_t *gid)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);
    const struct passwd *user;

    if (text[0] >= '0' && text[0] <= '9' && *end == '\0') {
        if (number >= UINT32_MAX)
            return false;
        *uid = (uid_t)number;
        *gid = (gid_t)number;
        return true;
    }
    user = getpwnam(text);
    if (!user)
        return false;
    *uid = user->pw_uid;
    *gid = user->pw_gid;
    return true;
}

static void read_users(struct config_file *file, const config_setting_t *root, struct vipd_settings *out)
{
    char peer[USER_BYTES] = "", run_as[USER_BYTES] = "";
    gid_t ignored;

    config_get_string(file, root, "peer_user", DEFAULT_PEER, peer, sizeof peer);
    config_get_string(file, root, "run_as", "", run_as, sizeof run_as);
    if (file->failed)
        return;
    if (!find_user(peer, &out->peer_uid, &ignored))
        config_fail(file, setting_of(root, "peer_user"),
                    "there is no user \"%s\"; name the user that the agent runs as in peer_user", peer);
    if (run_as[0] == '\0') {
        out->change_user = find_user(DEFAULT_RUN_AS, &out->run_as_uid, &out->run_as_gid);
        return;
    }
    out->change_user = true;
    if (!find_user(run_as, &out->run_as_uid, &out->run_as_gid))
        config_fail(file, setting_of(root, "run_as"),
                    "there is no user \"%s\"; create it or name another in run_as", run_as);
}

static void read_address(struct config_file *file, const config_setting_t *group, struct vipd_settings *out)
{
    static const char *const known[] = {"address", "interface", NULL};
    struct vipd_address_settings *address = &out->addresses[out->address_count];
    char text[INET6_ADDRSTRLEN + 8] = "";
    const config_setting_t *at;
    char *slash, *end;
    unsigned long prefix;

    if (!config_setting_is_group(group)) {
        config_fail(
            file, group,
            "each entry of \"addresses\" is a group; write { address = \"192.0.2.10/24\"; interface = "
            "\"eth0\"; }");
        return;
    }
    config_get_string(file, group, "address", NULL, text, sizeof text);
    config_get_string(file, group, "interface", NULL, address->interface, sizeof address->interface);
    config_finish_group(file, group, known);
    if (file->failed)
        return;
    at = setting_of(group, "address");
    if (strchr(text, ':')) {
        config_fail(file, at,
                    "\"%s\" is an IPv6 address, which vipd does not handle yet; give an IPv4 address", text);
        return;
    }
    slash = strchr(text, '/');
    if (!slash || slash[1] < '0' || slash[1] > '9') {
        config_fail(file, at, "\"%s\" has no prefix length; write for example %s/24", text, text);
        return;
    }
    prefix = strtoul(slash + 1, &end, 10);
    *slash = '\0';
    if (*end != '\0' || prefix < 1 || prefix > 32) {
        config_fail(file, at, "\"%s\" is not a prefix length; it must be from 1 to 32", slash + 1);
        return;
    }
    address->prefix_length = (unsigned)prefix;
    if (inet_pton(AF_INET, text, &address->address) != 1) {
        config_fail(file, at, "\"%s\" is not an IPv4 address; write for example 192.0.2.10/24", text);
        return;
    }
    if (address->address.s_addr == INADDR_ANY || IN_MULTICAST(ntohl(address->address.s_addr)) ||
        address->address.s_addr == INADDR_BROADCAST) {
        config_fail(file, at, "%s cannot be a host's address; give one that clients can reach", text);
        return;
    }
    inet_ntop(AF_INET, &address->address, address->text, sizeof address->text);
    for (unsigned i = 0; i < out->address_count; i++)
        if (out->addresses[i].address.s_addr == address->address.s_addr) {
            config_fail(file, at, "%s is there twice; remove one", text);
            return;
        }
    out->address_count++;
}

static void read_all(struct config_file *file, struct vipd_settings *out)
{
    static const char *const known[] = {"socket", "peer_user", "run_as", "log_level", "addresses", NULL};
    const config_setting_t *root = config_root_setting(&file->config);
    config_setting_t *list;

    config_get_string(file, root, "socket", DEFAULT_SOCKET, out->socket, sizeof out->socket);
    config_get_log_level(file, root, &out->log_level);
    list = config_get_list(file, root, "addresses", true);
    config_finish_group(file, root, known);
    if (file->failed)
        return;
    if (out->socket[0] != '/')
        config_fail(file, setting_of(root, "socket"),
                    "\"socket\" must be a path from the root; write for example %s", DEFAULT_SOCKET);
    if (config_setting_length(list) < 1 || config_setting_length(list) > VIPD_ADDRESSES_MAX) {
        config_fail(file, list, "\"addresses\" has %d entries; it must have 1 to %d",
                    config_setting_length(list), VIPD_ADDRESSES_MAX);
        return;
    }
    for (int i = 0; i < config_setting_length(list) && !file->failed; i++)
        read_address(file, config_setting_get_elem(list, (unsigned)i), out);
    if (!file->failed)
        read_users(file, root, out);
}

enum error_code vipd_settings_read(const char *path, struct vipd_settings *out, struct error *err)
{
    struct config_file file;
    enum error_code code;

    memset(out, 0, sizeof *out);
    code = check_owner(path, err);
    if (code != ERR_OK)
        return code;
    code = config_file_open(&file, path, err);
    if (code == ERR_OK) {
        read_all(&file, out);
        if (file.failed)
            code = err->code;
    }
    config_file_close(&file);
    return code;
}
