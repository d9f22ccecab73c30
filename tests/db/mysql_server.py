"""Real MySQL servers for the tests (build/servers/mysql, or MHA_MYSQL): like mariadb_server, with the same accounts."""

import contextlib
import os
import re
import subprocess
import time

import pymysql

from mariadb_server import AGENT_PASSWORD, AGENT_USER, REPLICATION_PASSWORD, SERVER_UID, as_server_user, give
from mariadb_server import Server as MariaServer
from mariadb_server import Template as MariaTemplate

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MYSQL = os.environ.get("MHA_MYSQL", os.path.join(ROOT, "build/servers/mysql"))
INSTALLED = os.path.exists(os.path.join(MYSQL, "server.cnf"))
REPLICATION_USER = "mha4rdb_%n"
NODES = ("n1", "n2", "n3")
AGENT_GRANTS = (
    "RELOAD, PROCESS, SHOW DATABASES, REPLICATION CLIENT, REPLICATION_SLAVE_ADMIN, SYSTEM_VARIABLES_ADMIN, "
    "CONNECTION_ADMIN, SYSTEM_USER, CREATE USER"
)


class Template(MariaTemplate):
    def _build(self):
        self.data = os.path.join(self.root, "template")
        self.tmp = os.path.join(self.root, "tmp")
        os.mkdir(self.tmp)
        give(self.tmp, SERVER_UID)
        os.mkdir(self.data)
        give(self.data, SERVER_UID)
        with open(os.path.join(self.root, "initialize.log"), "ab") as log:
            subprocess.run(as_server_user() + [os.path.join(MYSQL, "bin/mysqld"), f"--defaults-file={MYSQL}/server.cnf", "--initialize-insecure",
                                               f"--datadir={self.data}", "--innodb-redo-log-capacity=8M", "--innodb-buffer-pool-size=32M",
                                               "--loose-skip-plugin-load", "--log-error-verbosity=1"],
                           check=True, stdout=log, stderr=log)
        server = Server(self, 0, data=self.data, options=["--skip-log-bin", "--super-read-only=0", "--read-only=0"])
        server.start()
        with server.root() as c:
            c.execute(f"CREATE USER {AGENT_USER}@localhost IDENTIFIED BY '{AGENT_PASSWORD}'")
            c.execute(f"GRANT {AGENT_GRANTS} ON *.* TO {AGENT_USER}@localhost")
            c.execute(f"GRANT ALL ON mha4rdb.* TO {AGENT_USER}@localhost")
            c.execute(f"GRANT SELECT ON mysql.* TO {AGENT_USER}@localhost")
            c.execute(f"GRANT SELECT ON performance_schema.* TO {AGENT_USER}@localhost")
            for node in (*NODES, "standby"):
                user = REPLICATION_USER.replace("%n", node)
                c.execute(f"CREATE USER {user}@'%' IDENTIFIED BY '{REPLICATION_PASSWORD}'")
                c.execute(f"GRANT REPLICATION SLAVE, BACKUP_ADMIN ON *.* TO {user}@'%'")
            c.execute("CREATE USER app@'%' IDENTIFIED BY 'app'")
            c.execute("GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, ALTER, INDEX ON *.* TO app@'%'")
        server.stop()
        for name in ("auto.cnf", "undo_001.tmp"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(os.path.join(self.data, name))


class Server(MariaServer):
    kind = "mysql"
    PROBE_TIMEOUT_MS = 2000  # while semi-sync is switched off, nobody reads a variable for up to a second
    LOCKED = "SELECT Host, IF(account_locked = 'Y', '1', '0') AS l FROM mysql.user WHERE User = 'mha4rdb_n2'"
    RECEIVER = "SELECT ID FROM information_schema.PROCESSLIST WHERE STATE LIKE 'Waiting for source%'"

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

    def stop_receiver(self):
        self.query("STOP REPLICA IO_THREAD")

    def stop_applier(self):
        self.query("STOP REPLICA SQL_THREAD")

    def unacknowledged(self):
        return int(self.query("SHOW GLOBAL STATUS LIKE 'Rpl_semi_sync_source_no_tx'")[0]["Value"])

    def start(self, *extra):
        command = as_server_user() + [
            os.path.join(MYSQL, "bin/mysqld"), f"--defaults-file={MYSQL}/server.cnf", f"--datadir={self.data}", f"--tmpdir={self.template.tmp}",
            f"--socket={self.socket}", f"--port={self.port}", f"--bind-address={self.host}", f"--server-id={self.server_id or 1}",
            f"--pid-file={self.dir}/pid", f"--log-bin={self.data}/bin", "--gtid-mode=ON", "--enforce-gtid-consistency=ON",
            "--super-read-only=1", "--read-only=1", "--skip-replica-start", "--relay-log-recovery=OFF", "--sync-relay-log=1",
            "--innodb-buffer-pool-size=32M", "--innodb-redo-log-capacity=8M", "--performance-schema=OFF", "--skip-name-resolve",
            "--replica-net-timeout=4", "--log-error-verbosity=3", "--innodb-numa-interleave=0", *self.options, *extra]
        if self.netns:
            command = ["ip", "netns", "exec", self.netns] + command
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.socket)
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        deadline = time.monotonic() + 30
        while True:
            try:
                self.connect().close()
                return self
            except pymysql.Error:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(open(self.log).read()[-3000:]) from None
                time.sleep(0.02)
