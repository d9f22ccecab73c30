"""MariaDB servers of the distribution, each on its own host."""

import fcntl
import hashlib
import os
import shutil
import subprocess

import pymysql

from . import host as hosts

AGENT_USER, AGENT_PASSWORD = "mha4rdb", "agent-password"
REPLICATION_USER, REPLICATION_PASSWORD = "mha4rdb_repl", "replication-password"
APP_USER, APP_PASSWORD = "app", "app-password"
SCHEMA = "shop"

SAMPLES = os.path.join(hosts.REPOSITORY, "packaging", "samples")

# The application's own account, beside the two that the sample file makes.
APP_ACCOUNT = """
CREATE USER '{user}'@'%' IDENTIFIED BY '{password}';
GRANT SELECT, INSERT, UPDATE, DELETE ON {schema}.* TO '{user}'@'%';
DELETE FROM mysql.global_priv WHERE User='';
FLUSH PRIVILEGES;
""".format(user=APP_USER, password=APP_PASSWORD, schema=SCHEMA)

# Behind the sample file, which is what an operator is told to use.
CONFIGURATION = """
datadir={datadir}
# of its own: a server that starts removes what looks like left-over temporary tables, other servers' ones too
tmpdir={tmpdir}
socket={socket}
pid-file={datadir}/mariadbd.pid
port=3306
server-id={server_id}
log-bin=binlog
relay-log=relay
# small
innodb-buffer-pool-size=16M
innodb-log-file-size=16M
key-buffer-size=1M
aria-pagecache-buffer-size=1M
performance-schema=0
max-connections=400
"""


def sample(name):
    with open(os.path.join(SAMPLES, name)) as f:
        return f.read()


def accounts():
    """As the manual tells an operator to make them, without a trace in the binary log."""
    text = sample("accounts.sql").replace("password one", AGENT_PASSWORD).replace("password two", REPLICATION_PASSWORD)
    return text + APP_ACCOUNT


def template(run):
    """A data directory with the accounts, made once for this build directory, server version and user."""
    uid = run.users.mariadb
    version = subprocess.run(["/usr/sbin/mariadbd", "--version"], capture_output=True, text=True, check=True).stdout
    name = hashlib.sha256((version + accounts() + str(uid)).encode()).hexdigest()[:16]
    cache = os.path.join(hosts.REPOSITORY, "build", "bed")
    os.makedirs(cache, exist_ok=True)
    path = os.path.join(cache, "mariadb-" + name)
    with open(path + ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.isdir(path):
            _make_template(run, path)
    return path


def _make_template(run, path):
    uid = run.users.mariadb
    building = os.path.join(run.dir, "template")
    tmpdir = os.path.join(run.dir, "template-tmp")
    for directory in (building, tmpdir):
        os.makedirs(directory)
        os.chown(directory, uid, uid)
    options = ["--no-defaults", "--datadir=" + building, "--tmpdir=" + tmpdir, "--skip-log-bin",
               "--innodb-log-file-size=16M"]
    _run(run, ["mariadb-install-db", *options, "--auth-root-authentication-method=normal", "--skip-test-db",
               "--skip-name-resolve", "--force"])  # the name of this machine need not resolve
    _run(run, ["/usr/sbin/mariadbd", *options, "--bootstrap"], "USE mysql;\nFLUSH PRIVILEGES;\n" + accounts())
    subprocess.run(["cp", "-a", "--sparse=always", building, path + ".new"], check=True)
    os.rename(path + ".new", path)


def _as_user(run):
    if not run.users.separate:
        return []
    return ["setpriv", "--reuid=%d" % run.users.mariadb, "--regid=%d" % run.users.mariadb, "--clear-groups"]


def _run(run, command, text=""):
    extra = [] if run.users.separate else ["--user=root"]
    result = subprocess.run(_as_user(run) + command + extra, input=text, text=True, capture_output=True, cwd="/")
    if result.returncode != 0:
        raise hosts.BedError("%s: %s" % (command[0], (result.stdout + result.stderr)[-2000:]))


class MariaDB:
    """The server of one host. Its data directory outlives the host's power."""

    def __init__(self, host, server_id):
        self.host = host
        self.server_id = server_id
        self.run = host.run
        uid = self.run.users.mariadb
        self.datadir = os.path.join(host.dir, "mysql")
        host.directory("mysqld", uid)
        self.socket = os.path.join(host.dir, "mysqld", "mysqld.sock")
        if not os.path.isdir(self.datadir):
            subprocess.run(["cp", "-a", "--sparse=always", template(self.run), self.datadir], check=True)
        configuration = host.file("etc/my.cnf", sample("mariadb.cnf") + CONFIGURATION.format(
            datadir=self.datadir, tmpdir=host.directory("mysqld-tmp", uid), socket=self.socket, server_id=server_id))
        command = ["/usr/sbin/mariadbd", "--defaults-file=" + configuration]
        if not self.run.users.separate:
            command += ["--user=root"]
        host.service("mariadb", command, uid=uid)
        host.service("mariadb", command + ["--init-rpl-role=SLAVE"], uid=uid, mode="follow")

    def wipe(self):
        shutil.rmtree(self.datadir)

    def start(self, mode=None):
        """By hand, where no agent does it; waits until it answers."""
        self.host.start("mariadb", mode)
        hosts.wait_for("%s's server answers" % self.host.name, self.answers)

    def answers(self):
        try:
            self.connect().close()
            return True
        except pymysql.err.OperationalError:
            return False

    def connect(self, user="root", password="", timeout_s=5.0):
        """Through the unix socket, which works from here whatever happens to the network."""
        return pymysql.connect(unix_socket=self.socket, user=user, password=password, autocommit=True,
                               connect_timeout=timeout_s, read_timeout=timeout_s, write_timeout=timeout_s)

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

    def variable(self, name):
        return self.query("SELECT @@GLOBAL.%s AS value" % name)[0]["value"]

    def replica_status(self):
        rows = self.query("SHOW SLAVE STATUS")
        return rows[0] if rows else None

    def replicating_from(self, other):
        """Seen from outside: both threads run, the source is `other`, and it has all that `other` has."""
        try:
            status = self.replica_status()
            if (not status or status["Master_Host"] != other.host.address or
                    status["Slave_IO_Running"] != "Yes" or status["Slave_SQL_Running"] != "Yes"):
                return False
            return self.variable("read_only") == 1
        except (pymysql.err.MySQLError, OSError):
            return False

    def same_as(self, other):
        mine, its = self.variable("gtid_binlog_pos"), other.variable("gtid_binlog_pos")
        return mine == its

    # -- replication by hand, for tests of the bed itself --

    def lead_by_hand(self, semi_sync=True):
        if semi_sync:
            self.query("SET GLOBAL rpl_semi_sync_master_timeout=4294967295",
                       "SET GLOBAL rpl_semi_sync_master_enabled=1")
        self.query("SET GLOBAL read_only=0")

    def follow_by_hand(self, other):
        self.query("STOP SLAVE", "RESET SLAVE ALL",
                   "CHANGE MASTER TO MASTER_HOST='%s', MASTER_USER='%s', MASTER_PASSWORD='%s', "
                   "MASTER_USE_GTID=slave_pos, MASTER_CONNECT_RETRY=1"
                   % (other.host.address, REPLICATION_USER, REPLICATION_PASSWORD),
                   "START SLAVE")

    def binlogs(self):
        """Paths of its binary logs, oldest first."""
        with open(os.path.join(self.datadir, "binlog.index")) as f:
            return [os.path.join(self.datadir, os.path.basename(line.strip())) for line in f if line.strip()]


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


