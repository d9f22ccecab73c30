"""A node without its agent: the server, agent.conf, and mha4rdb-rebuild driven over its pipes as the agent does."""

import contextlib
import os
import queue
import re
import shutil
import signal
import subprocess
import threading
import time

import pymysql

from sql_server import AGENT_PASSWORD, AGENT_USER, REPLICATION_PASSWORD, REPLICATION_USER, SERVER_UID, free_port

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, os.environ.get("MHA_BUILD", "build/san"))
LIBEXEC = os.path.join(ROOT, "packaging/libexec")
KEY = "5e" * 32
OPTIONS = {"mariadb": ["--binlog-format=ROW"], "mysql": ["--performance-schema=ON"]}


class Node:
    def __init__(self, kind, module, template, number, others, key=KEY, mount_mb=0, start=True):
        self.kind, self.number, self.name, self.others = kind, number, f"n{number}", others
        self.module, self.user = module, REPLICATION_USER
        self.mount = None
        self.server = module.Server(template, number, options=OPTIONS[kind])
        if mount_mb:
            self._mount(mount_mb)
        self.dir = os.path.join(self.server.dir, "agent")
        os.mkdir(self.dir)
        self.cluster_port, self.port = free_port(), free_port()
        self.jobs, self.orders = [], []
        self._write("key", key + "\n")
        self._write("password", AGENT_PASSWORD + "\n")
        self._write("replication", REPLICATION_PASSWORD + "\n")
        self.fifo = os.path.join(self.dir, "fifo")
        os.mkfifo(self.fifo)
        self.starting = True
        self.thread = threading.Thread(target=self._obey, daemon=True)
        self.thread.start()
        if start:
            self.server.start()

    def _mount(self, megabytes):
        data, self.mount = self.server.data, os.path.join(self.server.dir, "mount")
        os.mkdir(self.mount)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,uid={SERVER_UID},gid={SERVER_UID},mode=755", "tmpfs", self.mount], check=True)
        self.server.data = os.path.join(self.mount, "data")
        subprocess.run(["cp", "-a", data, self.server.data], check=True)

    def _write(self, name, text):
        path = os.path.join(self.dir, name)
        with open(path, "w") as f:
            f.write(text)
        os.chmod(path, 0o600)
        return path

    def _obey(self):
        """start, stop and kill come by a pipe: the server stays this process's child."""
        while self.starting:
            with open(self.fifo) as f:
                for line in f:
                    self.orders.append(line.strip())
                    if line.strip() == "end":
                        return
                    if line.strip() == "start" and not self.server.alive() and self.starting:
                        with contextlib.suppress(RuntimeError):
                            self.server.start()
                    elif line.strip() == "stop":
                        self.server.stop()
                    elif line.strip() == "kill":
                        self.server.kill()

    def config(self, rate_mb=0, timeout_s=150, stop_s=0, receive=None, donate=None, mysqlbinlog=None):
        nodes = "".join(f'{{ name = "{n.name}"; address = "127.0.0.1:{n.cluster_port}"; }}, ' for n in self.others)
        fill = 3 - len(self.others)
        nodes += "".join(f'{{ name = "x{i}"; address = "127.0.0.1:{i + 1}"; }}, ' for i in range(fill))
        user = ["setpriv", f"--reuid={SERVER_UID}", f"--regid={SERVER_UID}", "--clear-groups"]
        receive = receive or f"{' '.join(user)} {LIBEXEC}/mariadb-receive --datadir={self.server.data}"
        donate = donate or f"{LIBEXEC}/mariadb-donate --user=root --socket={self.server.socket}"
        if self.kind == "mysql":
            mysqlbinlog = mysqlbinlog or f"{self.module.MYSQL}/bin/mysqlbinlog"
        rebuild = f'port = {self.port}; rate_mb = {rate_mb}; timeout_s = {timeout_s};'
        if self.kind == "mariadb":
            rebuild += f' receive = "{receive}"; donate = "{donate}";'
        if mysqlbinlog:
            rebuild += f' mysqlbinlog = "{mysqlbinlog}";'
        return self._write("agent.conf", f'''cluster = "shop"; node = "{self.name}"; key_file = "{self.dir}/key";
data_dir = "{self.dir}"; control_socket = "{self.dir}/sock"; log_level = "debug";
nodes = ( {nodes.rstrip(", ")} );
database = {{
    kind = "{self.kind}"; socket = "{self.server.socket}"; host = "{self.server.host}"; port = {self.server.port};
    user = "{AGENT_USER}"; password_file = "{self.dir}/password";
    replication_user = "{self.user}"; replication_password_file = "{self.dir}/replication";
    start = "echo start >{self.fifo}"; start_to_follow = "echo start >{self.fifo}";
    stop = "sleep {stop_s}; echo stop >{self.fifo}"; kill = "echo kill >{self.fifo}"; command_timeout_ms = 60000;
}};
rebuild = {{ {rebuild} }};
''')

    # ---- the database ----

    def open(self):
        with self.server.root() as c:
            if self.kind == "mysql":
                c.execute("SET GLOBAL super_read_only = 0")
            c.execute("SET GLOBAL read_only = 0")

    def close(self):
        with self.server.root() as c:
            c.execute("SET GLOBAL read_only = 1")
            if self.kind == "mysql":
                c.execute("SET GLOBAL super_read_only = 1")

    def position(self):
        return self.server.value("@@gtid_binlog_state" if self.kind == "mariadb" else "@@gtid_executed").replace("\n", "")

    def follow(self, source):
        user = self.user.replace("%n", self.name)
        with self.server.root() as c:
            if self.kind == "mariadb":
                c.execute(f"CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT={source.server.port}, MASTER_USER='{user}', "
                          f"MASTER_PASSWORD='{REPLICATION_PASSWORD}', MASTER_USE_GTID=slave_pos")
                c.execute("START SLAVE")
            else:
                c.execute(f"CHANGE REPLICATION SOURCE TO SOURCE_HOST='127.0.0.1', SOURCE_PORT={source.server.port}, SOURCE_USER='{user}', "
                          f"SOURCE_PASSWORD='{REPLICATION_PASSWORD}', SOURCE_AUTO_POSITION=1, GET_SOURCE_PUBLIC_KEY=1")
                c.execute("START REPLICA")

    def caught_up(self, source, timeout=60):
        """Holds what the source holds, by replication that works."""
        deadline = time.monotonic() + timeout
        while self.position() != source.position():
            status = self.server.query("SHOW SLAVE STATUS" if self.kind == "mariadb" else "SHOW REPLICA STATUS")[0]
            errors = [v for k, v in status.items() if k.startswith("Last_") and k.endswith("_Error") and v]
            assert not errors and time.monotonic() < deadline, (errors, self.position(), source.position())
            time.sleep(0.05)

    def stop_following(self):
        with self.server.root() as c:
            c.execute("STOP SLAVE" if self.kind == "mariadb" else "STOP REPLICA")
            c.execute("RESET SLAVE ALL" if self.kind == "mariadb" else "RESET REPLICA ALL")

    # ---- rebuilds ----

    def receive(self, donor, offer=None, known="", **settings):
        rate_mb = settings.pop("order_rate_mb", 0)
        job = Job(self, "receive", self.config(**settings), donor=donor, offer=offer, rate_mb=rate_mb or settings.get("rate_mb", 0))
        job.tell(f'receive donor={donor.name} host=127.0.0.1 port={donor.server.port} known="{known}" rate_mb={rate_mb} reason="a test"')
        return job

    def donate(self, to, **settings):
        job = Job(self, "donate", self.config(**settings))
        job.tell(f"donate donor={to.name}")
        return job

    def set_aside(self):
        top = os.path.join(self.dir, "set-aside")
        return sorted(os.path.join(top, name) for name in os.listdir(top)) if os.path.exists(top) else []

    def unfinished(self):
        return os.path.exists(os.path.join(self.dir, "rebuild.unfinished"))

    def end(self):
        self.starting = False
        for job in self.jobs:
            job.end()
        fd = os.open(self.fifo, os.O_RDWR | os.O_NONBLOCK)
        os.write(fd, b"end\n")
        self.thread.join(10)
        os.close(fd)
        self.server.kill()
        if self.mount:
            subprocess.run(["umount", "-l", self.mount], check=True)
        shutil.rmtree(self.dir, ignore_errors=True)
        self.server.remove()


class Job:
    """One mha4rdb-rebuild; .lines is what it said, as (verb, words)."""

    def __init__(self, node, verb, config, donor=None, offer=None, rate_mb=0):
        self.node, self.donor, self.offer, self.rate_mb = node, donor, offer, rate_mb
        node.jobs.append(self)
        self.log = os.path.join(node.dir, f"{verb}-{len(node.jobs)}.log")
        self.lines, self.heard = [], queue.Queue()
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([os.path.join(BUILD, "mha4rdb-rebuild"), verb, "-c", config, "-l", os.path.join(node.dir, "dbworker.lock")],
                                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for raw in self.process.stdout:
            verb, *rest = raw.decode().rstrip("\n").split(" ", 1)
            words = {k: v.strip('"') for k, v in re.findall(r'(\w+)=("(?:[^"\\]|\\.)*"|\S*)', rest[0] if rest else "")}
            self.lines.append((time.monotonic(), verb, words))
            self.heard.put((verb, words))
            if verb == "want" and self.donor and self.offer is None:
                donation = self.donor.donate(self.node, rate_mb=self.rate_mb)  # with the order's rate, as the agent
                self.answer(donation.wait("offer"))
            elif verb == "want" and self.offer:
                self.answer(self.offer)
        self.heard.put(("end", {}))

    def answer(self, offer):
        self.tell("offer " + " ".join(f"{k}={v}" for k, v in offer.items()))

    def tell(self, line):
        with contextlib.suppress(BrokenPipeError, ValueError):  # it has ended, or was cancelled
            self.process.stdin.write(line.encode() + b"\n")
            self.process.stdin.flush()

    def wait(self, verb, timeout=120, **wanted):
        """The first line of this verb, with these words."""
        deadline = time.monotonic() + timeout
        while True:
            try:
                said, words = self.heard.get(timeout=max(0.01, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no {verb} in {timeout} s: {self.lines[-5:]}\n{self.tail()}") from None
            if said == verb and all(words.get(k) == v for k, v in wanted.items()):
                return words
            assert said not in ("end", "failed", "done"), f"{said} {words} instead of {verb}\n{self.tail()}"

    def copying(self):
        self.wait("phase", name="copying")
        self.wait("progress")
        return self

    def done(self, timeout=170):
        self.wait("done", timeout)
        assert self.process.wait(10) == 0
        return self

    def failed(self, timeout=170):
        """Why."""
        why = self.wait("failed", timeout)["why"]
        assert self.process.wait(10) == 1
        return why

    def saved(self):
        return next(words for _, verb, words in self.lines if verb == "saved")

    def cancel(self):
        self.process.stdin.close()

    def tail(self):
        server = open(self.node.server.log).read()[-1500:] if os.path.exists(self.node.server.log) else "none"
        return f"{open(self.log).read()[-3000:]}\nthe server's log:\n{server}"

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.reader.join(5)
        self.process.stdout.close()
        text = open(self.log).read()
        assert "Sanitizer" not in text and "runtime error" not in text and "Assertion" not in text, text[-6000:]


def fill(node, megabytes=8):
    """Rows that no compression makes small."""
    with node.server.app() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE IF NOT EXISTS shop")
        cursor.execute("CREATE TABLE IF NOT EXISTS shop.orders (id BIGINT AUTO_INCREMENT PRIMARY KEY, v BIGINT)")
        cursor.execute("CREATE TABLE IF NOT EXISTS shop.big (id BIGINT AUTO_INCREMENT PRIMARY KEY, v LONGBLOB)")
        for i in range(20):
            cursor.execute("INSERT INTO shop.orders (v) VALUES (%s)", (i,))
        for _ in range(megabytes * 2):
            cursor.execute("INSERT INTO shop.big (v) VALUES (%s)", (os.urandom(500000),))


def values(node):
    return {row["v"] for row in node.server.query("SELECT v FROM shop.orders")}


class Load(threading.Thread):
    """Writes as fast as it goes; .told is what was acknowledged."""

    def __init__(self, node):
        super().__init__(daemon=True)
        self.connection, self.told, self.stopping = node.server.app(), [], False
        self.start()

    def run(self):
        value = 1000000
        with contextlib.suppress(pymysql.Error, OSError), self.connection.cursor() as cursor:
            while not self.stopping:
                value += 1
                cursor.execute("INSERT INTO shop.orders (v) VALUES (%s)", (value,))
                self.told.append(value)
                time.sleep(0.001)

    def stop(self):
        self.stopping = True
        self.join(10)
        return self.told
