"""MariaDB servers of the distribution."""

import contextlib
import subprocess

import sql_server
from sql_server import as_server_user


class Template(sql_server.Template):
    AGENT_GRANTS = (
        "RELOAD, PROCESS, SHOW DATABASES, BINLOG MONITOR, BINLOG ADMIN, CONNECTION ADMIN, READ_ONLY ADMIN, "
        "REPLICATION MASTER ADMIN, REPLICATION SLAVE ADMIN, SLAVE MONITOR, CREATE USER"
    )
    REPLICATION_GRANTS = "REPLICATION SLAVE"

    def initialize(self):
        subprocess.run(
            as_server_user()
            + ["mariadb-install-db", "--no-defaults", f"--datadir={self.data}", "--auth-root-authentication-method=normal",
               "--skip-test-db", "--force", f"--tmpdir={self.tmp}", "--innodb-log-file-size=8M", "--innodb-buffer-pool-size=16M"],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def server(self):
        return Server(self, 0, data=self.data, options=["--skip-log-bin", "--read-only=0"])


class Server(sql_server.Server):
    kind = "mariadb"
    PROBE_TIMEOUT_MS = 600
    LOCKED = "SELECT Host, JSON_VALUE(Priv, '$.account_locked') AS l FROM mysql.global_priv WHERE User = 'mha4rdb_n2'"
    RECEIVER = "SELECT ID FROM information_schema.PROCESSLIST WHERE COMMAND = 'Slave_IO'"
    WORDS = ("master", "slave")
    OPTIONS = (
        "--log-slave-updates", "--gtid-strict-mode=1", "--read-only=1", "--skip-slave-start", "--sync-binlog=1",
        "--innodb-flush-log-at-trx-commit=1", "--rpl-semi-sync-master-wait-point=AFTER_SYNC", "--innodb-buffer-pool-size=16M",
        "--innodb-log-file-size=8M", "--slave-net-timeout=4", "--log-warnings=2")

    def program(self):
        return ["mariadbd", "--no-defaults"]

    def position(self):
        return self.value("@@gtid_binlog_state")

    def gtid(self, number):
        """Of this server's own transaction of that number."""
        return f"0-{self.server_id}-{number}"

    def log_until(self, number):
        """The position of a server that has its own transactions up to that number, and no others."""
        return self.gtid(number)

    @contextlib.contextmanager
    def unlocked(self):
        """For statements that a closed server forbids, to root too where it can."""
        with self.root() as c:
            yield c

    def set_password(self, account, password):
        with self.root() as c:
            c.execute("SET sql_log_bin = 0")
            c.execute(f"SET PASSWORD FOR {account} = PASSWORD('{password}')")
