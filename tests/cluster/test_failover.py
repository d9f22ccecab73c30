"""Unplanned changes of primary: what dies, hangs or is cut off, and what a client, the kernel and the disks then say."""

import os
import signal
import time

import pytest

from bed import wire
from bed.cluster import sleep_ms
from bed.host import wait_for

ELECTION_MS = 1000  # of the profile `lan`


@pytest.fixture
def cluster(make_cluster):
    return make_cluster()


def fail_over(cluster, act, timeout_s=30):
    """`act(old)` ends the primary's powers; returns the old one, the new one and the writer's gap in ms."""
    old = cluster.primary()
    event = wire.now_ns()
    act(old)
    new = cluster.wait_primary(timeout_s, but=old)
    cluster.wait_acknowledged(wire.now_ns())
    begin, end = cluster.writes().gap_after(event)
    return old, new, (end - begin) / 1e6


def rejoin(cluster, old):
    """The old primary comes back by itself, in sync, on the data directory that it had."""
    inode = os.stat(old.server.datadir).st_ino
    cluster.wait_in_sync(60)
    assert os.stat(old.server.datadir).st_ino == inode


def test_database_killed(cluster):
    cluster.begin()
    old, new, gap_ms = fail_over(cluster, lambda old: old.host.kill("mariadb"))
    assert gap_ms < ELECTION_MS, "a timeout was in the path"
    rejoin(cluster, old)
    old, new, gap_ms = fail_over(cluster, lambda old: old.host.kill("mariadb"))
    assert gap_ms < ELECTION_MS, "a timeout was in the path, the second time"
    rejoin(cluster, old)
    assert cluster.judge() == []


def test_database_stopped(make_cluster):
    """SIGSTOP: it accepts connections and never answers. The write probe sees it, the last rung of the fence kills it."""
    cluster = make_cluster(database_extra="    probe_timeout_ms = 700;\n")
    cluster.begin()
    old, new, gap_ms = fail_over(cluster, lambda old: old.host.signal("mariadb", signal.SIGSTOP))
    assert gap_ms < 700 + 250 + 3 * ELECTION_MS
    rejoin(cluster, old)
    assert cluster.judge() == []


def test_host_cut_off_and_back(cluster):
    cluster.begin()
    old, new, gap_ms = fail_over(cluster, lambda old: old.host.cut())
    assert gap_ms < 3 * ELECTION_MS
    assert not cluster.has_vip(old), "the cut-off host still has the address"
    assert old.server.host.running("mariadb") is False or old.server.variable("read_only") == 1
    old.host.uncut()
    rejoin(cluster, old)
    assert cluster.judge() == []


def test_host_loses_power_and_comes_back(cluster):
    cluster.begin()
    old, new, gap_ms = fail_over(cluster, lambda old: old.power_off())
    assert gap_ms < 3 * ELECTION_MS
    old.power_on()
    rejoin(cluster, old)
    assert cluster.judge() == []


def test_host_stands_still_longer_than_its_lease(cluster):
    """As a hypervisor's pause does: nothing runs there, nothing answers; then everything runs on where it was."""
    cluster.begin()

    still_since = wire.now_ns()

    def stand_still(old):
        nonlocal still_since
        old.host.cut()
        old.host.pause()
        still_since = wire.now_ns()

    old, new, gap_ms = fail_over(cluster, stand_still)
    assert gap_ms < 4 * ELECTION_MS
    sleep_ms(500)
    old.host.uncut()
    old.host.resume()
    rejoin(cluster, old)
    assert cluster.primary() is new
    assert cluster.judge(only_kernel_since=(old.name, still_since)) == []


def test_new_primary_dies_within_moments(cluster):
    """No cool-down stands in the way of the next change."""
    cluster.begin()
    old, new, _gap = fail_over(cluster, lambda old: old.host.kill("mariadb"))
    event = wire.now_ns()
    new.host.kill("mariadb")
    cluster.wait_acknowledged(event, 20)
    cluster.wait_in_sync(60)
    assert cluster.judge() == []


def test_replica_dies_then_primary_dies_then_replica_returns(cluster):
    """The writes that only the primary has must keep the returned replica from being promoted."""
    cluster.begin()
    primary = cluster.primary()
    replica = cluster.other(primary)
    event = wire.now_ns()
    replica.power_off()
    cluster.wait_acknowledged(event + 50_000_000, 20, count=20)
    begin, end = cluster.writes().gap_after(event)
    assert (end - begin) / 1e6 < 3 * ELECTION_MS, "writes must go on after one detection time"
    primary.power_off()
    cut = wire.now_ns()
    replica.power_on()
    wait_for("the replica's server answers", replica.server.answers)
    wait_for("it has heard of the others", lambda: (cluster.status(replica) or {}).get("quorum"), 20)
    end = time.monotonic() + 6
    while time.monotonic() < end:
        assert not cluster.has_vip(replica), "a server that lacks acknowledged writes was promoted"
        assert replica.server.variable("read_only") == 1
        sleep_ms(100)
    assert cluster.writes().first_ack_after(cut) is None
    status = cluster.status(replica)
    assert primary.name in status["summary"] or any(
        primary.name in (n["waiting_for"] or "") for n in status["nodes"]), status
    primary.power_on()
    assert cluster.wait_primary(30) is primary
    cluster.wait_in_sync(60)
    assert cluster.judge() == []


def test_replica_killed_comes_back_by_itself(cluster):
    cluster.begin()
    replica = cluster.other(cluster.primary())
    event = wire.now_ns()
    replica.host.kill("mariadb")
    cluster.wait_acknowledged(event + 50_000_000, 20, count=20)
    rejoin(cluster, replica)
    begin, end = cluster.writes().gap_after(event)
    assert (end - begin) / 1e6 < 2 * ELECTION_MS
    assert cluster.judge() == []


def test_replica_stopped_without_closing_its_connection(make_cluster):
    """The primary's commits wait for a server that is silent; they go on once it is out of the sync set."""
    cluster = make_cluster(database_extra="    probe_timeout_ms = 700;\n")
    cluster.begin()
    replica = cluster.other(cluster.primary())
    event = wire.now_ns()
    replica.host.signal("mariadb", signal.SIGSTOP)
    cluster.wait_acknowledged(event + 50_000_000, 20, count=20)
    begin, end = cluster.writes().gap_after(event)
    assert (end - begin) / 1e6 < 700 + 250 + 2 * ELECTION_MS
    replica.host.signal("mariadb", signal.SIGCONT) if replica.host.running("mariadb") else None
    rejoin(cluster, replica)
    assert cluster.judge() == []
