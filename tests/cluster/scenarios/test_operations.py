"""What an operator and the outside do: switchovers that something stands in the way of, cold starts, clocks, upgrades, strangers."""

import contextlib
import itertools
import threading
import time

import pymysql
import pytest

from bed import rows, wire
from bed.cluster import sleep_ms
from bed.host import wait_for
from bed.server import ERRORS
from scenario import scenario
from steps import ELECTION_MS, fail_over, gap_ms, kill_database, no_primary_for, switch_over

EIGHTEEN = "switchover while a long statement runs, or a backup holds its lock"


def given_up_in_time(cluster, primary):
    """Refused beforehand or given up within its timeout, with a reason; and the old primary takes writes again."""
    begun = wire.now_ns()
    result = cluster.mhactl("switchover", "--timeout", "1500", node=cluster.data[0])
    took_ms = (wire.now_ns() - begun) / 1e6
    assert result.returncode == 1 and result.stderr, result
    assert took_ms < 1500 + 2 * ELECTION_MS
    return result.stderr + result.stdout  # what stands in the way is listed on the latter


@scenario(18, EIGHTEEN, quick=("mariadb-2", "mysql-3"))
def test_18_long_statement(cluster):
    primary = cluster.begin()

    def long_statement():
        with contextlib.suppress(pymysql.err.MySQLError), contextlib.closing(primary.server.connect_app(30)) as connection:
            connection.cursor().execute("INSERT INTO shop.writes SELECT -5, @@server_id, SLEEP(6)")

    thread = threading.Thread(target=long_statement)
    thread.start()
    wait_for("it runs", lambda: any("SLEEP(6)" in (s["INFO"] or "") and s["USER"] == "app" for s in primary.server.sessions()))
    given_up_in_time(cluster, primary)
    cluster.wait_acknowledged(wire.now_ns(), 10)
    assert cluster.wait_primary(10) is primary
    thread.join()
    cluster.wait_in_sync(60)
    assert cluster.judge() == []


@scenario(18, EIGHTEEN, quick=("mysql-2",))
def test_18_backup_lock(cluster):
    """A backup's global read lock: writes stand still as the operator wanted it, no switchover happens, and afterwards all goes on."""
    primary = cluster.begin()
    with contextlib.closing(primary.server.connect(timeout_s=30)) as backup:
        backup.cursor().execute("FLUSH TABLES WITH READ LOCK")
        held = wire.now_ns()
        looked = cluster.mhactl("switchover", "--check", node=cluster.data[0])
        assert looked.returncode == 1 and f"connection {backup.thread_id()} of " in looked.stdout + looked.stderr, looked
        said = given_up_in_time(cluster, primary)
        assert cluster.writes().first_ack_after(held) is None, "the lock did not hold"
        assert any(w in said.lower() for w in ("lock", "backup", "hold", "wait")), said
        backup.cursor().execute("UNLOCK TABLES")
    cluster.wait_acknowledged(wire.now_ns(), 20)
    cluster.wait_primary(10)
    cluster.wait_in_sync(60)
    assert cluster.judge() == []


NINETEEN = "switchover while a superuser writes"


def switch_over_with_superuser(cluster, returns):
    old = cluster.begin()
    stop = threading.Event()
    acknowledged = []

    def superuser():
        numbers = itertools.count(1)
        while not stop.is_set():
            with contextlib.suppress(*ERRORS), contextlib.closing(old.server.connect()) as connection:
                while not stop.is_set():
                    number = next(numbers)
                    connection.cursor().execute("INSERT INTO shop.writes VALUES (%d, @@server_id, 's')" % -number)
                    acknowledged.append((wire.now_ns(), -number))
            if not returns:
                break

    thread = threading.Thread(target=superuser)
    thread.start()
    try:
        wait_for("it writes", lambda: len(acknowledged) > 20)
        begun = wire.now_ns()
        result = switch_over(cluster)
        sleep_ms(1000)
    finally:
        stop.set()
        thread.join()
    cluster.wait_acknowledged(wire.now_ns(), 20)
    alone = returns and cluster.kind == "mariadb"  # super_read_only binds everybody
    if not returns:
        assert result.returncode == 0, result
    if not alone:
        cluster.wait_in_sync(60)
    primary = cluster.wait_settled(rejoined=not alone)[0]
    bound = {number for time, number in acknowledged if time < begun or not alone}
    assert bound
    assert not bound - rows.written(primary.server).keys(), "acknowledged writes of a superuser are missing"
    assert cluster.judge(rejoined=not alone) == []


@scenario(19, NINETEEN, quick=("mariadb-2", "mysql-2"))
def test_19_superuser(cluster):
    """read_only does not bind it. Its session is ended and leaves nothing behind that the new primary lacks."""
    switch_over_with_superuser(cluster, returns=False)


@scenario(19, NINETEEN, quick=("mariadb-3", "mysql-3"))
def test_19_superuser_comes_back(cluster):
    """At once, and writes on the closed server: MySQL forbids it; MariaDB cannot, and that server may be set aside for it. What it was told
    before the switchover began is kept, and so is all of everybody else's."""
    switch_over_with_superuser(cluster, returns=True)


TWENTY = "all hosts cold-booted together, in any order, any one missing"


def cold_start(cluster, absent, order):
    primary = cluster.begin()
    replica = cluster.other(primary)
    third = cluster.arbiter or next(n for n in cluster.data if n not in (primary, replica))
    absent = {"nobody": None, "third": third, "replica": replica, "primary": primary}[absent]
    for node in (replica, third, primary):
        node.power_off()
    event = wire.now_ns()
    sleep_ms(300)
    for node in [(third, replica, primary), (primary, replica, third), (replica, primary, third)][order]:
        if node is not absent:
            node.power_on()
            sleep_ms(200)
    if absent is primary and cluster.kind == "mariadb":  # what the replica had only received is gone, and nobody knows what it was
        wait_for("there is a quorum", lambda: cluster.data_status(), 30)
        no_primary_for(cluster, [n for n in cluster.data if n is not absent], 4000)
    else:
        cluster.wait_primary(40)
        cluster.wait_acknowledged(event, 40)
    sleep_ms(300)
    if absent:
        absent.power_on()
    cluster.wait_acknowledged(event, 40)
    cluster.wait_in_sync(60)
    assert cluster.judge() == []


@scenario(20, TWENTY, quick=("mariadb-3", "mysql-2"))
def test_20_nobody_missing(cluster):
    cold_start(cluster, "nobody", 0)


@scenario(20, TWENTY)
def test_20_third_missing(cluster):
    cold_start(cluster, "third", 1)


@scenario(20, TWENTY, quick=("mariadb-2",))
def test_20_replica_missing(cluster):
    cold_start(cluster, "replica", 2)


@scenario(20, TWENTY, quick=("mysql-3",))
def test_20_primary_missing(cluster):
    cold_start(cluster, "primary", 1)


@scenario(20, TWENTY, quick=("mysql-2",))
def test_20_servers_boot_closed(cluster):
    """Before anybody says so, a server takes no writes and follows nobody."""
    cluster.begin(writer=False)
    for node in cluster.nodes.values():
        node.power_off()
    for node in cluster.data:
        node.host.power_on()
        node.host.start("database")
        wait_for("it answers", node.server.answers)
        assert node.server.variable("read_only") == 1
        found = node.server.replica()
        assert not found or not found["receiving"]
        assert not cluster.has_vip(node)
        with pytest.raises(ERRORS):
            connection = node.server.connect_app()
            connection.cursor().execute("INSERT INTO shop.writes VALUES (-1, 0, 'n')")


@scenario(23, "clock of one host jumps by hours, both ways", quick=("mariadb-2", "mysql-3"), clocks=True)
def test_23_clock_jumps(cluster):
    """Nothing happens; and a failover is what it always is."""
    cluster.begin()
    primary, event = cluster.primary(), wire.now_ns()
    term = cluster.data_status()["term"]
    for node in (primary, cluster.other(primary)):
        for hours in (5, -7, 0):
            node.clock.jump(hours * 3600)
            sleep_ms(1500)
            shown = node.server.query("SELECT UNIX_TIMESTAMP() AS now")[0]["now"]
            assert abs(shown - time.time() - hours * 3600) < 5, "the clock did not jump"
    assert cluster.primary() is primary
    assert cluster.data_status()["term"] == term
    assert gap_ms(cluster, event) < 1500
    primary.clock.jump(-3 * 3600)
    _old, _new, gap = fail_over(cluster, kill_database)
    assert gap < 2 * ELECTION_MS
    cluster.wait_in_sync(60)
    assert cluster.judge() == []


@scenario(29, "rolling upgrade of all programs, one host at a time, under load", quick=("mariadb-2", "mysql-3"))
def test_29_rolling_upgrade(cluster):
    """As the manual says: the others first, then the primary's host after a switchover. One planned switchover's gap, nothing else."""
    primary = cluster.begin()
    event = wire.now_ns()

    def restart(node):
        before = {d: node.host.status(d) for d in node.daemons}
        for daemon in reversed(node.daemons):
            node.host.stop(daemon)
        for daemon in node.daemons:
            node.host.start(daemon)
        assert all(node.host.status(d) != before[d] for d in node.daemons), "nothing was restarted"
        wait_for("it is heard again", lambda: any(
            n["reachable"] for n in (cluster.status(cluster.primary() or primary) or {"nodes": []})["nodes"] if n["name"] == node.name), 20)
        cluster.wait_in_sync(60)

    for node in cluster.nodes.values():
        if node is not primary:
            restart(node)
    rest_gap = gap_ms(cluster, event)
    switched = wire.now_ns()
    result = switch_over(cluster)
    assert result.returncode == 0, result
    cluster.wait_in_sync(60)
    cluster.wait_acknowledged(wire.now_ns(), 20)
    switch_gap = gap_ms(cluster, switched)
    after = wire.now_ns()
    restart(primary)
    cluster.wait_acknowledged(wire.now_ns(), 20)
    assert switch_gap < 2 * ELECTION_MS
    assert rest_gap < 3 * ELECTION_MS and gap_ms(cluster, after) < 3 * ELECTION_MS, "an upgrade of a replica was felt"
    cluster.end_writing()
    assert len(rows.changes(cluster.primary().server, cluster.writes())) == 1
    assert cluster.judge() == []
