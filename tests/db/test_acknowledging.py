"""Whose acknowledgements count: each node by an account of its own, one for those that stand by."""

import contextlib
import signal
import time

import pytest

from clients import Load, Writer, create_orders, values
from dbworker import Refused


pytestmark = pytest.mark.kinds("mariadb", "mysql")


@pytest.fixture
def trio(make_server, make_worker):
    servers = [make_server(i) for i in (1, 2, 3)]
    workers = [make_worker(s) for s in servers]
    workers[0].open(3)
    create_orders(servers[0])
    for worker in workers[1:]:
        worker.up()
        worker.follow(servers[0], 3)
    return workers


def dump_threads(server):
    return {row["USER"]: row["ID"] for row in server.query(
        "SELECT USER, ID FROM information_schema.PROCESSLIST WHERE COMMAND LIKE 'Binlog Dump%'")}


def wait_for(condition, timeout=5):
    begin = time.monotonic()
    while not condition():
        assert time.monotonic() - begin < timeout
        time.sleep(0.01)


def stand_by(worker, source, epoch, yes=True):
    worker.ask("follow", host=source.host, port=source.port, epoch=epoch, standing_by=yes)
    return worker.wait(lambda o: o["receiving"] and o["standing_by"] == yes and o["acknowledging"] != yes)


def withdraw(worker, node, allowed=False):
    return worker.ask("set_acknowledging", epoch=3, node=node, allowed=allowed)["observation"]


def test_each_node_by_its_own_account(trio):
    first, second, third = trio
    assert set(dump_threads(first.server)) == {"mha4rdb_n2", "mha4rdb_n3"}
    seen = first.wait(lambda o: o["acknowledging_clients"] == 2)
    assert seen["acknowledgers_known"] and set(seen["acknowledgers"]) == {"n1", "n2", "n3"}
    for worker in (second, third):
        assert worker.fresh()["acknowledging"] and not worker.fresh()["standing_by"]


def test_who_stands_by_gives_no_acknowledgement(trio):
    first, second, third = trio
    second.server.kill()
    stand_by(third, first.server, 3)
    assert "mha4rdb_standby" in dump_threads(first.server)
    first.ask("set_commit_rule", epoch=3, acks=1)
    writer = Writer(first.server, 1)
    third.wait(lambda o: o["received"] == first.server.position())
    time.sleep(0.3)
    assert writer.told is None and values(third.server) == {1}, "it has it, and it does not count"
    # and back: its worker tells that it holds it; on MySQL the primary's has it acknowledge something later
    third.follow(first.server, 3)
    writer.join(5)
    assert writer.told == "ok"
    assert third.fresh()["acknowledging"]


def test_changing_over_loses_nothing_that_was_received(trio):
    """With the only acknowledger's backlog still unapplied: it counts as held, and must stay so."""
    first, second, third = trio
    second.server.kill()
    first.ask("set_commit_rule", epoch=3, acks=1)
    with contextlib.closing(third.server.connect()) as lock:
        lock.cursor().execute("LOCK TABLES shop.orders READ")
        for i in range(30):
            writer = Writer(first.server, i)
            writer.join(2)
            assert writer.told == "ok"
        want = first.server.position()
        follow = third.send("follow", host=first.server.host, port=first.server.port, epoch=3, standing_by=True)
        time.sleep(0.3)
        first.server.kill()  # nobody can send it again
        assert third.fresh()["received"] == want
    third.answer(follow)
    assert third.fresh()["received"] == want
    seen = third.wait(lambda o: o["executed"] == want)
    assert seen["drained"]
    assert values(third.server) == set(range(30))


def test_withdrawn(trio):
    first, second, third = trio
    third.server.kill()
    first.ask("set_commit_rule", epoch=3, acks=1)
    Writer(first.server, 1).join(2)
    position = first.server.position()
    seen = withdraw(first, "n2")
    assert first.server.position() == position, "it is not logged"
    assert set(seen["acknowledgers"]) == {"n1", "n3"} and "mha4rdb_n2" not in dump_threads(first.server)
    writer = Writer(first.server, 2)
    seen = second.wait(lambda o: o["trouble_kind"] == "DB_TROUBLE_REPLICATION_REFUSED")
    assert ("4151" if first.server.kind == "mariadb" else "3118") in seen["trouble"] and not seen["receiving"]
    time.sleep(1.2)  # its receiver tries every second
    assert writer.told is None and "mha4rdb_n2" not in dump_threads(first.server)
    # as one that stands by it receives again, and does not count
    stand_by(second, first.server, 3)
    second.wait(lambda o: o["received"] == first.server.position())
    time.sleep(0.2)
    assert writer.told is None
    # it is written in the server: a restart does not forget it, and a second time changes nothing
    withdraw(first, "n2")
    seen = withdraw(first, "n2", allowed=True)
    assert set(seen["acknowledgers"]) == {"n1", "n2", "n3"}
    assert first.server.position().startswith(position.rsplit("-", 1)[0])
    second.follow(first.server, 3)
    writer.join(2)
    assert writer.told == "ok"


def test_withdrawn_survives_a_crash_of_the_server(trio):
    first, _second, _third = trio
    withdraw(first, "n2")
    first.server.kill()
    first.wait(lambda o: o["state"] == "DB_DOWN")
    first.server.start()
    assert set(first.up()["acknowledgers"]) == {"n1", "n3"}


def test_a_paused_replica_that_wakes_after_it_was_withdrawn(trio):
    """What it has received, and acknowledges on waking, lets no commit go."""
    first, second, third = trio
    third.server.kill()
    first.ask("set_commit_rule", epoch=3, acks=1)
    Writer(first.server, 1).join(2)
    second.server.pause()
    try:
        waiting = [Writer(first.server, i) for i in (2, 3)]
        first.wait(lambda o: o["waiting_commits"] > 0, what="waiting")
        withdraw(first, "n2")
    finally:
        second.server.process.send_signal(signal.SIGCONT)
    # it wakes with the transactions in its socket: it receives and acknowledges them there
    second.wait(lambda o: o["received"].endswith(first.server.position().split("-")[-1])
                or o["trouble_kind"] == "DB_TROUBLE_REPLICATION_REFUSED", 10)
    time.sleep(1.5)
    assert [w.told for w in waiting] == [None, None]
    assert first.fresh()["waiting_commits"] > 0
    withdraw(first, "n2", allowed=True)
    for w in waiting:
        w.join(5)
    assert [w.told for w in waiting] == ["ok", "ok"]


def test_withdrawn_under_load_the_others_acknowledge(trio):
    first, second, third = trio
    first.ask("set_commit_rule", epoch=3, acks=1)
    loads = [Load(first.server) for _ in range(3)]
    for _ in range(3):
        withdraw(first, "n2")
        assert set(dump_threads(first.server)) == {"mha4rdb_n3"}
        # everything acknowledged from here on is on the third
        told = [set(load.told) for load in loads]
        time.sleep(0.2)
        later = set().union(*(set(load.told) - t for load, t in zip(loads, told)))
        held = third.server.position()
        assert later and held
        withdraw(first, "n2", allowed=True)
        wait_for(lambda: "mha4rdb_n2" in dump_threads(first.server))
    told = set().union(*(set(load.stop()) for load in loads))
    assert all(load.error is None for load in loads)
    want = first.server.position()
    for worker in (second, third):
        worker.wait(lambda o: o["executed"] == want)
        assert values(worker.server) == told


def test_all_host_parts_of_an_account(trio):
    first, second, _third = trio
    with first.server.root() as c:
        c.execute("SET sql_log_bin = 0")
        c.execute("CREATE USER mha4rdb_n2@'127.0.0.1' IDENTIFIED BY 'replication-secret'")
        c.execute("GRANT REPLICATION SLAVE ON *.* TO mha4rdb_n2@'127.0.0.1'")
    seen = withdraw(first, "n2")
    assert "n2" not in seen["acknowledgers"]
    locked = first.server.query(first.server.LOCKED)
    assert len(locked) == 2 and all(row["l"] == "1" for row in locked)


@pytest.mark.kinds("mariadb")
def test_what_makes_an_acknowledger(trio):
    first, _second, _third = trio
    with first.server.root() as c:
        c.execute("SET sql_log_bin = 0")
        c.execute("CREATE USER mha4rdb_stray@'%'")
        assert "stray" not in first.fresh()["acknowledgers"], "it has no right to replicate"
        c.execute("GRANT REPLICATION SLAVE ON *.* TO mha4rdb_stray@'%'")
        assert "stray" in first.fresh()["acknowledgers"]
        c.execute("REVOKE REPLICATION SLAVE ON *.* FROM mha4rdb_stray@'%'")
        c.execute("CREATE ROLE replicas")
        c.execute("GRANT REPLICATION SLAVE ON *.* TO replicas")
        assert "stray" not in first.fresh()["acknowledgers"]
        c.execute("GRANT replicas TO mha4rdb_stray@'%'")
        c.execute("SET DEFAULT ROLE replicas FOR mha4rdb_stray@'%'")
        assert "stray" in first.fresh()["acknowledgers"]
    assert "stray" not in withdraw(first, "stray")["acknowledgers"]


def test_an_account_that_is_missing(trio):
    first, _second, _third = trio
    with first.server.root() as c:
        c.execute("SET sql_log_bin = 0")
        c.execute("DROP USER mha4rdb_n2@'%'")
    assert set(withdraw(first, "n2")["acknowledgers"]) == {"n1", "n3"}, "who has no account cannot acknowledge"
    with pytest.raises(Refused, match="mha4rdb_n2"):
        withdraw(first, "n2", allowed=True)


def test_one_account_for_all(make_server, make_worker):
    servers = [make_server(i) for i in (1, 2)]
    with_one = [make_worker(s, replication_user="mha4rdb_n1") for s in servers]
    first, second = with_one
    first.open(3)
    create_orders(first.server)
    second.up()
    second.follow(first.server, 3)
    seen = first.wait(lambda o: o["acknowledging_clients"] == 1)
    assert not seen["acknowledgers_known"] and seen["acknowledgers"] == []
    with pytest.raises(Refused, match="%n"):
        withdraw(first, "n2")
    # standing by is still the replica's own doing
    stand_by(second, first.server, 3)
    wait_for(lambda: first.fresh()["acknowledging_clients"] == 0)
