"""A server without any epoch record was never this cluster's: the worker watches it, and leaves its right to write to the agent."""

import time

import pytest

from clients import Load, create_orders, values


pytestmark = pytest.mark.kinds("mariadb", "mysql")


@pytest.fixture
def foreign(make_server, kind):
    server = make_server(1, *(["--super-read-only=0"] if kind == "mysql" else []), "--read-only=0")
    create_orders(server)
    return server


def test_a_writable_one_is_left_alone(foreign, make_worker):
    worker = make_worker(foreign)
    seen = worker.up()
    load = Load(foreign)
    assert seen["foreign"] and seen["open"] and not seen["fenced"] and not seen["empty"]
    for _ in range(5):
        assert worker.fresh()["open"]
    worker.lease(3, 0.3)  # a lease of an epoch that the server does not know ends: nothing happens either
    time.sleep(0.6)
    assert worker.fresh()["open"] and load.is_alive()
    assert set(load.stop()) == values(foreign) and load.error is None


@pytest.mark.parametrize("how", ["hang up", "stop"])
def test_the_end_of_the_worker_does_not_close_it(foreign, make_worker, how):
    worker = make_worker(foreign)
    worker.up()
    load = Load(foreign)
    worker.hang_up() if how == "hang up" else worker.send("stop")
    assert worker.exited(1) == 0
    assert foreign.value("@@read_only") == 0 and "never opened by this cluster" in worker.tail()
    load.stop()
    assert load.error is None


def test_the_agent_can_fence_it(foreign, make_worker):
    worker = make_worker(foreign)
    worker.up()
    seen = worker.ask("fence", reason="the cluster has a primary elsewhere")["observation"]
    assert seen["fenced"] and seen["foreign"] and foreign.value("@@read_only") == 1


def test_taken_over_without_an_outage(foreign, make_worker):
    """An existing primary becomes the cluster's: its first epoch record is written under its clients' feet."""
    worker = make_worker(foreign)
    worker.up()
    load = Load(foreign)
    session = foreign.app()
    before = session.thread_id()
    worker.lease(5, 60)
    seen = worker.ask("promote", epoch=5, acks=0, node="db1")["observation"]
    assert seen["written_epoch"] == 5 and not seen["foreign"] and seen["open"]
    worker.ask("open", epoch=5)
    for _ in range(3):
        assert worker.fresh()["open"]
    with session.cursor() as cursor:
        cursor.execute("SELECT CONNECTION_ID() AS id")
        assert cursor.fetchone()["id"] == before
    assert "fenced" not in worker.tail()
    assert set(load.stop()) == values(foreign) and load.error is None and load.longest < 1
    # from now on it is the cluster's: without a lease it closes
    worker.lease(5, 0.3)
    worker.wait(lambda o: o["fenced"])
    assert not foreign.alive() or foreign.value("@@read_only") == 1


def test_once_it_was_ours_it_is_closed_when_somebody_opens_it(foreign, make_worker):
    worker = make_worker(foreign)
    worker.up()
    worker.lease(5, 60)
    worker.ask("promote", epoch=5, acks=0, node="db1")
    worker.ask("open", epoch=5)
    worker.ask("close", timeout_us=2000000)
    with foreign.root() as c:
        c.execute("SET GLOBAL read_only = 0")
    worker.wait(lambda o: o["fenced"] and "writable without a lease" in worker.tail())
