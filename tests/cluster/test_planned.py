"""What an operator does: switch over, pause, restart everything; and a cold start of the whole cluster."""

import contextlib
import threading

import pymysql
import pytest

from bed import mariadb, rows, wire
from bed.cluster import sleep_ms
from bed.host import wait_for
from test_failover import ELECTION_MS


@pytest.fixture
def cluster(make_cluster):
    return make_cluster()


def switch_over(cluster, *arguments):
    return cluster.mhactl("switchover", *arguments, node=cluster.data[0])


def test_switchover_under_load(cluster):
    cluster.begin(pace_ms=1)
    for _ in range(3):
        old = cluster.primary()
        new = cluster.other(old)
        event = wire.now_ns()
        result = switch_over(cluster, "--to", new.name)
        assert result.returncode == 0, result.stdout + result.stderr
        assert cluster.wait_primary(10, but=old) is new
        cluster.wait_acknowledged(wire.now_ns())
        begin, end = cluster.writes().gap_after(event)
        assert (end - begin) / 1e6 < ELECTION_MS
        cluster.wait_in_sync(60)
        sleep_ms(200)
    cluster.end_writing()
    assert len(rows.changes(cluster.primary().server, cluster.writes())) == 3
    assert cluster.judge() == []


def test_switchover_to_nowhere_is_refused(cluster):
    cluster.begin()
    primary = cluster.primary()
    for target in ("nobody", cluster.arbiter.name, primary.name):
        result = switch_over(cluster, "--to", target)
        assert result.returncode in (0, 1) and (result.returncode == 1 or target == primary.name), (target, result)
    cluster.other(primary).power_off()
    cluster.wait_acknowledged(wire.now_ns() + 50_000_000, 20)
    result = cluster.mhactl("switchover", node=primary)
    assert result.returncode == 1 and result.stderr, result
    cluster.wait_acknowledged(wire.now_ns())
    assert cluster.primary() is primary
    assert rows.changes(primary.server, cluster.writes()) == []
    assert cluster.judge(rejoined=False) == []


def test_switchover_behind_a_long_statement_is_given_up_in_time(cluster):
    """A running statement holds up the stop of writes: refused or given up within its timeout, and the old primary takes writes again."""
    cluster.begin()
    primary = cluster.primary()

    def long_statement():
        connection = primary.server.connect(mariadb.APP_USER, mariadb.APP_PASSWORD, timeout_s=30)
        with contextlib.suppress(pymysql.err.MySQLError), contextlib.closing(connection):
            connection.cursor().execute("INSERT INTO shop.writes SELECT -5, @@server_id, SLEEP(6)")

    thread = threading.Thread(target=long_statement)
    thread.start()
    wait_for("it runs", lambda: primary.server.query(
        "SELECT 1 FROM information_schema.PROCESSLIST WHERE INFO LIKE '%SLEEP(6)%' AND ID <> CONNECTION_ID()"))
    begun = wire.now_ns()
    result = cluster.mhactl("switchover", "--timeout", "1500", node=cluster.data[0])
    took_ms = (wire.now_ns() - begun) / 1e6
    assert result.returncode == 1 and result.stderr, result
    assert took_ms < 1500 + 2 * ELECTION_MS
    cluster.wait_acknowledged(wire.now_ns(), 10)
    assert cluster.wait_primary(10) is primary
    thread.join()
    cluster.wait_in_sync(60)
    assert cluster.judge() == []


@pytest.mark.parametrize("missing", ["nobody", "arbiter", "replica"])
def test_cold_start_of_the_whole_cluster(cluster, missing):
    """Everything loses power in one moment; any one may stay away."""
    cluster.begin()
    primary = cluster.primary()
    replica = cluster.other(primary)
    absent = {"nobody": None, "arbiter": cluster.arbiter, "replica": replica}[missing]
    for node in (replica, cluster.arbiter, primary):
        node.power_off()
    event = wire.now_ns()
    sleep_ms(300)
    for node in (cluster.arbiter, replica, primary):
        if node is not absent:
            node.power_on()
    if missing != "nobody":
        # the sync set names a member that is away: the primary that was holds all that was acknowledged
        assert cluster.wait_primary(40) in (primary, replica)
    cluster.wait_acknowledged(event, 40)
    sleep_ms(300)
    if absent:
        absent.power_on()
    cluster.wait_in_sync(60)
    assert cluster.judge() == []


def test_servers_boot_closed(cluster):
    """Before anybody says so, a server takes no writes and follows nobody."""
    cluster.begin(writer=False)
    for node in cluster.nodes.values():
        node.power_off()
    for node in cluster.data:
        node.host.power_on()
        node.host.start("mariadb")
        wait_for("it answers", node.server.answers)
        assert node.server.variable("read_only") == 1
        status = node.server.replica_status()
        assert not status or status["Slave_IO_Running"] == "No"
        assert not cluster.has_vip(node)
        with pytest.raises(pymysql.err.MySQLError):
            connection = node.server.connect(mariadb.APP_USER, mariadb.APP_PASSWORD)
            connection.cursor().execute("INSERT INTO shop.writes VALUES (-1, 0, 'n')")


def test_pause_for_a_restart_of_the_programs(cluster):
    """All programs of the primary's host are stopped and started in a pause: the database goes on."""
    cluster.begin()
    primary, event = cluster.primary(), wire.now_ns()
    result = cluster.mhactl("pause", "--length", "15000", node=primary)
    assert result.returncode == 0, result.stdout + result.stderr
    primary.host.stop("agent")
    sleep_ms(500)
    primary.host.start("agent")
    cluster.wait_acknowledged(wire.now_ns(), 20)
    result = wait_for("the pause can be ended",
                      lambda: cluster.mhactl("resume", node=primary).returncode == 0, 20)
    cluster.wait_in_sync(60)
    assert cluster.primary() is primary, "the pause did not keep the primary"
    begin, end = cluster.writes().gap_after(event)
    assert (end - begin) / 1e6 < 3 * ELECTION_MS
    assert cluster.judge() == []


def test_used_up_connections_are_no_failure(cluster):
    cluster.begin()
    primary = cluster.primary()
    hogs = []
    try:
        with pytest.raises(pymysql.err.OperationalError):
            for _ in range(500):
                hogs.append(primary.server.connect(mariadb.APP_USER, mariadb.APP_PASSWORD))
        event = wire.now_ns()
        sleep_ms(4000)
        assert cluster.primary() is primary or cluster.has_vip(primary)
        assert cluster.writes().first_ack_after(event), "the session in use goes on"
    finally:
        for hog in hogs:
            hog.close()
    cluster.wait_in_sync(30)
    assert rows.changes(primary.server, cluster.writes()) == []
    assert cluster.judge() == []


def test_operator_accepts_the_loss_by_name(cluster):
    """The primary was alone and its host is off: the other one may be promoted only by an operator who says what he accepts."""
    cluster.begin()
    primary = cluster.primary()
    replica = cluster.other(primary)
    replica.power_off()
    cluster.wait_acknowledged(wire.now_ns() + 1_500_000_000, 20, count=20)
    primary.power_off()
    replica.power_on()
    wait_for("the replica's server answers", replica.server.answers)
    wait_for("it has a quorum", lambda: (cluster.status(replica) or {}).get("quorum"), 20)
    wait_for("its agent sees its server", lambda: any(
        (n["database"] or {}).get("state") == "up" for n in (cluster.status(replica) or {}).get("nodes", []) if n["self"]), 20)

    result = cluster.mhactl("failover", "--to", replica.name, node=replica)
    assert result.returncode != 0 and "--accept-data-loss" in result.stdout + result.stderr
    assert not cluster.has_vip(replica)
    result = cluster.mhactl("failover", "--to", replica.name, "--accept-data-loss", "--yes", node=replica)
    assert result.returncode != 0 and "--old-primary-is-off" in result.stdout + result.stderr
    assert not cluster.has_vip(replica)
    event = wire.now_ns()
    result = cluster.mhactl("failover", "--to", replica.name, "--accept-data-loss", "--old-primary-is-off", "--yes", node=replica)
    assert result.returncode == 0, result.stdout + result.stderr
    cluster.wait_acknowledged(event, 20, count=20)
    assert cluster.primary() is replica

    # What the old primary has alone is neither merged nor thrown away: it is set aside, and named.
    primary.power_on()
    def named():
        nodes = (cluster.status(replica) or {}).get("nodes", [])
        return any(n["name"] == primary.name and "rebuilt" in (n["waiting_for"] or "") for n in nodes)
    wait_for("the diverged node is named", named, 30)
    assert not cluster.has_vip(primary)
    assert primary.server.variable("read_only") == 1
    assert cluster.primary() is replica
