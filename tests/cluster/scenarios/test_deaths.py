"""Databases, hosts and members that die, one after the other or together, and what comes back."""

from bed import rows, wire
from bed.cluster import sleep_ms
from bed.host import wait_for
from scenario import scenario
from steps import ELECTION_MS, fail_over, gap_ms, in_sync, kill_database, last_change, no_primary_for, rejoin, words


@scenario(1, "primary's database killed (-9)", quick=("mariadb-2", "mysql-3"))
def test_01_database_killed(cluster):
    cluster.begin()
    for which in ("first", "second"):
        old, _new, gap = fail_over(cluster, kill_database)
        assert "its database is down" in last_change(cluster)["reason"], "a timeout was in the path, the %s time" % which
        assert gap < 3 * ELECTION_MS
        rejoin(cluster, old)
    assert cluster.judge() == []


@scenario(2, "primary's host loses power", quick=("mariadb-3", "mysql-2"))
def test_02_power_loss(cluster):
    cluster.begin()
    old, _new, gap = fail_over(cluster, lambda old: old.power_off())
    assert old.host.pid == 0
    assert gap < 3 * ELECTION_MS
    old.power_on()
    rejoin(cluster, old)
    assert cluster.judge() == []


@scenario(3, "... and the arbiter (or a second data node) is down too", quick=("mariadb-2", "mysql-3"))
def test_03_no_quorum(cluster):
    """No quorum, no promotion: the survivor says for whom it waits."""
    primary = cluster.begin()
    survivor = cluster.other(primary)
    second = cluster.arbiter or next(n for n in cluster.others(primary) if n is not survivor)
    second.power_off()
    primary.power_off()
    no_primary_for(cluster, [survivor], 4 * ELECTION_MS)
    status = cluster.status(survivor)
    assert not status["quorum"], status
    assert second.name in words(cluster, asked=survivor), status
    second.power_on()
    back = cluster.wait_primary(30)
    assert back is not primary
    cluster.wait_acknowledged(wire.now_ns(), 20)
    primary.power_on()
    cluster.wait_in_sync(60)
    assert cluster.judge() == []


@scenario(12, "replicas' appliers stopped with a backlog, then the primary dies", quick=("mariadb-2", "mysql-2", "mysql-3"))
def test_12_backlog(cluster):
    """What was received and acknowledged but not applied is not lost."""
    primary = cluster.begin()
    replicas = cluster.others(primary)
    for replica in replicas:
        replica.server.stop_applier()
    sleep_ms(150)
    behind = [r for r in replicas if not r.server.same_as(primary.server)]
    event = wire.now_ns()
    primary.power_off()
    assert behind, "there was no backlog"
    cluster.wait_acknowledged(event + 1, 40)
    primary.power_on()
    cluster.wait_in_sync(60)
    assert cluster.judge() == []


def writes_go_on(cluster, replica, act, limit_ms):
    event = wire.now_ns()
    act(replica)
    cluster.wait_acknowledged(event + 50_000_000, 20, count=20)
    wait_for("the sync set shows it", lambda: not in_sync(cluster, replica), 20)
    assert gap_ms(cluster, event) < limit_ms
    return event


@scenario(13, "an acknowledging replica dies", quick=("mariadb-3", "mysql-2"))
def test_13_replica_dies(cluster):
    primary = cluster.begin()
    replica = cluster.other(primary)
    assert in_sync(cluster, replica)
    writes_go_on(cluster, replica, lambda r: r.power_off(), 3 * ELECTION_MS)
    assert cluster.primary() is primary
    replica.power_on()
    rejoin(cluster, replica)
    assert cluster.judge() == []


@scenario(13, "an acknowledging replica dies")
def test_13_replicas_database_dies(cluster):
    """It comes back by itself."""
    replica = cluster.other(cluster.begin())
    event = wire.now_ns()
    kill_database(replica)
    cluster.wait_acknowledged(event + 50_000_000, 20, count=20)
    rejoin(cluster, replica)
    assert gap_ms(cluster, event) < 2 * ELECTION_MS
    assert cluster.judge() == []


@scenario(14, "... then the primary dies too, and the replica returns", quick=("mariadb-2", "mysql-2"), without=dict.fromkeys(
    ("mariadb-3", "mysql-3"), "with two of three data nodes away there is no quorum: see 3"))
def test_14_the_one_that_lacks_writes_returns(cluster):
    """The writes that only the primary has must keep the returned replica from being promoted."""
    primary = cluster.begin()
    replica = cluster.other(primary)
    event = wire.now_ns()
    replica.power_off()
    cluster.wait_acknowledged(event + 50_000_000, 20, count=20)
    primary.power_off()
    cut = wire.now_ns()
    replica.power_on()
    wait_for("the replica's server answers", replica.server.answers)
    wait_for("it has heard of the others", lambda: (cluster.status(replica) or {}).get("quorum"), 20)
    no_primary_for(cluster, [replica], 6000)
    assert cluster.writes().first_ack_after(cut) is None
    assert primary.name in words(cluster, asked=replica)
    primary.power_on()
    assert cluster.wait_primary(30) is primary
    cluster.wait_in_sync(60)
    assert cluster.judge() == []


@scenario(22, "the new primary dies within moments of its promotion", quick=("mariadb-2", "mysql-3"))
def test_22_new_primary_dies(cluster):
    """No cool-down stands in the way of the next change."""
    cluster.begin()
    _old, new, _gap = fail_over(cluster, kill_database)
    event = wire.now_ns()
    kill_database(new)
    cluster.wait_acknowledged(event, 20)
    cluster.wait_in_sync(60)
    assert cluster.judge() == []


@scenario(31, "both data hosts lose power together; the replica comes back first", quick=("mariadb-2", "mysql-2"))
def test_31_replica_returns_first(cluster):
    """What was received must be durable over the restart for a promotion; else it waits and says for whom."""
    primary = cluster.begin()
    replicas = cluster.others(primary)
    event = wire.now_ns()
    for node in cluster.data:
        node.power_off()
    for replica in replicas:
        replica.power_on()
    for replica in replicas:
        wait_for("the replica's server answers", replica.server.answers)
    wait_for("it has a quorum", lambda: (cluster.status(replicas[0]) or {}).get("quorum"), 20)
    if cluster.kind == "mysql":  # it syncs its relay log, and keeps it
        assert cluster.wait_primary(30) in replicas
        cluster.wait_acknowledged(event, 20)
    else:
        no_primary_for(cluster, replicas, 5000)
        assert primary.name in words(cluster, asked=replicas[0])
    primary.power_on()
    cluster.wait_primary(30)
    cluster.wait_acknowledged(wire.now_ns(), 20)
    cluster.wait_in_sync(60)
    assert cluster.judge() == []


@scenario(35, "the only eligible database crashes and can restart", quick=("mariadb-2", "mysql-3"))
def test_35_restarted_in_place(cluster):
    """Opened again under a new epoch where it was; no other node is promoted."""
    primary = cluster.begin()
    others = cluster.others(primary)
    for replica in others:
        replica.server.forbid_start()
        kill_database(replica)
    wait_for("it is alone in the sync set", lambda: not any(in_sync(cluster, n) for n in others), 20)
    cluster.wait_acknowledged(wire.now_ns(), 20)
    epoch = cluster.data_status()["primary"]["epoch"]
    event = wire.now_ns()
    kill_database(primary)
    cluster.wait_acknowledged(event, 30)
    assert cluster.wait_primary(20) is primary
    assert cluster.data_status()["primary"]["epoch"] > epoch
    assert rows.changes(primary.server, cluster.writes()) == []
    for replica in others:
        replica.server.allow_start()
    cluster.wait_in_sync(60)
    assert cluster.judge() == []
