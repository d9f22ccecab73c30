"""mha4rdb's own programs die, stand still, starve or fail at their task: powers end by themselves, and what is not needed moves nothing."""

import os
import signal
import threading

from bed import wire
from bed.cluster import sleep_ms
from bed.faults import stands_still
from bed.host import wait_for
from scenario import NEEDS_THIRD, scenario
from steps import ELECTION_MS, fail_over, gap_ms, kill_database, logs, rejoin, told, words

SEVEN = "agent killed, stopped, or starved of CPU"


@scenario(7, SEVEN, quick=("mariadb-2", "mysql-3"))
def test_07_agent_killed(cluster):
    """The dbworker and vipd outlive it by its lease; nobody restarts it here."""
    cluster.begin()
    old, _new, gap = fail_over(cluster, lambda old: old.host.kill("agent"))
    assert gap < 3 * ELECTION_MS
    wait_for("the dbworker has fenced and gone", lambda: not old.host.processes("mha4rdb-dbworker"))
    assert old.server.closed()
    old.host.start("agent")
    rejoin(cluster, old)
    assert cluster.judge() == []


def agent_pid(node):
    pid, = node.host.processes("mha4rdb-agent")
    return pid


@scenario(7, SEVEN, quick=("mysql-2",))
def test_07_agent_stopped(cluster):
    """The address and the permission to write go by themselves, and come back to nobody when it runs again."""
    cluster.begin()

    def act(old):
        old.host.signal("agent", signal.SIGSTOP)
        wait_for("it stands still", lambda: stands_still(agent_pid(old)), 5)

    old, new, gap = fail_over(cluster, act)
    assert gap < 3 * ELECTION_MS
    assert not cluster.has_vip(old)
    assert old.server.closed()
    old.host.signal("agent", signal.SIGCONT)
    rejoin(cluster, old)
    assert cluster.primary() is new
    assert cluster.judge() == []


@scenario(7, SEVEN, quick=("mariadb-3",))
def test_07_agent_starved(cluster):
    """It gets a twentieth of a processor, in slices longer than its lease: whoever serves, one at a time does."""
    old = cluster.begin()
    pid, slices, stop = agent_pid(old), [], threading.Event()

    def starve():
        while not stop.is_set():
            os.kill(pid, signal.SIGSTOP)
            stop.wait(1.5)
            slices.append(stands_still(pid))
            os.kill(pid, signal.SIGCONT)
            stop.wait(0.08)

    thread = threading.Thread(target=starve)
    thread.start()
    try:
        new = cluster.wait_primary(30, but=old)
        cluster.wait_acknowledged(wire.now_ns(), 20)
        sleep_ms(6000)
        assert cluster.primary() is new, "the starved one took it back"
    finally:
        stop.set()
        thread.join()
    assert len(slices) >= 3 and any(slices)
    rejoin(cluster, old)
    assert cluster.judge() == []


@scenario(7, SEVEN)
def test_07_dbworker_killed(cluster):
    """The agent starts another one; no change of primary is needed, none is forbidden; nothing is lost."""
    old = cluster.begin()
    event = wire.now_ns()
    worker, = old.host.processes("mha4rdb-dbworker")
    os.kill(worker, signal.SIGKILL)
    wait_for("the agent has another one", lambda: [p for p in old.host.processes("mha4rdb-dbworker") if p != worker], 20)
    cluster.wait_acknowledged(wire.now_ns(), 20)
    assert gap_ms(cluster, event) < 3 * ELECTION_MS
    cluster.wait_in_sync(60)
    assert cluster.judge() == []


EIGHT = "vipd dead, or the kernel refuses the address"


@scenario(8, EIGHT, quick=("mariadb-2",))
def test_08_vipd_killed_and_back(cluster):
    """Its agent cannot hold the address without it: the primary moves, or vipd was back in time."""
    old = cluster.begin()
    old.host.kill("vipd")
    assert not old.host.processes("mha4rdb-vipd")
    sleep_ms(2 * ELECTION_MS)
    old.host.start("vipd")
    cluster.wait_acknowledged(wire.now_ns(), 20)
    cluster.wait_in_sync(60)
    assert cluster.judge() == []


def refuse_address(node):
    """Its vipd is configured for an interface that this kernel does not have."""
    path = os.path.join(node.host.dir, "etc/vipd.conf")
    with open(path) as f:
        good = f.read()

    def run_with(text):
        node.host.file("etc/vipd.conf", text)
        node.host.kill("vipd")
        node.host.start("vipd")

    run_with(good.replace('"eth0"', '"eth7"'))
    return lambda: run_with(good)


def kill_vipd(node):
    node.host.kill("vipd")
    return lambda: node.host.start("vipd")


def best_target_fails(cluster, spoil, any_of):
    """The node that would be promoted cannot take the address: another one is promoted, or with two data nodes nobody for good; it is told."""
    old = cluster.begin()
    target = cluster.other(old)
    mend = spoil(target)
    sleep_ms(500)
    kill_database(old)
    wait_for("it is told: " + words(cluster), lambda: told(cluster, target, any_of) or any(w in logs(cluster) for w in any_of), 20)
    new = cluster.wait_primary(40)
    assert new is not target
    cluster.wait_acknowledged(wire.now_ns(), 20)
    mend()
    cluster.wait_in_sync(60)
    assert cluster.judge() == []


@scenario(8, EIGHT, quick=("mysql-3",))
def test_08_vipd_dead_on_the_target(cluster):
    best_target_fails(cluster, kill_vipd, ["vipd"])


@scenario(8, EIGHT, quick=("mysql-2",))
def test_08_kernel_refuses_the_address(cluster):
    best_target_fails(cluster, refuse_address, ["eth7", "address"])


def kill_both(old):
    old.host.signal("agent", signal.SIGSTOP)
    old.host.kill("vipd")
    old.host.kill("agent")


@scenario(33, "agent and vipd killed in the same moment on a living host", quick=("mariadb-3", "mysql-2"))
def test_33_agent_and_vipd_killed(cluster):
    """Only the kernel is left to end the address."""
    cluster.begin()
    killed_at = 0

    def act(old):
        nonlocal killed_at
        kill_both(old)
        killed_at = wire.now_ns()
        assert not old.host.processes("mha4rdb-vipd") and not old.host.processes("mha4rdb-agent")

    old, _new, gap = fail_over(cluster, act)
    assert gap < 4 * ELECTION_MS
    for daemon in old.daemons:
        old.host.start(daemon)
    rejoin(cluster, old)
    assert cluster.judge(only_kernel_since=(old.name, killed_at)) == []


@scenario(24, "a host is paused for longer than E, then resumed", quick=("mariadb-2", "mysql-3"))
def test_24_host_paused(cluster):
    """As a hypervisor's pause does: nothing runs there, nothing answers; then everything runs on where it was."""
    cluster.begin()
    still_since = 0

    def act(old):
        nonlocal still_since
        pid = agent_pid(old)
        old.host.cut()
        old.host.pause()
        still_since = wire.now_ns()
        wait_for("it stands still", lambda: stands_still(pid), 5)

    old, new, gap = fail_over(cluster, act)
    assert gap < 4 * ELECTION_MS
    sleep_ms(500)
    resumed = wire.now_ns()
    old.host.uncut()
    old.host.resume()
    rejoin(cluster, old)
    assert cluster.primary() is new
    late = [t for t in cluster.sights().tries[old.name] if t.sent > resumed]
    assert not late, "a client there was acknowledged %d writes after the pause" % len(late)
    assert cluster.judge(only_kernel_since=(old.name, still_since)) == []


@scenario(21, "the agent restarts in the middle of a promotion, or between vote and answer", quick=("mariadb-2", "mysql-2"))
def test_21_agent_dies_in_a_promotion(cluster):
    """The new leader's agent dies while its server is being made the primary; back again, it finishes that or undoes it."""
    old = cluster.begin()
    target = cluster.other(old)
    target.server.stop_applier()  # there is a backlog to drain: the promotion takes its time
    sleep_ms(400)
    term = cluster.data_status()["term"]
    event = wire.now_ns()
    kill_database(old)

    def other_leader():
        for node in cluster.others(old):
            status = cluster.status(node) or {}
            if status.get("leader") == node.name and status["term"] > term:
                return node
        return None

    leader = wait_for("somebody else leads", other_leader, 10, pace_s=0.005)
    leader.host.kill("agent")
    sleep_ms(300)
    leader.host.start("agent")
    cluster.wait_primary(30)
    cluster.wait_acknowledged(event, 30)
    cluster.wait_in_sync(60)
    assert cluster.judge() == []


THIRTY_FOUR = "promotion fails on the chosen node"


@scenario(34, THIRTY_FOUR, quick=("mariadb-2", "mysql-3"))
def test_34_wrong_grants(cluster):
    """The chosen node's agent may not write its epoch record there: undone, another one takes it (the old one is back by then)."""
    old = cluster.begin()
    target = cluster.other(old)
    give_back = target.server.take_grants()
    sleep_ms(300)
    kill_database(old)
    wait_for("it is told", lambda: "denied" in logs(cluster) or "denied" in words(cluster), 20)
    new = cluster.wait_primary(40)
    assert new is not target
    cluster.wait_acknowledged(wire.now_ns(), 20)
    assert target.server.closed(), "something half-open remains"
    give_back()
    cluster.wait_in_sync(60)
    assert cluster.judge() == []


@scenario("34b", "... and with a third node that is eligible the old one need not return", without={
    **NEEDS_THIRD, "mariadb-3": "its sync set is the primary and one other: nobody else is eligible"}, quick=("mysql-3",))
def test_34_another_eligible_node(cluster):
    old = cluster.begin()
    target, third = cluster.others(old)
    for daemon in ("vipd",):
        target.host.kill(daemon)
    old.power_off()
    assert cluster.wait_primary(40) is third
    cluster.wait_acknowledged(wire.now_ns(), 20)
    target.host.start("vipd")
    old.power_on()
    cluster.wait_in_sync(60)
    assert cluster.judge() == []


@scenario("A", "the arbiter (or a replica's member) dies: nothing moves", quick=("mariadb-2", "mysql-3"))
def test_arbiter_killed_moves_nothing(cluster):
    cluster.begin()
    primary, event = cluster.primary(), wire.now_ns()
    victim = cluster.arbiter or next(n for n in cluster.others(primary) if n is not cluster.other(primary))
    daemon = victim.daemons[-1]
    victim.host.kill(daemon)
    sleep_ms(3 * ELECTION_MS)
    assert cluster.primary() is primary
    assert gap_ms(cluster, event) < 800 if cluster.arbiter else 3 * ELECTION_MS, "the death was felt"
    status = cluster.status(primary)
    assert any(not n["reachable"] for n in status["nodes"] if n["name"] == victim.name)
    victim.host.start(daemon)
    wait_for("it is heard again", lambda: all(n["reachable"] for n in cluster.status(primary)["nodes"]), 20)
    cluster.wait_in_sync(60)
    assert cluster.judge() == []
