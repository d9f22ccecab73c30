"""The two sides agree: what real members wrote about their inputs and outputs, the pure code that the simulator runs says, too."""

import os
import re
import signal

import pytest

from bed import wire
from bed.cluster import sleep_ms
from bed.host import wait_for
from steps import switch_over


@pytest.fixture
def cluster(make_cluster):
    return make_cluster(trace=True)


def lines(cluster, node, pattern):
    with open(cluster.trace_path(node)) as f:
        return [line for line in f if re.search(pattern, line)]


def test_failover_switchover_and_restarts(cluster):
    cluster.begin()
    old = cluster.primary()
    old.power_off()
    new = cluster.wait_primary(10, but=old)
    cluster.wait_acknowledged(wire.now_ns())
    old.power_on()
    cluster.wait_in_sync(60)
    result = switch_over(cluster, "--to", old.name)
    assert result.returncode == 0, result.stdout + result.stderr
    assert cluster.wait_primary(10, but=new) is old
    cluster.wait_acknowledged(wire.now_ns())
    # in the middle of whatever it says: the next start of the program begins on a line of its own
    new.host.signal("agent", signal.SIGKILL)
    new.host.kill("agent")
    sleep_ms(300)
    new.host.start("agent")
    cluster.wait_in_sync(60)
    cluster.end_writing()
    assert cluster.judge() == []
    # the traces tell of what has happened
    assert len(lines(cluster, old, r"^mha4rdb-trace 1$")) == 2
    for node in (old, new):
        assert lines(cluster, node, r" policy -> do .* command=promote ")
        assert lines(cluster, node, r" raft -> send TIMEOUT_NOW ") or node is old
        assert lines(cluster, node, r" policy -> applied .*opened")
    assert lines(cluster, cluster.arbiter, r" raft -> send VOTE_REPLY .* granted")
    assert not lines(cluster, cluster.arbiter, r" policy ")
    # and the pure code says it all again
    for node in cluster.nodes.values():
        status, text = cluster.replay(cluster.trace_path(node))
        assert status == 0, text
        assert "no difference" in text


def test_a_planted_difference_is_found(cluster, tmp_path):
    cluster.begin()
    cluster.wait_acknowledged(wire.now_ns())
    cluster.end_writing()
    with open(cluster.trace_path(cluster.primary())) as f:
        trace = f.read().splitlines()
    votes = [i for i, line in enumerate(trace) if " raft -> send APPEND " in line]
    planted = votes[len(votes) // 2]
    trace[planted] = re.sub(r"term=\d+", "term=99", trace[planted], count=1)
    spoilt = tmp_path / "trace"
    spoilt.write_text("\n".join(trace) + "\n")
    status, text = cluster.replay(str(spoilt))
    assert status == 1
    assert ":%d:" % (planted + 1) in text and "term=99" in text


def test_a_trace_that_cannot_go_on_ends_and_nothing_else(cluster):
    """It reaches its size: one line in the log, and the member goes on."""
    node = cluster.data[0]
    path = os.path.join(node.host.dir, "etc/agent.conf")
    with open(path) as f:
        text = f.read()
    with open(path, "w") as f:
        f.write(text.replace("trace = ", "trace_mb = 1;\ntrace = "))
    with open(cluster.trace_path(node), "w") as f:  # what an earlier start left counts, too
        f.write("mha4rdb-trace 1\n" * 62000)
    os.chown(f.name, os.stat(os.path.dirname(f.name)).st_uid, -1)
    cluster.begin()
    wait_for("the trace to end", lambda: "has ended: it has reached its size" in node.host.log("agent"), 120)
    size = os.path.getsize(cluster.trace_path(node))
    assert size <= 1024 * 1024
    cluster.wait_acknowledged(wire.now_ns())
    assert os.path.getsize(cluster.trace_path(node)) == size
    assert node.host.log("agent").count("has ended") == 1
    cluster.end_writing()
    assert cluster.judge() == []


def test_a_trace_that_cannot_be_opened_is_told_at_the_start(cluster):
    node = cluster.data[0]
    path = os.path.join(node.host.dir, "etc/agent.conf")
    with open(path) as f:
        text = f.read()
    with open(path, "w") as f:
        f.write(text.replace("/trace/trace", "/nowhere/trace"))
    node.host.start("agent")
    wait_for("the log to say why", lambda: "nowhere/trace cannot be opened" in node.host.log("agent"), 10)
