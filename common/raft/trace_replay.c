#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/raft/trace_fields.h"

const char *const raft_trace_message_kinds[RAFT_MESSAGE_KINDS] = {
    "PREVOTE",      "PREVOTE_REPLY", "VOTE",     "VOTE_REPLY",    "APPEND",
    "APPEND_REPLY", "TIMEOUT_NOW",   "SNAPSHOT", "SNAPSHOT_REPLY"};
const char *const raft_trace_entry_kinds[RAFT_TRACE_ENTRY_KINDS] = {"noop", "command", "membership"};
const char *const raft_trace_codes[RAFT_TRACE_CODES] = {"ok", "not-leader", "busy", "invalid", "no-memory"};

const struct field raft_trace_config_fields[] = {
    FIELD(struct raft_config, id, U64), FIELD(struct raft_config, heartbeat_us, U64),
    FIELD(struct raft_config, election_us, U64), FIELD(struct raft_config, chunk_bytes, UNSIGNED), FIELD_END};

const struct field raft_trace_hard_state_fields[] = {
    FIELD(struct raft_hard_state, term, U64), FIELD(struct raft_hard_state, vote, U64),
    FIELD(struct raft_hard_state, promised_us, U64), FIELD_END};

const struct field raft_trace_message_fields[] = {
    FIELD(struct raft_message, from, U64),           FIELD(struct raft_message, to, U64),
    FIELD(struct raft_message, term, U64),           FIELD(struct raft_message, log_index, U64),
    FIELD(struct raft_message, log_term, U64),       FIELD(struct raft_message, commit, U64),
    FIELD(struct raft_message, round, U64),          FIELD(struct raft_message, election_us, U64),
    FIELD(struct raft_message, retry_after_us, U64), FIELD(struct raft_message, granted, BOOL),
    FIELD(struct raft_message, transfer, BOOL),      FIELD(struct raft_message, log_short, BOOL),
    FIELD(struct raft_message, snapshot_index, U64), FIELD(struct raft_message, offset, U64),
    FIELD(struct raft_message, total_bytes, U64),    FIELD_END};

static unsigned find(const char *const *names, unsigned count, const char *name, size_t length)
{
    unsigned i = 0;
    while (i < count && (strlen(names[i]) != length || memcmp(names[i], name, length) != 0))
        i++;
    return i;
}

/* ---- entries ---- */

struct entries {
    struct raft_entry *list;
    unsigned count;
};

static void free_entries(struct entries *entries)
{
    for (unsigned i = 0; i < entries->count; i++)
        free((void *)entries->list[i].data);
    free(entries->list);
    *entries = (struct entries){0};
}

/* INDEX/TERM/KIND/HEX */
static bool read_entry(const char *text, struct raft_entry *entry)
{
    char *end;
    entry->index = strtoull(text, &end, 10);
    if (*end != '/')
        return false;
    entry->term = strtoull(end + 1, &end, 10);
    if (*end != '/')
        return false;
    const char *kind = end + 1;
    size_t length = strcspn(kind, "/");
    unsigned found = find(raft_trace_entry_kinds, RAFT_TRACE_ENTRY_KINDS, kind, length);
    if (found == RAFT_TRACE_ENTRY_KINDS || kind[length] != '/')
        return false;
    entry->kind = (enum raft_entry_kind)found;
    entry->data = words_bytes(kind + length + 1, &entry->size);
    return true;
}

static bool read_entries(const struct words *words, struct entries *entries)
{
    const char *text = words_find(words, "entries");
    *entries = (struct entries){0};
    if (text == NULL)
        return true;
    unsigned count = 1;
    for (const char *at = text; *at != '\0'; at++)
        count += *at == ',';
    entries->list = calloc(count, sizeof *entries->list);
    for (; entries->list != NULL && entries->count < count; text += strcspn(text, ",") + 1) {
        if (!read_entry(text, &entries->list[entries->count])) {
            free_entries(entries);
            return false;
        }
        entries->count++;
    }
    return entries->list != NULL;
}

static bool read_members(const struct words *words, struct raft_membership *membership)
{
    const char *text = words_find(words, "members");
    for (; text != NULL && *text != '\0'; text += *text == ',') {
        struct raft_member *member = &membership->members[membership->count++];
        if (membership->count > RAFT_MEMBERS_MAX)
            return false;
        char *end;
        member->id = strtoull(text, &end, 10);
        member->kind = strncmp(end, ":arbiter", 8) == 0 ? RAFT_ARBITER : RAFT_DATA;
        text = end + strcspn(end, ",");
        member->voter = text - end > 6 && memcmp(text - 6, ":voter", 6) == 0;
    }
    return true;
}

/* INDEX/TERM/HEX; its data is to be freed. */
static void read_snapshot(const struct words *words, struct raft_snapshot *snapshot)
{
    const char *text = words_find(words, "snapshot");
    char *end;
    if (text == NULL)
        return;
    snapshot->index = strtoull(text, &end, 10);
    snapshot->term = *end == '/' ? strtoull(end + 1, &end, 10) : 0;
    if (*end == '/')
        snapshot->data = words_bytes(end + 1, &snapshot->size);
}

/* ---- inputs ---- */

struct replay {
    struct raft_tracer *tracer;
    struct raft **raft;
    uint64_t now_us;
    const struct words *words;
    const struct raft_trace_codec *codecs;
};

static bool replay_new(const struct replay *replay)
{
    struct raft_config config = {0};
    struct raft_restored restored = {.restarted = words_find(replay->words, "restarted") != NULL};
    struct entries entries;
    const char *name = words_find(replay->words, "codec");
    fields_read(replay->words, "", raft_trace_config_fields, &config);
    fields_read(replay->words, "", raft_trace_hard_state_fields, &restored.hard_state);
    for (const struct raft_trace_codec *codec = replay->codecs; name != NULL && codec->name != NULL;
         codec++) {
        if (strcmp(codec->name, name) != 0)
            continue;
        config.decode_membership = codec->decode_membership;
        config.decode_snapshot = codec->decode_snapshot;
        replay->tracer->codec = codec->name;
    }
    bool good = name != NULL && read_members(replay->words, &restored.membership) &&
                read_entries(replay->words, &entries);
    if (good) {
        read_snapshot(replay->words, &restored.snapshot);
        restored.entries = entries.list;
        restored.entry_count = entries.count;
        raft_free(*replay->raft);
        *replay->raft = NULL;
        raft_trace_new(replay->tracer, &config, &restored, replay->now_us, replay->raft);
        free((void *)restored.snapshot.data);
        free_entries(&entries);
    }
    return good;
}

static bool replay_tick(const struct replay *replay)
{
    raft_trace_tick(replay->tracer, *replay->raft, replay->now_us);
    return true;
}

static bool replay_receive(const struct replay *replay)
{
    struct raft_message message = {0};
    struct entries entries;
    const char *name = replay->words->count > 2 ? replay->words->list[2].key : "";
    unsigned kind = find(raft_trace_message_kinds, RAFT_MESSAGE_KINDS, name, strlen(name));
    if (kind == RAFT_MESSAGE_KINDS || !read_entries(replay->words, &entries))
        return false;
    fields_read(replay->words, "", raft_trace_message_fields, &message);
    message.kind = (enum raft_message_kind)kind;
    message.entries = entries.list;
    message.entry_count = entries.count;
    message.data = words_bytes(words_find(replay->words, "data"), &message.size);
    raft_trace_receive(replay->tracer, *replay->raft, replay->now_us, &message);
    free((void *)message.data);
    free_entries(&entries);
    return true;
}

static bool replay_propose(const struct replay *replay)
{
    const char *name = words_find(replay->words, "kind");
    unsigned kind = name == NULL ? RAFT_TRACE_ENTRY_KINDS
                                 : find(raft_trace_entry_kinds, RAFT_TRACE_ENTRY_KINDS, name, strlen(name));
    if (kind == RAFT_TRACE_ENTRY_KINDS)
        return false;
    uint64_t index = 0;
    size_t size;
    void *data = words_bytes(words_find(replay->words, "data"), &size);
    raft_trace_propose(replay->tracer, *replay->raft, replay->now_us, (enum raft_entry_kind)kind, data, size,
                       &index);
    free(data);
    return true;
}

static bool replay_persisted(const struct replay *replay)
{
    raft_trace_persisted(replay->tracer, *replay->raft, replay->now_us, words_number(replay->words, "write"),
                         words_number(replay->words, "index"), words_number(replay->words, "term"));
    return true;
}

static bool replay_end_lease(const struct replay *replay)
{
    raft_trace_end_lease(replay->tracer, *replay->raft, replay->now_us);
    return true;
}

static bool replay_released(const struct replay *replay)
{
    raft_trace_released(replay->tracer, *replay->raft, replay->now_us);
    return true;
}

static bool replay_transfer(const struct replay *replay)
{
    raft_trace_transfer(replay->tracer, *replay->raft, replay->now_us, words_number(replay->words, "to"));
    return true;
}

static bool replay_renew_term(const struct replay *replay)
{
    raft_trace_renew_term(replay->tracer, *replay->raft, replay->now_us);
    return true;
}

static bool replay_campaign_delay(const struct replay *replay)
{
    raft_trace_set_campaign_delay(replay->tracer, *replay->raft, replay->now_us,
                                  words_number(replay->words, "us"));
    return true;
}

static bool replay_compact(const struct replay *replay)
{
    struct raft_snapshot snapshot = {0};
    read_snapshot(replay->words, &snapshot);
    raft_trace_compact(replay->tracer, *replay->raft, replay->now_us, &snapshot);
    free((void *)snapshot.data);
    return true;
}

static bool replay_read(const struct replay *replay)
{
    uint64_t read;
    raft_trace_read(replay->tracer, *replay->raft, replay->now_us, &read);
    return true;
}

static bool replay_status(const struct replay *replay)
{
    struct raft_status status;
    raft_trace_status(replay->tracer, *replay->raft, replay->now_us, &status);
    return true;
}

static bool replay_take(const struct replay *replay)
{
    raft_trace_take(replay->tracer, *replay->raft);
    return true;
}

bool raft_trace_replay(struct raft_tracer *tracer, struct raft **raft, uint64_t now_us,
                       const struct words *words, const struct raft_trace_codec *codecs)
{
    static const struct {
        const char *name;
        bool (*run)(const struct replay *replay);
    } lines[] = {
        {"new", replay_new},
        {"tick", replay_tick},
        {"receive", replay_receive},
        {"propose", replay_propose},
        {"persisted", replay_persisted},
        {"end-lease", replay_end_lease},
        {"released", replay_released},
        {"transfer", replay_transfer},
        {"renew-term", replay_renew_term},
        {"campaign-delay", replay_campaign_delay},
        {"compact", replay_compact},
        {"read", replay_read},
        {"status", replay_status},
        {"->", replay_take},
    };
    struct replay replay = {tracer, raft, now_us, words, codecs};
    const char *name = words->count > 1 ? words->list[1].key : "";
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        if (strcmp(lines[i].name, name) == 0)
            return (*raft != NULL || lines[i].run == replay_new) && lines[i].run(&replay);
    }
    return false;
}
