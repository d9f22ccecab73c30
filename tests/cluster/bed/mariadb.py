"""MariaDB servers of the distribution, each on its own host."""

import os
import subprocess

from . import binlog
from . import host as hosts
from .host import NETWORK
from .server import APP_USER, REPLICATION_PASSWORD, SCHEMA, Server, account_statements, run_as_user, sample

PROGRAM = "/usr/sbin/mariadbd"


class MariaDB(Server):
    KIND = "mariadb"
    APP_PASSWORD = "app-password"
    SAMPLE = "mariadb.cnf"
    # Behind the sample file, which is what an operator is told to use.
    CONFIGURATION = """
datadir={datadir}
# of its own: a server that starts removes what looks like left-over temporary tables, other servers' ones too
tmpdir={tmpdir}
socket={socket}
pid-file={datadir}/server.pid
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
    FOLLOW_OPTIONS = ["--init-rpl-role=SLAVE"]
    WORDS = ("Master", "Slave")

    @staticmethod
    def program():
        return [PROGRAM]

    @staticmethod
    def version():
        return subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, check=True).stdout

    @classmethod
    def statements(cls, nodes):
        """As the manual tells an operator to make them, without a trace in the binary log; and the application's own account."""
        return account_statements(sample("accounts.sql"), nodes) + [
            "CREATE USER '%s'@'%%' IDENTIFIED BY '%s'" % (APP_USER, cls.APP_PASSWORD),
            "GRANT SELECT, INSERT, UPDATE, DELETE ON %s.* TO '%s'@'%%'" % (SCHEMA, APP_USER),
            "DELETE FROM mysql.global_priv WHERE User=''",
            "FLUSH PRIVILEGES"]

    @classmethod
    def build(cls, run, path, tmpdir, nodes):
        options = ["--no-defaults", "--datadir=" + path, "--tmpdir=" + tmpdir, "--skip-log-bin", "--innodb-log-file-size=16M"]
        run_as_user(run, ["mariadb-install-db", *options, "--auth-root-authentication-method=normal", "--skip-test-db",
                          "--skip-name-resolve", "--force"])  # the name of this machine need not resolve
        run_as_user(run, [PROGRAM, *options, "--bootstrap"],
                    "USE mysql;\nFLUSH PRIVILEGES;\n" + ";\n".join(cls.statements(nodes)) + ";\n")

    def replica_status(self):
        rows = self.query("SHOW SLAVE STATUS")
        return rows[0] if rows else None

    def position(self):
        return self.variable("gtid_binlog_pos")

    def commits_wait(self):
        """As a primary, it has somebody to wait for."""
        return self.status_value("Rpl_semi_sync_master_status") == "ON"

    def waiting_commits(self):
        return int(self.status_value("Rpl_semi_sync_master_wait_sessions"))

    def transactions(self):
        return binlog.transactions(self.binlogs())

    # -- by hand --

    def open_by_hand(self):
        self.query("SET GLOBAL read_only=0")

    def close_by_hand(self):
        self.query("SET GLOBAL read_only=1")

    def write_alone(self, statement):
        """On a closed server, as root: read_only does not bind it."""
        self.query(statement)

    def stop_applier(self):
        self.query("STOP SLAVE SQL_THREAD")

    def start_applier(self):
        self.query("START SLAVE SQL_THREAD")

    def purge_logs(self):
        """What was written until now is in its tables, but in no log any more."""
        self.query("FLUSH BINARY LOGS")
        self.query("PURGE BINARY LOGS TO '%s'" % os.path.basename(self.binlogs()[-1]))
        if len(self.binlogs()) != 1:
            raise hosts.BedError("its logs are still there")

    def no_commit_rule(self):
        self.query("SET GLOBAL rpl_semi_sync_master_enabled=0")

    def lead_by_hand(self, semi_sync=True):
        if semi_sync:
            self.query("SET GLOBAL rpl_semi_sync_master_timeout=4294967295", "SET GLOBAL rpl_semi_sync_master_enabled=1")
        self.open_by_hand()

    def stop_following_by_hand(self):
        self.query("STOP SLAVE", "RESET SLAVE ALL")

    def follow_by_hand(self, other):
        self.query("STOP SLAVE", "RESET SLAVE ALL",
                   "CHANGE MASTER TO MASTER_HOST='%s', MASTER_USER='%s', MASTER_PASSWORD='%s', "
                   "MASTER_USE_GTID=slave_pos, MASTER_CONNECT_RETRY=1"
                   % (other.host.address, self.replication_user(self.host.name), REPLICATION_PASSWORD),
                   "START SLAVE")

    def make_transaction(self, domain, server, sequence, statement):
        """With a number that somebody else has given already, if need be."""
        self.query("SET gtid_domain_id=%d, server_id=%d, gtid_seq_no=%d" % (domain, server, sequence), statement)


assert NETWORK == "192.0.2.", "the samples' replication accounts are for that network"
