"""Promote, open, close: what the primary's database is told."""

import time

import pymysql
import pytest

from clients import Load, Raw, Writer, create_orders, values
from dbworker import Refused


pytestmark = pytest.mark.kinds("mariadb", "mysql")


def test_promote_and_open(server, worker):
    worker.up()
    worker.lease(7, 60)
    seen = worker.ask("promote", epoch=7, acks=0, node="db1")["observation"]
    assert seen["written_epoch"] == 7 and seen["read_only"] and seen["written_epoch_position"] == server.gtid(4)
    assert server.query("SELECT epoch, node FROM mha4rdb.epoch") == [{"epoch": 7, "node": "db1"}]
    seen = worker.ask("open", epoch=7)["observation"]
    assert seen["open"] and not seen["fenced"] and not seen["empty"]
    create_orders(server)
    assert worker.fresh()["open"]


def test_promote_again_changes_nothing(server, worker):
    worker.open(7)
    before = server.position()
    seen = worker.ask("promote", epoch=7, acks=0, node="db1")["observation"]
    assert server.position() == before == server.log_until(4)
    assert seen["open"] and seen["written_epoch_position"] == server.gtid(4)


def test_promote_with_a_rule_does_not_wait_for_replicas(server, worker):
    worker.up()
    begin = time.monotonic()
    seen = worker.ask("promote", epoch=2, acks=1, node="db1")["observation"]
    assert time.monotonic() - begin < 1.5
    assert seen["acks"] == 1 and seen["acks_enforced"] and seen["waiting_commits"] == 0
    seen = worker.ask("promote", epoch=3, acks=1, node="db1")["observation"]
    assert seen["written_epoch"] == 3 and seen["acks"] == 1 and seen["waiting_commits"] == 0
    with pytest.raises(Refused, match="older than 3"):
        worker.ask("promote", epoch=2, acks=1, node="db1")
    if server.kind == "mariadb":
        with pytest.raises(Refused, match="one acknowledgement"):
            worker.ask("set_commit_rule", epoch=3, acks=2)
    else:
        seen = worker.ask("set_commit_rule", epoch=3, acks=2)["observation"]
        assert seen["acks"] == 2 and seen["acks_enforced"]


def test_a_worker_that_starts_later_refuses_an_older_epoch_than_the_record(server, make_worker):
    first = make_worker(server)
    first.up()
    first.ask("promote", epoch=9, acks=0, node="db1")
    first.hang_up()
    assert first.exited() == 0
    second = make_worker(server)
    second.up()
    with pytest.raises(Refused, match="newer than 8"):
        second.ask("promote", epoch=8, acks=0, node="db1")


def test_open_needs_a_live_lease_of_that_epoch(server, worker):
    worker.up()
    worker.ask("promote", epoch=5, acks=0, node="db1")
    with pytest.raises(Refused, match="no live lease"):
        worker.ask("open", epoch=5)
    worker.lease(5, -1)
    with pytest.raises(Refused, match="no live lease"):
        worker.ask("open", epoch=5)
    worker.lease(6, 60)
    with pytest.raises(Refused, match="older than 6"):
        worker.ask("open", epoch=5)
    with pytest.raises(Refused, match="promote first"):
        worker.ask("open", epoch=6)
    assert server.value("@@read_only") == 1


def test_no_late_statement_of_an_earlier_worker(server, worker):
    """A session of the agent's account that hangs about is gone before the opening."""
    worker.up()
    worker.lease(3, 60)
    for step in ({"body": "promote", "epoch": 3, "acks": 0, "node": "db1"}, {"body": "open", "epoch": 3}):
        late = server.connect("mha4rdb", "agent-secret")
        worker.ask(**step)
        with pytest.raises(pymysql.Error):
            late.cursor().execute("SET GLOBAL read_only = 1")
    assert server.value("@@read_only") == 0


# ---- close ----


def test_close(server, worker):
    worker.open(3)
    create_orders(server)
    load = Load(server)
    root = server.connect()
    time.sleep(0.1)
    seen = worker.ask("close", timeout_us=3000000)["observation"]
    assert seen["read_only"] and seen["fenced"]
    position = server.position()
    assert seen["executed"] == position
    load.join(2)
    assert load.error and not load.is_alive()
    with pytest.raises(pymysql.Error):  # one that read_only does not bind
        root.cursor().execute("INSERT INTO shop.orders (v) VALUES (1)")
    with pytest.raises(pymysql.err.OperationalError, match="read-only"):
        server.app().cursor().execute("INSERT INTO shop.orders (v) VALUES (1)")
    assert server.position() == position
    assert values(server) == set(load.told)
    worker.ask("open", epoch=3)
    Writer(server, 2).join(2)
    assert 2 in values(server)


def test_close_given_up_restores_writability(server, worker):
    worker.open(3)
    create_orders(server)
    long_one = Writer(server, Raw("SLEEP(2)"))
    time.sleep(0.2)
    begin = time.monotonic()
    with pytest.raises(Refused, match="app@localhost.*SLEEP"):
        worker.ask("close", timeout_us=500000)
    assert 0.4 < time.monotonic() - begin < 1.2
    assert server.value("@@read_only") == 0
    writer = Writer(server, 5)
    writer.join(2)
    assert writer.told == "ok"
    long_one.join()
    assert worker.fresh()["open"]


@pytest.mark.kinds("mariadb")
def test_close_given_up_after_read_only_restores_writability(server, worker):
    """An open transaction does not hold read_only up, but its session takes its time to roll back."""
    worker.open(3)
    create_orders(server)
    session = server.app(database="shop")
    session.begin()
    with session.cursor() as cursor:
        cursor.execute("INSERT INTO shop.orders (v) SELECT seq FROM seq_1_to_400000")
    with pytest.raises(Refused, match="not gone in time"):
        worker.ask("close", timeout_us=50000)
    assert server.value("@@read_only") == 0 and worker.fresh()["open"]
    writer = Writer(server, 5)
    writer.join(5)
    assert writer.told == "ok"


def test_close_given_up_for_a_newer_request(server, worker):
    worker.open(3)
    create_orders(server)
    long_one = Writer(server, Raw("SLEEP(3)"))
    time.sleep(0.2)
    close = worker.send("close", timeout_us=10000000)
    time.sleep(0.2)
    begin = time.monotonic()
    check = worker.send("set_commit_rule", epoch=3, acks=0)
    with pytest.raises(Refused, match="newer request"):
        worker.answer(close)
    assert time.monotonic() - begin < 1
    worker.answer(check)
    writer = Writer(server, 5)
    writer.join(1)
    assert writer.told == "ok", "writable before the long statement has ended"
    assert long_one.told is None
    assert worker.fresh()["open"]


def test_close_that_waits_for_an_acknowledgement(server, worker):
    worker.open(3)
    create_orders(server)
    worker.ask("set_commit_rule", epoch=3, acks=1)
    waiting = Writer(server, 5)
    worker.wait(lambda o: o["waiting_commits"] == 1)
    with pytest.raises(Refused, match="acknowledgement"):
        worker.ask("close", timeout_us=400000)
    assert waiting.told is None
    assert worker.fresh()["open"] and worker.observation["waiting_commits"] == 1
