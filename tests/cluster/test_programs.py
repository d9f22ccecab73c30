"""mha4rdb's own programs die or stand still: powers end by themselves, and what is not needed moves nothing."""

import os
import signal

import pytest

from bed import wire
from bed.cluster import VIP, sleep_ms
from bed.host import wait_for
from test_failover import ELECTION_MS, fail_over, rejoin


@pytest.fixture
def cluster(make_cluster):
    return make_cluster()


def test_agent_killed(cluster):
    """The dbworker and vipd outlive it by its lease; nobody restarts it here."""
    cluster.begin()
    old, new, gap_ms = fail_over(cluster, lambda old: old.host.kill("agent"))
    assert gap_ms < 3 * ELECTION_MS
    wait_for("the dbworker has fenced and gone", lambda: not old.host.processes("mha4rdb-dbworker"))
    assert not old.host.running("mariadb") or old.server.variable("read_only") == 1
    old.host.start("agent")
    rejoin(cluster, old)
    assert cluster.judge() == []


def test_agent_stands_still(cluster):
    """The address and the permission to write go by themselves, and come back to nobody when it runs again."""
    cluster.begin()
    old, new, gap_ms = fail_over(cluster, lambda old: old.host.signal("agent", signal.SIGSTOP))
    assert gap_ms < 3 * ELECTION_MS
    assert not cluster.has_vip(old)
    assert not old.host.running("mariadb") or old.server.variable("read_only") == 1
    old.host.signal("agent", signal.SIGCONT)
    rejoin(cluster, old)
    assert cluster.primary() is new
    assert cluster.judge() == []


def test_agent_and_vipd_killed_in_one_moment(cluster):
    """Only the kernel is left to end the address."""
    cluster.begin()

    killed_at = wire.now_ns()

    def kill_both(old):
        nonlocal killed_at
        old.host.signal("agent", signal.SIGSTOP)
        old.host.kill("vipd")
        old.host.kill("agent")
        killed_at = wire.now_ns()

    old, new, gap_ms = fail_over(cluster, kill_both)
    assert gap_ms < 4 * ELECTION_MS
    for daemon in old.daemons:
        old.host.start(daemon)
    rejoin(cluster, old)
    assert cluster.judge(only_kernel_since=(old.name, killed_at)) == []


def test_dbworker_killed(cluster):
    """The agent starts another one; no change of primary is needed, none is forbidden; nothing is lost."""
    cluster.begin()
    old = cluster.primary()
    event = wire.now_ns()
    worker, = old.host.processes("mha4rdb-dbworker")
    os.kill(worker, signal.SIGKILL)
    sleep_ms(1500)
    cluster.wait_acknowledged(wire.now_ns(), 20)
    begin, end = cluster.writes().gap_after(event)
    assert (end - begin) / 1e6 < 3 * ELECTION_MS
    cluster.wait_in_sync(60)
    assert cluster.judge() == []


def test_vipd_killed_and_back(cluster):
    """Its agent cannot hold the address without it: the primary moves, or vipd was back in time."""
    cluster.begin()
    old = cluster.primary()
    old.host.kill("vipd")
    sleep_ms(2 * ELECTION_MS)
    old.host.start("vipd")
    cluster.wait_acknowledged(wire.now_ns(), 20)
    cluster.wait_in_sync(60)
    assert cluster.judge() == []


def test_arbiter_killed_moves_nothing(cluster):
    cluster.begin()
    primary, event = cluster.primary(), wire.now_ns()
    cluster.arbiter.host.kill("arbiter")
    sleep_ms(3 * ELECTION_MS)
    assert cluster.primary() is primary
    begin, end = cluster.writes().gap_after(event)
    assert (end - begin) / 1e6 < 800, "the arbiter's death was felt"
    status = cluster.status(primary)
    assert any(not n["reachable"] for n in status["nodes"] if n["name"] == cluster.arbiter.name)
    cluster.arbiter.host.start("arbiter")
    wait_for("the arbiter is heard again", lambda: all(n["reachable"] for n in cluster.status(primary)["nodes"]))
    assert cluster.judge() == []


def test_primary_and_arbiter_lost_together(cluster):
    """No quorum, no promotion: the survivor says for whom it waits."""
    cluster.begin()
    primary = cluster.primary()
    survivor = cluster.other(primary)
    cluster.arbiter.power_off()
    primary.power_off()
    sleep_ms(4 * ELECTION_MS)
    assert not cluster.has_vip(survivor)
    assert survivor.server.variable("read_only") == 1
    status = cluster.status(survivor)
    assert not status["quorum"] and cluster.arbiter.name in status["summary"] + str(status["if_one_fails"]), status
    cluster.arbiter.power_on()
    assert cluster.wait_primary(20) is survivor
    primary.power_on()
    cluster.wait_in_sync(60)
    assert cluster.judge() == []


def test_address_removed_by_another_program(cluster):
    cluster.begin()
    primary, event = cluster.primary(), wire.now_ns()
    primary.host.ip_batch("address del %s/24 dev eth0\n" % VIP)
    cluster.wait_acknowledged(wire.now_ns(), 10)
    assert cluster.primary() is primary
    begin, end = cluster.writes().gap_after(event)
    assert (end - begin) / 1e6 < ELECTION_MS
    assert cluster.judge() == []


def test_link_down_is_acted_on(cluster):
    cluster.begin()
    old, new, gap_ms = fail_over(cluster, lambda old: old.host.link_down())
    assert gap_ms < 3 * ELECTION_MS
    old.host.link_up()
    rejoin(cluster, old)
    assert cluster.judge() == []
