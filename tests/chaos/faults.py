"""The faults. Each begins, says whether it was seen from outside to have happened, and ends; none of them asks mha4rdb anything.

A fault is made on a node (`self.node`), with `self.bed` (chaos.Chaos) for the cluster and its hosts. begin() may raise NotHere where the
fault makes no sense in the present state (a switchover while nobody is the primary): then it is not counted as made.
"""

import contextlib
import errno
import fcntl
import json
import os
import signal
import struct
import subprocess
import time

from bed.cluster import VIP
from bed.faults import hears
from bed.host import PREFIX, BedError, wait_for
from bed.server import ERRORS

EXT4_IOC_SHUTDOWN, EXT4_GOING_FLAGS_NOLOGFLUSH = 0x8004587d, 2  # linux/ext4.h



class NotHere(Exception):
    """It cannot be made in this moment."""


class Fault:
    node = None

    def __init__(self, bed, plan, node):
        self.bed, self.plan, self.node = bed, plan, node
        self.seen = False
        self.begun_ns = self.ended_ns = 0

    @property
    def host(self):
        return self.node.host

    def begin(self):
        raise NotImplementedError

    def end(self):
        pass


def process_state(pid):
    """One letter, as in /proc; None when it is gone. A zombie is gone."""
    try:
        with open("/proc/%d/stat" % pid) as f:
            state = f.read().rsplit(")", 1)[1].split()[0]
    except (OSError, IndexError):
        return None
    return None if state in "ZX" else state


def seen_stopped(pids):
    """All that still live stand still, and at least one does."""
    def states():
        return {process_state(p) for p in pids} - {None}
    with contextlib.suppress(BedError):
        wait_for("they stand still", lambda: states() <= {"T"}, 0.1, 0.001)
    return states() == {"T"}


class Processes(Fault):
    """What is done to processes of one host. `programs` are their names."""

    programs = ()

    def pids(self, program):
        if not self.host.pid:
            raise NotHere("%s is off" % self.node.name)
        if program == "database":
            names = self.bed.server_programs
        else:
            names = ["mha4rdb-" + program]
        found = [pid for name in names for pid in self.host.processes(name)]
        if not found:
            raise NotHere("no %s runs on %s" % (program, self.node.name))
        return found

    def all_pids(self):
        return [pid for program in self.programs for pid in self.pids(program)]


class Killed(Processes):
    """Who starts a program again: the agent its database and its dbworker; the rest the unit, here chaos.Chaos."""

    def begin(self):
        pids = self.all_pids()
        self.bed.hold(self.node, self.programs)
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        try:
            wait_for("killed programs are gone", lambda: all(process_state(p) is None for p in pids), 2, 0.002)
            self.seen = True
        except BedError:
            self.seen = False  # in the kernel, on a frozen disk: dead only once that is over

    def end(self):
        self.bed.release(self.node, self.programs)


class Stopped(Processes):
    def begin(self):
        self.stopped = self.all_pids()
        for pid in self.stopped:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
        self.seen = seen_stopped(self.stopped)

    def end(self):
        for pid in self.stopped:
            if process_state(pid) == "T":
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)


def killed(*programs):
    return type("Killed_" + "_".join(programs), (Killed,), {"programs": programs})


def stopped(*programs):
    return type("Stopped_" + "_".join(programs), (Stopped,), {"programs": programs})


class HostPaused(Fault):
    def begin(self):
        if not self.host.pid:
            raise NotHere("%s is off" % self.node.name)
        watched = self.host.processes("mha4rdb-" + self.node.daemons[-1])
        self.host.pause()
        self.seen = seen_stopped(watched)

    def end(self):
        if self.host.pid:
            self.host.resume()


class HostCut(Fault):
    """Off the network; the link stays up."""

    def begin(self):
        if not self.host.pid:
            raise NotHere("%s is off" % self.node.name)
        before = hears(self.bed.cluster.client, self.host)
        self.cut()
        self.seen = before and not hears(self.bed.cluster.client, self.host, 0.05)

    def cut(self):
        self.host.cut()

    def end(self):
        if self.host.pid:
            self.host.uncut()


class LinkFlap(HostCut):
    def cut(self):
        self.host.link_down()

    def end(self):
        if self.host.pid:
            self.host.link_up()


class Filtered(Fault):
    """Frames that the switch loses: a chain of its own, whose counters are the evidence."""

    number = 0

    def rules(self):
        """nft expressions, each to be followed by a verdict."""
        raise NotImplementedError

    def begin(self):
        Filtered.number += 1
        self.chain = "fault%d" % Filtered.number
        self.bed.nft("table bridge chaos {\nchain %s {\ntype filter hook forward priority 0; policy accept;\n%s\n}\n}\n"
                     % (self.chain, "\n".join("%s counter drop" % r for r in self.rules())))

    def end(self):
        listing = json.loads(self.bed.nft(None, "-j", "list", "chain", "bridge", "chaos", self.chain))
        counts = [e["counter"]["packets"] for item in listing["nftables"] if "rule" in item
                  for e in item["rule"]["expr"] if "counter" in e]
        self.seen = any(counts)
        self.bed.nft("delete chain bridge chaos %s\n" % self.chain)

    def other_members(self):
        return [n for n in self.bed.cluster.nodes.values() if n is not self.node]

    def other_data(self):
        return [n for n in self.bed.cluster.data if n is not self.node]

    def choose(self, things):
        return things[int(self.plan.draw * len(things))]


class OneWayCut(Filtered):
    """To or from everybody, clients too; or to or from one other member."""

    def rules(self):
        name = self.node.name
        choices = ['iifname "%s"' % name, 'oifname "%s"' % name]
        for other in self.other_members():
            choices += ['iifname "%s" oifname "%s"' % (name, other.name), 'iifname "%s" oifname "%s"' % (other.name, name)]
        return [self.choose(choices)]


class PartialCut(Filtered):
    """Two members do not hear each other, both hear the rest. Or: the members do not hear one of them, the clients do."""

    def rules(self):
        name = self.node.name
        choices = [[other] for other in self.other_members()] + [self.other_members()]
        return ['iifname "%s" oifname "%s"' % pair for other in self.choose(choices)
                for pair in ((name, other.name), (other.name, name))]


class ReplicationCut(Filtered):
    """The databases do not reach each other; the members do."""

    port = 3306

    def rules(self):
        name = self.node.name
        return ['iifname "%s" oifname "%s" tcp %s %d' % (*pair, way, self.port) for other in self.others()
                for pair in ((name, other.name), (other.name, name)) for way in ("sport", "dport")]

    def others(self):
        return self.other_data()


class ClusterPortCut(ReplicationCut):
    """The other way round: replication goes on, the members' own connections are silent."""

    port = 7420

    def others(self):
        return self.other_members()


class LossyNetwork(Filtered):
    def rules(self):
        percent = 3 + int(self.plan.draw * 30)
        return ['%s "%s" numgen random mod 100 < %d' % (way, self.node.name, percent) for way in ("iifname", "oifname")]


class PowerOff(Fault):
    def targets(self):
        return [self.node]

    def begin(self):
        nodes = [n for n in self.targets() if n.host.pid]
        if not nodes:
            raise NotHere("off already")
        self.off = nodes
        for node in nodes:
            self.bed.power_off(node)
        self.seen = not any(n.host.pid for n in nodes)

    def end(self):
        for node in self.off:
            if not node.host.pid:
                self.bed.power_on(node)


class PowerOffAll(PowerOff):
    """Both (all) database hosts at once; with luck the arbiter, too."""

    def targets(self):
        nodes = list(self.bed.cluster.nodes.values())
        return nodes if self.plan.draw < 0.4 else self.bed.cluster.data


def broken(disk):
    """Nothing can be written, for another reason than that it is full."""
    try:
        os.close(os.open(os.path.join(disk.path, "touched"), os.O_WRONLY | os.O_CREAT))
        return False
    except OSError as e:
        return e.errno != errno.ENOSPC


def forget_unwritten(disk):
    """Nothing reaches it any more, the journal neither: what is left is what had been synced."""
    fd = os.open(disk.path, os.O_RDONLY)
    try:
        fcntl.ioctl(fd, EXT4_IOC_SHUTDOWN, struct.pack("I", EXT4_GOING_FLAGS_NOLOGFLUSH))
    finally:
        os.close(fd)


class PowerCut(PowerOff):
    """The same, and what the servers had not synced is lost with it: the file system forgets what it had not written.

    Not before nobody runs there any more, as where the power fails. An fsync that is under way while the file system is shut down may be
    told that all is well, and its data be gone (tried on kernel 6.18: three processes that append, sync and note it, once in sixty tries):
    a server that goes on after that acknowledges what no disk has.
    """

    def begin(self):
        disks = [n.disk for n in self.targets() if n.host.pid]
        if not disks or any(d.frozen or broken(d) for d in disks):
            raise NotHere("off, frozen or broken already")
        super().begin()
        for disk in disks:
            forget_unwritten(disk)
        self.disks = disks
        self.seen = self.seen and all(map(broken, disks))

    def end(self):
        for disk in self.disks:
            disk.repair()
        super().end()


class PowerCutAll(PowerCut):
    def targets(self):
        return self.bed.cluster.data


class DiskFault(Fault):
    def begin(self):
        self.disk = self.node.disk
        if self.disk.frozen or not self.host.pid or broken(self.disk):
            raise NotHere("frozen, broken or off")
        self.harm()

    def harm(self):
        raise NotImplementedError


class DiskFull(DiskFault):
    def harm(self):
        with contextlib.suppress(BedError):
            self.disk.fill()
        self.seen = self.disk.free() == 0

    def end(self):
        self.disk.make_room()


class DiskFrozen(DiskFault):
    def harm(self):
        self.disk.freeze()
        self.seen = self.disk.hangs()

    def end(self):
        self.disk.thaw()


class DiskReadOnly(DiskFault):
    """Ends as such a thing ends: the host is switched off, the file system checked, and it boots."""

    def harm(self):
        self.disk.fail()  # raises if it still takes writes
        self.seen = True

    def end(self):
        was_on = bool(self.host.pid)
        if was_on:
            self.bed.power_off(self.node)
        self.disk.repair()
        if was_on:
            self.bed.power_on(self.node)


class AddressRemoved(Fault):
    """Another program takes the address away, several times."""

    def begin(self):
        if not self.host.pid:
            raise NotHere("%s is off" % self.node.name)
        for _ in range(1 + int(self.plan.draw * 3)):
            result = self.host.run_command("ip", "address", "del", "%s/%d" % (VIP, PREFIX), "dev", "eth0")
            self.seen = self.seen or result.returncode == 0  # the kernel had it, and took it away


class ClockJump(Fault):
    """The wall clock of all programs of the host, by hours, both ways."""

    def begin(self):
        hours = 1 + int(self.plan.draw * 40)
        self.set(hours * 3600 * (1 if hours % 2 else -1))

    def set(self, seconds):
        self.node.clock.jump(seconds)
        with contextlib.suppress(*ERRORS):
            shown = self.node.server.query("SELECT UNIX_TIMESTAMP() AS now", timeout_s=0.5)[0]["now"]
            self.seen = abs(shown - time.time() - seconds) < 60

    def end(self):
        self.node.clock.jump(0)


class ApplierStopped(Fault):
    """By an operator, who starts it again if it is still stopped then."""

    def begin(self):
        try:
            if not self.node.server.replica():
                raise NotHere("%s replicates from nobody" % self.node.name)
            self.node.server.query("STOP REPLICA SQL_THREAD", timeout_s=2)
            status = self.node.server.replica()
            self.seen = bool(status) and not status["applying"]
        except ERRORS as e:
            raise NotHere(str(e)) from None

    def end(self):
        with contextlib.suppress(*ERRORS):
            status = self.node.server.replica()
            if status and not status["applying"]:
                self.node.server.query("START REPLICA SQL_THREAD", timeout_s=2)


class Switchover(Fault):
    """Planned, under load, by the operator's command."""

    process = None

    def begin(self):
        old = self.bed.cluster.primary()
        if old is None or not self.host.pid or not os.path.exists(self.node.control):
            raise NotHere("nobody is the primary, or %s is off" % self.node.name)
        self.old = old
        self.process = subprocess.Popen([self.bed.run.program("mhactl"), "-s", self.node.control, "switchover", "--to", self.node.name],
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def end(self):
        try:
            text, _ = self.process.communicate(timeout=90)
        except subprocess.TimeoutExpired:
            self.process.kill()
            text, _ = self.process.communicate()
            self.bed.problem("mhactl switchover did not end within 90 s")
        # done, or refused and all is as it was: both are answers; a primary that moved is what counts as seen
        self.seen = self.process.returncode == 0 and self.bed.cluster.primary() is not self.old
        self.bed.log("   switchover to %s: exit status %d: %s" % (self.node.name, self.process.returncode, " ".join(text.split())[:300]))


KINDS = {
    "database_killed": killed("database"),
    "agent_killed": killed("agent"),
    "vipd_killed": killed("vipd"),
    "dbworker_killed": killed("dbworker"),
    "arbiter_killed": killed("arbiter"),
    "agent_and_vipd_killed": killed("agent", "vipd"),
    "database_stopped": stopped("database"),
    "agent_stopped": stopped("agent"),
    "vipd_stopped": stopped("vipd"),
    "dbworker_stopped": stopped("dbworker"),
    "arbiter_stopped": stopped("arbiter"),
    "host_paused": HostPaused,
    "host_cut": HostCut,
    "one_way_cut": OneWayCut,
    "partial_cut": PartialCut,
    "replication_cut": ReplicationCut,
    "cluster_port_cut": ClusterPortCut,
    "lossy_network": LossyNetwork,
    "link_flap": LinkFlap,
    "power_off": PowerOff,
    "power_off_all": PowerOffAll,
    "power_cut": PowerCut,
    "power_cut_all": PowerCutAll,
    "disk_full": DiskFull,
    "disk_frozen": DiskFrozen,
    "disk_read_only": DiskReadOnly,
    "address_removed": AddressRemoved,
    "clock_jump": ClockJump,
    "applier_stopped": ApplierStopped,
    "switchover": Switchover,
}
NEED_DISKS = {"power_cut", "power_cut_all", "disk_full", "disk_frozen", "disk_read_only"}

__all__ = ["KINDS", "NEED_DISKS", "NotHere"]
