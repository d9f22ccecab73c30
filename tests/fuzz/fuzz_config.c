/* agent.conf, arbiter.conf, vipd.conf (each program's settings.h). fuzz: runs=8000 max_len=3000
 *
 * The first byte picks the file. The words KEYFILE and PASSFILE stand for files that are right. What is
 * accepted is within the bounds that the headers name; what is not is explained with the file's name and a
 * remedy. */
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/settings.h"
#include "arbiter/settings.h"
#include "common/replica/membership.h"
#include "tests/fuzz/fuzz.h"
#include "vipd/settings.h"

#define TEXT_BYTES 8192

static char key_path[32], password_path[32];

static void make_file(char path[32], const char *text)
{
    int fd = memfd_create("fuzz", 0);

    snprintf(path, 32, "/proc/self/fd/%d", fd);
    FUZZ_CHECK(fd >= 0 && fchmod(fd, 0600) == 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text),
               "a file in memory can be made");
}

/* libconfig 1.5 keeps a string that the file does not end; the program ends there anyway. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libconfig.so\n";
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    make_file(key_path, "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n");
    make_file(password_path, "secret\n");
    return 0;
}

/* Puts the paths in the place of the words. */
static const char *fill_in(const uint8_t *data, size_t size, size_t *length)
{
    static char text[TEXT_BYTES];
    size_t used = 0;

    for (size_t i = 0; i < size && used + sizeof key_path < sizeof text;) {
        const char *path = NULL;
        if (size - i >= 7 && memcmp(data + i, "KEYFILE", 7) == 0)
            path = key_path, i += 7;
        else if (size - i >= 8 && memcmp(data + i, "PASSFILE", 8) == 0)
            path = password_path, i += 8;
        if (path)
            used += (size_t)snprintf(text + used, sizeof text - used, "%s", path);
        else
            text[used++] = (char)data[i++];
    }
    *length = used;
    return text;
}

static void check_error(enum error_code code, const struct error *err, const char *path)
{
    FUZZ_CHECK(code == ERR_INVALID || code == ERR_IO, "a file is wrong or cannot be read");
    FUZZ_CHECK(err->code == code && memchr(err->text, 0, sizeof err->text), "the error is filled in");
    FUZZ_CHECK(strncmp(err->text, path, strlen(path)) == 0 || strstr(err->text, "file"),
               "it names the file that is wrong");
    FUZZ_CHECK(strstr(err->text, "; ") || strstr(err->text, " must be ") ||
                   strlen(err->text) >= sizeof err->text - 8,
               "and a remedy");
}

static void check_group(const struct replica_settings *group)
{
    unsigned voters = 0, arbiters = 0;
    bool found = false;

    FUZZ_CHECK(replica_name_valid(group->cluster) && replica_name_valid(group->node), "names are valid");
    FUZZ_CHECK(group->heartbeat_us >= 1000 && group->heartbeat_us <= group->election_us / 3 &&
                   group->election_us >= 30000 && group->election_us <= 60000000,
               "the times are such as raft takes");
    FUZZ_CHECK(group->node_count > 0 && group->node_count <= REPLICA_NODES_MAX, "the nodes are bounded");
    for (unsigned i = 0; i < group->node_count; i++) {
        const struct replica_node *node = &group->nodes[i];
        voters++;
        arbiters += node->arbiter;
        found = found || strcmp(node->name, group->node) == 0;
        FUZZ_CHECK(replica_name_valid(node->name), "a node's name is valid");
        for (unsigned j = 0; j < i; j++)
            FUZZ_CHECK(strcmp(node->name, group->nodes[j].name) != 0 &&
                           strcmp(node->address, group->nodes[j].address) != 0,
                       "names and addresses are unique");
    }
    FUZZ_CHECK(found, "this node is one of them");
    FUZZ_CHECK(voters % 2 == 1 && arbiters < voters, "the voters are odd in number, not all arbiters");
}

static void check_agent(const char *path)
{
    static struct agent_settings settings;
    struct error err;
    enum error_code code = agent_settings_read(path, &settings, &err);

    if (code != ERR_OK) {
        check_error(code, &err, path);
        return;
    }
    check_group(&settings.group);
    FUZZ_CHECK(settings.listen[0] && settings.data_dir[0] && settings.database.kind[0] &&
                   settings.database.start[0],
               "what is needed is there");
    FUZZ_CHECK(settings.switchover_timeout_ms >= 100 && settings.switchover_timeout_ms <= 600000 &&
                   settings.pause_length_ms >= 1000 && settings.pause_length_ms <= 600000 &&
                   settings.database.port > 0 && settings.database.port < 65536 &&
                   settings.database.probe_interval_ms >= 10 && settings.database.probe_timeout_ms >= 100,
               "numbers are within their bounds");
}

static void check_arbiter(const char *path)
{
    struct arbiter_settings settings;
    struct error err;
    enum error_code code = arbiter_settings_read(path, &settings, &err);

    if (code != ERR_OK)
        check_error(code, &err, path);
    for (unsigned i = 0; code == ERR_OK && i < settings.cluster_count; i++) {
        check_group(&settings.clusters[i]);
        for (unsigned j = 0; j < i; j++)
            FUZZ_CHECK(strcmp(settings.clusters[i].cluster, settings.clusters[j].cluster) != 0,
                       "each cluster once");
    }
    arbiter_settings_free(&settings);
}

static void check_vipd(const char *path)
{
    struct vipd_settings settings;
    struct error err;
    enum error_code code = vipd_settings_read(path, &settings, &err);

    if (code != ERR_OK) {
        check_error(code, &err, path);
        return;
    }
    FUZZ_CHECK(settings.address_count > 0 && settings.address_count <= VIPD_ADDRESSES_MAX,
               "the addresses are bounded");
    for (unsigned i = 0; i < settings.address_count; i++) {
        FUZZ_CHECK(settings.addresses[i].prefix_length <= 32 && settings.addresses[i].interface[0],
                   "an address has a prefix length and an interface");
        for (unsigned j = 0; j < i; j++)
            FUZZ_CHECK(settings.addresses[i].address.s_addr != settings.addresses[j].address.s_addr,
                       "each address once");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t length;
    const char *text, *path;

    if (size == 0)
        return 0;
    text = fill_in(data + 1, size - 1, &length);
    path = fuzz_file(text, length);
    if (data[0] == 'a')
        check_agent(path);
    else if (data[0] == 'r')
        check_arbiter(path);
    else if (data[0] == 'v')
        check_vipd(path);
    return 0;
}
