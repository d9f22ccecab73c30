"""The real mha4rdb-dbworker, driven over its socket as the agent does."""

import os
import select
import signal
import socket
import subprocess
import time

from sql_server import AGENT_PASSWORD, AGENT_USER, REPLICATION_PASSWORD, REPLICATION_USER, give
from protobuf import Schema

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SCHEMA = Schema(os.path.join(ROOT, "proto/dbworker.proto"))
BUILD = os.path.join(ROOT, os.environ.get("MHA_BUILD", "build/san"))


def now_us():
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000


class Refused(Exception):
    pass


class Worker:
    def __init__(self, server, lock=None, kill=None, uid=None, replication_user=REPLICATION_USER, **settings):
        self.server, self.uid = server, uid
        self.dir = os.path.join(server.dir, "worker")
        os.makedirs(self.dir, exist_ok=True)
        self.config = os.path.join(self.dir, "agent.conf")
        self.lock = lock or os.path.join(self.dir, "dbworker.lock")
        for name, text in (("password", AGENT_PASSWORD), ("replication", REPLICATION_PASSWORD)):
            path = os.path.join(self.dir, name)
            with open(path, "w") as f:
                f.write(text + "\n")
            os.chmod(path, 0o600)
            give(path, uid or 0)
        values = {"probe_interval_ms": 100, "probe_timeout_ms": server.PROBE_TIMEOUT_MS, **settings}
        with open(self.config, "w") as f:
            f.write(f'''node = "n{server.server_id}";
log_level = "debug";
database = {{
    kind = "{server.kind}"; socket = "{server.socket}"; host = "{server.host}"; port = {server.port};
    user = "{AGENT_USER}"; password_file = "{self.dir}/password";
    replication_user = "{replication_user}"; replication_password_file = "{self.dir}/replication";
    start = "false"; start_to_follow = "false"; stop = "false";
    kill = "{kill if kill is not None else f"kill -9 {server.process.pid if server.process else 0}"}";
''' + "".join(f"    {k} = {v};\n" for k, v in values.items()) + "};\n")
        give(self.dir, uid or 0)
        self.log = os.path.join(self.dir, "worker.log")
        self.observation = None
        self.observations = []
        self.replies = {}
        self.next_id = 1
        self.start()

    def start(self):
        self.socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.setblocking(False)
        with open(self.log, "ab") as log:
            user = ["setpriv", f"--reuid={self.uid}", f"--regid={self.uid}", "--clear-groups"] if self.uid else []
            self.process = subprocess.Popen(
                user + [os.path.join(BUILD, "mha4rdb-dbworker"), "-c", self.config, "-f", str(theirs.fileno()), "-l", self.lock],
                pass_fds=[theirs.fileno()], stderr=log, stdout=log)
        theirs.close()
        return self

    # ---- messages ----

    def send(self, body, **values):
        self.next_id += 1
        self.socket.send(SCHEMA.encode("DbRequest", {"id": self.next_id, body: values}))
        return self.next_id

    def receive(self, timeout):
        """Takes what arrives; True if something did."""
        if not select.select([self.socket], [], [], max(0, timeout))[0]:
            return False
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            data = b""
        if not data:
            raise EOFError(self.tail())
        reply = SCHEMA.decode("DbReply", data)
        if reply["observation"]:
            self.observation = reply["observation"]
            self.observation["heard"] = time.monotonic()
            self.observations.append(self.observation)
        if reply["id"]:
            self.replies[reply["id"]] = reply
        return True

    def wait(self, condition, timeout=5, what=None):
        """The first observation for which the condition holds; seconds from now in .waited."""
        begin = time.monotonic()
        while True:
            left = begin + timeout - time.monotonic()
            if left <= 0:
                raise AssertionError(f"not seen in {timeout} s: {what or condition}; last: {self.observation}\n{self.tail()}")
            if self.receive(left) and self.observation and condition(self.observation):
                self.waited = time.monotonic() - begin
                return self.observation

    def answer(self, number, timeout=10):
        begin = time.monotonic()
        while number not in self.replies:
            left = begin + timeout - time.monotonic()
            assert left > 0, f"no answer in {timeout} s\n{self.tail()}"
            self.receive(left)
        self.waited = time.monotonic() - begin
        reply = self.replies.pop(number)
        if reply["error"]:
            raise Refused(reply["error"])
        return reply

    def ask(self, body, timeout=10, **values):
        return self.answer(self.send(body, **values), timeout)

    def drain_socket(self):
        while self.receive(0):
            pass

    # ---- shorthands ----

    def up(self, timeout=5):
        return self.wait(lambda o: o["state"] == "DB_UP", timeout)

    def fresh(self, timeout=5):
        """An observation that began after this call."""
        begin = now_us()
        return self.wait(lambda o: o["observed_us"] >= begin, timeout)

    def lease(self, epoch, seconds, paused=False):
        deadline = now_us() + int(seconds * 1e6)
        self.socket.send(SCHEMA.encode("DbRequest", {"lease": {"epoch": epoch, "deadline_us": deadline, "paused": paused}}))
        return deadline

    def watch(self, interval_us, duration_us):
        self.socket.send(SCHEMA.encode("DbRequest", {"watch": {"interval_us": interval_us, "duration_us": duration_us}}))

    def open(self, epoch, acks=0, seconds=60):
        """Promoted and open under a lease."""
        self.up()
        self.lease(epoch, seconds)
        self.ask("promote", epoch=epoch, acks=acks, node="test")
        return self.ask("open", epoch=epoch)["observation"]

    def follow(self, source, epoch):
        self.ask("follow", host=source.host, port=source.port, epoch=epoch)
        return self.wait(lambda o: o["receiving"] and o["acknowledging"] and o["source_epoch"] == epoch)

    def hang_up(self):
        self.socket.close()

    def exited(self, timeout=5):
        return self.process.wait(timeout)

    def tail(self):
        return open(self.log).read()[-3000:]

    def end(self):
        """However it stands: gone, and its log clean of what the sanitizers say."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        self.socket.close()
        text = open(self.log).read()
        assert "Sanitizer" not in text and "runtime error" not in text and "Assertion" not in text, text[-6000:]
