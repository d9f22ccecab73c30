"""MariaDB servers of the distribution, each on its own host."""

import subprocess

from .host import NETWORK
from .server import REPLICATION_PASSWORD, Server, run_as_user

PROGRAM = "/usr/sbin/mariadbd"


class MariaDB(Server):
    KIND = "mariadb"
    SAMPLE = "mariadb.cnf"
    ACCOUNTS = "accounts.sql"
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
        return super().statements(nodes) + ["DELETE FROM mysql.global_priv WHERE User=''", "FLUSH PRIVILEGES"]

    @classmethod
    def build(cls, run, path, tmpdir, nodes):
        options = ["--no-defaults", "--datadir=" + path, "--tmpdir=" + tmpdir, "--skip-log-bin", "--innodb-log-file-size=16M"]
        run_as_user(run, ["mariadb-install-db", *options, "--auth-root-authentication-method=normal", "--skip-test-db",
                          "--skip-name-resolve", "--force"])  # the name of this machine need not resolve
        run_as_user(run, [PROGRAM, *options, "--bootstrap"],
                    "USE mysql;\nFLUSH PRIVILEGES;\n" + ";\n".join(cls.statements(nodes)) + ";\n")

    def position(self):
        return self.variable("gtid_binlog_pos")

    # -- by hand --

    def open_by_hand(self):
        self.query("SET GLOBAL read_only=0")

    def close_by_hand(self):
        self.query("SET GLOBAL read_only=1")

    def write_alone(self, statement):
        """On a closed server, as root: read_only does not bind it."""
        self.query(statement)

    def follow_by_hand(self, other):
        self.stop_following_by_hand()
        self.query("CHANGE MASTER TO MASTER_HOST='%s', MASTER_USER='%s', MASTER_PASSWORD='%s', "
                   "MASTER_USE_GTID=slave_pos, MASTER_CONNECT_RETRY=1"
                   % (other.host.address, self.replication_user(self.host.name), REPLICATION_PASSWORD),
                   "START SLAVE")

    def make_transaction(self, domain, server, sequence, statement):
        """With a number that somebody else has given already, if need be."""
        self.query("SET gtid_domain_id=%d, server_id=%d, gtid_seq_no=%d" % (domain, server, sequence), statement)


assert NETWORK == "192.0.2.", "the samples' replication accounts are for that network"
