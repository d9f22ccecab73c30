#include "client/ctl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const struct ctl_verb ctl_verbs[] = {
    {"status", "[--cluster NAME] [--confirmed]", "show the state of the cluster", ctl_status},
    {"switchover", "[--to NODE] [--timeout MS] [--check]", "move the primary, losing nothing",
     ctl_switchover},
    {"failover", "--to NODE --accept-data-loss [--old-primary-is-off] [--yes]",
     "make NODE the primary though it may lack writes", ctl_failover},
    {"pause", "[--length MS]", "no failover while programs are restarted", ctl_pause},
    {"resume", "", "end the pause", ctl_resume},
    {"check", "", "what stands in the way, on all nodes", ctl_check},
    {"init", "--primary NODE [--discard-others]", "choose the first primary", ctl_init},
    {"rebuild", "--node NODE [--donor NODE] [--rate MB] [--watch] [--cancel]", "make NODE's database anew",
     ctl_rebuild},
    {"history", "", "the changes of primary and how long they took", ctl_history},
    {"member", "list [--cluster NAME] | add NODE | remove NODE [--drain] | replace NODE",
     "the members, and changing them", ctl_member},
    {"key", "generate [-o FILE]", "make a cluster's key", ctl_key},
    {"version", "", "the versions of mhactl and the agent", ctl_version},
    {0},
};

bool ctl_read_ms(struct ctl *ctl, const char *option, const char *text, uint32_t *ms)
{
    unsigned long value;
    char *end;

    errno = 0;
    value = strtoul(text, &end, 10);
    if (errno != 0 || *text < '0' || *text > '9' || *end != '\0' || value < 1 ||
        value > MHA4RDB_TIMEOUT_MS_MAX) {
        fprintf(ctl->err, "mhactl: --%s %s: give milliseconds, from 1 to %u\n", option, text,
                MHA4RDB_TIMEOUT_MS_MAX);
        return false;
    }
    *ms = (uint32_t)value;
    return true;
}

bool ctl_read_output(struct ctl *ctl, const char *text)
{
    if (strcmp(text, "table") != 0 && strcmp(text, "json") != 0) {
        fprintf(ctl->err, "mhactl: -o %s: the output is \"table\" or \"json\"\n", text);
        return false;
    }
    ctl->json = text[0] == 'j';
    return true;
}

/* Where `text` is "--name", "--name=value" or "-l": true, and *value is the text behind "=". */
static bool matches(const char *text, const char *name, char letter, const char **value)
{
    size_t length = strlen(name);

    *value = NULL;
    if (letter && text[0] == '-' && text[1] == letter) {
        if (text[2] != '\0')
            *value = text + 2;
        return true;
    }
    if (strncmp(text, "--", 2) != 0 || strncmp(text + 2, name, length) != 0)
        return false;
    if (text[2 + length] == '=')
        *value = text + 2 + length + 1;
    return text[2 + length] == '\0' || text[2 + length] == '=';
}

static const struct ctl_option *find_option(const struct ctl_option *options, const char *text,
                                            const char **value)
{
    for (; options->name; options++) {
        if (matches(text, options->name, options->letter, value))
            return options;
    }
    return NULL;
}

bool ctl_read_options(struct ctl *ctl, int argc, char **argv, const struct ctl_option *options)
{
    const char *output = NULL;
    const struct ctl_option common[] = {
        {.name = "socket", .letter = 's', .value = &ctl->socket},
        {.name = "output", .letter = 'o', .value = &output},
        {.name = "timeout", .number = &ctl->timeout_ms},
        {0},
    };

    for (int i = 1; i < argc; i++) {
        const char *value;
        const struct ctl_option *option = find_option(options, argv[i], &value);
        if (!option)
            option = find_option(common, argv[i], &value);
        if (!option) {
            fprintf(ctl->err, "mhactl %s: %s is not understood; `mhactl --help` shows the usage\n", argv[0],
                    argv[i]);
            return false;
        }
        if (option->flag) {
            if (value) {
                fprintf(ctl->err, "mhactl %s: --%s takes no value\n", argv[0], option->name);
                return false;
            }
            *option->flag = true;
            continue;
        }
        if (!value) {
            if (i + 1 >= argc) {
                fprintf(ctl->err, "mhactl %s: --%s needs a value\n", argv[0], option->name);
                return false;
            }
            value = argv[++i];
        }
        if (option->number && !ctl_read_ms(ctl, option->name, value, option->number))
            return false;
        if (option->value)
            *option->value = value;
    }
    return output == NULL || ctl_read_output(ctl, output);
}

static void make_text_printable(char *text)
{
    for (; *text; text++)
        if (((unsigned char)*text < ' ' && *text != '\n') || *text == 0x7f)
            *text = ' ';
}

void ctl_make_printable(ProtobufCMessage *message)
{
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
        bool repeated = field->label == PROTOBUF_C_LABEL_REPEATED;
        uint8_t *at = (uint8_t *)message + field->offset;
        size_t count = repeated ? *(size_t *)((uint8_t *)message + field->quantifier_offset) : 1;
        void **values = repeated ? *(void ***)at : (void **)at;
        for (size_t j = 0; j < count; j++) {
            if (field->type == PROTOBUF_C_TYPE_STRING && values[j] != field->default_value &&
                *(const char *)values[j])
                make_text_printable(values[j]);
            else if (field->type == PROTOBUF_C_TYPE_MESSAGE && values[j])
                ctl_make_printable(values[j]);
        }
    }
}

enum ctl_exit ctl_ask_whole(struct ctl *ctl, const Mha__ControlRequest *request, uint32_t default_ms,
                            Mha__ControlReply **reply)
{
    uint32_t timeout_ms = ctl->timeout_ms ? ctl->timeout_ms : default_ms;
    struct mha4rdb *connection;
    struct error err;
    enum error_code code;

    *reply = NULL;
    code = mha4rdb_connect(ctl->socket, timeout_ms, &connection, &err);
    if (code == ERR_OK) {
        code = mha4rdb_ask(connection, request, timeout_ms, reply, &err);
        mha4rdb_close(connection);
    }
    if (code != ERR_OK) {
        fprintf(ctl->err, "mhactl: %s\n", err.text);
        return CTL_UNREACHABLE;
    }
    if (!ctl->json)
        ctl_make_printable(&(*reply)->base);
    return (*reply)->error[0] ? CTL_REFUSED : CTL_OK;
}

enum ctl_exit ctl_ask(struct ctl *ctl, const Mha__ControlRequest *request, uint32_t default_ms,
                      Mha__ControlReply **reply)
{
    enum ctl_exit result = ctl_ask_whole(ctl, request, default_ms, reply);

    if (result == CTL_REFUSED) {
        fprintf(ctl->err, "mhactl: %s\n", (*reply)->error);
        mha4rdb_reply_free(*reply);
        *reply = NULL;
    }
    return result;
}

enum ctl_exit ctl_ask_status(struct ctl *ctl, const char *cluster, bool confirmed, Mha__ControlReply **reply)
{
    Mha__StatusRequest status = MHA__STATUS_REQUEST__INIT;
    Mha__ControlRequest request = MHA__CONTROL_REQUEST__INIT;
    enum ctl_exit result;

    status.cluster = (char *)cluster;
    status.confirmed = confirmed;
    request.body_case = MHA__CONTROL_REQUEST__BODY_STATUS;
    request.status = &status;
    result = ctl_ask(ctl, &request, CTL_TIMEOUT_MS, reply);
    if (result == CTL_OK && !(*reply)->status) {
        fprintf(
            ctl->err,
            "mhactl: %s: the answer has no status: is the agent of another version? See `mhactl version`\n",
            ctl->socket);
        mha4rdb_reply_free(*reply);
        *reply = NULL;
        return CTL_UNREACHABLE;
    }
    return result;
}

enum ctl_exit ctl_command(struct ctl *ctl, const Mha__ControlRequest *request, uint32_t default_ms)
{
    Mha__ControlReply *reply;
    enum ctl_exit result = ctl_ask(ctl, request, default_ms, &reply);

    if (result != CTL_OK)
        return result;
    if (ctl->json)
        result = ctl_print_json(ctl, json_pack("{s:o}", "message", ctl_text_json(reply->message)));
    else
        fprintf(ctl->out, "%s\n", reply->message[0] ? reply->message : "done");
    mha4rdb_reply_free(reply);
    return result;
}

enum ctl_exit ctl_print_json(struct ctl *ctl, json_t *json)
{
    int result = json ? json_dumpf(json, ctl->out, JSON_INDENT(2)) : -1;

    json_decref(json);
    if (result != 0) {
        fprintf(ctl->err,
                "mhactl: the answer cannot be written as JSON: out of memory, or it holds invalid text\n");
        return CTL_REFUSED;
    }
    fputc('\n', ctl->out);
    return CTL_OK;
}

/* JSON takes nothing but UTF-8, and a database's message may be in any character set: what is not becomes
 * "?". */
json_t *ctl_text_json(const char *text)
{
    json_t *json = json_string(text);
    char *copy;

    if (json)
        return json;
    copy = strdup(text);
    if (!copy)
        return NULL;
    for (char *c = copy; *c; c++) {
        if ((unsigned char)*c >= 0x80)
            *c = '?';
    }
    json = json_string(copy);
    free(copy);
    return json;
}

static const char *const sequences[] = {
    [CTL_PLAIN] = "",          [CTL_BOLD] = "\033[1m", [CTL_GREEN] = "\033[32m",
    [CTL_YELLOW] = "\033[33m", [CTL_RED] = "\033[31m",
};

const char *ctl_colour_on(const struct ctl *ctl, enum ctl_colour colour)
{
    return ctl->colour ? sequences[colour] : "";
}

const char *ctl_colour_off(const struct ctl *ctl, enum ctl_colour colour)
{
    return ctl->colour && colour != CTL_PLAIN ? "\033[0m" : "";
}
