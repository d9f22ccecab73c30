"""Real servers for the tests: a data directory for each kind built once per run and copied, one process each, reaped here.

mariadb_server and mysql_server say what is each kind's own."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import pymysql

SERVER_UID = 27182  # a number without an account: the server must not run as root
AGENT_USER, AGENT_PASSWORD = "mha4rdb", "agent-secret"
REPLICATION_USER, REPLICATION_PASSWORD = "mha4rdb_%n", "replication-secret"
NODES = ("n1", "n2", "n3")  # n<server_id>; each replicates by an account of its own


with open("/proc/self/uid_map") as uid_map:
    # inside `unshare --user --map-root-user` there is one user only
    SINGLE_USER = all(int(line.split()[2]) == 1 for line in uid_map)


def give(path, uid):
    if not SINGLE_USER:
        os.chown(path, uid, uid)


def as_server_user():
    if SINGLE_USER:
        return ["unshare", "--user", "--map-user=1000", "--map-group=1000"]
    return ["setpriv", f"--reuid={SERVER_UID}", f"--regid={SERVER_UID}", "--clear-groups", "--pdeathsig=KILL"]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Template:
    """A bootstrapped data directory with the accounts in it and an empty binlog state.

    A kind gives AGENT_GRANTS, MORE_GRANTS (further privileges and where), REPLICATION_GRANTS, initialize() and server(), one on the
    directory itself, that writes no log and is open."""

    AGENT_GRANTS = REPLICATION_GRANTS = None
    MORE_GRANTS = ()

    def __init__(self):
        if SINGLE_USER:  # in a network namespace of its own, where nothing is up yet
            subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        # in memory where there is some: nothing here is about disks, and the servers start in a third of the time
        memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.root = tempfile.mkdtemp(prefix=f"mha-db-{os.getpid()}-", dir=memory)
        os.chmod(self.root, 0o755)
        self.data, self.tmp = os.path.join(self.root, "template"), os.path.join(self.root, "tmp")
        try:
            for path in (self.data, self.tmp):
                os.mkdir(path)
                give(path, SERVER_UID)
            self.initialize()
            server = self.server()
            server.start()
            with server.root() as c:
                self._create_accounts(c)
            server.stop()
            self.finish()
        except BaseException:
            self.remove()
            raise

    def _create_accounts(self, c):
        agent = f"{AGENT_USER}@localhost"
        c.execute(f"CREATE USER {agent} IDENTIFIED BY '{AGENT_PASSWORD}'")
        for privileges in (f"{self.AGENT_GRANTS} ON *.*", "ALL ON mha4rdb.*", "SELECT ON mysql.*", *self.MORE_GRANTS):
            c.execute(f"GRANT {privileges} TO {agent}")
        for node in (*NODES, "standby"):
            account = REPLICATION_USER.replace("%n", node) + "@'%'"
            c.execute(f"CREATE USER {account} IDENTIFIED BY '{REPLICATION_PASSWORD}'")
            c.execute(f"GRANT {self.REPLICATION_GRANTS} ON *.* TO {account}")
        c.execute("CREATE USER app@'%' IDENTIFIED BY 'app'")
        c.execute("GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, ALTER, INDEX ON *.* TO app@'%'")

    def finish(self):
        """What a copy must not have, removed once the server is down."""

    def remove(self):
        shutil.rmtree(self.root, ignore_errors=True)


class Server:
    """A kind gives the constants, program() and OPTIONS, how positions are said (position, gtid, log_until), set_password() and
    unlocked()."""

    kind = None
    START_S = 20
    PROBE_TIMEOUT_MS = None
    LOCKED = None  # a query: whether n2's account is locked
    RECEIVER = None  # a query: the receiver's session
    WORDS = None  # for where a replica replicates from, and for itself
    OPTIONS = ()

    def __init__(self, template, server_id, data=None, options=(), netns=None, host="127.0.0.1"):
        self.template, self.server_id, self.options, self.netns, self.host = template, server_id, list(options), netns, host
        self.port = free_port()
        self.dir = os.path.join(template.root, f"s{server_id}-{self.port}")
        os.mkdir(self.dir)
        give(self.dir, SERVER_UID)
        self.data = data or os.path.join(self.dir, "data")
        if data is None:
            subprocess.run(["cp", "-a", "--sparse=always", template.data, self.data], check=True)
        self.socket = os.path.join(self.dir, "sock")
        self.log = os.path.join(self.dir, "log")
        self.process = None

    def program(self):
        """The command, up to what decides where its options come from."""
        raise NotImplementedError

    def start(self, *extra):
        command = as_server_user() + self.program() + [
            f"--datadir={self.data}", f"--tmpdir={self.template.tmp}", f"--socket={self.socket}", f"--port={self.port}",
            f"--bind-address={self.host}", f"--server-id={self.server_id or 1}", f"--pid-file={self.dir}/pid", f"--log-bin={self.data}/bin",
            "--performance-schema=OFF", "--skip-name-resolve", *self.OPTIONS, *self.options, *extra]
        if self.netns:
            command = ["ip", "netns", "exec", self.netns] + command
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.socket)
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        deadline = time.monotonic() + self.START_S
        while True:
            try:
                self.connect().close()
                return self
            except pymysql.Error:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(open(self.log).read()[-3000:]) from None
                time.sleep(0.02)

    def connect(self, user="root", password="", tcp=False, **options):
        where = {"host": self.host, "port": self.port} if tcp else {"unix_socket": self.socket}
        return pymysql.connect(user=user, password=password, autocommit=True, connect_timeout=10,
                               cursorclass=pymysql.cursors.DictCursor, **where, **options)

    @contextlib.contextmanager
    def root(self):
        with contextlib.closing(self.connect()) as connection, connection.cursor() as cursor:
            yield cursor

    def app(self, **options):
        return self.connect("app", "app", **options)

    def query(self, statement, *args):
        with self.root() as cursor:
            cursor.execute(statement, args or None)
            return cursor.fetchall()

    def value(self, expression):
        return list(self.query(f"SELECT {expression} AS v")[0].values())[0]

    # ---- what tests ask of servers of either kind ----

    def stop_receiver(self):
        self.query(f"STOP {self.WORDS[1]} IO_THREAD")

    def stop_applier(self):
        self.query(f"STOP {self.WORDS[1]} SQL_THREAD")

    def unacknowledged(self):
        """Commits that went through without an acknowledgement, so far."""
        return int(self.query(f"SHOW GLOBAL STATUS LIKE 'Rpl_semi_sync_{self.WORDS[0]}_no_tx'")[0]["Value"])

    def open_by_hand(self):
        self.query("SET GLOBAL read_only = 0")

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()

    def pause(self):
        """Stopped with SIGSTOP, and seen so: its threads run on until the first of them has taken the signal."""
        self.process.send_signal(signal.SIGSTOP)
        tasks = f"/proc/{self.process.pid}/task"
        while any(open(f"{tasks}/{task}/stat").read().rsplit(")", 1)[1].split()[0] != "T" for task in os.listdir(tasks)):
            time.sleep(0.001)

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            self.process.wait(20)

    def remove(self):
        shutil.rmtree(self.dir, ignore_errors=True)

    def alive(self):
        return self.process.poll() is None

    def killed(self):
        """SIGKILL has been sent, as the kernel shows it: from then on no thread of it runs a line of its own, though the kernel may take a while to
        take a few hundred megabytes apart before the process is gone."""
        if self.process.poll() is not None:
            return True
        try:
            words = open(f"/proc/{self.process.pid}/stat").read().rsplit(")", 1)[1].split()
            status = dict(line.split(":", 1) for line in open(f"/proc/{self.process.pid}/status") if ":" in line)
        except (FileNotFoundError, ProcessLookupError):
            return True
        ending = int(words[6]) & 0x404  # PF_EXITING, PF_SIGNALED
        pending = any(int(status[name], 16) & 1 << signal.SIGKILL - 1 for name in ("SigPnd", "ShdPnd"))
        return bool(words[0] in "ZX" or ending or pending)
