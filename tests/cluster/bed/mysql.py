"""MySQL servers, each on its own host; the program comes by `make servers`, or from the folder that MHA_MYSQL names."""

import os
import subprocess

from . import host as hosts
from .server import REPLICATION_PASSWORD, Server, run_as_user


def prefix():
    path = os.environ.get("MHA_MYSQL") or os.path.join(hosts.REPOSITORY, "build", "servers", "mysql")
    if not os.path.exists(os.path.join(path, "server.cnf")):
        raise hosts.BedError("there is no MySQL at %s: run `make servers`, or name another folder in MHA_MYSQL" % path)
    return os.path.realpath(path)


def own_files():
    """What a server needs to find its own files."""
    with open(os.path.join(prefix(), "server.cnf")) as f:
        return f.read()


class MySQL(Server):
    KIND = "mysql"
    SAMPLE = "mysql.cnf"
    ACCOUNTS = "accounts-mysql.sql"
    CONFIGURATION = """
datadir={datadir}
tmpdir={tmpdir}
socket={socket}
pid_file={datadir}/server.pid
port=3306
server_id={server_id}
report_host={address}
log_bin=binlog
relay_log=relay
log_error_verbosity=3
# the evidence compares what each transaction did
binlog_rows_query_log_events=1
# small
innodb_buffer_pool_size=32M
innodb_redo_log_capacity=16M
performance_schema=0
max_connections=400
"""
    WORDS = ("Source", "Replica")

    @staticmethod
    def program():
        return [os.path.join(prefix(), "bin", "mysqld")]

    @classmethod
    def version(cls):
        return subprocess.run(cls.program() + ["--no-defaults", "--version"], capture_output=True, text=True, check=True).stdout

    @classmethod
    def statements(cls, nodes):
        return [s for s in super().statements(nodes) if not s.startswith("SET GLOBAL")]

    @classmethod
    def build(cls, run, path, tmpdir, nodes):
        options = os.path.join(tmpdir, "initialize.cnf")
        with open(options, "w") as f:
            f.write("\n".join(line for line in own_files().splitlines() if "plugin_load" not in line))
        accounts = os.path.join(tmpdir, "accounts.sql")
        with open(accounts, "w") as f:
            f.write("".join(s + ";\n" for s in cls.statements(nodes)))
        run_as_user(run, cls.program() + ["--defaults-file=" + options, "--initialize-insecure", "--datadir=" + path,
                                          "--tmpdir=" + tmpdir, "--init-file=" + accounts, "--innodb-redo-log-capacity=16M"])
        os.unlink(os.path.join(path, "auto.cnf"))  # each copy is a server of its own

    def configuration(self):
        return own_files() + super().configuration()

    def position(self):
        return self.variable("gtid_executed").replace("\n", "")

    # -- by hand --

    def open_by_hand(self):
        self.query("SET GLOBAL super_read_only=0", "SET GLOBAL read_only=0")

    def close_by_hand(self):
        self.query("SET GLOBAL super_read_only=1")

    def unlogged(self, *statements):
        closed = self.variable("super_read_only")
        if closed:
            self.query("SET GLOBAL super_read_only=0", "SET GLOBAL read_only=1")
        super().unlogged(*statements)
        if closed:
            self.query("SET GLOBAL super_read_only=1")

    def write_alone(self, statement):
        """On a closed server, as root: read_only alone does not bind it, and clients stay out."""
        self.query("SET GLOBAL super_read_only=0", "SET GLOBAL read_only=1", statement, "SET GLOBAL super_read_only=1")

    def follow_by_hand(self, other):
        self.stop_following_by_hand()
        self.query("SET GLOBAL rpl_semi_sync_replica_enabled=1",
                   "CHANGE REPLICATION SOURCE TO SOURCE_HOST='%s', SOURCE_USER='%s', SOURCE_PASSWORD='%s', "
                   "SOURCE_AUTO_POSITION=1, SOURCE_CONNECT_RETRY=1, GET_SOURCE_PUBLIC_KEY=1"
                   % (other.host.address, self.replication_user(self.host.name), REPLICATION_PASSWORD),
                   "START REPLICA")

    def make_transaction(self, domain, _server, sequence, statement):
        """With a number that somebody else has given already, if need be."""
        self.query("SET gtid_next='%s:%d'" % (domain, sequence), statement)
