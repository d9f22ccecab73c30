"""What many stories have in common: a change of primary, a return, a wait that is in vain, the words that the operator gets."""

import glob
import os
import time

from bed import wire
from bed.cluster import sleep_ms
from bed.host import wait_for
from bed.server import ERRORS

ELECTION_MS = 1000  # of the profile `lan`


def gap_ms(cluster, since, until=None):
    begin, end = cluster.writes().gap_after(since, until)
    return (end - begin) / 1e6


def fail_over(cluster, act, timeout_s=30):
    """`act(old)` ends the primary's powers; returns the old one, the new one and the writer's gap in ms."""
    old = cluster.primary()
    event = wire.now_ns()
    act(old)
    new = cluster.wait_primary(timeout_s, but=old)
    cluster.wait_acknowledged(wire.now_ns())
    return old, new, gap_ms(cluster, event)


def errant(node, name="errant"):
    """A transaction of its own, as an administrator can make it on a replica whose agent is down."""
    node.host.stop("agent")
    wait_for("its dbworker is gone", lambda: not node.host.processes("mha4rdb-dbworker"), 20)
    if not node.host.running("database"):
        node.server.start()
    node.server.write_alone("CREATE DATABASE %s" % name)
    node.host.start("agent")


def last_change(cluster):
    """The newest change of primary, as the cluster's history tells it."""
    return cluster.data_status()["history"][-1]


def kill_database(node):
    node.host.kill("database")
    assert not node.host.running("database"), "the fault did not happen"


def rejoin(cluster, old):
    """The old primary comes back by itself, in sync, on the data directory that it had."""
    inode = os.stat(old.server.datadir).st_ino
    cluster.wait_in_sync(60)
    assert os.stat(old.server.datadir).st_ino == inode


def switch_over(cluster, *arguments):
    return cluster.mhactl("switchover", *arguments, node=cluster.data[0])


def no_primary_for(cluster, nodes, ms, but=None):
    """Nobody of them opens or takes the address, as long as one looks."""
    end = time.monotonic() + ms / 1000
    while time.monotonic() < end:
        for node in nodes:
            assert not cluster.has_vip(node), "%s took the address" % node.name
            try:
                assert node.server.closed(), "%s was opened" % node.name
            except ERRORS:
                pass  # it starts
        sleep_ms(100)


def words(cluster, node=None, asked=None):
    """All that the status of a member (of `asked`, or of any with a quorum) says for people, about `node` or about all."""
    status = (cluster.status(asked) if asked else cluster.data_status()) or {}
    texts = [status.get("summary") or "", str(status.get("if_one_fails") or "")]
    for n in status.get("nodes", []):
        if node is None or n["name"] == node.name:
            texts += [n["waiting_for"] or "", n["health"] or "", (n["database"] or {}).get("trouble") or ""]
    return " | ".join(t for t in texts if t)


def told(cluster, node, any_of, asked=None):
    """The status names `node` with one of these: for the operator, so its wording is free but not its presence."""
    text = words(cluster, node, asked)
    return any(w in text for w in any_of)


def in_sync(cluster, node):
    status = cluster.data_status() or {"nodes": []}
    return any(n["in_sync"] for n in status["nodes"] if n["name"] == node.name)


def logs(cluster, name="agent"):
    return "\n".join(n.host.log(name) for n in cluster.nodes.values())


def set_aside(node, text):
    """Folders with what the node had alone, where `text` stands in the statements."""
    found = []
    for path in glob.glob(os.path.join(node.host.dir, "agent", "set-aside", "*", "transactions.sql")):
        with open(path, errors="replace") as f:
            if text in f.read():
                found.append(os.path.dirname(path))
    return found
