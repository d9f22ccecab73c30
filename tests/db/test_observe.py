"""What the worker sees of its database, and how soon."""

import os
import signal
import subprocess
import time

import pymysql
import pytest

from clients import stalls
from dbworker import BUILD, Worker


@pytest.mark.kinds("mariadb", "mysql")
def test_a_new_server(server, worker):
    seen = worker.up()
    assert seen["read_only"] and not seen["open"] and seen["fenced"] and seen["empty"] and seen["drained"]
    assert seen["version"] == server.value("@@version") and seen["incarnation"] != 0
    assert seen["acks"] == 0 and seen["executed"] == "" and seen["trouble"] == "" and seen["foreign"]


def test_not_empty(server, worker):
    worker.open(1)
    with server.root() as c:
        c.execute("CREATE DATABASE shop")
    seen = worker.fresh()
    assert not seen["empty"] and seen["executed"] == "0-1-5"


def test_death_is_seen_at_once_and_so_is_the_return(server, worker):
    before = worker.up()["incarnation"]
    for _ in range(3):
        worker.drain_socket()
        server.process.send_signal(signal.SIGKILL)
        killed = time.monotonic()
        seen = worker.wait(lambda o: o["state"] == "DB_DOWN")
        assert seen["heard"] - killed < 0.15 + stalls.since(killed) and seen["fenced"]
        server.process.wait()
        server.start()
        started = time.monotonic()
        seen = worker.up()
        assert seen["heard"] - started < 0.15 + stalls.since(started)
        assert seen["incarnation"] not in (0, before)
        before = seen["incarnation"]


@pytest.mark.kinds("mariadb", "mysql")
def test_a_clean_stop(server, worker):
    worker.up()
    server.stop()
    seen = worker.wait(lambda o: o["state"] == "DB_DOWN")
    assert seen["fenced"]


@pytest.mark.kinds("mariadb", "mysql")
def test_started_before_the_server(make_server, make_worker):
    server = make_server(1, start=False)
    worker = make_worker(server)
    worker.wait(lambda o: o["state"] == "DB_DOWN")
    server.start()
    worker.up()


def test_a_stopped_server_hangs(server, worker):
    worker.up()
    server.process.send_signal(signal.SIGSTOP)
    stopped = time.monotonic()
    seen = worker.wait(lambda o: o["state"] == "DB_HUNG")
    assert 0.5 < seen["heard"] - stopped < 1.0 + stalls.since(stopped)
    server.process.send_signal(signal.SIGCONT)
    worker.up(1)


def test_hangs_from_the_start(server, make_worker):
    server.process.send_signal(signal.SIGSTOP)
    worker = make_worker(server)
    worker.wait(lambda o: o["state"] == "DB_HUNG", 2)
    server.process.send_signal(signal.SIGCONT)
    worker.up(4)


def test_wrong_password(server, make_worker):
    with server.root() as c:
        c.execute("SET sql_log_bin = 0")
        c.execute("SET PASSWORD FOR mha4rdb@localhost = PASSWORD('other')")
    worker = make_worker(server)
    seen = worker.wait(lambda o: o["state"] == "DB_REFUSED")
    assert "Access denied" in seen["trouble"] and "mha4rdb" in seen["trouble"]


def test_missing_grant(server, make_worker):
    with server.root() as c:
        c.execute("SET sql_log_bin = 0")
        c.execute("REVOKE SLAVE MONITOR ON *.* FROM mha4rdb@localhost")
    worker = make_worker(server)
    seen = worker.wait(lambda o: o["state"] == "DB_REFUSED")
    assert "SLAVE MONITOR" in seen["trouble"]


@pytest.mark.kinds("mariadb", "mysql")
def test_too_many_connections_is_alive(make_server, make_worker):
    server = make_server(1, "--max-connections=12")
    worker = make_worker(server)
    worker.up()
    held = []
    with pytest.raises(pymysql.err.OperationalError, match="Too many"):
        while True:
            held.append(server.app())
    assert worker.fresh()["state"] == "DB_UP"
    late = Worker(server, lock=os.path.join(server.dir, "other.lock"))
    try:
        assert late.wait(lambda o: True)["state"] == "DB_UP"
    finally:
        late.end()
        for connection in held:
            connection.close()


def test_watch_raises_the_pace(worker):
    worker.up()
    worker.drain_socket()
    worker.observations.clear()
    worker.watch(5000, 500000)
    begin = time.monotonic()
    while time.monotonic() - begin < 0.5:
        worker.receive(0.1)
    assert len(worker.observations) > 30
    worker.observations.clear()
    begin = time.monotonic()
    while time.monotonic() - begin < 1:
        worker.receive(0.1)
    assert len(worker.observations) < 20


def test_write_probe(server, worker):
    worker.open(1)
    worker.wait(lambda o: server.value("(SELECT COUNT(*) FROM mha4rdb.probe)") == 1)
    position = server.value("@@gtid_binlog_state")
    first = server.value("(SELECT written_us FROM mha4rdb.probe)")
    worker.wait(lambda o: server.value("(SELECT written_us FROM mha4rdb.probe)") != first)
    assert server.value("@@gtid_binlog_state") == position, "the probe is not logged"


def test_a_lock_is_no_hang(server, worker):
    worker.open(1)
    with server.root() as c:
        c.execute("FLUSH TABLES WITH READ LOCK")
        seen = worker.wait(lambda o: "lock" in o["trouble"])
        assert seen["state"] == "DB_UP"
        worker.observations.clear()
        with pytest.raises(AssertionError):
            worker.wait(lambda o: o["state"] != "DB_UP", 1)
    worker.wait(lambda o: o["state"] == "DB_UP" and not o["trouble"])


def test_memory_and_time_at_rest(server, make_worker):
    """Of the program as it is shipped; the sanitizers' memory says nothing."""
    binary = os.path.join(BUILD, "../release/mha4rdb-dbworker")
    if not os.path.exists(binary):
        pytest.skip("no release build")
    worker = make_worker(server)
    worker.up()
    worker.process.kill()
    worker.process.wait()
    log = open(worker.log, "ab")
    import socket
    worker.socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    worker.process = subprocess.Popen([binary, "-c", worker.config, "-f", str(theirs.fileno()), "-l", worker.lock],
                                      pass_fds=[theirs.fileno()], stderr=log)
    theirs.close()
    for _ in range(10):
        worker.fresh()
    status = open(f"/proc/{worker.process.pid}/status").read()
    resident_kb = int(status.split("VmRSS:")[1].split()[0])
    fields = open(f"/proc/{worker.process.pid}/stat").read().rsplit(")", 1)[1].split()
    ticks = int(fields[11]) + int(fields[12])
    print(f"resident {resident_kb} kB, {ticks} ticks of CPU for {len(worker.observations)} looks")
    assert resident_kb <= 12 * 1024
    assert ticks < 20


@pytest.mark.parametrize("text, problem", [
    ("", "password"),
    ("x" * 300, "password"),
])
def test_bad_password_file(make_server, make_worker, text, problem):
    server = make_server(1, start=False)
    worker = make_worker(server)
    worker.process.kill()
    worker.process.wait()
    with open(os.path.join(worker.dir, "password"), "w") as f:
        f.write(text)
    worker.start()
    assert worker.exited() == 2
    assert problem in worker.tail()
