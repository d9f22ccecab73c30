"""The right to write ends: at the lease's end, when told, when the agent is gone; gently if it can be done in time, else by SIGKILL."""

import os
import signal
import time

import pymysql
import pytest

from clients import Load, Raw, Writer, create_orders, stalls, values
from dbworker import Refused, now_us
from priority import urgent
from sql_server import SINGLE_USER


pytestmark = pytest.mark.kinds("mariadb", "mysql")


def wait_until(condition, timeout=5):
    begin = time.monotonic()
    while True:
        try:
            if condition():
                break
        except pymysql.Error:
            pass  # the asker's own session was ended by the fence
        assert time.monotonic() - begin < timeout + stalls.since(begin)
        time.sleep(0.002)
    return time.monotonic() - begin


def late_us(end):
    """What the machine itself was late by since half a second before `end`."""
    return int(stalls.since(time.monotonic() - (now_us() - end) / 1e6) * 1e6)


def gone(server):
    return server.process.poll() is not None


def killed_before(server, worker, end):
    """SIGKILL is sent before `end`, as seen from outside; then the server is gone, however long the kernel takes for that."""
    with urgent(worker.process) as had:
        wait_until(server.killed, 2)
        at = now_us()
    assert at < end + (0 if had else late_us(end)), at - end
    wait_until(lambda: gone(server), 20)


def closed(server):
    """Read-only; or killed, where this machine was too busy for the gentle way within a short lease."""
    return server.killed() or server.value("@@read_only") == 1


def back(server):
    """It runs, whichever way it was closed."""
    if server.killed():
        wait_until(lambda: gone(server), 20)
        server.start()


def test_asked_for(server, worker):
    worker.open(3)
    create_orders(server)
    loads = [Load(server) for _ in range(3)]
    idle, root = server.app(), server.connect()
    replica = server.connect("mha4rdb_n2", "replication-secret")
    time.sleep(0.1)
    begin = time.monotonic()
    seen = worker.ask("fence", reason="a test")["observation"]
    assert worker.waited < 0.3 + stalls.since(begin)
    assert seen["fenced"] and seen["read_only"] and not seen["open"]
    assert server.value("@@read_only") == 1
    position = server.position()
    told = set()
    for load in loads:
        load.join(2)
        assert load.error
        told |= set(load.told)
    for connection in (idle, root, replica):
        with pytest.raises(pymysql.Error):
            connection.cursor().execute("INSERT INTO shop.orders (v) VALUES (1)")
    assert server.position() == position and values(server) == told
    assert worker.fresh()["fenced"]
    # the lease lives: it may be opened again
    worker.ask("open", epoch=3)
    assert server.value("@@read_only") == 0


def test_dump_threads_stay(make_server, make_worker):
    primary, replica = make_server(1), make_server(2)
    first, second = make_worker(primary), make_worker(replica)
    first.open(3)
    second.up()
    second.follow(primary, 3)
    dump = "SELECT ID FROM information_schema.PROCESSLIST WHERE COMMAND LIKE 'Binlog Dump%'"
    # what the replica's worker tells on a connection of its own is there for a moment only
    time.sleep(1)
    wait_until(lambda: len(primary.query(dump)) == 1)
    before = primary.query(dump)
    first.ask("fence", reason="a test")
    assert primary.query(dump) == before
    assert second.fresh()["receiving"]


def test_lease_ends_though_the_agent_says_nothing(server, worker):
    worker.open(3, seconds=60)
    create_orders(server)
    worker.ask("promote", epoch=4, acks=0, node="db1")
    load = Load(server)
    end = worker.lease(4, 0.6)  # what is open goes over to this epoch, with its shorter lease
    # the agent is as good as stopped from here on: nothing is sent, nothing read
    wait_until(lambda: closed(server))
    fenced = now_us()
    assert end - 300000 < fenced < end + 20000 + late_us(end), (end - fenced)
    load.join(2)
    seen = worker.wait(lambda o: o["fenced"])
    assert server.killed() or seen["observed_us"] <= end + late_us(end)
    back(server)
    assert load.error and set(load.told) <= values(server)


def test_a_renewed_lease_keeps_it_open(server, worker):
    worker.open(3, seconds=1)
    for _ in range(15):
        time.sleep(0.1)
        worker.lease(3, 1)
        assert server.value("@@read_only") == 0
    wait_until(lambda: closed(server), 2)


def test_a_lower_epoch_does_not_count(server, worker):
    worker.open(3, seconds=0.8)
    worker.lease(2, 60)
    time.sleep(0.4)
    assert server.value("@@read_only") == 0
    wait_until(lambda: closed(server), 1)
    assert "refused" in worker.tail()


def test_the_newest_deadline_holds(server, worker):
    """A pause ends before its time."""
    worker.open(3, seconds=60)
    worker.lease(3, 60, paused=True)
    worker.lease(3, 0.4)
    assert server.value("@@read_only") == 0
    wait_until(lambda: closed(server), 0.6)


def test_only_the_newest_of_what_waits_is_judged(server, worker):
    worker.open(3, seconds=0.5)
    worker.process.send_signal(signal.SIGSTOP)
    for _ in range(30):
        worker.lease(3, 0.3)
        time.sleep(0.05)
    worker.lease(3, 60)
    worker.process.send_signal(signal.SIGCONT)
    time.sleep(0.3)
    assert server.value("@@read_only") == 0


def test_the_agent_is_gone(server, worker):
    worker.open(3, seconds=0.6)
    worker.lease(3, 0.6)
    begin = time.monotonic()
    worker.hang_up()
    time.sleep(0.2)
    assert server.value("@@read_only") == 0 and worker.process.poll() is None
    assert worker.exited(2) == 0
    assert 0.2 < time.monotonic() - begin < 0.7 + stalls.since(begin)
    assert closed(server)


def test_the_agent_is_gone_and_nothing_is_open(server, worker):
    worker.up()
    worker.lease(3, 60)
    worker.hang_up()
    assert worker.exited(1) == 0


@pytest.mark.parametrize("how", ["message", "signal"])
def test_told_to_stop(server, worker, how):
    worker.open(3, seconds=60)
    if how == "message":
        worker.send("stop")
    else:
        worker.process.send_signal(signal.SIGTERM)
    assert worker.exited(1) == 0
    assert server.value("@@read_only") == 1 and not gone(server)


@pytest.mark.parametrize("how", ["hang up", "stop"])
def test_in_a_pause_it_stays_open_and_the_next_worker_takes_it_over(server, worker, make_worker, how):
    worker.open(3, seconds=60)
    worker.lease(3, 60, paused=True)
    worker.hang_up() if how == "hang up" else worker.send("stop")
    assert worker.exited(1) == 0
    assert server.value("@@read_only") == 0
    second = make_worker(server)  # whose agent does not know yet of a lease
    seen = second.wait(lambda o: o["open"])
    time.sleep(0.3)
    assert second.fresh()["open"] and seen["written_epoch"] == 3
    # its position is found again on request
    assert second.ask("promote", epoch=3, acks=0, node="db1")["observation"]["written_epoch_position"] == server.gtid(4)
    second.lease(3, 60, paused=False)
    second.send("stop")
    assert second.exited(1) == 0
    assert server.value("@@read_only") == 1


def test_a_pause_that_is_over_keeps_nothing_open(server, worker, make_worker):
    worker.open(3, seconds=60)
    worker.lease(3, 1, paused=True)
    worker.hang_up()
    assert worker.exited(1) == 0
    second = make_worker(server)
    second.wait(lambda o: o["open"])
    wait_until(lambda: closed(server), 2)
    second.hang_up()
    assert second.exited(1) == 0
    back(server)
    with server.root() as c:
        c.execute("SET GLOBAL read_only = 0")
    third = make_worker(server)
    third.wait(lambda o: o["fenced"])


def test_found_open_without_a_lease(server, worker, make_worker):
    worker.open(3, seconds=60)
    worker.lease(3, 60, paused=True)
    worker.hang_up()
    assert worker.exited(1) == 0
    second = make_worker(server)
    second.lease(4, 60)  # not the epoch of its newest record
    second.wait(lambda o: o["fenced"])
    assert server.value("@@read_only") == 1


def test_opened_by_somebody(server, worker):
    worker.open(3)
    worker.ask("close", timeout_us=2000000)
    with server.root() as c:
        c.execute("SET GLOBAL read_only = 0")
    wait_until(lambda: server.value("@@read_only") == 1, 1)


def test_restarted_writable(make_server, make_worker):
    """A server that comes back writable is not what was opened."""
    server = make_server(1)
    worker = make_worker(server)
    worker.open(3, seconds=60)
    server.kill()
    worker.wait(lambda o: o["state"] == "DB_DOWN")
    server.start("--read-only=0")
    worker.up()
    wait_until(lambda: server.value("@@read_only") == 1, 1)


# ---- the last rung ----


def test_waiting_commits_end_in_sigkill_and_are_never_told_ok(server, worker):
    worker.open(3)
    create_orders(server)
    worker.ask("set_commit_rule", epoch=3, acks=1)
    waiting = [Writer(server, i) for i in range(5)] + [Writer(server, 9, "root", "")]
    worker.wait(lambda o: o["waiting_commits"] > 0)
    time.sleep(0.1)
    begin = now_us()
    fence = worker.send("fence", reason="a test")
    killed_before(server, worker, begin + 400000)
    seen = worker.answer(fence)["observation"]
    assert seen["fenced"] and seen["state"] == "DB_DOWN" and gone(server)
    for writer in waiting:
        writer.join(2)
        assert writer.told and writer.told != "ok", writer.told


@pytest.mark.parametrize("agent", ["silent", "gone", "stops the worker"])
def test_waiting_commits_at_the_end_of_the_lease(server, worker, agent):
    worker.open(3)
    create_orders(server)
    worker.ask("promote", epoch=4, acks=1, node="x")
    end = worker.lease(4, 1.5)
    worker.ask("promote", epoch=4, acks=1, node="x")  # from now on it is open under this epoch and its lease
    waiting = [Writer(server, i) for i in range(3)]
    worker.wait(lambda o: o["waiting_commits"] > 0)
    if agent == "gone":
        worker.hang_up()
    elif agent == "stops the worker":
        worker.send("stop")
    assert not server.killed()
    killed_before(server, worker, end)
    if agent != "silent":
        assert worker.exited(1) == 0
    for writer in waiting:
        writer.join(2)
        assert writer.told and writer.told != "ok", writer.told


def test_a_hung_server_at_the_end_of_the_lease(server, worker):
    worker.open(3, seconds=0.5)
    end = worker.lease(3, 0.5)
    server.process.send_signal(signal.SIGSTOP)
    killed_before(server, worker, end)
    seen = worker.wait(lambda o: o["state"] == "DB_DOWN")
    assert seen["fenced"]


def test_a_long_statement_at_the_end_of_the_lease(server, worker):
    worker.open(3)
    create_orders(server)
    worker.lease(3, 0.5)
    slow = Writer(server, Raw("SLEEP(5)"))
    if server.kind == "mariadb":
        wait_until(server.killed, 2)
        wait_until(lambda: gone(server), 20)
    else:  # where KILL lets no commit go, the statement is killed and the server lives
        with urgent(worker.process, server.process):
            wait_until(lambda: server.value("@@read_only") == 1, 2)
        assert not gone(server)
    slow.join(1)
    assert slow.told != "ok"


def test_a_worker_that_was_stopped_looks_at_the_clock(server, worker):
    worker.open(3, seconds=0.4)
    worker.lease(3, 0.4)
    worker.process.send_signal(signal.SIGSTOP)
    time.sleep(0.7)
    worker.process.send_signal(signal.SIGCONT)
    wait_until(lambda: closed(server), 0.3)


def test_a_fence_that_is_asked_for_again_is_one_fence(server, worker):
    """Who asks again has given the first question up: the newest is answered once the database is fenced, the others at once."""
    worker.open(3)
    create_orders(server)
    worker.ask("set_commit_rule", epoch=3, acks=1)
    waiting = Writer(server, 1)
    worker.wait(lambda o: o["waiting_commits"] > 0)
    asked = [worker.send("fence", reason="a test") for _ in range(3)]
    for number in asked[:-1]:
        with pytest.raises(Refused, match="newer"):
            worker.answer(number)
    assert worker.answer(asked[-1])["observation"]["fenced"] and gone(server)
    waiting.join(1)
    assert waiting.told and waiting.told != "ok"
    assert worker.tail().count("the database is fenced") == 1


@pytest.mark.skipif(SINGLE_USER, reason="needs separate users; run as root")
def test_a_kill_command_that_fails_is_run_again(server, make_worker):
    """The worker has no right to signal the server itself, as in real life."""
    asked = os.path.join(server.dir, "worker", "asked")
    worker = make_worker(server, uid=27183, kill=f"echo >> {asked}; test $(wc -l < {asked}) -gt 1")
    worker.open(3)
    create_orders(server)
    worker.ask("set_commit_rule", epoch=3, acks=1)
    waiting = Writer(server, 1)
    worker.wait(lambda o: o["waiting_commits"] > 0)
    fence = worker.send("fence", reason="a test")
    wait_until(lambda: os.path.exists(asked) and len(open(asked).read()) == 2, 6)
    assert not gone(server) and fence not in worker.replies and waiting.told != "ok"
    server.kill()
    seen = worker.answer(fence)["observation"]
    assert seen["state"] == "DB_DOWN" and seen["fenced"]
    waiting.join(1)
    assert waiting.told != "ok"


def test_one_worker_at_a_time(server, worker, make_worker):
    worker.open(3, seconds=0.8)
    worker.lease(3, 0.8)
    worker.hang_up()
    second = make_worker(server)
    with urgent(worker.process, server.process):
        with pytest.raises(AssertionError):
            second.wait(lambda o: True, 0.4)
        assert server.value("@@read_only") == 0
        seen = second.up(3)
    assert seen["read_only"] and worker.exited(1) == 0
