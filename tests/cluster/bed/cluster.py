"""A whole cluster: two (or more) database hosts, an arbiter, a host for clients, one for the watcher."""

import glob
import json
import os
import signal
import subprocess
import sys
import time

import pymysql

from . import binlog, evidence, mariadb, rows, wal, wire
from .host import NETWORK, PREFIX, BedError, Host, Switch, wait_for

VIP = NETWORK + "10"
PORT = 7420
HERE = os.path.dirname(os.path.abspath(__file__))

NODE = '    {{ name = "{0}"; address = "{1}:%d"; {2}}}' % PORT

AGENT_CONF = """cluster = "{cluster}";
node = "{node}";
key_file = "{dir}/etc/cluster.key";
data_dir = "{dir}/agent";
control_socket = "{dir}/agent-run/agent.sock";
log_level = "{log_level}";
profile = "{profile}";
nodes = (
{nodes}
);
vip = {{ address = "{vip}"; socket = "{dir}/vipd-run/vipd.sock"; }};
database = {{
    kind = "mariadb";
    socket = "{mysql_socket}";
    host = "{address}";
    port = 3306;
    user = "{user}";
    password_file = "{dir}/etc/db.password";
    replication_user = "{replication_user}";
    replication_password_file = "{dir}/etc/replication.password";
    replication_tls = false;
    start = "{hostctl} {dir}/ctl start";
    start_to_follow = "{hostctl} {dir}/ctl start-follow";
    stop = "{hostctl} {dir}/ctl stop";
    kill = "{hostctl} {dir}/ctl kill";
{database_extra}}};
"""

ARBITER_CONF = """listen = "{address}:%d";
data_dir = "{dir}/arbiter";
control_socket = "{dir}/arbiter-run/arbiter.sock";
log_level = "{log_level}";
clusters = (
    {{
        cluster = "{cluster}";
        node = "{node}";
        key_file = "{dir}/etc/cluster.key";
        profile = "{profile}";
        nodes = (
{nodes}
        );
    }}
);
""" % PORT

VIPD_CONF = """socket = "{dir}/vipd-run/vipd.sock";
peer_user = "{agent}";
{run_as}log_level = "{log_level}";
addresses = ( {{ address = "{vip}/{prefix}"; interface = "eth0"; }} );
"""


class Node:
    """One member: its host, and for a data node its server."""

    def __init__(self, cluster, name, octet, arbiter):
        self.cluster, self.name, self.arbiter = cluster, name, arbiter
        self.host = Host(cluster.run, name, octet, cluster.switch)
        self.server = None if arbiter else mariadb.MariaDB(self.host, octet)
        self.daemons = ["arbiter"] if arbiter else ["vipd", "agent"]

    @property
    def control(self):
        return os.path.join(self.host.dir, "arbiter-run/arbiter.sock" if self.arbiter else "agent-run/agent.sock")

    def start(self):
        """As a boot does: the programs. The agent starts the server, in the way that fits (its own unit is disabled)."""
        for daemon in self.daemons:
            self.host.start(daemon)

    def power_off(self):
        self.cluster.watch_down(self)
        self.host.power_off()

    def power_on(self):
        self.host.power_on()
        self.cluster.watch_up(self)
        self.start()


class Cluster:
    def __init__(self, run, profile="lan", data=("db1", "db2"), arbiter="arb", log_level="info", database_extra="",
                 powercut=False, trace=bool(os.environ.get("MHA_TRACE"))):
        self.powercut, self.trace = powercut, trace
        self.run, self.profile, self.log_level = run, profile, log_level
        self.database_extra = database_extra
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
            self.configure_node(node)

    def node_list(self):
        return ",\n".join(NODE.format(n.name, n.host.address, "arbiter = true; " if n.arbiter else "")
                          for n in self.nodes.values())

    def configure_node(self, node):
        host, users = node.host, self.run.users
        uid = users.arbiter if node.arbiter else users.agent
        host.file("etc/cluster.key", self.key, uid, 0o600)
        values = {"cluster": "shop", "node": node.name, "dir": host.dir, "log_level": self.log_level,
                  "profile": self.profile, "nodes": self.node_list(), "vip": VIP, "prefix": PREFIX,
                  "address": host.address, "user": mariadb.AGENT_USER,
                  "replication_user": mariadb.REPLICATION_USER, "database_extra": self.database_extra,
                  "hostctl": self.run.program("tests/cluster/hostctl"),
                  "agent": users.agent, "run_as": 'run_as = "%d";\n' % users.vipd if users.separate else ""}
        env = {"ASAN_OPTIONS": "log_path=%s/log/sanitizer:detect_leaks=0:abort_on_error=0" % host.dir,
               "UBSAN_OPTIONS": "log_path=%s/log/sanitizer:print_stacktrace=1" % host.dir}
        if self.run.variant != "san":
            env = {}
        else:
            os.chmod(os.path.join(host.dir, "log"), 0o1777)
        member_env = dict(env)
        if self.powercut:
            member_env.update(LD_PRELOAD=self.run.program("tests/cluster/powercut.so"), POWERCUT_DELAY_US="20000",
                              POWERCUT_DIR=host.directory("undo", uid))
            member_env["ASAN_OPTIONS"] = env.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
        if node.arbiter:
            host.directory("arbiter", uid, 0o700)
            host.directory("arbiter-run", uid)
            configuration = host.file("etc/arbiter.conf", self.trace_setting(node, uid) + ARBITER_CONF.format(**values))
            host.service("arbiter", [self.run.program("mha4rdb-arbiter"), "-c", configuration], uid, env=member_env)
            return
        host.directory("agent", uid, 0o700)
        host.directory("agent-run", uid)
        host.directory("vipd-run", users.vipd)
        host.file("etc/db.password", mariadb.AGENT_PASSWORD + "\n", uid, 0o600)
        host.file("etc/replication.password", mariadb.REPLICATION_PASSWORD + "\n", uid, 0o600)
        configuration = host.file("etc/agent.conf", self.trace_setting(node, uid) +
                                  AGENT_CONF.format(mysql_socket=node.server.socket, **values))
        host.service("agent", [self.run.program("mha4rdb-agent"), "-c", configuration,
                               "-w", self.run.program("mha4rdb-dbworker")], uid, env=member_env)
        configuration = host.file("etc/vipd.conf", VIPD_CONF.format(**values))
        # started by root, as its unit does; it goes on as its own user with two capabilities
        host.service("vipd", [self.run.program("mha4rdb-vipd"), "-c", configuration], env=env)

    def trace_path(self, node):
        return os.path.join(node.host.dir, "trace", "trace")

    def trace_setting(self, node, uid):
        """The line of its configuration, with a directory of its own: its data directory is looked at by tests."""
        if not self.trace:
            return ""
        node.host.directory("trace", uid, 0o700)
        return 'trace = "%s";\n' % self.trace_path(node)

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

    def begin(self, writer=True, pace_ms=2):
        """Start everything, wait until it serves, make the tables, watch, write."""
        self.start_watch()
        self.start()
        primary = self.wait_primary(60)
        wait_for("the tables can be made", lambda: self._try_schema(), 20)
        self.wait_in_sync(60)
        if writer:
            self.start_writer(pace_ms)
        return primary

    def _try_schema(self):
        try:
            mariadb.create_schema(self.primary().server)
            return True
        except (pymysql.err.MySQLError, OSError, AttributeError):
            return False

    def start_watch(self):
        self.watch = self.run.spawn(
            [sys.executable, os.path.join(HERE, "watch.py"), VIP, str(self.watcher.pid), self.watcher.address,
             mariadb.APP_USER, mariadb.APP_PASSWORD, self.watch_notes],
            stdin=subprocess.PIPE, text=True, stderr=open(os.path.join(self.run.dir, "watch.log"), "w"))
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

    def start_writer(self, pace_ms=2):
        self.client.service("writer", [
            sys.executable, os.path.join(HERE, "writer.py"), VIP, "3306", mariadb.APP_USER, mariadb.APP_PASSWORD,
            self.writer_notes, str(pace_ms)])
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
        except (pymysql.err.MySQLError, OSError):
            return None

    def other(self, node):
        return next(n for n in self.data if n is not node)

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
        """All data hosts but the primary replicate from it, hold what it holds, and acknowledge its commits; and the cluster says
        that all are in its sync set."""
        least = least or len(self.data)

        def ready():
            primary = self.primary()
            if not primary:
                return False
            replicas = [n for n in self.data if n is not primary and n.server.replicating_from(primary.server)]
            if len(replicas) + 1 < least:
                return False
            if primary.server.query("SHOW STATUS LIKE 'Rpl_semi_sync_master_status'")[0]["Value"] != "ON":
                return False
            status = self.data_status()
            return bool(status) and sum(n["in_sync"] for n in status["nodes"]) >= least

        def quietly():
            try:
                return ready()
            except (pymysql.err.MySQLError, OSError, KeyError):
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
                "%s %s" % (d, node.host.status(d)) for d in ["mariadb"] * bool(node.server) + node.daemons)
                if node.host.pid else "off"))
            if node.host.pid and os.path.exists(node.control):
                try:
                    result = self.mhactl("--timeout", "1000", "status", node=node, timeout_s=5)
                    parts.append(result.stdout + result.stderr)
                except subprocess.TimeoutExpired:
                    parts.append("mhactl: no answer")
            parts += self._describe_server(node)
            for log in ["agent", "vipd", "arbiter", "mariadb"]:
                tail = node.host.log(log).splitlines()[-25:]
                if tail:
                    parts.append("-- %s.log\n%s" % (log, "\n".join(tail)))
        return "\n".join(parts)

    def _describe_server(self, node):
        try:
            status = node.server.replica_status() or {}
            sessions = node.server.query("SELECT ID, USER, COMMAND, TIME_MS, STATE, INFO FROM information_schema.PROCESSLIST")
            kept = ("Slave_IO_State", "Slave_IO_Running", "Slave_SQL_Running", "Gtid_IO_Pos", "Last_IO_Error", "Last_SQL_Error")
            return ["-- replica: %s" % {k: status[k] for k in kept if k in status}] + [
                "-- session: %s" % " ".join(str(v) for v in row.values()) for row in sessions]
        except (pymysql.err.MySQLError, OSError, AttributeError) as e:
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

    def wait_settled(self, rejoined=True, timeout_s=30):
        """All servers (or the primary alone) hold the same; returns their nodes, the primary first."""
        def settled():
            try:
                primary = self.primary()
                others = [n for n in self.data if n is not primary and rejoined]
                if primary and all(n.server.same_as(primary.server) for n in others):
                    return [primary] + others
            except (pymysql.err.MySQLError, OSError):
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
        problems += binlog.quarrels({n.name: binlog.transactions(n.server.binlogs()) for n in settled})[:5]
        if sights.blind_ms() > blind_limit_ms:
            problems.append("the watcher itself stood still for %.0f ms" % sights.blind_ms())
        return problems + self.sanitizer_reports()


def sleep_ms(ms):
    """The passing of time itself is what is wanted here, not the wait for something."""
    time.sleep(ms / 1000)
