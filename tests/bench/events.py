"""The events of the bench: what is done to the primary, and what ends it. Every one is seen from outside to have happened."""

import os
import signal

from bed.host import BedError, wait_for


class Event:
    """hang: the time until the old host gives up the address is shown, too: how long it took to notice."""

    hang = False
    needs_disk = False

    def begin(self, cluster, old, new):
        raise NotImplementedError

    def end(self, cluster, old):
        """Right after somebody else serves."""


class DatabaseKilled(Event):
    """kill -9 of the primary's server"""

    def begin(self, cluster, old, new):
        old.host.kill("database")


class HostCut(Event):
    """the primary's host is off the network"""

    def begin(self, cluster, old, new):
        old.host.cut()

    def end(self, cluster, old):
        old.host.uncut()


class PowerOff(Event):
    """the primary's host loses its power"""

    def begin(self, cluster, old, new):
        old.power_off()

    def end(self, cluster, old):
        old.power_on()


class Switchover(Event):
    """planned: mhactl switchover"""

    def begin(self, cluster, old, new):
        result = cluster.mhactl("switchover", "--to", new.name, node=new)
        if result.returncode != 0:
            raise BedError("mhactl switchover: " + result.stdout + result.stderr)


class DatabaseStopped(Event):
    """SIGSTOP to the primary's server: its connections stay open, nothing is answered"""

    hang = True

    def begin(self, cluster, old, new):
        old.host.signal("database", signal.SIGSTOP)

    def end(self, cluster, old):
        if old.host.running("database"):
            old.host.signal("database", signal.SIGCONT)


class DiskFrozen(Event):
    """the primary's disk hangs: whoever syncs stands still"""

    hang = needs_disk = True

    def begin(self, cluster, old, new):
        old.disk.freeze()

    def end(self, cluster, old):
        old.disk.thaw()


class DiskFull(Event):
    """the primary's disk is full"""

    hang = needs_disk = True

    def begin(self, cluster, old, new):
        old.disk.fill()

    def end(self, cluster, old):
        """A server that was started without room looks for it again after a minute only; one that is started now finds it."""
        old.disk.make_room()
        if old.host.running("database"):
            old.host.kill("database")


class DiskReadOnly(Event):
    """the kernel makes the primary's file system read-only after an error"""

    hang = needs_disk = True

    def begin(self, cluster, old, new):
        old.disk.fail()

    def end(self, cluster, old):
        """As an operator ends it: the host is switched off, the file system checked, and it boots."""
        old.power_off()
        old.disk.repair()
        old.power_on()


EVENTS = {
    "database_killed": DatabaseKilled(),
    "host_cut": HostCut(),
    "power_off": PowerOff(),
    "switchover": Switchover(),
    "database_stopped": DatabaseStopped(),
    "disk_frozen": DiskFrozen(),
    "disk_full": DiskFull(),
    "disk_read_only": DiskReadOnly(),
}
# What each profile is measured with by default: how a hang is noticed depends on the probe, not on the profile.
BY_PROFILE = {
    "lan": [e for e in EVENTS if e != "power_off"],
    "fast": ["database_killed", "host_cut", "switchover", "database_stopped", "disk_full"],
}


def address_left(cluster, old, since_ns):
    """When the old host had the address no longer, by its kernel's word; None while it has."""
    times = [t for t, name, held in cluster.sights().addresses if name == old.name and not held and t >= since_ns]
    return min(times, default=None)


def wait_address_left(cluster, old, since_ns):
    return wait_for("%s gives up the address" % old.name, lambda: address_left(cluster, old, since_ns), 30)


def can_be_made(name):
    return not EVENTS[name].needs_disk or os.path.exists("/dev/loop-control")
