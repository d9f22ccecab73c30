"""The fence's rungs against everything that can stand in its way, and the ways around it."""

import signal
import subprocess
import time

import pymysql
import pytest

from clients import Load, Raw, Writer, create_orders, stalls, values
from sql_server import SINGLE_USER


def gone(server):
    return server.process.poll() is not None


@pytest.fixture
def acknowledging(pair):
    first, second = pair
    first.ask("set_commit_rule", epoch=3, acks=1)
    writer = Writer(first.server, 1)
    writer.join(5)
    assert writer.told == "ok"
    return first, second


def fenced(worker, most=1.0):
    begin = time.monotonic()
    seen = worker.ask("fence", reason="a test")["observation"]
    assert seen["fenced"] and worker.waited < most + stalls.since(begin), worker.waited
    return seen


def test_a_paused_replica_and_a_fence(acknowledging):
    """What no replica has confirmed is never told "committed", whatever becomes of the replica later."""
    first, second = acknowledging
    second.server.pause()
    waiting = [Writer(first.server, i) for i in range(100, 110)]
    first.wait(lambda o: o["waiting_commits"] > 0)
    fenced(first)
    second.server.process.send_signal(signal.SIGCONT)
    for w in waiting:
        w.join(5)
    assert all(w.told and w.told != "ok" for w in waiting), [w.told for w in waiting]
    assert gone(first.server), "there was no gentle way"


@pytest.mark.parametrize("statements", [
    ["FLUSH TABLES WITH READ LOCK"],
    ["BACKUP STAGE START", "BACKUP STAGE FLUSH", "BACKUP STAGE BLOCK_DDL", "BACKUP STAGE BLOCK_COMMIT"],
    ["BACKUP STAGE START"],
    ["LOCK TABLES shop.orders WRITE"],
])
def test_a_backup_that_holds_its_locks(server, worker, statements):
    worker.open(3)
    create_orders(server)
    holder = server.connect()
    with holder.cursor() as c:
        for statement in statements:
            c.execute(statement)
    held = Writer(server, 1)
    time.sleep(0.2)
    fenced(worker)
    held.join(5)
    assert held.told and (held.told != "ok" or statements == ["BACKUP STAGE START"])
    with pytest.raises((pymysql.Error, OSError)):
        holder.cursor().execute("INSERT INTO shop.orders (v) VALUES (2)")
    if gone(server):
        server.start()
    assert values(server) <= {1} and server.value("@@read_only") == 1


def test_idle_transactions(server, worker):
    worker.open(3)
    create_orders(server)
    idle = [server.app() for _ in range(5)]
    for connection in idle:
        connection.begin()
        connection.cursor().execute("INSERT INTO shop.orders (v) VALUES (7)")
    fenced(worker)
    assert not gone(server), "they hold nothing up"
    for connection in idle:
        with pytest.raises(pymysql.Error):
            connection.commit()
    assert values(server) == set()


def test_long_statements_end_in_a_kill_in_time(server, worker):
    worker.open(3)
    create_orders(server)
    writers = [Writer(server, Raw("SLEEP(20)")) for _ in range(3)]
    time.sleep(0.3)
    fenced(worker)
    for w in writers:
        w.join(5)
    assert gone(server) and all(w.told and w.told != "ok" for w in writers)


def test_many_clients_that_come_back_at_once(server, worker):
    """Who is ended reconnects and tries again: nobody is told "committed" after the fence."""
    worker.open(3)
    create_orders(server)
    loads = [Load(server) for _ in range(20)]
    time.sleep(0.3)
    fenced(worker)
    if gone(server):
        server.start()
    position = server.value("@@gtid_binlog_state")
    for _ in range(20):
        with pytest.raises(pymysql.err.OperationalError, match="read-only"):
            server.app().cursor().execute("INSERT INTO shop.orders (v) VALUES (1)")
    told = set().union(*(set(load.stop()) for load in loads))
    assert told <= values(server) and server.value("@@gtid_binlog_state") == position


def test_a_late_statement_of_an_earlier_worker(server, worker, make_worker):
    """SET GLOBAL read_only = 1 of a close goes on in the server while its worker is stopped; it must not land later. (That of one
    that was killed the server gives up by itself: its connection is gone.)"""
    worker.open(3)
    create_orders(server)
    long_one = Writer(server, Raw("SLEEP(3)"))
    time.sleep(0.3)
    worker.send("close", timeout_us=20000000)
    begin = time.monotonic()
    while not server.query("SELECT 1 FROM information_schema.PROCESSLIST WHERE INFO LIKE '%SET GLOBAL read_only = 1%' AND USER = 'mha4rdb'"):
        assert time.monotonic() - begin < 5
        time.sleep(0.01)
    worker.process.send_signal(signal.SIGSTOP)
    second = make_worker(server, lock=server.dir + "/second.lock")
    second.lease(3, 60)
    second.wait(lambda o: o["open"])
    second.ask("open", epoch=3)
    long_one.join(10)
    assert long_one.told == "ok"
    time.sleep(0.5)
    assert server.value("@@read_only") == 0
    writer = Writer(server, 5)
    writer.join(2)
    assert writer.told == "ok"


def test_a_clean_shutdown_while_commits_wait(acknowledging):
    """MariaDB tells none of those that wait "committed" when it is stopped in the ordinary way."""
    first, second = acknowledging
    second.server.pause()
    waiting = [Writer(first.server, i) for i in range(100, 105)]
    first.wait(lambda o: o["waiting_commits"] > 0)
    first.server.process.terminate()
    for w in waiting:
        w.join(15)
    second.server.process.send_signal(signal.SIGCONT)
    assert all(w.told and w.told != "ok" for w in waiting), [w.told for w in waiting]
    first.server.process.wait(20)
    assert first.wait(lambda o: o["state"] == "DB_DOWN")["fenced"]


@pytest.mark.skipif(SINGLE_USER, reason="needs a file system of its own; run as root")
def test_a_fence_of_a_disk_that_hangs(make_server, make_worker, tmp_path):
    """SIGKILL reaches a process that waits for its disk only once the disk answers: until then it writes nothing, and is
    not called fenced."""
    from disks import Disk
    disk = Disk("ext4")
    server = make_server(1, start=False)
    try:
        subprocess.run(["cp", "-a", "--sparse=never", server.data, f"{disk.path}/data"], check=True)
        server.data = f"{disk.path}/data"
        server.start()
        worker = make_worker(server)
        worker.open(3)
        create_orders(server)
        load = Load(server)
        time.sleep(0.3)
        disk.freeze()
        time.sleep(0.2)
        told = len(load.told)
        fence = worker.send("fence", reason="a test")
        time.sleep(1)
        worker.drain_socket()
        assert fence not in worker.replies or worker.replies[fence]["observation"]["state"] == "DB_DOWN"
        assert len(load.told) <= told + 1
        disk.thaw()
        seen = worker.answer(fence)["observation"]
        assert seen["fenced"] and seen["state"] == "DB_DOWN"
        server.process.wait(10)
        assert len(load.told) <= told + 1, "nothing was told in between"
        load.join(5)
    finally:
        disk.thaw()
        server.kill()
        disk.remove()
