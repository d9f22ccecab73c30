"""Troubles that are no deaths: wrong accounts, foreign transactions, sessions that may write anyway, a stopped applier."""

import contextlib
import threading

import pymysql
import pytest

from bed import mariadb, rows, wire
from bed.cluster import VIP, sleep_ms
from bed.host import wait_for
from test_failover import ELECTION_MS, fail_over, rejoin


@pytest.fixture
def cluster(make_cluster):
    return make_cluster()


def told(cluster, node, words):
    """The status of some member names `node` with one of `words`: for the operator, so its wording is free but not its presence."""
    status = cluster.data_status() or {}
    texts = [status.get("summary") or ""]
    for n in status.get("nodes", []):
        if n["name"] == node.name:
            texts += [n["waiting_for"] or "", n["health"] or "", (n["database"] or {}).get("trouble") or ""]
    return any(w in t for w in words for t in texts)


def test_replica_with_a_transaction_of_its_own_is_not_promoted(cluster):
    """Not merged silently, not promoted over the primary, named in the status."""
    cluster.begin()
    primary = cluster.primary()
    replica = cluster.other(primary)
    replica.server.query("SET GLOBAL read_only=0", "CREATE DATABASE errant", "SET GLOBAL read_only=1")
    sleep_ms(1500)
    result = cluster.mhactl("switchover", "--to", replica.name, node=primary)
    assert result.returncode == 1, "the errant server was made the primary"
    assert cluster.primary() is primary
    wait_for("the status names it", lambda: told(cluster, replica, ["transaction", "lacks", "own", "applier stopped"]), 10)
    cluster.wait_acknowledged(wire.now_ns(), 10)
    assert rows.changes(primary.server, cluster.writes()) == []
    assert not primary.server.query("SHOW DATABASES LIKE 'errant'")


def test_wrong_replication_password_is_named(cluster):
    cluster.begin()
    primary = cluster.primary()
    replica = cluster.other(primary)
    primary.server.query("SET sql_log_bin=0", "ALTER USER '%s'@'192.0.2.%%' IDENTIFIED BY 'changed'"
                         % mariadb.REPLICATION_USER)
    replica.host.kill("mariadb")
    cluster.wait_acknowledged(wire.now_ns(), 20)
    wait_for("the status names it", lambda: told(cluster, replica, ["denied", "password", "1045"]), 20)
    status = cluster.data_status()
    assert not any(n["in_sync"] for n in status["nodes"] if n["name"] == replica.name)
    primary.server.query("SET sql_log_bin=0", "ALTER USER '%s'@'192.0.2.%%' IDENTIFIED BY '%s'"
                         % (mariadb.REPLICATION_USER, mariadb.REPLICATION_PASSWORD))
    cluster.wait_in_sync(60)
    assert cluster.judge() == []


@pytest.mark.parametrize("returns", [False, True], ids=["one-session", "comes-back"])
def test_switchover_while_a_superuser_writes(cluster, returns):
    """read_only does not bind it. Its session is ended and leaves nothing behind that the new primary lacks. One that comes back at
    once and writes on the closed server writes there alone: MariaDB cannot forbid it, and that server may be set aside for it. What it
    was told before the switchover began is kept, and so is all of everybody else's."""
    cluster.begin()
    old = cluster.primary()
    stop = threading.Event()
    acknowledged = []

    def superuser():
        number = 0
        while not stop.is_set():
            with contextlib.suppress(pymysql.err.MySQLError, OSError), contextlib.closing(old.server.connect()) as connection:
                while not stop.is_set():
                    number += 1
                    connection.cursor().execute("INSERT INTO shop.writes VALUES (%d, @@server_id, 's')" % -number)
                    acknowledged.append((wire.now_ns(), -number))
            if not returns:
                break

    thread = threading.Thread(target=superuser)
    thread.start()
    try:
        sleep_ms(300)
        begun = wire.now_ns()
        result = cluster.mhactl("switchover", node=old)
        sleep_ms(1000)
    finally:
        stop.set()
        thread.join()
    cluster.wait_acknowledged(wire.now_ns(), 20)
    if not returns:
        assert result.returncode == 0, result
        cluster.wait_in_sync(60)
    primary = cluster.wait_settled(rejoined=not returns)[0]
    bound = {number for time, number in acknowledged if time < begun or not returns}
    assert bound
    lost = bound - rows.written(primary.server).keys()
    assert not lost, "acknowledged writes of a superuser are missing"
    assert cluster.judge(rejoined=not returns) == []


def test_backlog_behind_a_stopped_applier_is_not_lost(cluster):
    """The replica received and acknowledged, but did not apply, when the primary dies."""
    cluster.begin()
    primary = cluster.primary()
    replica = cluster.other(primary)
    replica.server.query("STOP SLAVE SQL_THREAD")
    sleep_ms(150)
    event = wire.now_ns()
    primary.power_off()
    cluster.wait_acknowledged(event + 1, 40)
    primary.power_on()
    cluster.wait_in_sync(60)
    assert cluster.judge() == []


def test_commit_that_waits_is_never_told_ok_by_a_fence(cluster):
    """The primary is cut off with commits that wait for their acknowledgement."""
    cluster.begin()
    primary = cluster.primary()
    results = []

    def insert(number):
        try:
            with contextlib.closing(primary.server.connect(mariadb.APP_USER, mariadb.APP_PASSWORD, 10)) as connection:
                connection.cursor().execute("INSERT INTO shop.writes VALUES (%d, @@server_id, 'x')" % -number)
                results.append(number)
        except (pymysql.err.MySQLError, OSError):
            pass

    threads = [threading.Thread(target=insert, args=(n,)) for n in range(1, 11)]
    primary.host.cut()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [], "a commit that nobody acknowledged was told OK"
    cluster.wait_primary(20, but=primary)
    primary.host.uncut()
    rejoin(cluster, primary)
    assert cluster.judge() == []


def test_clients_keep_a_stale_neighbour_entry(cluster):
    """A client that never asks again must still arrive at the new primary within a second."""
    cluster.begin()
    old, new, gap_ms = fail_over(cluster, lambda old: old.host.kill("mariadb"))
    entry = cluster.client.run_command("ip", "neigh", "show", VIP).stdout
    assert new.host.mac in entry, entry
    assert gap_ms < ELECTION_MS
    assert cluster.judge() == []
