"""What is MySQL's own: obstacles of the fence, read-only in two steps, stranded commits, the relay log that survives, the stop of a server."""

import os
import re
import subprocess
import time

import pymysql
import pytest

from clients import Raw, Writer, create_orders, stalls, values
from dbworker import Refused
from mysql_server import MYSQL

pytestmark = pytest.mark.kinds("mysql")
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


@pytest.fixture
def primary(server, worker):
    worker.open(3)
    create_orders(server)
    return worker


def closed(server):
    return server.query("SELECT @@read_only AS r, @@super_read_only AS s")[0] == {"r": 1, "s": 1}


def fenced_gently(worker):
    """Fences it; false: it was killed, since this machine was too busy for the 250 ms that a gentle fence has."""
    begin = time.monotonic()
    seen = worker.ask("fence", reason="a test")["observation"]
    late = stalls.since(begin)
    assert seen["fenced"] and worker.waited < 0.3 + late + (0 if worker.server.alive() else 2)
    assert worker.server.alive() or late > 0.1, f"killed though the machine was late by {late} s only"
    return worker.server.alive()


# ---- the fence ----

OBSTACLES = {
    "idle transaction": ("BEGIN", "INSERT INTO shop.orders (v) VALUES (1)"),
    "read lock on all": ("FLUSH TABLES WITH READ LOCK",),
    "backup lock": ("LOCK INSTANCE FOR BACKUP",),
    "write lock on a table": ("LOCK TABLES shop.orders WRITE",),
}


@pytest.mark.parametrize("obstacle", OBSTACLES)
@pytest.mark.parametrize("user", ["app", "root"])
def test_what_does_not_hold_a_fence_up(primary, obstacle, user):
    server = primary.server
    with server.root() as c:
        c.execute("GRANT RELOAD, BACKUP_ADMIN, LOCK TABLES ON *.* TO app@'%'")
    holder = server.connect(user, "app" if user == "app" else "")
    with holder.cursor() as cursor:
        for statement in OBSTACLES[obstacle]:
            cursor.execute(statement)
    if not fenced_gently(primary):
        return
    assert closed(server)
    with pytest.raises((pymysql.Error, OSError)):
        holder.cursor().execute("COMMIT")
        holder.cursor().execute("INSERT INTO shop.orders (v) VALUES (1)")
    assert values(server) == set()
    # and back
    primary.ask("open", epoch=3)
    writer = Writer(server, 5)
    writer.join(5)
    assert writer.told == "ok"


@pytest.mark.parametrize("user", ["app", "root"])
def test_a_long_statement_is_killed_and_the_server_lives(primary, user):
    server = primary.server
    slow = Writer(server, Raw("SLEEP(30)"), user, "app" if user == "app" else "")
    time.sleep(0.3)
    gently = fenced_gently(primary)
    slow.join(2)
    assert slow.told != "ok"
    if gently:
        assert closed(server) and values(server) == set()


def test_acknowledgements_stay_demanded_in_a_fence(primary):
    server = primary.server
    primary.ask("set_commit_rule", epoch=3, acks=1)
    waiting = [Writer(server, i) for i in range(3)] + [Writer(server, 9, "root", "")]
    primary.wait(lambda o: o["waiting_commits"] >= 4)
    seen = primary.ask("fence", reason="a test")["observation"]
    assert seen["fenced"] and not server.alive()
    for writer in waiting:
        writer.join(2)
        assert writer.told and writer.told != "ok"


def test_a_commit_that_is_acknowledged_meanwhile_lets_the_server_live(pair):
    """The dump threads are no clients: what is under way is replicated to its end."""
    first, second = pair
    first.ask("set_commit_rule", epoch=3, acks=1)
    second.server.pause()
    waiting = Writer(first.server, 1)
    first.wait(lambda o: o["waiting_commits"] > 0)
    fence = first.send("fence", reason="a test")
    second.server.process.send_signal(18)  # SIGCONT
    try:
        seen = first.answer(fence)["observation"]
    finally:
        waiting.join(2)
    assert seen["fenced"]
    if waiting.told == "ok":  # it was acknowledged before its session was ended
        second.wait(lambda o: values(second.server) == {1})
    if seen["state"] == "DB_UP":  # not so on a machine so busy that the replica woke too late
        assert closed(first.server)
        second.wait(lambda o: values(second.server) == {1})


# ---- read-only in two steps ----


def test_super_read_only_that_somebody_switches_off_is_closed_again(server, worker):
    worker.open(3)
    worker.ask("fence", reason="a test")
    worker.lease(3, 60)
    with server.root() as c:
        c.execute("SET GLOBAL super_read_only = 0")
    begin = time.monotonic()
    while not closed(server):
        assert time.monotonic() - begin < 2 + stalls.since(begin)
        time.sleep(0.01)
    assert "without a lease" in worker.tail()


def test_the_agents_own_writes_leave_it_closed(server, worker):
    worker.up()
    worker.watch(1000, 30000000)  # it is looked at all the while
    worker.ask("promote", epoch=4, acks=2, node="db1")
    assert closed(server)
    for _ in range(10):
        worker.ask("set_acknowledging", epoch=4, node="n3", allowed=False)
        worker.ask("set_acknowledging", epoch=4, node="n3", allowed=True)
    worker.ask("set_acknowledging", epoch=4, node="n2", allowed=False)
    assert closed(server) and "n2" not in worker.fresh()["acknowledgers"]
    worker.ask("set_acknowledging", epoch=4, node="n2", allowed=True)
    assert closed(server) and "n2" in worker.fresh()["acknowledgers"]
    # five transactions would be one too many: the accounts are not logged
    assert server.position() == server.log_until(4)
    assert "fenced" not in worker.tail().split("the database is up")[1]


def test_close_names_who_holds_it_up(primary):
    server = primary.server
    waiting = Writer(server, Raw("SLEEP(3)"))
    time.sleep(0.3)
    with pytest.raises(Refused, match="app@localhost.*SLEEP"):
        primary.ask("close", timeout_us=400000)
    assert server.query("SELECT @@read_only AS r, @@super_read_only AS s")[0] == {"r": 0, "s": 0}
    other = Writer(server, 6)
    other.join(2)
    assert other.told == "ok", "nothing is left pending"
    waiting.join(5)
    assert waiting.told == "ok"


# ---- the commit rule ----


def test_any_number_of_acknowledgements(make_server, make_worker):
    workers = [make_worker(make_server(i)) for i in (1, 2, 3)]
    first = workers[0]
    first.open(3)
    create_orders(first.server)
    for worker in workers[1:]:
        worker.up()
        worker.follow(first.server, 3)
    seen = first.ask("set_commit_rule", epoch=3, acks=2)["observation"]
    assert seen["acks"] == 2 and seen["acks_enforced"]
    writer = Writer(first.server, 1)
    writer.join(5)
    assert writer.told == "ok"
    workers[2].server.kill()
    waiting = Writer(first.server, 2)
    first.wait(lambda o: o["waiting_commits"] == 1)
    workers[1].wait(lambda o: o["received"] == first.server.position())
    time.sleep(0.3)
    assert waiting.told is None, "one has it, two are needed"
    assert first.fresh()["executed"] == first.server.position(), "what waits belongs to the log's end"
    seen = first.ask("set_commit_rule", epoch=3, acks=1)["observation"]
    waiting.join(5)
    assert waiting.told == "ok" and seen["acks"] == 1


def test_commits_whose_acknowledgement_was_lost_are_not_stranded(pair):
    """The only writer waits, and its transaction is with the replica."""
    first, second = pair
    first.ask("set_commit_rule", epoch=3, acks=1)
    second.ask("follow", host=first.server.host, port=first.server.port, epoch=3, standing_by=True)
    second.wait(lambda o: o["standing_by"])
    writer = Writer(first.server, 1)
    second.wait(lambda o: o["received"] == first.server.position())
    time.sleep(0.3)
    assert writer.told is None
    second.follow(first.server, 3)
    writer.join(10)
    assert writer.told == "ok"


# ---- the replica ----


def test_a_restarted_replica_holds_what_it_received(pair):
    first, second = pair
    assert second.fresh()["received_is_durable"]
    lock = second.server.connect()
    lock.cursor().execute("LOCK TABLES shop.orders READ")
    for i in range(20):
        Writer(first.server, i).join(5)
    want = first.server.position()
    second.wait(lambda o: o["received"] == want and o["executed"] != want)
    second.server.kill()
    first.server.kill()  # nobody can send it again
    second.wait(lambda o: o["state"] == "DB_DOWN")
    second.server.start()
    seen = second.up()
    assert seen["received"] == want and seen["executed"] != want and not seen["drained"] and seen["frozen_term"] == 0
    second.ask("freeze", term=5)
    second.ask("drain")
    assert values(second.server) == set(range(20))


@pytest.mark.parametrize("option", ["--sync-relay-log=1000", "--relay-log-recovery=ON"])
def test_received_is_not_durable(make_server, make_worker, option):
    worker = make_worker(make_server(1, option))
    assert not worker.up()["received_is_durable"]


def test_a_purged_log_says_so(make_server, make_worker):
    first, second = make_worker(make_server(1)), make_worker(make_server(2))
    first.open(3)
    with first.server.root() as c:
        c.execute("FLUSH BINARY LOGS")
        c.execute("PURGE BINARY LOGS TO 'bin.000002'")
    second.up()
    second.ask("follow", host=first.server.host, port=first.server.port, epoch=3)
    seen = second.wait(lambda o: o["trouble_kind"] == "DB_TROUBLE_RECEIVER_FAILS", 15)
    assert "purged" in seen["trouble"] and not seen["receiving"]


def test_replication_by_tls(make_server, make_worker):
    first = make_worker(make_server(1))
    plain, secure = make_worker(make_server(2)), make_worker(make_server(3), replication_tls="true")
    with first.server.unlocked() as c:
        c.execute("SET sql_log_bin = 0")
        c.execute("ALTER USER mha4rdb_n2@'%' REQUIRE SSL")
        c.execute("ALTER USER mha4rdb_n3@'%' REQUIRE SSL")
    first.open(3)
    for worker in (plain, secure):
        worker.up()
    secure.follow(first.server, 3)
    plain.ask("follow", host=first.server.host, port=first.server.port, epoch=3)
    plain.wait(lambda o: o["trouble_kind"] == "DB_TROUBLE_REPLICATION_REFUSED", 15)


# ---- the preflight ----


def subjects(findings, fatal=None):
    return {f["subject"] for f in findings if fatal is None or f["fatal"] == fatal}


def test_a_good_server(make_server, make_worker):
    worker = make_worker(make_server(2))
    worker.up()
    reply = worker.ask("check")
    assert subjects(reply["findings"], fatal=True) == set(), reply["findings"]
    assert subjects(reply["findings"]) == {"accounts"} and reply["server_id"] == 2
    assert "root" in reply["findings"][0]["problem"]


def test_a_careless_server(make_server, make_worker):
    server = make_server(2, "--sync-binlog=0", "--innodb-flush-log-at-trx-commit=2", "--skip-log-replica-updates", "--sync-relay-log=10",
                         "--relay-log-recovery=ON", "--super-read-only=0", "--read-only=0", "--replica-preserve-commit-order=0",
                         "--skip-skip-replica-start")
    with server.root() as c:
        c.execute("SET sql_log_bin = 0")
        c.execute("DROP USER mha4rdb_n2@'%', mha4rdb_standby@'%'")
        c.execute("REVOKE SYSTEM_USER, CREATE USER ON *.* FROM mha4rdb@localhost")
    worker = make_worker(server)
    worker.up()
    findings = worker.ask("check")["findings"]
    assert subjects(findings, fatal=True) == {"sync_binlog", "innodb_flush_log_at_trx_commit", "log_replica_updates", "super_read_only",
                                              "skip_replica_start", "grants", "replication_user"}, findings
    assert {"sync_relay_log", "relay_log_recovery", "replica_preserve_commit_order"} <= subjects(findings, fatal=False)
    with server.root() as c:  # the remedies that are statements work as they stand
        for finding in findings:
            if finding["subject"] in ("sync_binlog", "innodb_flush_log_at_trx_commit", "grants"):
                for statement in finding["remedy"].split("   ")[0].split(";"):
                    if statement.strip():
                        c.execute(statement)
    findings = worker.ask("check")["findings"]
    assert not {"sync_binlog", "innodb_flush_log_at_trx_commit", "grants"} & subjects(findings)


def test_what_a_rebuild_needs(make_server, make_worker):
    """CLONE_ADMIN here, BACKUP_ADMIN for the account that comes to the donor, the plugin: without them everything else works."""
    server = make_server(2)
    with server.unlocked() as c:
        c.execute("SET sql_log_bin = 0")
        c.execute("REVOKE CLONE_ADMIN ON *.* FROM mha4rdb@localhost")
        c.execute("REVOKE BACKUP_ADMIN ON *.* FROM mha4rdb_standby@'%', mha4rdb_n1@'%', mha4rdb_n2@'%'")  # nodes' own: not needed
    before = server.position()
    worker = make_worker(server)
    worker.up()
    findings = worker.ask("check")["findings"]
    found = {f["subject"]: f for f in findings if f["subject"] != "accounts"}
    assert set(found) == {"grants", "replication_user"} and len(findings) == 3, findings
    assert not found["grants"]["fatal"] and "CLONE_ADMIN" in found["grants"]["problem"]
    assert not found["replication_user"]["fatal"] and re.search("'mha4rdb_standby'@'%'.*BACKUP_ADMIN", found["replication_user"]["problem"])
    assert worker.ask("check", switchover=True)["findings"] == [], "nothing that a switchover needs"
    with server.root() as c:  # as they stand, on a server that is closed
        for finding in found.values():
            for statement in finding["remedy"].split("   ")[0].split(";"):
                if statement.strip():
                    c.execute(statement)
    assert subjects(worker.ask("check")["findings"]) == {"accounts"}
    assert server.position() == before, "nothing of it is logged"


def test_without_the_clone_plugin(make_server, make_worker):
    server = make_server(2, "--plugin-load=semisync_source.so;semisync_replica.so")
    worker = make_worker(server)
    worker.up()
    found = [f for f in worker.ask("check")["findings"] if f["subject"] != "accounts"]
    assert len(found) == 1 and not found[0]["fatal"] and "clone" in found[0]["problem"] and "mysql_clone.so" in found[0]["remedy"], found


@pytest.mark.parametrize("more, found", [([], set()), (["--skip-replicate-same-server-id"], {"replicate_same_server_id"}),
                                         (["--skip-replicate-same-server-id", "--log-error-verbosity=1"], set())])  # then nothing tells
def test_a_server_that_drops_its_own_events(make_server, make_worker, more, found):
    server = make_server(2, "--performance-schema=ON", *more)
    worker = make_worker(server)
    worker.up()
    findings = worker.ask("check")["findings"]
    assert subjects(findings) - {"accounts"} == found, findings
    assert not found & subjects(findings, fatal=True)


def test_a_switchover_is_looked_at_from_both_sides(pair):
    first, second = pair
    assert first.ask("check", switchover=True)["findings"] == []
    assert second.ask("check", switchover=True)["findings"] == []
    session = first.server.app()
    session.begin()
    with session.cursor() as cursor:
        cursor.execute("INSERT INTO shop.orders (v) VALUES (1)")
    second.server.stop_applier()
    time.sleep(6.5)
    found = first.ask("check", switchover=True)["findings"]
    assert subjects(found) == {"transactions"} and re.search(r"app@localhost", found[0]["problem"]), found
    with first.server.root() as c:
        c.execute(found[0]["remedy"].split(";")[0])
    assert first.ask("check", switchover=True)["findings"] == []
    found = second.ask("check", switchover=True)["findings"]
    assert subjects(found, fatal=True) == {"replication"} and "START REPLICA SQL_THREAD" in found[0]["remedy"]


# ---- health ----


def test_a_full_disk(make_server, make_worker, make_disk):
    """Under the binary log: MySQL itself says nothing of it to those who ask."""
    disk = make_disk("tmpfs")
    server = make_server(1, f"--log-bin={disk.path}/bin")
    worker = make_worker(server)
    worker.open(3)
    create_orders(server)
    disk.fill()
    waiting = [Writer(server, i) for i in range(60)]
    seen = worker.wait(lambda o: o["state"] == "DB_HUNG", 20)
    assert seen["trouble_kind"] == "DB_TROUBLE_DISK_FULL" and "disk is full" in seen["trouble"]
    assert any(w.told is None for w in waiting) and server.value("1") == 1
    seen = worker.ask("fence", reason="a test")["observation"]
    assert seen["fenced"] and not server.alive()
    for w in waiting:
        w.join(2)
    disk.empty()
    server.start()
    assert {w.value for w in waiting if w.told == "ok"} <= values(server)


def test_a_lock_is_no_hang(server, make_worker):
    primary = make_worker(server, probe_timeout_ms=600)  # less than the least lock_wait_timeout
    primary.open(3)
    create_orders(server)
    with primary.server.root() as c:
        c.execute("FLUSH TABLES WITH READ LOCK")
        seen = primary.wait(lambda o: o["trouble_kind"] == "DB_TROUBLE_WRITES_HELD")
        assert seen["state"] == "DB_UP" and "lock" in seen["trouble"]
        begin = time.monotonic()
        while time.monotonic() - begin < 3:  # longer than probe_timeout
            assert primary.fresh()["state"] == "DB_UP"
    primary.wait(lambda o: o["state"] == "DB_UP" and not o["trouble"])
    position = primary.server.position()
    assert position == primary.server.log_until(6), "the probe is not logged"


# ---- stopping a server ----


def stop(server, worker):
    """As systemd does: ExecStop, then SIGTERM to what is left; the server's exit status."""
    environment = {**os.environ, "MAINPID": str(server.process.pid), "PATH": f"{MYSQL}/bin:" + os.environ["PATH"]}
    subprocess.run([os.path.join(ROOT, "packaging/libexec/mysqld-stop"), worker.config], env=environment, check=True, timeout=30)
    if server.process.poll() is None:
        server.process.terminate()
    return server.process.wait(60)


def test_a_clean_stop_where_nothing_waits(primary):
    server = primary.server
    Writer(server, 1).join(2)
    primary.ask("fence", reason="its agent stops")  # a worker kills a server that goes down while it may be open
    assert stop(server, primary) == 0
    server.start()
    assert server.value("@@offline_mode") == 0 and values(server) == {1}


def test_a_server_with_waiting_commits_is_killed(pair):
    """A clean shutdown tells their clients "committed" (tried: all of them, after 11 s) though the replica has nothing."""
    first, second = pair
    first.ask("set_commit_rule", epoch=3, acks=1)
    second.server.pause()
    waiting = [Writer(first.server, i) for i in range(3)]
    first.wait(lambda o: o["waiting_commits"] > 0)
    assert stop(first.server, first) == -9
    for writer in waiting:
        writer.join(2)
        assert writer.told and writer.told != "ok"
