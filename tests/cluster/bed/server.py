"""A database server on a host of the bed: what all kinds have in common, and what each kind must be able to answer.

Nothing here knows mha4rdb: servers are asked as root through their unix sockets, and read from their disks.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess

import pymysql

from . import binlog
from . import host as hosts

AGENT_USER, AGENT_PASSWORD = "mha4rdb", "agent-password"
REPLICATION_PASSWORD = "replication-password"
APP_USER = "app"
SCHEMA = "shop"
SERVICE = "database"
REPLICATION_USER = "mha4rdb_%n"  # %n: the node's name
ERRORS = (pymysql.err.MySQLError, OSError)

SAMPLES = os.path.join(hosts.REPOSITORY, "packaging", "samples")


def sample(name):
    with open(os.path.join(SAMPLES, name)) as f:
        return f.read()


def account_statements(text, nodes):
    """The sample's accounts, as an operator makes them for these nodes: the replication account of the first node that it names stands
    for all."""
    text = re.sub(r"(?m)--.*$", "", text).replace("password one", AGENT_PASSWORD).replace("password two", REPLICATION_PASSWORD)
    statements = [" ".join(s.split()) for s in text.split(";") if s.strip()]
    named = [re.search(r"'(mha4rdb_\w+)'@", s) for s in statements]
    model = next(m[1] for m in named if m)
    found = [s for s, m in zip(statements, named) if not m]
    for user in dict.fromkeys(REPLICATION_USER.replace("%n", node) for node in list(nodes) + ["standby"]):
        found += [s.replace("'%s'" % model, "'%s'" % user) for s, m in zip(statements, named) if m and m[1] == model]
    return found


def as_user(run):
    if not run.users.separate:
        return []
    return ["setpriv", "--reuid=%d" % run.users.database, "--regid=%d" % run.users.database, "--clear-groups"]


def run_as_user(run, command, text=""):
    extra = [] if run.users.separate else ["--user=root"]
    result = subprocess.run(as_user(run) + command + extra, input=text, text=True, capture_output=True, cwd="/")
    if result.returncode != 0:
        raise hosts.BedError("%s: %s" % (command[0], (result.stdout + result.stderr)[-2000:]))


class Server:
    """The server of one host. Its data directory outlives the host's power.

    A kind gives: KIND, SAMPLE and ACCOUNTS (its sample files), CONFIGURATION (what comes behind the sample), WORDS (for where a replica
    replicates from, and for itself), program(), version(), build(run, path, tmpdir, nodes), position(), and what is done by hand."""

    KIND = SAMPLE = ACCOUNTS = CONFIGURATION = WORDS = None
    APP_PASSWORD = "app-password"
    FOLLOW_OPTIONS = []

    def __init__(self, host, server_id, nodes, extra="", clock=None):
        self.host, self.server_id, self.run = host, server_id, host.run
        environment = clock.environment() if clock else None
        uid = self.run.users.database
        self.datadir = os.path.join(host.dir, "data")
        host.directory("mysqld", uid)
        self.socket = os.path.join(host.dir, "mysqld", "mysqld.sock")
        self.nodes = tuple(nodes)
        if not os.path.isdir(self.datadir):
            self.copy_template()
        elif not os.listdir(self.datadir):  # a disk of its own, which is to be as full as it looks
            self.copy_template(sparse="never")
            subprocess.run(["sync", "--file-system", self.datadir], check=True)
        configuration = host.file("etc/my.cnf", self.configuration() + extra)
        command = self.program() + ["--defaults-file=" + configuration]
        if not self.run.users.separate:
            command += ["--user=root"]
        host.service(SERVICE, command, uid=uid, env=environment)
        host.service(SERVICE, command + self.FOLLOW_OPTIONS, uid=uid, env=environment, mode="follow")

    def configuration(self):
        return sample(self.SAMPLE) + self.CONFIGURATION.format(
            datadir=self.datadir, tmpdir=self.host.directory("mysqld-tmp", self.run.users.database), socket=self.socket,
            server_id=self.server_id, address=self.host.address)

    # -- data directories --

    @classmethod
    def statements(cls, nodes):
        """As the manual tells an operator to make them, without a trace in the binary log; and the application's own account."""
        return account_statements(sample(cls.ACCOUNTS), nodes) + [
            "CREATE USER '%s'@'%%' IDENTIFIED BY '%s'" % (APP_USER, cls.APP_PASSWORD),
            "GRANT SELECT, INSERT, UPDATE, DELETE ON %s.* TO '%s'@'%%'" % (SCHEMA, APP_USER)]

    @classmethod
    def template(cls, run, nodes):
        """A data directory with the accounts, made once for this build directory, server version, user and set of nodes."""
        name = hashlib.sha256(repr((cls.version(), cls.statements(nodes), run.users.database)).encode()).hexdigest()[:16]
        cache = os.path.join(hosts.REPOSITORY, "build", "bed")
        os.makedirs(cache, exist_ok=True)
        path = os.path.join(cache, "%s-%s" % (cls.KIND, name))
        with open(path + ".lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not os.path.isdir(path):
                building, tmpdir = os.path.join(run.dir, "template"), os.path.join(run.dir, "template-tmp")
                for directory in (building, tmpdir):
                    shutil.rmtree(directory, ignore_errors=True)
                    os.makedirs(directory)
                    os.chown(directory, run.users.database, run.users.database)
                cls.build(run, building, tmpdir, nodes)
                subprocess.run(["cp", "-a", "--sparse=always", building, path + ".new"], check=True)
                os.rename(path + ".new", path)
        return path

    def copy_template(self, sparse="always"):
        os.makedirs(self.datadir, exist_ok=True)
        subprocess.run(["cp", "-a", "--sparse=" + sparse, self.template(self.run, self.nodes) + "/.", self.datadir], check=True)

    def wipe(self):
        shutil.rmtree(self.datadir)

    def renew(self):
        """An empty server again, as it was before its first start."""
        self.wipe()
        self.copy_template()

    # -- life --

    def start(self, mode=None):
        """By hand, where no agent does it; waits until it answers."""
        self.host.start(SERVICE, mode)
        hosts.wait_for("%s's server answers" % self.host.name, self.answers)

    def forbid_start(self):
        """From now on it cannot be started, by nobody."""
        for mode in ("", ".follow"):
            path = os.path.join(self.host.dir, "services", SERVICE + mode)
            os.rename(path, path + ".kept")

    def allow_start(self):
        for mode in ("", ".follow"):
            path = os.path.join(self.host.dir, "services", SERVICE + mode)
            os.rename(path + ".kept", path)

    def answers(self):
        try:
            self.connect().close()
            return True
        except pymysql.err.OperationalError:
            return False

    def pid(self):
        """Its number on this machine."""
        found = self.host.processes(os.path.basename(self.program()[0]))
        if len(found) != 1:
            raise hosts.BedError("%s has %d servers" % (self.host.name, len(found)))
        return found[0]

    def connect(self, user="root", password="", timeout_s=5.0):
        """Through the unix socket, which works from here whatever happens to the network."""
        return pymysql.connect(unix_socket=self.socket, user=user, password=password, autocommit=True,
                               connect_timeout=timeout_s, read_timeout=timeout_s, write_timeout=timeout_s)

    def connect_app(self, timeout_s=5.0):
        return self.connect(APP_USER, self.APP_PASSWORD, timeout_s)

    def query(self, *statements, timeout_s=5.0):
        """Runs them as root; the rows of the last one as dictionaries."""
        connection = self.connect(timeout_s=timeout_s)
        try:
            with connection.cursor(pymysql.cursors.DictCursor) as cursor:
                for statement in statements:
                    cursor.execute(statement)
                return cursor.fetchall()
        finally:
            connection.close()

    def unlogged(self, *statements):
        """What only this server knows afterwards."""
        self.query("SET sql_log_bin=0", *statements)

    def variable(self, name):
        return self.query("SELECT @@GLOBAL.%s AS value" % name)[0]["value"]

    def status_value(self, name):
        rows = self.query("SHOW GLOBAL STATUS LIKE '%s'" % name)
        return rows[0]["Value"] if rows else None

    def closed(self):
        """It takes no writes of clients, or does not run at all. Raises if it runs and does not answer."""
        return not self.host.running(SERVICE) or self.variable("read_only") == 1

    def sessions(self):
        return self.query("SELECT ID, USER, COMMAND, TIME, STATE, INFO FROM information_schema.PROCESSLIST")

    # -- as a primary --

    def semi_sync(self, name):
        return "rpl_semi_sync_%s_%s" % (self.WORDS[0].lower(), name)

    def commits_wait(self):
        """It has somebody to wait for, and does so as long as it takes. (Without a rule MariaDB's waits a millisecond at most.)"""
        return self.status_value(self.semi_sync("status")) == "ON" and int(self.variable(self.semi_sync("timeout"))) > 60000

    def waiting_commits(self):
        return int(self.status_value(self.semi_sync("wait_sessions")))

    def no_commit_rule(self):
        self.query("SET GLOBAL %s=0" % self.semi_sync("enabled"))

    def lead_by_hand(self, semi_sync=True):
        if semi_sync:
            self.query("SET GLOBAL %s=4294967295" % self.semi_sync("timeout"), "SET GLOBAL %s=1" % self.semi_sync("enabled"))
        self.open_by_hand()

    def purge_logs(self):
        """What was written until now is in its tables, but in no log any more. MariaDB keeps a log until InnoDB has all of it, which a
        thread of the server's notes some time after the log was ended."""
        self.query("FLUSH BINARY LOGS")
        newest = os.path.basename(self.binlogs()[-1])

        def purged():
            self.query("PURGE BINARY LOGS TO '%s'" % newest)
            return len(self.binlogs()) == 1

        hosts.wait_for("%s's logs are gone" % self.host.name, purged)

    # -- as a replica --

    def replica_status(self):
        rows = self.query("SHOW %s STATUS" % self.WORDS[1].upper())
        return rows[0] if rows else None

    def stop_applier(self):
        self.query("STOP %s SQL_THREAD" % self.WORDS[1].upper())

    def start_applier(self):
        self.query("START %s SQL_THREAD" % self.WORDS[1].upper())

    def stop_following_by_hand(self):
        self.query("STOP " + self.WORDS[1].upper(), "RESET %s ALL" % self.WORDS[1].upper())

    def replica(self):
        """None, or what it replicates: source (address), user, receiving, applying, problems (text)."""
        status = self.replica_status()
        if not status:
            return None
        s, r = self.WORDS
        return {"source": status[s + "_Host"], "user": status[s + "_User"], "receiving": status[r + "_IO_Running"] == "Yes",
                "applying": status[r + "_SQL_Running"] == "Yes",
                "problems": " ".join([status["Last_IO_Error"], status["Last_SQL_Error"]]).strip()}

    def replicating_from(self, other):
        """Seen from outside: both threads run, and the source is `other`."""
        try:
            found = self.replica()
            return bool(found and found["source"] == other.host.address and found["receiving"] and found["applying"] and
                        self.variable("read_only") == 1)
        except ERRORS:
            return False

    def same_as(self, other):
        return self.position() == other.position()

    def set_replication_password(self, node, password=REPLICATION_PASSWORD):
        """At this server, of the account by which `node` replicates."""
        self.unlogged("ALTER USER '%s'@'%s%%' IDENTIFIED BY '%s'" % (self.replication_user(node), hosts.NETWORK, password))

    def expire_replication_password(self, node):
        self.unlogged("ALTER USER '%s'@'%s%%' PASSWORD EXPIRE" % (self.replication_user(node), hosts.NETWORK))

    def agents_grants(self):
        """What the agent's account may do in mha4rdb's own schema."""
        return [g for row in self.query("SHOW GRANTS FOR '%s'@'localhost'" % AGENT_USER) for g in row.values() if "ON `mha4rdb`.*" in g]

    def take_grants(self):
        """The agent's account may not write to that schema any more, at this server alone. Returns how that is undone."""
        grants = self.agents_grants()
        self.unlogged("REVOKE ALL PRIVILEGES ON mha4rdb.* FROM '%s'@'localhost'" % AGENT_USER)
        if not grants or self.agents_grants():
            raise hosts.BedError("the grants of %s's agent could not be taken" % self.host.name)
        return lambda: self.unlogged(*grants)

    @staticmethod
    def replication_user(node):
        return REPLICATION_USER.replace("%n", node)

    def binlogs(self):
        """Paths of its binary logs, oldest first."""
        with open(os.path.join(self.datadir, "binlog.index")) as f:
            return [os.path.join(self.datadir, os.path.basename(line.strip())) for line in f if line.strip()]

    def transactions(self):
        return binlog.transactions(self.binlogs())


def create_schema(server):
    """The application's tables, through the log as any application would."""
    server.query(
        "CREATE DATABASE IF NOT EXISTS " + SCHEMA,
        "CREATE TABLE IF NOT EXISTS %s.writes (k BIGINT PRIMARY KEY, server INT NOT NULL, note VARCHAR(64) NOT NULL)"
        % SCHEMA,
        "CREATE TABLE IF NOT EXISTS %s.tries (host VARCHAR(16), n BIGINT, server INT NOT NULL, PRIMARY KEY (host, n))"
        % SCHEMA)


def settle(server, other, timeout_s=20.0):
    hosts.wait_for("%s has all of %s" % (server.host.name, other.host.name), lambda: server.same_as(other), timeout_s)
