"""A database that hangs, is full or refuses; transactions that only one server has; commits that wait when the fence falls."""

import contextlib
import signal
import threading

import pytest

from bed import rows, wire
from bed.cluster import sleep_ms
from bed.faults import stands_still
from bed.host import wait_for
from bed.server import ERRORS
from scenario import TWO_NODES, scenario
from steps import ELECTION_MS, errant, fail_over, gap_ms, in_sync, kill_database, rejoin, switch_over, told, words

PROBE_MS = 2000
PROBE = "    probe_timeout_ms = %d;\n" % PROBE_MS
NOTICED_MS = PROBE_MS + 250  # and the pace of the probes


def disk_mb(kind):
    """A data directory, its logs, and some room."""
    return {"mariadb": 200, "mysql": 280}[kind]


NINE = "database stopped, or hangs in fsync"


@scenario(9, NINE, quick=("mariadb-2", "mysql-3"), database_extra=PROBE)
def test_09_database_stopped(cluster):
    """SIGSTOP: it accepts connections and never answers. The write probe sees it, the last rung of the fence kills it."""
    cluster.begin()

    def act(old):
        pid = old.server.pid()
        old.host.signal("database", signal.SIGSTOP)
        wait_for("it stands still", lambda: stands_still(pid), 5)

    old, _new, gap = fail_over(cluster, act)
    assert gap < NOTICED_MS + 3 * ELECTION_MS
    rejoin(cluster, old)
    assert cluster.judge() == []


@pytest.mark.separate_users
@scenario(9, NINE, quick=("mariadb-3", "mysql-2"), database_extra=PROBE, disk_mb=disk_mb)
def test_09_disk_hangs(cluster):
    """Its reads are answered, its writes wait for a disk that never answers. Even killed it stays until the disk moves again."""
    cluster.begin()

    def act(old):
        old.disk.freeze()
        assert old.disk.hangs(), "the disk still writes"

    old, _new, gap = fail_over(cluster, act)
    assert gap < NOTICED_MS + 4 * ELECTION_MS
    sleep_ms(2000)
    assert not cluster.has_vip(old)
    old.disk.thaw()
    cluster.wait_in_sync(90)
    assert cluster.judge() == []


TEN = "primary's disk full, or its file system read-only"


@pytest.mark.separate_users
@scenario(10, TEN, quick=("mariadb-2", "mysql-3"), database_extra=PROBE, disk_mb=disk_mb)
def test_10_disk_full(cluster):
    """The full node is named, and keeps its vote: its member's disk is another one."""
    cluster.begin()

    def act(old):
        old.disk.fill()
        assert old.disk.free() == 0

    old, new, gap = fail_over(cluster, act, 60)
    assert not cluster.has_vip(old)
    assert any(w in words(cluster, old) + old.host.log("agent") for w in ("space", "full", "probe", "answer")), words(cluster, old)
    assert cluster.status(old)["quorum"]
    old.disk.make_room()
    if old.host.running("database"):
        kill_database(old)  # MariaDB looks for room again only after a minute
    cluster.wait_in_sync(90)
    assert cluster.primary() is new
    assert gap < 30 * ELECTION_MS, "a server that reuses the room it has is noticed late, but is"
    assert cluster.judge() == []


@pytest.mark.separate_users
@scenario(10, TEN, without=TWO_NODES, database_extra=PROBE, disk_mb=disk_mb)
def test_10_disk_full_for_a_moment_alone(cluster):
    """Nobody can take over. Once there is room again the server would look for it after a minute; a restart in place is sooner."""
    primary = cluster.begin()
    other = cluster.other(primary)
    other.power_off()
    cluster.wait_acknowledged(wire.now_ns() + 1_000_000_000, 20, count=20)
    primary.disk.fill()
    wait_for("writes wait for room", lambda: wire.now_ns() - cluster.writes().acks[-1].acked > 3_000_000_000, 20)
    primary.disk.make_room()
    cluster.wait_acknowledged(wire.now_ns(), 40, count=20)
    assert cluster.primary() is primary
    other.power_on()
    cluster.wait_in_sync(60)
    assert cluster.judge() == []


@pytest.mark.separate_users
@scenario(10, TEN, database_extra=PROBE, disk_mb=disk_mb)
def test_10_file_system_read_only(cluster):
    cluster.begin()
    old, _new, _gap = fail_over(cluster, lambda old: old.disk.fail(), 60)
    assert not cluster.has_vip(old)
    old.power_off()
    old.disk.repair()
    old.power_on()
    cluster.wait_in_sync(90)
    assert cluster.judge() == []


@scenario(11, "all connections used up", quick=("mariadb-2", "mysql-3"))
def test_11_connections_used_up(cluster):
    primary = cluster.begin()
    hogs = []
    try:
        with pytest.raises(ERRORS):
            for _ in range(500):
                hogs.append(primary.server.connect_app())
        event = wire.now_ns()
        sleep_ms(4000)
        with pytest.raises(ERRORS):
            hogs.append(primary.server.connect_app())
        assert cluster.has_vip(primary)
        assert cluster.writes().first_ack_after(event), "the session in use goes on"
    finally:
        for hog in hogs:
            hog.close()
    cluster.wait_in_sync(30)
    assert rows.changes(primary.server, cluster.writes()) == []
    assert cluster.judge() == []


@scenario(13, "an acknowledging replica dies", quick=("mariadb-2", "mysql-3"), database_extra=PROBE)
def test_13_replica_hangs(cluster):
    """The primary's commits wait for a server that is silent; they go on once it is out of the sync set. With a second one that may
    acknowledge, nobody waits."""
    replica = cluster.other(cluster.begin())
    pid = replica.server.pid()
    event = wire.now_ns()
    replica.host.signal("database", signal.SIGSTOP)
    wait_for("it stands still", lambda: stands_still(pid), 5)
    wait_for("the sync set shows it", lambda: not in_sync(cluster, replica), 20)
    cluster.wait_acknowledged(wire.now_ns(), 20, count=20)
    assert gap_ms(cluster, event) < NOTICED_MS + 2 * ELECTION_MS
    if replica.host.running("database"):
        replica.host.signal("database", signal.SIGCONT)
    rejoin(cluster, replica)
    assert cluster.judge() == []


@pytest.mark.separate_users
@scenario(13, "an acknowledging replica dies", quick=("mysql-2",), disk_mb=disk_mb)
def test_13_replicas_disk_full(cluster):
    """For two seconds. A server that found no room looks again only after a minute, and answers meanwhile: commits do not wait for that."""
    primary = cluster.begin()
    replica = cluster.other(primary)
    if not in_sync(cluster, replica):
        replica = next(n for n in cluster.others(primary) if in_sync(cluster, n))
    event = wire.now_ns()
    replica.disk.fill()
    assert replica.disk.free() == 0
    sleep_ms(2000)
    replica.disk.make_room()
    cluster.wait_acknowledged(wire.now_ns() + 2_000_000_000, 20, count=20)
    assert gap_ms(cluster, event) < NOTICED_MS + 4 * ELECTION_MS
    assert cluster.primary() is primary
    cluster.wait_in_sync(120)
    assert cluster.judge() == []


@scenario(15, "a commit waits for its acknowledgement while the primary is fenced", quick=("mariadb-2", "mysql-2", "mysql-3"))
def test_15_waiting_commit(cluster):
    """The client gets a broken connection, never OK."""
    primary = cluster.begin()
    results, ended = [], []

    def insert(number):
        try:
            with contextlib.closing(primary.server.connect_app(10)) as connection:
                connection.cursor().execute("INSERT INTO shop.writes VALUES (%d, @@server_id, 'x')" % -number)
                results.append(number)
        except ERRORS:
            ended.append(number)

    threads = [threading.Thread(target=insert, args=(n,)) for n in range(1, 11)]
    primary.host.cut()
    for thread in threads:
        thread.start()
    with contextlib.suppress(*ERRORS):
        wait_for("they wait", lambda: primary.server.waiting_commits() > 0, 2)
    for thread in threads:
        thread.join()
    assert results == [], "a commit that nobody acknowledged was told OK"
    assert ended
    cluster.wait_primary(20, but=primary)
    primary.host.uncut()
    cluster.wait_in_sync(60)
    assert cluster.judge() == []


def leave_a_tail(cluster, primary, count=5):
    """The primary's server has in its log what nobody acknowledged and no client was told; then its host is gone."""
    told_ok = []

    def insert(connection, number):
        with contextlib.suppress(*ERRORS), contextlib.closing(connection):
            connection.cursor().execute("INSERT INTO shop.writes VALUES (%d, @@server_id, 'tail')" % -number)
            told_ok.append(number)

    connections = [primary.server.connect_app(3) for _ in range(count)]
    threads = [threading.Thread(target=insert, args=(c, n)) for n, c in enumerate(connections, 1)]
    # MariaDB's log takes no more once two groups of commits wait: let none of them be the writer's
    cluster.client.signal("writer", signal.SIGSTOP)
    wait_for("the writer's last commit is answered", lambda: primary.server.waiting_commits() == 0, 5)
    primary.host.cut()
    for thread in threads:
        thread.start()
    wait_for("they are in its log", lambda: [t for t in primary.server.transactions() if any("'tail'" in s for s in t.statements)], 3)
    primary.power_off()
    cluster.client.signal("writer", signal.SIGCONT)
    for thread in threads:
        thread.join()
    assert not told_ok, "a commit that nobody acknowledged was told OK"


@scenario(16, "the crashed primary holds a transaction nobody acknowledged", quick=("mariadb-2", "mysql-2"),)
def test_16_unacknowledged_tail(cluster):
    """Cut back (MariaDB), or saved and rebuilt (MySQL); never merged silently."""
    old = cluster.begin()
    leave_a_tail(cluster, old)
    new = cluster.wait_primary(20, but=old)
    cluster.wait_acknowledged(wire.now_ns(), 20)
    old.power_on()
    cluster.wait_in_sync(120)
    assert cluster.primary() is new
    for node in cluster.data:
        assert not node.server.query("SELECT * FROM shop.writes WHERE note = 'tail'"), "it was merged on %s" % node.name
    assert cluster.judge() == []


@scenario(17, "a replica has a transaction of its own", quick=("mariadb-2", "mysql-3"))
def test_17_errant_replica(cluster):
    """Not merged silently, not promoted over the primary, named in the status."""
    primary = cluster.begin()
    replica = cluster.other(primary)
    errant(replica)
    sleep_ms(1500)
    result = switch_over(cluster, "--to", replica.name)
    assert result.returncode == 1, "the errant server was made the primary"
    assert cluster.primary() is primary
    wait_for("the status names it", lambda: told(cluster, replica, ["transaction", "lacks", "own", "applier stopped", "alone"]), 10)
    cluster.wait_acknowledged(wire.now_ns(), 10)
    assert rows.changes(primary.server, cluster.writes()) == []
    assert not primary.server.query("SHOW DATABASES LIKE 'errant'")
    cluster.end_writing()
    assert cluster.sights().two_addresses() == []


TWENTY_EIGHT = "replication user's password wrong, or expired"


@scenario(28, TWENTY_EIGHT, quick=("mariadb-2", "mysql-3"))
def test_28_wrong_password(cluster):
    refused(cluster, lambda server, node: server.set_replication_password(node, "changed"))


@scenario(28, TWENTY_EIGHT)
def test_28_password_expired(cluster):
    refused(cluster, lambda server, node: server.expire_replication_password(node))


def refused(cluster, act):
    primary = cluster.begin()
    replica = cluster.other(primary)
    for account in (replica.name, "standby"):  # by the second it would go on without being counted
        act(primary.server, account)
    kill_database(replica)
    cluster.wait_acknowledged(wire.now_ns(), 20)
    wait_for("the status names it", lambda: told(cluster, replica, ["denied", "password", "1045", "expired", "refuse", "PASSWORD"]), 30)
    assert not in_sync(cluster, replica)
    assert not replica.server.replica()["receiving"]
    for account in (replica.name, "standby"):
        primary.server.set_replication_password(account)
    cluster.wait_in_sync(60)
    assert cluster.judge() == []
