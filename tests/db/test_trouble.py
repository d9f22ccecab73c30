"""Dead, hung or full, and what else can be wrong: each fault is really made, and each is told apart."""

import contextlib
import os
import signal
import subprocess
import time

import pymysql
import pytest

from clients import Load, Writer, create_orders, stalls, values
from dbworker import Worker

TIMEOUT = 0.6  # probe_timeout_ms of the tests' workers


@pytest.fixture
def on_disk(make_disk, make_server, make_worker):
    """(disk, open worker) of a server whose data directory, or binary log alone, is on the disk."""

    def make(filesystem, log_only=False):
        disk = make_disk(filesystem)
        if log_only:
            server = make_server(1, f"--log-bin={disk.path}/bin")
        else:
            server = make_server(1, start=False)
            # as a server has them in real life: a hole in InnoDB's log would end it at once
            subprocess.run(["cp", "-a", "--sparse=never", server.data, f"{disk.path}/data"], check=True)
            server.data = f"{disk.path}/data"
            server.start()
        worker = make_worker(server)
        worker.open(3)
        create_orders(server)
        writer = Writer(server, 1)
        writer.join(2)
        assert writer.told == "ok"
        return disk, worker

    return make


def changes(worker):
    """What the worker's log says of states and trouble."""
    return [line.split("] ", 1)[1] for line in open(worker.log)
            if "the database is " in line or "trouble" in line]


def stays(worker, seconds, condition):
    """Every observation of the next seconds is so."""
    begin, seen = time.monotonic(), 0
    while time.monotonic() - begin < seconds:
        if worker.receive(0.2):
            assert condition(worker.observation), worker.observation
            seen += 1
    assert seen > 2


# ---- a full disk ----


@pytest.mark.parametrize("filesystem", ["tmpfs", "ext4"])
def test_a_full_disk(on_disk, filesystem):
    disk, worker = on_disk(filesystem)
    disk.fill()
    for _ in range(3):
        assert worker.fresh()["trouble_kind"] != "DB_TROUBLE_DISK_FULL"  # nobody needs space yet
    begin = time.monotonic()
    waiting = [Writer(worker.server, i) for i in range(200, 260)]
    seen = worker.wait(lambda o: o["state"] == "DB_HUNG", 5)
    hung = seen["heard"] - begin
    print(f"a full disk counts after {hung * 1000:.0f} ms")
    assert seen["trouble_kind"] == "DB_TROUBLE_DISK_FULL" and "disk is full" in seen["trouble"]
    assert hung < 4 * TIMEOUT + stalls.since(begin)
    assert any(w.told is None for w in waiting), "clients really wait"
    assert worker.server.value("1") == 1, "though it answers"
    stays(worker, 1.5, lambda o: o["state"] == "DB_HUNG" and o["trouble_kind"] == "DB_TROUBLE_DISK_FULL")
    # it cannot become read-only either: the fence ends in a kill, in time
    seen = worker.ask("fence", reason="a test")["observation"]
    assert worker.waited < 1 + stalls.since(begin) and seen["fenced"] and not worker.server.alive()
    for w in waiting:
        w.join(2)
    told = {w.value for w in waiting if w.told == "ok"} | {1}
    disk.empty()
    worker.server.start()
    worker.up()
    assert told <= values(worker.server)
    assert len([c for c in changes(worker) if "disk is full" in c]) == 1, changes(worker)


def test_a_disk_that_was_full_for_a_moment(on_disk):
    """There is room again, but the server waits: it looks once a minute. Nothing but a restart ends that sooner."""
    disk, worker = on_disk("ext4")
    disk.fill()
    begin = time.monotonic()
    waiting = [Writer(worker.server, i) for i in range(200, 260)]
    worker.wait(lambda o: o["state"] == "DB_HUNG" and o["trouble_kind"] == "DB_TROUBLE_DISK_FULL", 5)
    disk.empty()
    seen = worker.wait(lambda o: o["state"] == "DB_HUNG" and o["trouble_kind"] != "DB_TROUBLE_DISK_FULL", 20)
    assert seen["heard"] - begin > 3 * TIMEOUT, "another node would do better sooner; without one it is given time"
    assert "room" in seen["trouble"] or "room" in seen["error"], seen
    assert any(w.told is None for w in waiting), "clients really wait"
    worker.server.kill()
    for w in waiting:
        w.join(5)


def test_a_replica_with_a_full_disk(on_disk, make_server, make_worker):
    disk, second = on_disk("tmpfs")
    second.ask("close", timeout_us=2000000)
    primary = make_server(2)
    first = make_worker(primary)
    first.open(4)
    create_orders(primary)
    with second.server.root() as c:
        c.execute("SET sql_log_bin = 0")
        c.execute("DROP DATABASE shop")
        c.execute("DROP DATABASE mha4rdb")
        c.execute("RESET MASTER")
    second.follow(primary, 4)
    disk.fill()
    loads = [Load(primary) for _ in range(2)]
    seen = second.wait(lambda o: o["trouble_kind"] == "DB_TROUBLE_DISK_FULL", 10)
    assert "disk is full" in seen["trouble"]
    stays(second, 1, lambda o: o["trouble_kind"] == "DB_TROUBLE_DISK_FULL")
    for load in loads:
        load.stop()


# ---- a disk that hangs ----


def test_a_disk_that_hangs(on_disk):
    disk, worker = on_disk("ext4")
    load = Load(worker.server)
    stays(worker, 0.5, lambda o: o["state"] == "DB_UP")
    begin = time.monotonic()
    disk.freeze()
    seen = worker.wait(lambda o: o["state"] == "DB_HUNG", 5)
    hung = seen["heard"] - begin
    print(f"a disk that hangs counts after {hung * 1000:.0f} ms")
    assert hung < 4 * TIMEOUT + stalls.since(begin)
    assert seen["trouble_kind"] != "DB_TROUBLE_DISK_FULL"
    told = len(load.told)
    stays(worker, 1, lambda o: o["state"] == "DB_HUNG")
    assert len(load.told) == told and load.is_alive(), "its client really waits"
    disk.thaw()
    worker.wait(lambda o: o["state"] == "DB_UP", 5)
    stays(worker, 1, lambda o: o["state"] == "DB_UP")
    assert set(load.stop()) <= values(worker.server) and load.error is None
    assert len([c for c in changes(worker) if "the database is hung" in c]) == 1, changes(worker)


def test_a_disk_that_hangs_and_hangs_again_does_not_flap(on_disk):
    """Between two hangs it answers, but not for long enough to count."""
    disk, worker = on_disk("ext4")
    load = Load(worker.server)
    disk.freeze()
    worker.wait(lambda o: o["state"] == "DB_HUNG", 5)
    for _ in range(3):
        disk.thaw()
        told = len(load.told)
        begin = time.monotonic()
        while len(load.told) == told and time.monotonic() - begin < 2:
            time.sleep(0.005)
        assert len(load.told) > told, "it answered in between"
        disk.freeze()
        stays(worker, 1.5 * TIMEOUT, lambda o: o["state"] == "DB_HUNG")
    assert len([c for c in changes(worker) if "the database is" in c]) == 2, changes(worker)
    disk.thaw()
    worker.wait(lambda o: o["state"] == "DB_UP", 5)
    load.stop()


def test_the_disk_of_the_binary_log_alone_hangs(on_disk):
    """It could be a large transaction that is being written: held writes at first, a hang later."""
    disk, worker = on_disk("ext4", log_only=True)
    load = Load(worker.server)
    stays(worker, 0.5, lambda o: o["state"] == "DB_UP")
    begin = time.monotonic()
    disk.freeze()
    seen = worker.wait(lambda o: o["trouble_kind"] == "DB_TROUBLE_WRITES_HELD", 5)
    assert seen["state"] == "DB_UP" and "binary log" in seen["trouble"]
    seen = worker.wait(lambda o: o["state"] == "DB_HUNG", 10)
    assert seen["heard"] - begin > 5 * TIMEOUT - 0.1
    assert load.is_alive()
    disk.thaw()
    worker.wait(lambda o: o["state"] == "DB_UP", 5)
    load.stop()
    assert load.error is None


# ---- file systems that take no writes ----


@pytest.mark.parametrize("fault", ["become_read_only", "die"])
def test_the_binary_log_takes_no_writes(on_disk, fault):
    disk, worker = on_disk("ext4", log_only=True)
    stays(worker, 0.5, lambda o: o["state"] == "DB_UP")
    getattr(disk, fault)()
    refused, begin = [], time.monotonic()
    while not (worker.observation["state"] == "DB_HUNG"):
        writer = Writer(worker.server, 5)
        writer.join(2)
        refused.append(writer.told)
        worker.receive(0.05)
        worker.drain_socket()
        assert time.monotonic() - begin < 8, (refused, worker.tail())
    print(f"refused commits count after {(time.monotonic() - begin) * 1000:.0f} ms, {len(refused)} of them")
    assert worker.observation["trouble_kind"] == "DB_TROUBLE_READ_ONLY_FILES"
    assert all(told and told != "ok" for told in refused), refused
    stays(worker, 1, lambda o: o["state"] == "DB_HUNG")


def test_a_file_system_that_became_read_only(on_disk):
    """Under InnoDB's log writes are refused, until the server ends itself: at once or some seconds later."""
    disk, worker = on_disk("ext4")
    begin = time.monotonic()
    disk.become_read_only()
    seen = worker.wait(lambda o: o["state"] != "DB_UP", 5)
    assert seen["heard"] - begin < 2 * TIMEOUT + stalls.since(begin)
    # refused, unanswered, or dead already: which of them is InnoDB's mood
    assert seen["trouble_kind"] in ("DB_TROUBLE_READ_ONLY_FILES", "DB_TROUBLE_NONE"), seen
    worker.ask("fence", reason="a test")
    # read-only where the server still carries that out, else killed: in both nobody writes
    if worker.server.alive():
        assert worker.server.value("@@global.read_only") == 1


# ---- locks are no hang ----


@pytest.mark.parametrize("statements", [
    ["FLUSH TABLES WITH READ LOCK"],
    ["BACKUP STAGE START", "BACKUP STAGE FLUSH", "BACKUP STAGE BLOCK_DDL", "BACKUP STAGE BLOCK_COMMIT"],
])
def test_a_lock_of_a_backup(server, worker, statements):
    worker.open(1)
    create_orders(server)
    holder = server.connect()
    with holder.cursor() as c:
        for statement in statements:
            c.execute(statement)
    writer = Writer(server, 1)
    seen = worker.wait(lambda o: o["trouble_kind"] == "DB_TROUBLE_WRITES_HELD")
    assert seen["state"] == "DB_UP" and "lock" in seen["trouble"]
    stays(worker, 6 * TIMEOUT, lambda o: o["state"] == "DB_UP" and o["trouble_kind"] == "DB_TROUBLE_WRITES_HELD")
    assert writer.told is None
    holder.close()
    worker.wait(lambda o: o["trouble_kind"] == "DB_TROUBLE_NONE" and not o["trouble"])
    writer.join(2)
    assert writer.told == "ok"
    assert [c for c in changes(worker) if "trouble" in c][0].startswith("warning: trouble: ")
    assert len([c for c in changes(worker) if "trouble" in c]) == 2, changes(worker)


def test_short_locks_are_no_trouble(server, worker):
    worker.open(1)
    create_orders(server)
    for _ in range(8):
        with server.root() as c:
            c.execute("FLUSH TABLES WITH READ LOCK")
            time.sleep(0.15)
        time.sleep(0.15)
        worker.drain_socket()
        assert worker.observation["trouble_kind"] == "DB_TROUBLE_NONE"
    assert not [c for c in changes(worker) if "trouble" in c], changes(worker)


def test_commits_that_wait_for_an_acknowledgement_are_no_hang(server, worker):
    """The second one that waits holds the log."""
    worker.open(1)
    create_orders(server)
    worker.ask("set_commit_rule", epoch=1, acks=1)
    waiting = [Writer(server, i) for i in range(5)]
    worker.wait(lambda o: o["waiting_commits"] > 0)
    stays(worker, 7 * TIMEOUT, lambda o: o["state"] == "DB_UP" and o["trouble_kind"] == "DB_TROUBLE_NONE")
    assert all(w.told is None for w in waiting)


# ---- connections ----


def test_no_connection_free(make_server, make_worker):
    server = make_server(1, "--max-connections=14")
    worker = make_worker(server)
    worker.open(3)
    create_orders(server)
    worker.wait(lambda o: len(server.query("SELECT 1 FROM information_schema.PROCESSLIST WHERE USER = 'mha4rdb'")) == 5)
    held = []
    with pytest.raises(pymysql.err.OperationalError, match="ny connections"):
        while True:
            held.append(server.app())
    with contextlib.suppress(pymysql.err.OperationalError):
        held.append(server.connect())  # the one more, for those with CONNECTION ADMIN
    # who has its connections does not even notice, and can fence
    stays(worker, 0.5, lambda o: o["state"] == "DB_UP" and o["open"] and not o["trouble"])
    late = Worker(server, lock=os.path.join(server.dir, "other.lock"))
    try:
        with pytest.raises(pymysql.err.OperationalError, match="ny connections"):
            server.connect("mha4rdb", "agent-secret")  # the one for CONNECTION ADMIN is taken
        seen = late.wait(lambda o: o["trouble_kind"] == "DB_TROUBLE_NO_CONNECTION_FREE", 3)
        assert seen["state"] == "DB_UP"
    finally:
        late.end()
    seen = worker.ask("fence", reason="a test")["observation"]
    assert seen["fenced"] and server.alive()
    for connection in held:
        connection.close()


# ---- replication ----


@pytest.mark.parametrize("statement, number", [
    ("SET PASSWORD FOR mha4rdb_n2@'%' = PASSWORD('other')", "1045"),
    ("DROP USER mha4rdb_n2@'%'", "1045"),
    ("ALTER USER mha4rdb_n2@'%' ACCOUNT LOCK", "4151"),
    ("ALTER USER mha4rdb_n2@'%' PASSWORD EXPIRE", ""),
    ("REVOKE REPLICATION SLAVE ON *.* FROM mha4rdb_n2@'%'", ""),
    ("RENAME USER mha4rdb_n2@'%' TO mha4rdb_n2@'192.0.2.1'", ""),
])
def test_the_replication_account_is_refused(pair, statement, number):
    first, second = pair
    with first.server.root() as c:
        c.execute("SET sql_log_bin = 0")
        c.execute(statement)
        c.execute("SELECT ID FROM information_schema.PROCESSLIST WHERE USER = 'mha4rdb_n2'")
        for row in c.fetchall():
            c.execute(f"KILL {row['ID']}")
    seen = second.wait(lambda o: o["trouble_kind"] == "DB_TROUBLE_REPLICATION_REFUSED", 8)
    print(seen["trouble"])
    assert number in seen["trouble"] and seen["state"] == "DB_UP" and not seen["receiving"]


def test_the_receiver_lacks_what_was_purged(pair):
    first, second = pair
    second.ask("freeze", term=3)
    Writer(first.server, 1).join(2)
    with first.server.root() as c:
        c.execute("FLUSH LOCAL BINARY LOGS")
        c.execute("FLUSH LOCAL BINARY LOGS")
        c.execute("SHOW BINARY LOGS")
        newest = c.fetchall()[-1]["Log_name"]
        begin = time.monotonic()
        while len(c.fetchall()) != 1 and time.monotonic() - begin < 5:
            c.execute(f"PURGE BINARY LOGS TO '{newest}'")
            c.execute("SHOW BINARY LOGS")
    second.ask("follow", host=first.server.host, port=first.server.port, epoch=3)
    seen = second.wait(lambda o: o["trouble_kind"] == "DB_TROUBLE_RECEIVER_FAILS", 8)
    assert "1236" in seen["trouble"]


def test_a_source_that_restarts_is_told_only_once_it_lasts(pair):
    first, second = pair
    first.server.kill()
    seen = second.wait(lambda o: o["trouble_kind"] == "DB_TROUBLE_RECEIVER_FAILS", 8)
    assert seen["state"] == "DB_UP"


def test_the_applier_was_stopped(pair):
    _first, second = pair
    with second.server.root() as c:
        c.execute("STOP SLAVE SQL_THREAD")
    seen = second.wait(lambda o: o["trouble_kind"] == "DB_TROUBLE_APPLIER_STOPPED")
    assert "START SLAVE SQL_THREAD" in seen["trouble"] and seen["receiving"]
    with second.server.root() as c:
        c.execute("START SLAVE SQL_THREAD")
    second.wait(lambda o: o["trouble_kind"] == "DB_TROUBLE_NONE" and o["applying"])


def test_the_applier_failed(pair):
    first, second = pair
    with second.server.root() as c:
        c.execute("SET sql_log_bin = 0")
        c.execute("INSERT INTO shop.orders (id, v) VALUES (1, 0)")
    Writer(first.server, 1).join(2)
    seen = second.wait(lambda o: o["trouble_kind"] == "DB_TROUBLE_APPLIER_STOPPED")
    assert "1062" in seen["trouble"] and not seen["applying"]


# ---- a stopped process ----


def test_a_stopped_process_is_hung_and_up_again_once(server, worker):
    worker.open(3)
    server.process.send_signal(signal.SIGSTOP)
    seen = worker.wait(lambda o: o["state"] == "DB_HUNG")
    assert seen["trouble_kind"] == "DB_TROUBLE_NONE" and "not answered" in seen["trouble"]
    server.process.send_signal(signal.SIGCONT)
    worker.up(4)
    stays(worker, 1, lambda o: o["state"] == "DB_UP")
    assert len([c for c in changes(worker) if "the database is" in c]) == 3, changes(worker)


# ---- who writes all the same ----


def test_who_writes_on_a_closed_server_is_ended_and_named(server, worker):
    worker.open(3)
    create_orders(server)
    worker.ask("fence", reason="a test")
    stays(worker, 0.5, lambda o: o["trouble_kind"] == "DB_TROUBLE_NONE")
    idle, reader = server.connect(), server.app()  # root came after the fence; an ordinary client, too
    writer = Writer(server, 7, "root", "")
    writer.join(2)
    seen = worker.wait(lambda o: "closed" in o["trouble"])
    assert seen["trouble_kind"] == "DB_TROUBLE_OTHER" and seen["read_only"] and seen["state"] == "DB_UP"
    begin = time.monotonic()
    with pytest.raises(pymysql.Error):
        while time.monotonic() - begin < 2:
            idle.cursor().execute("INSERT INTO shop.orders (v) VALUES (8)")
            time.sleep(0.02)
    assert "root@" in worker.wait(lambda o: "root@" in o["trouble"], 2)["trouble"]
    with reader.cursor() as c:
        c.execute("SELECT 1")  # who cannot write is left alone
    # later ones as well
    late = server.connect()
    with pytest.raises(pymysql.Error):
        while time.monotonic() - begin < 6:
            late.cursor().execute("SELECT 1")
            time.sleep(0.02)


def test_a_replica_that_applies_is_no_intruder(pair):
    first, second = pair
    load = Load(first.server)
    stays(second, 1.5, lambda o: o["trouble_kind"] == "DB_TROUBLE_NONE")
    load.stop()
    assert "somebody" not in second.tail()
