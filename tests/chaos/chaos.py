"""`make chaos`: random faults on a real cluster under load, and the proof that its promise held. See README.md in this folder."""

import argparse
import collections
import contextlib
import os
import shutil
import statistics
import subprocess
import sys
import threading
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "cluster"))

import check  # noqa: E402
import faults  # noqa: E402
import history  # noqa: E402
import plan  # noqa: E402
from bed import host as hosts  # noqa: E402
from bed import rows, wire  # noqa: E402
from bed.cluster import VIP, Cluster  # noqa: E402
from bed.host import BedError, wait_for  # noqa: E402
from bed.server import APP_USER, ERRORS  # noqa: E402
from load import REGISTERS  # noqa: E402

MS = 1_000_000
ELECTION_MS = {"lan": 1000, "fast": 150}
# Generous: what must happen within a second or two is given this long. What takes longer does not happen.
# A replica that met a full disk looks again after 60 s, of either kind.
SERVES_S = 90
SLOW_S = 10          # then its state is written down: slow is no failure, but somebody should look
IN_SYNC_S = 150
RESTART_S = 0.2       # as the units say
KERNEL_NS = 1300 * MS  # how long the kernel may keep an address that nobody renews, and what it takes to be seen


class Violation(Exception):
    """Liveness: it did not serve again. The rest of the run would tell nothing."""


class Supervisor(threading.Thread):
    """What the units do: a program that ended is started again, unless a fault holds it down."""

    def __init__(self, bed):
        super().__init__(daemon=True)
        self.bed = bed
        self.held = collections.Counter()
        self.lock = threading.Lock()
        self.stopping = threading.Event()
        self.deaths = []      # what ended by itself, and how
        self.expected = set()

    def hold(self, node, programs):
        with self.lock:
            for program in programs:
                self.held[node.name, program] += 1
                self.expected.add((node.name, program))

    def release(self, node, programs):
        with self.lock:
            for program in programs:
                self.held[node.name, program] -= 1

    def run(self):
        while not self.stopping.wait(RESTART_S / 2):
            for node in self.bed.cluster.nodes.values():
                for program in node.daemons:
                    with contextlib.suppress(BedError, OSError, ConnectionError):
                        self.look(node, program)

    def look(self, node, program):
        with self.lock:
            if not node.host.pid or self.held[node.name, program] or self.bed.powering:
                return
            status = node.host.status(program)
            if status.startswith("running") or status == "never":
                return
            if (node.name, program) in self.expected:
                self.expected.discard((node.name, program))
            else:
                self.deaths.append("%s of %s %s" % (program, node.name, status))
                self.bed.log("   %s of %s ended by itself: %s" % (program, node.name, status))
        self.stopping.wait(RESTART_S)
        with self.lock:
            if node.host.pid and not self.held[node.name, program] and not self.bed.powering:
                node.host.start(program)


class Chaos:
    def __init__(self, options, run):
        self.options, self.run = options, run
        self.election_ms = ELECTION_MS[options.profile]
        self.begun = time.monotonic()
        self.log_file = open(os.path.join(run.dir, "chaos.log"), "w")
        self.problems = []
        self.made, self.seen = collections.Counter(), collections.Counter()
        self.done = []        # (step, [fault, ...])
        self.powering = False
        self.slow = 0
        self.server_programs = ["mariadbd", "mysqld"]
        self.cluster = None

    def log(self, text):
        line = "%7.1f s  %s" % (time.monotonic() - self.begun, text)
        print(line, flush=True)
        self.log_file.write(line + "\n")
        self.log_file.flush()

    def problem(self, text):
        self.problems.append(text)
        self.log("PROBLEM: " + text)

    # -- the bed --

    def set_up(self):
        options = self.options
        data = tuple("db%d" % (i + 1) for i in range(options.nodes))
        self.cluster = Cluster(self.run, kind=options.server, profile=options.profile, data=data,
                               arbiter="arb" if options.nodes == 2 else None, log_level=options.log_level,
                               rejoin="auto", clocks=True,
                               disk_mb=0 if hosts.single_user() else 1500 + 2 * options.seconds)
        for node in self.cluster.data:
            if node.disk:  # as every data directory once was: what is tested is the server's own care from here on
                subprocess.run(["sync", "-f", node.disk.path], check=True)
        self.nft("table bridge chaos {}\n")
        primary = self.cluster.begin(writer=False)
        history.make_schema(primary.server, REGISTERS, APP_USER)
        self.start_load()
        self.supervisor = Supervisor(self)
        self.supervisor.start()
        self.kinds = tuple(k for k in plan.KINDS if (self.cluster.disk_mb or k not in faults.NEED_DISKS) and
                           (self.cluster.arbiter or not k.startswith("arbiter")) and
                           (k in options.only if options.only else k not in plan.ASIDE) and k not in options.without)

    def start_load(self):
        client, options = self.cluster.client, self.options
        self.notes_path = os.path.join(client.dir, "load.notes")
        client.service("load", [sys.executable, os.path.join(HERE, "load.py"), VIP, "3306", APP_USER, self.cluster.app_password,
                                self.notes_path, *map(str, options.workers), str(options.pace_ms)],
                       env={"PYTHONPATH": os.path.join(os.path.dirname(HERE), "cluster"), "PYTHONDONTWRITEBYTECODE": "1"})
        client.start("load")
        self.tail = history.Tail(self.notes_path)
        self.wait_serves()

    def nft(self, text, *command):
        result = subprocess.run(self.cluster.switch.enter("nft", *(command or ("-f", "-"))), input=text, text=True, capture_output=True)
        if result.returncode != 0:
            raise BedError("nft: %s (%s)" % (result.stderr.strip(), text or " ".join(command)))
        return result.stdout

    def hold(self, node, programs):
        self.supervisor.hold(node, programs)

    def release(self, node, programs):
        self.supervisor.release(node, programs)

    def power_off(self, node):
        self.powering = True
        with self.supervisor.lock:
            if node.disk:
                node.disk.thaw()  # no process of a frozen disk can end
            node.power_off()

    def power_on(self, node):
        with self.supervisor.lock:
            node.power_on()
        self.powering = False

    # -- steps --

    def role(self, fault):
        """The node that has the role now."""
        if fault.role == "arbiter":
            return self.cluster.arbiter or self.cluster.data[-1]
        if fault.role == "all":
            return self.cluster.data[0]
        primary = self.holder()
        if fault.role == "primary":
            return primary
        others = [n for n in self.cluster.data if n is not primary]
        return others[int(fault.draw * 997) % len(others)]

    last_primary = None

    def holder(self):
        """Who has the address, by the kernels' word (no server is asked: it may hang); who had it last, while that is not one."""
        holders = [n for n in self.cluster.data if self.cluster.has_vip(n)]
        if len(holders) == 1 or self.last_primary is None:
            self.last_primary = (holders or self.cluster.data)[0]
        return self.last_primary

    def run_step(self, step):
        self.log("step %d: %s" % (step.number, "; ".join(map(plan.describe, step.faults))))
        self.holder()
        begun = time.monotonic()
        todo = [(f.begins_ms, i, "begin") for i, f in enumerate(step.faults)]
        made = {}
        record = (step, [])
        self.done.append(record)
        try:
            while todo:
                todo.sort()
                due_ms, i, what = todo.pop(0)
                time.sleep(max(0, begun + due_ms / 1000 - time.monotonic()))
                fault = step.faults[i]
                if what == "end":
                    self.end_fault(made.pop(i))
                    continue
                made[i] = self.begin_fault(fault)
                if made[i]:
                    record[1].append(made[i])
                    todo.append(((time.monotonic() - begun) * 1000 + fault.lasts_ms, i, "end"))
        finally:
            for fault in filter(None, made.values()):
                self.end_fault(fault)

    def begin_fault(self, planned):
        node = self.role(planned)
        fault = faults.KINDS[planned.kind](self, planned, node)
        fault.begun_ns = wire.now_ns()
        try:
            fault.begin()
        except faults.NotHere as e:
            self.log("   %s of %s: not made: %s" % (planned.kind, node.name, e))
            return None
        self.made[planned.kind] += 1
        self.log("   %s of %s" % (planned.kind, node.name))
        return fault

    def end_fault(self, fault):
        if fault is None:
            return
        fault.end()
        fault.ended_ns = wire.now_ns()
        self.seen[fault.plan.kind] += fault.seen
        self.log("   %s of %s is over%s" % (fault.plan.kind, fault.node.name, "" if fault.seen else ", but was not seen to happen"))

    def wait_serves(self):
        """A write that was sent after this moment is acknowledged through the address."""
        since = wire.now_ns()
        try:
            wait_for("a client is acknowledged", lambda: self.tail.acknowledged_since(since), SLOW_S)
        except BedError:
            self.slow += 1
            self.log("   does not serve yet: slow-%d.txt tells the state" % self.slow)
            self.describe_to("slow-%d.txt" % self.slow)
            try:
                wait_for("a client is acknowledged", lambda: self.tail.acknowledged_since(since), SERVES_S - SLOW_S)
            except BedError as e:
                self.violation("the cluster does not serve again: %s" % e)
        return (wire.now_ns() - since) / MS

    def wait_in_sync(self):
        begun = time.monotonic()
        try:
            self.cluster.wait_in_sync(IN_SYNC_S)
        except BedError as e:
            self.violation("not everybody is in sync again: %s" % str(e).splitlines()[0])
        return time.monotonic() - begun

    def describe_to(self, name):
        with open(os.path.join(self.run.dir, name), "w") as f:
            f.write(self.cluster.describe())

    def violation(self, text):
        self.describe_to("state.txt")
        self.problem(text)
        raise Violation(text)

    def go(self):
        options = self.options
        end = time.monotonic() + options.seconds
        number = options.first - 1
        while time.monotonic() < end and (not options.steps or number < options.first - 1 + options.steps):
            number += 1
            step = plan.step(options.seed, number, self.election_ms, self.kinds)
            self.run_step(step)
            serves_ms = self.wait_serves()
            waited = self.wait_in_sync() if step.wait_sync else None
            self.log("   serves again after %.0f ms%s" % (serves_ms, "" if waited is None else ", in sync after %.1f s" % waited))
            time.sleep(step.calm_ms / 1000)
        self.wait_serves()
        self.wait_in_sync()

    # -- the account --

    def windows(self):
        """The two exceptions of the design's section 4, for each host as (names, numbers): agent and vipd gone at once, and then the kernel
        alone ends the address; a machine that wakes from a pause looks at the clock first, but may answer for up to E."""
        found = []
        away = collections.defaultdict(list)
        for fault in [f for _step, made in self.done for f in made]:
            kind, node = fault.plan.kind, fault.node
            ended = fault.ended_ns or wire.now_ns()
            if kind == "host_paused":
                found.append((node, fault.begun_ns, fault.begun_ns + KERNEL_NS, "paused: the kernel's lifetime"))
                found.append((node, ended, ended + self.election_ms * MS, "waking from a pause"))
            for program in ("agent", "vipd"):
                if kind in (program + "_killed", program + "_stopped", "agent_and_vipd_killed"):
                    away[node, program].append((fault.begun_ns, ended))
        for node in self.cluster.data:
            for begin, end in away[node, "agent"]:
                for other_begin, other_end in away[node, "vipd"]:
                    since = max(begin, other_begin)
                    if since < min(end, other_end) + RESTART_S * 1e9:
                        found.append((node, since, since + KERNEL_NS, "agent and vipd gone: the kernel's lifetime"))
        return found

    def judge(self):
        """{what: [violations]}"""
        cluster = self.cluster
        self.supervisor.stopping.set()
        self.supervisor.join()
        if cluster.client.running("load"):
            cluster.client.stop("load")
        cluster.end_writing()
        notes, sights = history.Notes(self.notes_path), cluster.sights()
        settled = cluster.wait_settled(rejoined=not self.problems, timeout_s=IN_SYNC_S)
        held = {n.name: history.Rows(n.server) for n in settled}
        final = held[settled[0].name]
        windows = self.windows()
        by_number = [check.Window(n.server.server_id, b, e, why) for n, b, e, why in windows if n.server and "waking" in why]
        found = history.verdict(notes, final, by_number)
        found["missing"] += rows_missing(settled[0], sights)
        found["two_writers"] += sights.two_writers()
        owners = {n.host.mac: n.name for n in cluster.data}
        found["two_addresses"] = check.two_addresses(
            sights.holdings(), sights.answers, owners, [check.Window(n.name, b, e, why) for n, b, e, why in windows], wire.now_ns())
        for node in settled[1:]:
            if not held[node.name].same_as(final):
                self.problem("%s does not hold the same rows as %s" % (node.name, settled[0].name))
        for death in self.supervisor.deaths:
            if "signalled" in death:
                self.problem(death)
        self.problems += cluster.sanitizer_reports()
        if cluster.trace:
            self.problems += cluster.differences()
        self.acknowledged = notes.acknowledged + sum(map(len, sights.tries.values()))
        self.tell(notes, sights)
        return found

    def tell(self, notes, sights):
        """The table: what was done, what was seen of it, and what the clients felt."""
        gaps = notes.gaps()
        print("\n%-24s %6s %6s   %s" % ("fault", "made", "seen", "longest time without an acknowledgement in its steps, ms: median, largest"))
        for kind in sorted(self.made):
            felt = []
            for i, (_step, made) in enumerate(self.done):
                if any(f.plan.kind == kind for f in made):
                    begin = min(f.begun_ns for f in made)
                    later = [f.begun_ns for _s, m in self.done[i + 1:] for f in m]
                    end = min(later, default=wire.now_ns())
                    felt.append(max([(min(b, end) - max(a, begin)) / MS for a, b in gaps if a < end and b > begin], default=0))
            print("%-24s %6d %6d   %6.0f %6.0f" % (kind, self.made[kind], self.seen[kind], statistics.median(felt), max(felt)))
        print("%-24s %6d %6d" % ("all", sum(self.made.values()), sum(self.seen.values())))
        print("%d steps; %d inserts and %d compare-and-sets acknowledged to the clients, the fate of %d told to nobody; %d reads; %d sessions"
              % (len(self.done), len(notes.inserts), len(notes.changes), len(notes.unknown_inserts) + len(notes.unknown_changes),
                 len(notes.reads), len(notes.server_of_session)))
        print("the watcher asked %d times who has %s and tried %d writes on the servers' own addresses; it was blind for %.0f ms at most"
              % (sights.signs[-1][1], VIP, sights.signs[-1][2], sights.blind_ms()))
        if self.supervisor.deaths:
            print("ended by themselves: " + "; ".join(self.supervisor.deaths))

    def close(self):
        """Ends the hosts before their disks are taken away; a run that is kept keeps the servers' own files, too."""
        for host in self.run.hosts.values():
            if host.pid and self.cluster:
                with contextlib.suppress(BedError, OSError):
                    host.resume()
        for disk in self.run.disks:
            disk.thaw()
        for host in list(self.run.hosts.values()):
            host.end()
        for disk in self.run.disks if self.run.keep else ():
            with contextlib.suppress(OSError, shutil.Error):
                shutil.copytree(disk.path, disk.path + ".kept", ignore=shutil.ignore_patterns("ib*", "undo*", "filler", "#*"))


def rows_missing(node, sights):
    tried = rows.tried(node.server)
    return ["try %s/%d" % t for t in sorted(sights.acknowledged_tries() - tried)]


WHAT = ("missing", "two_addresses", "two_writers", "stale_reads")


def run_chaos(options, run):
    bed = Chaos(options, run)
    found = {what: [] for what in WHAT}
    judged = False
    bed.acknowledged = 0
    try:
        print("chaos: the seed is %d (again: make chaos SEED=%d SERVER=%s NODES=%d PROFILE=%s); logs are in %s"
              % (options.seed, options.seed, options.server, options.nodes, options.profile, run.dir), flush=True)
        bed.set_up()
        try:
            bed.go()
        except Violation:
            pass
        found = bed.judge()
        judged = True
    except (BedError, *ERRORS) as e:
        bed.problem("%s" % e)
    except Exception:
        bed.problem(traceback.format_exc())
    finally:
        for what in WHAT:
            for text in found[what][:20]:
                print("VIOLATION: %s: %s" % (what, text))
        good = judged and not bed.problems and not any(found.values())
        run.keep = options.keep_logs or bed.slow > 0 or not good
        if options.keep and not good:
            print("the cluster stays up until ^C: hosts %s" % {n: h.pid for n, h in run.hosts.items()}, flush=True)
            with contextlib.suppress(KeyboardInterrupt):
                threading.Event().wait()
        bed.close()
    if bed.problems:
        print("chaos: FAILED: %s" % bed.problems[0].splitlines()[0])
    if run.keep:
        print("chaos: seed %d; everything is kept in %s" % (options.seed, run.dir))
    if not judged:
        print("chaos: the account could not be made")
        return 1
    print("chaos: server=%s seconds=%d faults=%d acknowledged=%d %s"
          % (options.server, options.seconds, sum(bed.seen.values()), bed.acknowledged,
             " ".join("%s=%d" % (what, len(found[what])) for what in WHAT)), flush=True)
    return 0 if good else 1


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--seconds", type=int, default=90)
    arguments.add_argument("--seed", type=int, default=0, help="0: one is drawn and told")
    arguments.add_argument("--server", choices=("mariadb", "mysql"), default="mariadb")
    arguments.add_argument("--nodes", type=int, choices=(2, 3, 5), default=2)
    arguments.add_argument("--profile", choices=tuple(ELECTION_MS), default="lan")
    arguments.add_argument("--first", type=int, default=1, help="begin with this step of the seed")
    arguments.add_argument("--steps", type=int, default=0, help="at most so many steps")
    arguments.add_argument("--only", type=lambda s: s.split(","), help="kinds of faults, by name")
    arguments.add_argument("--without", type=lambda s: s.split(","), default=[], help="kinds of faults to leave out")
    arguments.add_argument("--workers", type=lambda s: list(map(int, s.split(","))), default=[6, 4, 3], help="inserters,setters,readers")
    arguments.add_argument("--pace-ms", type=float, default=0, help="between two statements of a session; 0: as the server can bear")
    arguments.add_argument("--log-level", default="info")
    arguments.add_argument("--keep-logs", action="store_true", help="keep the logs of a run without a finding, too")
    arguments.add_argument("--keep", action="store_true", help="leave a cluster that failed up")
    options = arguments.parse_args()
    # A MySQL replica that acknowledges syncs its relay log after every event, and all hosts share one disk.
    options.pace_ms = options.pace_ms or (25 if options.server == "mariadb" else 100)
    os.environ.setdefault("BED_TRY_EVERY_MS", "10" if options.server == "mariadb" else "40")
    options.seed = options.seed or int.from_bytes(os.urandom(3), "big") + 1
    hosts.end_on_signals()
    try:
        with hosts.Run("release", "chaos") as run:
            return run_chaos(options, run)
    except KeyboardInterrupt:
        print("chaos: interrupted; everything it started is gone", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
