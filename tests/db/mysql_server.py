"""MySQL servers, from build/servers/mysql (`make servers`) or MHA_MYSQL."""

import contextlib
import os
import re
import subprocess

import sql_server
from sql_server import as_server_user

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MYSQL = os.environ.get("MHA_MYSQL", os.path.join(ROOT, "build/servers/mysql"))
PROGRAM = [os.path.join(MYSQL, "bin/mysqld"), f"--defaults-file={MYSQL}/server.cnf"]
SMALL = ("--innodb-redo-log-capacity=8M", "--innodb-buffer-pool-size=32M")


class Template(sql_server.Template):
    AGENT_GRANTS = (
        "RELOAD, PROCESS, SHOW DATABASES, REPLICATION CLIENT, REPLICATION_SLAVE_ADMIN, SYSTEM_VARIABLES_ADMIN, "
        "CONNECTION_ADMIN, SYSTEM_USER, CREATE USER, CLONE_ADMIN"
    )
    MORE_GRANTS = ("SELECT ON performance_schema.*",)
    REPLICATION_GRANTS = "REPLICATION SLAVE, BACKUP_ADMIN"

    def initialize(self):
        with open(os.path.join(self.root, "initialize.log"), "ab") as log:
            subprocess.run(as_server_user() + PROGRAM + ["--initialize-insecure", f"--datadir={self.data}", *SMALL, "--loose-skip-plugin-load",
                                                         "--log-error-verbosity=1"],
                           check=True, stdout=log, stderr=log)
    def finish(self):
        """Each copy is a server of its own."""
        for name in ("auto.cnf", "undo_001.tmp"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(os.path.join(self.data, name))

    def server(self):
        return Server(self, 0, data=self.data, options=["--skip-log-bin", "--super-read-only=0", "--read-only=0"])


class Server(sql_server.Server):
    kind = "mysql"
    START_S = 30
    PROBE_TIMEOUT_MS = 2000  # while semi-sync is switched off, nobody reads a variable for up to a second
    LOCKED = "SELECT Host, IF(account_locked = 'Y', '1', '0') AS l FROM mysql.user WHERE User = 'mha4rdb_n2'"
    RECEIVER = "SELECT ID FROM information_schema.PROCESSLIST WHERE STATE LIKE 'Waiting for source%'"
    WORDS = ("source", "replica")
    OPTIONS = (
        "--gtid-mode=ON", "--enforce-gtid-consistency=ON", "--super-read-only=1", "--read-only=1", "--skip-replica-start", "--replicate-same-server-id",
        "--relay-log-recovery=OFF", "--sync-relay-log=1", *SMALL, "--replica-net-timeout=4", "--log-error-verbosity=3",
        "--innodb-numa-interleave=0")

    def program(self):
        return PROGRAM

    def position(self):
        """With what waits in the log for an acknowledgement."""
        owned = re.sub(r"#\d+", "", self.value("@@global.gtid_owned"))
        with self.root() as c:
            c.execute("SELECT GTID_SUBTRACT(CONCAT(@@global.gtid_executed, ',', %s), '') AS v", (owned,))
            return c.fetchone()["v"].replace("\n", "")

    def gtid(self, number):
        return f"{self.value('@@server_uuid')}:{number}"

    def log_until(self, number):
        return f"{self.value('@@server_uuid')}:1-{number}"

    def set_password(self, account, password):
        with self.unlocked() as c:
            c.execute("SET sql_log_bin = 0")
            c.execute(f"ALTER USER {account} IDENTIFIED BY '{password}'")

    @contextlib.contextmanager
    def unlocked(self):
        """For statements that super_read_only forbids even to root."""
        with self.root() as c:
            c.execute("SELECT @@super_read_only AS v")
            was = c.fetchone()["v"]
            c.execute("SET GLOBAL super_read_only = 0")
            try:
                yield c
            finally:
                if was:
                    c.execute("SET GLOBAL super_read_only = 1")
