"""MariaDB: a commit whose acknowledgement was lost with its connection is not left waiting."""

import signal
import time

import pytest

from clients import Writer, create_orders, values

pytestmark = pytest.mark.kinds("mariadb")


def end_dump_thread(server):
    with server.root() as c:
        c.execute("SELECT ID FROM information_schema.PROCESSLIST WHERE USER = 'mha4rdb_n2' AND COMMAND = 'Binlog Dump'")
        for row in c.fetchall():
            c.execute(f"KILL {row['ID']}")


def lose_an_acknowledgement(first, second, number):
    """The replica has received the transaction, and finds its connection closed when it acknowledges."""
    second.server.process.send_signal(signal.SIGSTOP)
    writer = Writer(first.server, number)
    first.wait(lambda o: o["waiting_commits"] >= 1)
    time.sleep(0.1)
    end_dump_thread(first.server)
    second.server.process.send_signal(signal.SIGCONT)
    return writer


@pytest.mark.parametrize("before", [0, 3])
def test_a_reconnect_that_no_look_has_seen(make_server, make_worker, before):
    primary, replica = make_server(1), make_server(2)
    first, second = make_worker(primary), make_worker(replica, probe_interval_ms=2000)
    first.open(3)
    create_orders(primary)
    second.up()
    second.follow(primary, 3)
    first.ask("set_commit_rule", epoch=3, acks=1)
    for number in range(before):
        Writer(primary, 100 + number).join(5)
    second.fresh()
    time.sleep(0.3)  # what is to be told of the beginning is told
    seen = len(second.observations)
    writer = lose_an_acknowledgement(first, second, 1)
    second.fresh()
    writer.join(10)
    assert writer.told == "ok", "it waits for ever"
    assert all(o["receiving"] for o in second.observations[seen:]), "a look has seen it: this is another test"
    assert 1 in values(replica)
