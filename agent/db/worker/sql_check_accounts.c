/* The preflight's look at accounts: the rights of the agent's own, those by which replicas come, and those
 * that can write on a closed server. */
#include <stdio.h>
#include <string.h>

#include "agent/db/worker/connection.h"
#include "agent/db/worker/sql.h"

/* ---- the agent's own ---- */

/* `grants` is "GRANT A, B C, D ON *.* TO ..." or "GRANT A,B ON *.* TO ..." */
static bool granted(const char *grants, const char *name)
{
    const char *end = strstr(grants, " ON *.*");
    size_t length = strlen(name);

    if (!end)
        return false;
    for (const char *at = strstr(grants, name); at && at < end; at = strstr(at + 1, name)) {
        bool begins =
            at >= grants + 2 &&
            (at[-1] == ',' || (at[-1] == ' ' && (at[-2] == ',' || at == grants + strlen("GRANT "))));
        if (begins && (at[length] == ',' || at + length == end))
            return true;
    }
    return false;
}

#define RIGHTS_MAX 16

struct grants {
    const struct sql_right *rights;
    bool held[RIGHTS_MAX];
    bool all, own_schema;
};

static void note_grant(void *context, MYSQL_ROW row)
{
    struct grants *grants = context;
    const char *text = row[0] ? row[0] : "";

    grants->all = grants->all || granted(text, "ALL PRIVILEGES");
    grants->own_schema = grants->own_schema || strstr(text, "GRANT ALL PRIVILEGES ON `mha4rdb`.* ");
    for (unsigned i = 0; i < RIGHTS_MAX && grants->rights[i].names[0]; i++)
        for (unsigned j = 0; j < 2 && grants->rights[i].names[j]; j++)
            grants->held[i] = grants->held[i] || granted(text, grants->rights[i].names[j]);
}

static bool is_needed(const struct sql_right *right, const struct db_settings *settings, bool all)
{
    return right->needed == FOR_NODES_ACCOUNTS ? db_accounts_per_node(settings)
                                               : all || right->needed != FOR_REBUILDS;
}

enum error_code sql_check_grants(struct adapter *adapter, struct session *session, bool all,
                                 struct db_findings *out, struct error *err)
{
    const char *user = adapter->settings->user;
    const struct sql_check *kind = adapter->sql->check;
    struct grants grants = {.rights = kind->rights};
    char remedy[512];
    enum error_code code =
        session_ask_rows(session, STATEMENT_CHECK_GRANTS, NO_ARGUMENTS, note_grant, &grants, err);

    if (code != ERR_OK || grants.all)
        return code;
    for (unsigned i = 0; i < RIGHTS_MAX && grants.rights[i].names[0]; i++) {
        const struct sql_right *right = &grants.rights[i];
        if (grants.held[i] || !is_needed(right, adapter->settings, all))
            continue;
        snprintf(remedy, sizeof remedy, "%s GRANT %s ON *.* TO `%.100s`@localhost;", kind->for_accounts,
                 right->names[0], user);
        sql_finding(out, right->needed != FOR_REBUILDS, "grants", remedy, "the agent's account lacks %s, %s",
                    right->names[0], right->what_for);
    }
    if (!grants.own_schema) {
        snprintf(remedy, sizeof remedy, "%s GRANT ALL ON mha4rdb.* TO `%.100s`@localhost;",
                 kind->for_accounts, user);
        sql_finding(out, true, "grants", remedy,
                    "the agent's account has no schema mha4rdb to write its epoch records in");
    }
    return ERR_OK;
}

/* ---- those of others ---- */

/* "'user'@'host'" is of `user`. */
static bool grantee_is(const char *grantee, const char *user)
{
    size_t length = strlen(user);

    return grantee[0] == '\'' && strncmp(grantee + 1, user, length) == 0 &&
           strncmp(grantee + 1 + length, "'@", 2) == 0;
}

static void require_account(const struct sql_check *kind, const char *user, const char *what_for,
                            struct db_findings *out)
{
    char remedy[512];

    snprintf(remedy, sizeof remedy,
             "%s CREATE USER `%.80s`@'%%' IDENTIFIED BY '...'; GRANT %s%s%s ON *.* TO `%.80s`@'%%';   (%s)",
             kind->for_accounts, user, kind->replica_right, kind->donor_right ? ", " : "",
             kind->donor_right ? kind->donor_right : "", user, kind->replica_remedy);
    sql_finding(out, true, "replication_user", remedy, "no account %.80s with %s is seen: %s", user,
                kind->replica_right, what_for);
}

/* Whose copy comes from here logs in as who stands by, whatever else it has. */
static void require_donor_right(const struct sql_check *kind, const char *grantee, struct db_findings *out)
{
    char remedy[512];

    snprintf(remedy, sizeof remedy, "%s GRANT %s ON *.* TO %.200s;   (on every server)", kind->for_accounts,
             kind->donor_right, grantee);
    sql_finding(out, false, "replication_user", remedy, "%.200s lacks %s: no node can be rebuilt from here",
                grantee, kind->donor_right);
}

static bool holds_any(const char *held, const char *const *rights)
{
    while (*rights && !strstr(held, *rights))
        rights++;
    return *rights != NULL;
}

struct accounts {
    const struct sql_check *kind;
    const struct db_settings *settings;
    bool all;
    char own[DB_TEXT_BYTES], standby[DB_TEXT_BYTES];
    bool own_seen, standby_seen, donor_seen;
    char standby_grantee[256]; /* as the server writes it */
    struct db_findings *out;
};

static void look_at_account(void *context, MYSQL_ROW row)
{
    struct accounts *accounts = context;
    const struct sql_check *kind = accounts->kind;
    const char *grantee = row[0] ? row[0] : "", *held = row[1] ? row[1] : "";
    bool own = grantee_is(grantee, accounts->own), standby = grantee_is(grantee, accounts->standby);
    char remedy[512];

    if (strstr(held, kind->replica_right)) {
        accounts->own_seen = accounts->own_seen || own;
        accounts->standby_seen = accounts->standby_seen || standby;
        if (standby)
            snprintf(accounts->standby_grantee, sizeof accounts->standby_grantee, "%s", grantee);
        if (standby && (!kind->donor_right || strstr(held, kind->donor_right)))
            accounts->donor_seen = true;
    }
    if (!accounts->all || !holds_any(held, kind->writers_rights) ||
        grantee_is(grantee, accounts->settings->user))
        return;
    snprintf(remedy, sizeof remedy, "REVOKE %s ON *.* FROM %.200s;   or use it for administration only",
             kind->writers_revoked, grantee);
    sql_finding(accounts->out, own || standby, "accounts", remedy, "%.120s (%.60s) %s", grantee, held,
                kind->writers_problem);
}

struct standby_lock {
    const struct sql_check *kind;
    const char *user;
    struct db_findings *out;
};

static void look_at_lock(void *context, MYSQL_ROW row)
{
    const struct standby_lock *lock = context;
    char remedy[512];

    if (!row[0] || strcmp(row[0], lock->user) != 0 || !sql_truth(row[2]))
        return;
    snprintf(remedy, sizeof remedy, "%s ALTER USER `%.100s`@`%.100s` ACCOUNT UNLOCK;   (on every server)",
             lock->kind->for_accounts, lock->user, row[1] ? row[1] : "%");
    sql_finding(lock->out, true, "replication_user", remedy,
                "the account %.80s is locked: who stands by cannot replicate from here", lock->user);
}

enum error_code sql_check_accounts(struct adapter *adapter, struct session *session, bool all,
                                   struct db_findings *out, struct error *err)
{
    const struct db_settings *settings = adapter->settings;
    struct accounts accounts = {.kind = adapter->sql->check, .settings = settings, .all = all, .out = out};
    struct standby_lock lock = {.kind = accounts.kind, .user = accounts.standby, .out = out};
    enum error_code code;

    db_replication_user(settings, settings->node, accounts.own, sizeof accounts.own);
    db_replication_user(settings, DB_STANDBY_NAME, accounts.standby, sizeof accounts.standby);
    code = session_ask_rows(session, STATEMENT_CHECK_ACCOUNTS, NO_ARGUMENTS, look_at_account, &accounts, err);
    if (code != ERR_OK)
        return code;
    if (!accounts.own_seen)
        require_account(accounts.kind, accounts.own,
                        "this node could not replicate from a server with the same accounts", out);
    if (all && accounts.standby_seen && !accounts.donor_seen)
        require_donor_right(accounts.kind, accounts.standby_grantee, out);
    if (!db_accounts_per_node(settings))
        return ERR_OK;
    if (!accounts.standby_seen)
        require_account(accounts.kind, accounts.standby,
                        "a node whose acknowledgements must not count could not replicate", out);
    /* The agent locks and unlocks the nodes' accounts as it needs to; that of those who stand by never. */
    return session_ask_rows(session, STATEMENT_REPLICATION_ACCOUNTS, ARGUMENTS(accounts.standby),
                            look_at_lock, &lock, err);
}

/* ---- logging in ---- */

#define LOGIN_TIMEOUT_S 2u

/* Locked on purpose: its node's acknowledgements do not count there now. */
static bool is_locked(unsigned number)
{
    return number == SESSION_ERRNO_LOCKED_MYSQL || number == SESSION_ERRNO_LOCKED_MARIADB;
}

/* As a replica comes; the number of the error, 0: it may. */
static unsigned try_login(const struct db_settings *settings, const char *host, unsigned port,
                          const char *user, char *text, size_t size)
{
    MYSQL *mysql = connection_new(LOGIN_TIMEOUT_S, LOGIN_TIMEOUT_S);
    unsigned number = 0;

    if (!mysql)
        return 0;
    if (!connection_as_replica(mysql, settings, host, port, user)) {
        number = mysql_errno(mysql);
        snprintf(text, size, "%s", mysql_error(mysql));
    }
    mysql_close(mysql);
    return number;
}

static void check_login(const struct db_settings *settings, const char *host, unsigned port, const char *user,
                        const char *remedy, struct db_findings *out)
{
    char text[256];
    unsigned number = try_login(settings, host, port, user, text, sizeof text);

    if (number && !is_locked(number))
        sql_finding(out, true, "replication_user", remedy,
                    "replicas cannot log in to %.60s:%u as %.60s: %.100s", host, port, user, text);
}

void sql_check_replication_login(struct adapter *adapter, const struct check_request *request,
                                 struct db_findings *out)
{
    static const char here[] =
        "compare replication_user, replication_password_file, host and port in agent.conf "
        "with the account and bind_address";
    static const char there[] = "compare the account on that server, its password and its host part, with "
                                "replication_user and replication_password_file here";
    const struct db_settings *settings = adapter->settings;
    char own[DB_TEXT_BYTES], standby[DB_TEXT_BYTES];

    db_replication_user(settings, settings->node, own, sizeof own);
    db_replication_user(settings, DB_STANDBY_NAME, standby, sizeof standby);
    check_login(settings, settings->host, settings->port, own, here, out);
    if (!request->source_host[0])
        return;
    check_login(settings, request->source_host, request->source_port, own, there, out);
    if (strcmp(own, standby) != 0)
        check_login(settings, request->source_host, request->source_port, standby, there, out);
}
