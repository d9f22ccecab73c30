"""Members and their directories: looked at while they are stopped, wiped, replaced; and logs that stay small."""

import glob
import json
import os
import subprocess

import pytest

from bed import wire
from bed.cluster import sleep_ms
from bed.host import wait_for
from members import directory, listed, member
from steps import ELECTION_MS


@pytest.fixture
def cluster(make_cluster):
    return make_cluster()


def verify_store(cluster, node):
    program = cluster.run.program("mha4rdb-arbiter" if node.arbiter else "mha4rdb-agent")
    return subprocess.run([program, "--verify-store", directory(node)], text=True, capture_output=True, timeout=20)


def files(node):
    found = {}
    for path in glob.glob(os.path.join(directory(node), "*")):
        if os.path.isfile(path):
            with open(path, "rb") as f:
                found[path] = f.read()
    return found


def test_stores_are_looked_at(cluster):
    """Of a stopped member it tells what is there, of a running one nothing, of a damaged one where; and it changes nothing."""
    cluster.begin(writer=False)
    running = verify_store(cluster, cluster.arbiter)
    assert running.returncode == 2 and "stop it" in running.stderr, running
    cluster.kill_members(cluster.nodes.values())
    for node in cluster.nodes.values():
        before = files(node)
        result = verify_store(cluster, node)
        assert result.returncode == 0, result
        assert files(node) == before
        assert "member      %s of cluster shop" % node.name in result.stdout
        assert result.stdout.endswith("sound\n")
        for other in cluster.nodes.values():
            assert "%s " % other.name in result.stdout.split("membership")[1]
    segment = sorted(glob.glob(os.path.join(directory(cluster.arbiter), "wal-*")))[-1]
    with open(segment, "r+b") as f:
        f.seek(70)
        byte = f.read(1)
        f.seek(70)
        f.write(bytes([byte[0] ^ 4]))
    before = files(cluster.arbiter)
    result = verify_store(cluster, cluster.arbiter)
    assert result.returncode == 1 and os.path.basename(segment) in result.stderr and "byte 64" in result.stderr, result
    assert "remove the directory" in result.stderr
    assert files(cluster.arbiter) == before


LOG_BYTES_MAX = 1024 * 1024
ENTRIES = 256  # REPLICA_COMPACT_ENTRIES of common/replica/replica.h


def log_bytes(node):
    return sum(os.path.getsize(path) for path in glob.glob(os.path.join(directory(node), "*")) if os.path.isfile(path))


def entries(cluster):
    return cluster.status(cluster.primary())["applied_index"]


def grow(cluster, count):
    """So many more entries, by pauses: two each."""
    end = entries(cluster) + count
    while entries(cluster) < end:
        for _ in range(10):
            for what in ("pause", "resume"):
                result = cluster.mhactl(what, node=cluster.primary())
                assert result.returncode == 0, result


def snapshot_index(cluster, node):
    text = verify_store(cluster, node).stdout
    return int(text.split("snapshot    up to entry ")[1].split()[0]) if "up to entry" in text else 0


def test_logs_stay_small(cluster):
    """However much the cluster has been through; and an agent that was away while the log was shortened gets what it missed."""
    cluster.begin(pace_ms=10)
    primary = cluster.primary()
    away = cluster.other(primary)
    grow(cluster, 20)
    away.host.kill("agent")
    grow(cluster, ENTRIES + 20)
    wait_for("a snapshot on the primary's node", lambda: "; the log starts anew" in primary.host.log("agent"), 20)
    wait_for("it is with the arbiter", lambda: "has come from the leader" in cluster.arbiter.host.log("arbiter"), 20)
    for node in (primary, cluster.arbiter):
        assert log_bytes(node) <= LOG_BYTES_MAX
    assert "has come from the leader" not in away.host.log("agent")
    away.host.start("agent")
    wait_for("it gets it", lambda: "has come from the leader" in away.host.log("agent"), 20)
    cluster.wait_in_sync(60)
    event = wire.now_ns()
    result = cluster.mhactl("switchover", "--to", away.name, node=primary)
    assert result.returncode == 0, result
    cluster.wait_primary(20, but=primary)
    cluster.wait_acknowledged(event, 20)
    assert cluster.status(primary)["history"][-1]["to"] == away.name
    assert len({s["primary"]["epoch"] for s in map(cluster.status, cluster.data)}) == 1
    cluster.wait_in_sync(60)
    assert cluster.judge() == []
    cluster.kill_members(cluster.nodes.values())
    for node in cluster.nodes.values():
        assert snapshot_index(cluster, node) > ENTRIES
        assert log_bytes(node) <= LOG_BYTES_MAX
    cluster.start()
    cluster.wait_primary(30)
    cluster.wait_in_sync(60)
    assert away.name in [change["to"] for change in cluster.status(primary)["history"]], "the snapshot has lost the switchover"


def test_members_in_sync_stay(cluster):
    """Who holds what was acknowledged cannot be taken out of the group, by whatever words; the arbiter can, and comes back."""
    cluster.begin(pace_ms=5)
    primary = cluster.primary()
    replica = cluster.other(primary)
    for name, why in ((replica.name, "sync set"), (primary.name, "is the primary"), ("db9", "no member is called")):
        refused = member(cluster, "remove", name)
        assert refused.returncode == 1 and why in refused.stderr, refused
    refused = member(cluster, "add", "arb", node=replica)
    assert refused.returncode == 1 and "is a member already" in refused.stderr, refused
    result = member(cluster, "remove", "arb")
    assert result.returncode == 0, result
    wait_for("it says so", lambda: "was removed" in cluster.mhactl("status", node=cluster.arbiter).stdout, 20)
    term = cluster.status(primary)["term"]
    sleep_ms(2 * ELECTION_MS)
    assert cluster.status(primary)["term"] == term
    assert len(cluster.status(primary)["nodes"]) == 2
    wait_for("it asks to come in", lambda: [s for s in listed(cluster, primary)["strangers"] if s["let_in_by"] == "add"], 20)
    result = member(cluster, "add", "arb")
    assert result.returncode == 0, result
    assert cluster.judge() == []


def test_removed_data_host_holds_nothing(cluster):
    """Its server is closed and follows nobody, its agent says why; let in again it is what it was."""
    cluster.begin(pace_ms=5)
    primary = cluster.primary()
    out = cluster.other(primary)
    for daemon in ("agent", "database"):
        out.host.kill(daemon)
    wait_for("it is out of the sync set", lambda: sum(n["in_sync"] for n in cluster.status(primary)["nodes"]) == 1, 20)
    result = member(cluster, "remove", out.name)
    assert result.returncode == 0, result
    out.host.start("agent")
    wait_for("it says so", lambda: "was removed" in cluster.mhactl("status", node=out).stdout, 20)
    sleep_ms(3 * ELECTION_MS)
    assert not cluster.has_vip(out)
    assert not out.host.running("database") or out.server.variable("read_only") == 1
    assert cluster.primary() is primary
    event = wire.now_ns()
    cluster.wait_acknowledged(event, 20)
    refused = cluster.mhactl("switchover", "--to", out.name, node=primary)
    assert refused.returncode == 1, refused
    wait_for("it asks to come in", lambda: [s for s in listed(cluster, primary)["strangers"] if s["let_in_by"] == "add"], 20)
    result = member(cluster, "add", out.name)
    assert result.returncode == 0, result
    cluster.wait_in_sync(60)
    assert cluster.judge() == []


def test_status_confirmed(cluster):
    """Only the leader confirms, and only with a majority behind it."""
    cluster.begin(writer=False)
    primary = cluster.primary()
    other = cluster.other(primary)
    result = cluster.mhactl("-o", "json", "status", "--confirmed", node=primary)
    assert result.returncode == 0 and json.loads(result.stdout)["confirmed"] is True, result
    assert cluster.status(primary)["confirmed"] is False
    refused = cluster.mhactl("status", "--confirmed", node=other)
    assert refused.returncode == 1 and primary.name in refused.stderr, refused
    assert cluster.mhactl("status", "--confirmed", node=cluster.arbiter).returncode == 1
    primary.host.cut()
    refused = cluster.mhactl("status", "--confirmed", node=primary)
    assert refused.returncode == 1 and refused.stderr, refused
    primary.host.uncut()
