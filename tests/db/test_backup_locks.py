"""A switchover and the locks of a backup: named beforehand, and not broken by it; a fence breaks them."""

import time

import pymysql
import pytest

from clients import Raw, Writer, create_orders
from dbworker import Refused

GLOBAL = "FLUSH TABLES WITH READ LOCK"
LOCKS = {
    "mariadb": {
        GLOBAL: [GLOBAL],
        "BACKUP STAGE": ["BACKUP STAGE START"],
        "BACKUP STAGE, DDL": ["BACKUP STAGE START", "BACKUP STAGE BLOCK_DDL"],
        "BACKUP STAGE, commits": ["BACKUP STAGE START", "BACKUP STAGE BLOCK_DDL", "BACKUP STAGE BLOCK_COMMIT"],
    },
    "mysql": {
        GLOBAL: [GLOBAL],
        "LOCK INSTANCE FOR BACKUP": ["LOCK INSTANCE FOR BACKUP"],
    },
}
CASES = [(kind, name) for kind, locks in LOCKS.items() for name in locks]
EACH = pytest.mark.parametrize("kind, name", CASES)


def hold(server, name):
    backup = server.connect()
    for statement in LOCKS[server.kind][name]:
        backup.cursor().execute(statement)
    return backup


def release(server, backup):
    """A session ends a moment after its connection."""
    number = backup.thread_id()
    backup.close()
    deadline = time.monotonic() + 5
    while any(row["Id"] == number for row in server.query("SHOW PROCESSLIST")):
        assert time.monotonic() < deadline, "the session does not end"
        time.sleep(0.01)


def locks_found(worker):
    return [f for f in worker.ask("check", switchover=True)["findings"] if f["subject"] == "locks"]


def names_it(text, backup, name):
    assert f"connection {backup.thread_id()} of root@localhost" in text, text
    assert name.split(",")[0] in text, text


def writes(server, number):
    writer = Writer(server, number)
    writer.join(5)
    return writer.told == "ok"


@EACH
def test_named_beforehand(server, worker, name):
    worker.open(3)
    create_orders(server)
    before = server.position()
    assert locks_found(worker) == []
    assert server.position() == before, "looking for a lock has written to the log"
    backup = hold(server, name)
    time.sleep(1.1)
    found = locks_found(worker)
    assert len(found) == 1 and found[0]["fatal"] and f"KILL {backup.thread_id()}" in found[0]["remedy"], found
    names_it(found[0]["problem"], backup, name)
    assert "for 0 s" not in found[0]["problem"] and " s" in found[0]["problem"]
    release(server, backup)
    assert locks_found(worker) == []
    assert server.position() == before and writes(server, 1)


@EACH
def test_not_broken_by_a_switchover(server, worker, name):
    """It came after the look: the close is given up, the server takes writes again, and the backup goes on."""
    worker.open(3)
    create_orders(server)
    backup = hold(server, name)
    with pytest.raises(Refused) as refused:
        worker.ask("close", timeout_us=3000000, spare_backups=True)
    names_it(str(refused.value), backup, name)
    assert "nothing was changed" in str(refused.value)
    assert server.value("@@read_only") == 0 and worker.fresh()["open"]
    backup.cursor().execute("SELECT 1")
    release(server, backup)
    assert writes(server, 1)
    assert worker.ask("close", timeout_us=3000000, spare_backups=True)["observation"]["fenced"]


LATE = [("mysql", "LOCK INSTANCE FOR BACKUP"), ("mariadb", "BACKUP STAGE, DDL"), ("mariadb", "BACKUP STAGE, commits")]


@pytest.mark.parametrize("kind, name", LATE)
def test_taken_while_writes_are_being_stopped(server, worker, name):
    worker.open(3)
    create_orders(server)
    long_one = Writer(server, Raw("SLEEP(1.5)"))
    time.sleep(0.3)
    close = worker.send("close", timeout_us=3000000, spare_backups=True)
    time.sleep(0.3)
    backup = hold(server, name)
    assert long_one.told is None
    with pytest.raises(Refused) as refused:
        worker.answer(close)
    names_it(str(refused.value), backup, name)
    assert server.value("@@read_only") == 0
    backup.cursor().execute("SELECT 1")
    release(server, backup)
    assert writes(server, 2)


@EACH
def test_broken_by_whatever_is_no_switchover(server, worker, name):
    worker.open(3)
    create_orders(server)
    backup = hold(server, name)
    assert worker.ask("close", timeout_us=3000000)["observation"]["fenced"]
    with pytest.raises((pymysql.Error, OSError)):
        backup.cursor().execute("SELECT 1")
    worker.ask("open", epoch=3)
    backup = hold(server, name)
    assert worker.ask("fence", reason="a test")["observation"]["fenced"]
    with pytest.raises((pymysql.Error, OSError)):
        backup.cursor().execute("SELECT 1")


@pytest.mark.kinds("mysql")
@pytest.mark.parametrize("name", LOCKS["mysql"])
def test_where_the_server_keeps_books_on_locks_nobody_else_is_named(make_server, make_worker, name):
    server = make_server(1, "--performance-schema=ON")
    worker = make_worker(server)
    worker.open(3)
    create_orders(server)
    innocent = server.connect()
    backup = hold(server, name)
    begin = time.monotonic()
    found = locks_found(worker)
    assert time.monotonic() - begin < 0.9, "it was asked, not tried"
    assert len(found) == 1, found
    names_it(found[0]["problem"], backup, name)
    innocent.close()
