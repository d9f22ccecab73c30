"""A whole cluster: two (or more) database hosts, an arbiter, a host for clients, one for the watcher."""

import glob
import json
import os
import signal
import subprocess
import sys
import time

from . import binlog, evidence, faults, rows, settings, wal, wire
from .host import BedError, Host, Switch, wait_for
from .mariadb import MariaDB
from .mysql import MySQL
from .server import APP_USER, ERRORS, create_schema
from .settings import VIP

KINDS = {"mariadb": MariaDB, "mysql": MySQL}
HERE = os.path.dirname(os.path.abspath(__file__))


class Node:
    """One member: its host, and for a data node its server."""

    def __init__(self, cluster, name, octet, arbiter):
        self.cluster, self.name, self.arbiter = cluster, name, arbiter
        self.disk = faults.Disk(cluster.run, name, cluster.disk_mb) if cluster.disk_mb and not arbiter else None
        self.clock = faults.Clock(cluster.run, name) if cluster.clocks and not arbiter else None
        self.host = Host(cluster.run, name, octet, cluster.switch)
        self.server = None if arbiter else KINDS[cluster.kind](self.host, octet, cluster.data_names,
                                                                 cluster.server_extra, self.clock)
        self.daemons = ["arbiter"] if arbiter else ["vipd", "agent"]
        self.helpers = []  # what systemd would start at a connection

    @property
    def control(self):
        return os.path.join(self.host.dir, "arbiter-run/arbiter.sock" if self.arbiter else "agent-run/agent.sock")

    def start(self):
        """As a boot does: the programs. The agent starts the server, in the way that fits (its own unit is disabled)."""
        for service in self.helpers + self.daemons:
            self.host.start(service)

    def power_off(self):
        self.cluster.watch_down(self)
        self.host.power_off()

    def power_on(self):
        self.host.power_on()
        self.cluster.watch_up(self)
        self.start()


class Cluster:
    """`kind` of server; data nodes; the arbiter's name or None. database_extra, agent_extra: lines for agent.conf, within the database group
    and outside; server_extra: for the server's configuration. disk_mb: each server's files lie on a disk of their own (node.disk), that can
    be filled, frozen and broken. clocks: each data host has a wall clock of its own (node.clock)."""

    def __init__(self, run, kind="mariadb", profile="lan", data=("db1", "db2"), arbiter="arb", log_level="info", database_extra="",
                 agent_extra="", rejoin="auto", server_extra="", disk_mb=0, clocks=False, powercut=False, trace=bool(os.environ.get("MHA_TRACE"))):
        # A MySQL replica that acknowledges syncs its relay log after every event, and all hosts share one disk.
        self.pace_ms = {"mariadb": 2, "mysql": 8}[kind]
        self.kind, self.app_password = kind, KINDS[kind].APP_PASSWORD
        self.powercut, self.trace, self.disk_mb, self.clocks = powercut, trace, disk_mb, clocks
        self.run, self.profile, self.log_level = run, profile, log_level
        self.database_extra, self.server_extra = database_extra, server_extra
        self.agent_extra = agent_extra + 'rejoin = "%s";\n' % rejoin
        self.data_names = tuple(data)
        # MariaDB waits for one acknowledgement, and so has one other server in its sync set; where commits wait for nobody it is alone
        self.sync_size = 1 if "available" in agent_extra else min(2, len(data)) if kind == "mariadb" else len(data)
        if disk_mb:
            faults.own_mounts()
        self.switch = Switch(run)
        self.nodes = {name: Node(self, name, 11 + i, False) for i, name in enumerate(data)}
        if arbiter:
            self.nodes[arbiter] = Node(self, arbiter, 11 + len(data), True)
        self.data = [n for n in self.nodes.values() if not n.arbiter]
        self.arbiter = self.nodes.get(arbiter)
        self.client = Host(run, "app", 100, self.switch)
        self.watcher = Host(run, "watch", 101, self.switch)
        self.watch = None
        self.watch_notes = os.path.join(run.dir, "watch.notes")
        self.writer_notes = os.path.join(self.client.dir, "writes.notes")
        self.configure()

    def __getitem__(self, name):
        return self.nodes[name]

    # -- configuration --

    def mhactl(self, *arguments, node=None, timeout_s=60.0):
        command = [self.run.program("mhactl")]
        if node:
            command += ["-s", node.control]
        return subprocess.run(command + list(arguments), text=True, capture_output=True, timeout=timeout_s)

    def configure(self):
        key = os.path.join(self.run.dir, "cluster.key")
        result = self.mhactl("key", "generate", "-o", key)
        if result.returncode != 0:
            raise BedError("mhactl key generate: " + result.stderr)
        with open(key) as f:
            self.key = f.read()
        for node in self.nodes.values():
            settings.configure(self, node)

    def trace_path(self, node):
        return os.path.join(node.host.dir, "trace", "trace")

    def replay(self, path):
        """What the pure code says to a trace: (exit status, the difference or a summary)."""
        result = subprocess.run([self.run.program("tests/sim/replay_trace"), path], text=True, capture_output=True,
                                timeout=120)
        return result.returncode, result.stdout + result.stderr

    def differences(self):
        """Of all members' traces, while they are written or after: what the pure code does not say again."""
        found = [self.replay(self.trace_path(n)) for n in self.nodes.values() if os.path.exists(self.trace_path(n))]
        return [text for status, text in found if status != 0]

    def kill_members(self, nodes):
        """Their agents or arbiters die in the same moment, and are gone when it returns."""
        for node in nodes:
            node.host.signal(node.daemons[-1], signal.SIGKILL)
        for node in nodes:
            node.host.kill(node.daemons[-1])

    def power_cut(self, nodes):
        """The same, and what they wrote to their logs without syncing it is gone; the rest of their hosts lives. Needs powercut=True."""
        self.kill_members([n for n in nodes if n.host.running(n.daemons[-1])])
        for node in nodes:
            for path in glob.glob(os.path.join(node.host.dir, "undo", "*.undo")):
                wal.undo(path, os.path.join(node.host.dir, node.daemons[-1], os.path.basename(path)[:-len(".undo")]))
                os.unlink(path)

    def arm(self, node):
        """The member dies at its next sync of the log, before the sync; dead() tells when."""
        open(os.path.join(node.host.dir, "undo", "armed"), "w").close()
        os.chown(os.path.join(node.host.dir, "undo", "armed"), *[os.stat(os.path.join(node.host.dir, "undo")).st_uid] * 2)

    def dead(self, node):
        return not node.host.running(node.daemons[-1])

    # -- life --

    def start(self):
        for node in self.nodes.values():
            node.start()

    def begin(self, writer=True, pace_ms=None, sync_timeout_s=60):
        """Start everything, wait until it serves, make the tables, watch, write."""
        self.start_watch()
        self.start()
        self.wait_primary(60)
        wait_for("the tables can be made", lambda: self._try_schema(), 20)
        self.wait_in_sync(sync_timeout_s)
        if writer:
            self.start_writer(pace_ms)
        return self.wait_primary(10)

    def _try_schema(self):
        try:
            create_schema(self.primary().server)
            return True
        except ERRORS + (AttributeError,):
            return False

    def start_watch(self):
        self.watch = self.run.spawn(
            [sys.executable, os.path.join(HERE, "watch.py"), VIP, str(self.watcher.pid), self.watcher.address,
             APP_USER, self.app_password, self.watch_notes],
            env={"BED_TRY_EVERY_MS": str(self.pace_ms * 5), **os.environ}, stdin=subprocess.PIPE, text=True, stderr=open(os.path.join(self.run.dir, "watch.log"), "w"))
        for node in self.data:
            self.watch_up(node)

    def _tell_watch(self, *words):
        if self.watch:
            self.watch.stdin.write(" ".join(str(w) for w in words) + "\n")
            self.watch.stdin.flush()

    def watch_up(self, node):
        if node.server:
            self._tell_watch("up", node.name, node.host.pid, node.host.address)

    def watch_down(self, node):
        if node.server:
            self._tell_watch("down", node.name)

    def start_writer(self, pace_ms=None, address=VIP):
        pace_ms = pace_ms or self.pace_ms
        self.client.service("writer", [
            sys.executable, os.path.join(HERE, "writer.py"), address, "3306", APP_USER, self.app_password, self.writer_notes,
            str(pace_ms)])
        self.client.start("writer")
        self.wait_acknowledged(wire.now_ns(), 20)

    def stop_writer(self):
        self.client.stop("writer")

    # -- what is seen --

    def writes(self):
        return evidence.Writes(self.writer_notes)

    def sights(self):
        return evidence.Sights(self.watch_notes)

    def status(self, node=None):
        """The product's own word: for waiting and for messages, never for a verdict."""
        for candidate in [node] if node else self.nodes.values():
            if not os.path.exists(candidate.control):
                continue
            try:
                result = self.mhactl("-o", "json", "--timeout", "1000", "status", node=candidate, timeout_s=5)
                return json.loads(result.stdout)
            except (ValueError, subprocess.TimeoutExpired):
                continue
        return None

    def data_status(self):
        for node in self.data:
            status = self.status(node) if node.host.pid else None
            if status and status.get("quorum"):
                return status
        return None

    def primary(self):
        """From outside: the data node that has the VIP and whose server is writable; None if that is not one."""
        holders = [n for n in self.data if self.has_vip(n)]
        if len(holders) != 1:
            return None
        try:
            return holders[0] if holders[0].server.variable("read_only") == 0 else None
        except ERRORS:
            return None

    def others(self, node):
        return [n for n in self.data if n is not node]

    def other(self, node):
        """Another data node; with three of them one that acknowledges, as the cluster says."""
        others = self.others(node)
        if len(others) > 1:
            status = self.data_status() or {"nodes": []}
            members = {n["name"] for n in status["nodes"] if n["in_sync"]}
            others.sort(key=lambda n: n.name not in members)
        return others[0]

    def has_vip(self, node):
        if not node.host.pid:
            return False
        return (" %s/" % VIP) in node.host.run_command("ip", "-4", "address", "show").stdout

    # -- waiting --

    def wait_primary(self, timeout_s=30.0, but=None):
        def found():
            primary = self.primary()
            return primary if primary and primary is not but else None
        try:
            return wait_for("a primary serves", found, timeout_s)
        except BedError as e:
            raise BedError("%s\n%s" % (e, self.describe())) from None

    def wait_in_sync(self, timeout_s=60.0, least=None):
        """All data hosts (or `least` of them) but the primary replicate from it, and its commits wait for them; and the cluster says
        that as many are in its sync set as its database can wait for."""
        least = least or len(self.data)
        members = min(least, self.sync_size)

        def ready():
            primary = self.primary()
            if not primary:
                return False
            replicas = [n for n in self.data if n is not primary and n.server.replicating_from(primary.server)]
            if len(replicas) + 1 < least:
                return False
            if members > 1 and not primary.server.commits_wait():
                return False
            status = self.data_status()
            return bool(status) and sum(n["in_sync"] for n in status["nodes"]) >= members

        def quietly():
            try:
                return ready()
            except ERRORS + (KeyError,):
                return False
        try:
            wait_for("%d servers are in sync" % least, quietly, timeout_s, 0.05)
        except BedError as e:
            raise BedError("%s\n%s" % (e, self.describe())) from None

    def wait_acknowledged(self, since_ns, timeout_s=30.0, count=1):
        """The writer had `count` statements acknowledged that it sent after `since_ns`."""
        def written():
            return sum(a.sent > since_ns for a in self.writes().acks[-2000:]) >= count
        try:
            wait_for("the writer is acknowledged", written, timeout_s)
        except BedError as e:
            raise BedError("%s\n%s" % (e, self.describe())) from None

    def describe(self):
        """For a person who looks at a failure."""
        parts = []
        for node in self.nodes.values():
            parts.append("== %s: %s" % (node.name, "; ".join(
                "%s %s" % (d, node.host.status(d)) for d in ["database"] * bool(node.server) + node.daemons)
                if node.host.pid else "off"))
            if node.host.pid and os.path.exists(node.control):
                try:
                    result = self.mhactl("--timeout", "1000", "status", node=node, timeout_s=5)
                    parts.append(result.stdout + result.stderr)
                except subprocess.TimeoutExpired:
                    parts.append("mhactl: no answer")
            parts += self._describe_server(node)
            for log in ["agent", "vipd", "arbiter", "database"]:
                tail = node.host.log(log).splitlines()[-25:]
                if tail:
                    parts.append("-- %s.log\n%s" % (log, "\n".join(tail)))
        return "\n".join(parts)

    def _describe_server(self, node):
        try:
            return ["-- server: read_only=%s, at %s" % (node.server.variable("read_only"), node.server.position()),
                    "-- replica: %s" % node.server.replica()] + [
                "-- session: %s" % " ".join(str(v) for v in row.values()) for row in node.server.sessions()]
        except ERRORS + (AttributeError,) as e:
            return ["-- server: %s" % e] if node.server else []

    # -- verdicts --

    def sanitizer_reports(self):
        reports = []
        for path in glob.glob(os.path.join(self.run.dir, "*", "log", "sanitizer.*")):
            with open(path, errors="replace") as f:
                reports.append("%s:\n%s" % (path, f.read()[:4000]))
        return reports

    def end_writing(self):
        """Stops the writer, lets what it was told be noted, and gives the servers the time to agree."""
        if self.client.running("writer"):
            self.stop_writer()
        if self.watch:
            self.watch.stdin.close()
            self.watch.wait(10)
            self.watch = None

    def wait_settled(self, rejoined=True, timeout_s=60):
        """All servers (or the primary alone) hold the same; returns their nodes, the primary first."""
        def settled():
            try:
                primary = self.primary()
                others = [n for n in self.data if n is not primary and rejoined]
                if primary and all(n.server.same_as(primary.server) for n in others):
                    return [primary] + others
            except ERRORS:
                pass
            return None
        try:
            return wait_for("the servers hold the same", settled, timeout_s)
        except BedError as e:
            raise BedError("%s\n%s" % (e, self.describe())) from None

    def judge(self, rejoined=True, blind_limit_ms=1500, only_kernel_since=None):
        """Everything that must hold at the end of any scenario, seen from outside: a list of what does not."""
        self.end_writing()
        time.sleep(0.1)
        problems = []
        writes, sights = self.writes(), self.sights()
        settled = self.wait_settled(rejoined)
        for node in settled:
            lost = rows.missing(node.server, writes, sights)
            if lost:
                problems.append("%s misses %d acknowledged rows: %s" % (node.name, len(lost), ", ".join(lost[:10])))
        problems += sights.two_addresses(only_kernel_since)[:5] + sights.two_writers()[:5]
        problems += binlog.quarrels({n.name: n.server.transactions() for n in settled})[:5]
        if sights.blind_ms() > blind_limit_ms:
            problems.append("the watcher itself stood still for %.0f ms" % sights.blind_ms())
        return problems + self.sanitizer_reports()


def sleep_ms(ms):
    """The passing of time itself is what is wanted here, not the wait for something."""
    time.sleep(ms / 1000)
