"""Planned changes, pauses, and the one change that may lose data: what an operator asks for, and what he is told."""

from bed import rows, wire
from bed.cluster import sleep_ms
from bed.host import wait_for
from scenario import TWO_NODES, scenario
from steps import ELECTION_MS, gap_ms, no_primary_for, switch_over, told, words


@scenario("S1", "switchover under load, again and again", quick=("mariadb-2", "mysql-3"))
def test_under_load(cluster):
    cluster.begin()
    for _ in range(3):
        old = cluster.primary()
        new = cluster.other(old)
        event = wire.now_ns()
        result = switch_over(cluster, "--to", new.name)
        assert result.returncode == 0, result.stdout + result.stderr
        assert cluster.wait_primary(10, but=old) is new
        cluster.wait_acknowledged(wire.now_ns())
        assert gap_ms(cluster, event) < 5 * ELECTION_MS
        cluster.wait_in_sync(60)
        sleep_ms(200)
    cluster.end_writing()
    assert len(rows.changes(cluster.primary().server, cluster.writes())) == 3
    assert cluster.judge() == []


@scenario("S2", "switchover to where it cannot go is refused, and says why", quick=("mariadb-3", "mysql-2"))
def test_to_nowhere_is_refused(cluster):
    primary = cluster.begin()
    for target in ["nobody", primary.name] + ([cluster.arbiter.name] if cluster.arbiter else []):
        result = switch_over(cluster, "--to", target)
        assert result.returncode in (0, 1) and (result.returncode == 1 or target == primary.name), (target, result)
        assert result.returncode == 0 or target in result.stderr, result
    replica = cluster.other(primary)
    replica.power_off()
    cluster.wait_acknowledged(wire.now_ns() + 50_000_000, 20)
    result = cluster.mhactl("switchover", "--to", replica.name, node=primary)
    assert result.returncode == 1 and replica.name in result.stderr, result
    if len(cluster.data) == 2:
        result = cluster.mhactl("switchover", node=primary)
        assert result.returncode == 1 and result.stderr, result
    cluster.wait_acknowledged(wire.now_ns())
    assert cluster.primary() is primary
    assert rows.changes(primary.server, cluster.writes()) == []
    replica.power_on()
    cluster.wait_in_sync(60)
    assert cluster.judge() == []


@scenario("S3", "switchover to one that lags is refused or waits, and says so", quick=("mysql-2",))
def test_to_one_that_lags(cluster):
    """Its applier stands still: what it lacks is named; the old primary serves on."""
    primary = cluster.begin()
    replica = cluster.other(primary)
    replica.server.stop_applier()
    sleep_ms(1000)
    assert not replica.server.same_as(primary.server)
    result = cluster.mhactl("switchover", "--to", replica.name, "--timeout", "1500", node=primary)
    if result.returncode == 1:
        said = result.stdout + result.stderr
        assert replica.name in said and any(w in said for w in ("applier", "lag", "behind", "drain", "applied", "applies")), result
        assert cluster.wait_primary(10) is primary
        replica.server.start_applier()
    else:  # the applier was started again, and what it lacked was applied in time
        assert cluster.wait_primary(10) is replica
    cluster.wait_acknowledged(wire.now_ns(), 20)
    cluster.wait_in_sync(60)
    assert cluster.judge() == []


@scenario("S4", "pause for a restart of the primary's programs", quick=("mariadb-2", "mysql-3"))
def test_pause(cluster):
    """All programs of the primary's host are stopped and started in a pause: the database goes on."""
    cluster.begin()
    primary, event = cluster.primary(), wire.now_ns()
    result = cluster.mhactl("pause", "--length", "15000", node=primary)
    assert result.returncode == 0, result.stdout + result.stderr
    primary.host.stop("agent")
    sleep_ms(500)
    primary.host.start("agent")
    cluster.wait_acknowledged(wire.now_ns(), 20)
    wait_for("the pause can be ended", lambda: cluster.mhactl("resume", node=primary).returncode == 0, 20)
    cluster.wait_in_sync(60)
    assert cluster.primary() is primary, "the pause did not keep the primary"
    assert gap_ms(cluster, event) < 5 * ELECTION_MS
    assert cluster.judge() == []


@scenario("F1", "forced failover: what is lost is said first, and accepted by name", quick=("mariadb-2", "mysql-2"), without=TWO_NODES,
          rejoin="manual")
def test_operator_accepts_the_loss(cluster):
    """The primary was alone and its host is off: the other one may be promoted only by an operator who says what he accepts."""
    primary = cluster.begin()
    replica = cluster.other(primary)
    replica.power_off()
    cluster.wait_acknowledged(wire.now_ns() + 1_500_000_000, 20, count=20)
    primary.power_off()
    replica.power_on()
    wait_for("the replica's server answers", replica.server.answers)
    wait_for("it has a quorum", lambda: (cluster.status(replica) or {}).get("quorum"), 20)
    wait_for("its agent sees its server", lambda: any(
        (n["database"] or {}).get("state") == "up" for n in (cluster.status(replica) or {}).get("nodes", []) if n["self"]), 20)

    def force(*more):
        return cluster.mhactl("failover", "--to", replica.name, *more, node=replica)

    result = force()
    assert result.returncode != 0 and "--accept-data-loss" in result.stdout + result.stderr
    no_primary_for(cluster, [replica], 500)
    result = force("--accept-data-loss", "--yes")
    assert result.returncode != 0 and "--old-primary-is-off" in result.stdout + result.stderr
    no_primary_for(cluster, [replica], 500)
    event = wire.now_ns()
    result = force("--accept-data-loss", "--old-primary-is-off", "--yes")
    assert result.returncode == 0, result.stdout + result.stderr
    cluster.wait_acknowledged(event, 20, count=20)
    assert cluster.primary() is replica

    # What the old primary has alone is neither merged nor thrown away: it is set aside, and named.
    primary.power_on()
    wait_for("the diverged node is named: " + words(cluster, primary),
             lambda: told(cluster, primary, ["rebuilt", "rebuild"]), 30)
    assert not cluster.has_vip(primary)
    assert primary.server.closed()
    assert cluster.primary() is replica
