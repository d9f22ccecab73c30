"""The preflight: what it objects to, and that the remedy that it names is one."""

import os
import socket
import subprocess
import time

import pymysql
import pytest

from clients import Writer, create_orders, stalls
from dbworker import Refused


def subjects(findings, fatal=None):
    return [f["subject"] for f in findings if fatal is None or f["fatal"] == fatal]


def test_a_good_server(server, worker):
    worker.up()
    reply = worker.ask("check")
    findings = reply["findings"]
    assert reply["server_id"] == 1
    assert subjects(findings, fatal=True) == [], findings
    # the tests' root accounts are named, server_id 1 is the default, and these servers' options say little
    assert set(subjects(findings)) <= {"accounts", "server_id", "binlog_format", "read_only", "rpl_semi_sync_slave_enabled"}
    assert any("root" in f["problem"] for f in findings)


def test_a_careless_server(make_server, make_worker):
    server = make_server(2, "--sync-binlog=0", "--innodb-flush-log-at-trx-commit=2", "--skip-log-slave-updates",
                         "--gtid-strict-mode=0", "--rpl-semi-sync-master-wait-point=AFTER_COMMIT", "--read-only=0")
    with server.root() as c:
        c.execute("SET sql_log_bin = 0")
        c.execute("DROP USER mha4rdb_n2@'%', mha4rdb_standby@'%'")
        c.execute("REVOKE BINLOG ADMIN ON *.* FROM mha4rdb@localhost")
    worker = make_worker(server)
    worker.up()
    findings = worker.ask("check")["findings"]
    fatal = set(subjects(findings, fatal=True))
    assert fatal == {"sync_binlog", "innodb_flush_log_at_trx_commit", "log_slave_updates", "read_only", "grants",
                     "replication_user"}, findings
    assert {"gtid_strict_mode", "rpl_semi_sync_master_wait_point"} <= set(subjects(findings))
    # the remedies that are statements work as they stand
    with server.root() as c:
        for finding in findings:
            if finding["subject"] in ("sync_binlog", "innodb_flush_log_at_trx_commit", "gtid_strict_mode", "grants"):
                for statement in finding["remedy"].split("   ")[0].split(";"):
                    if statement.strip():
                        c.execute(statement)
    findings = worker.ask("check")["findings"]
    assert set(subjects(findings, fatal=True)) == {"log_slave_updates", "read_only", "replication_user"}


def test_a_data_folder_that_begins_a_file_system(make_server, make_worker):
    """mkfs's lost+found is root's: a copy made by mariabackup ends there."""
    server = make_server(1)
    worker = make_worker(server)
    lost = os.path.join(server.data, "lost+found")
    os.mkdir(lost, 0o700)
    owner = os.stat(server.data).st_uid
    os.chown(lost, owner + 1, -1)
    worker.up()
    found = [f for f in worker.ask("check")["findings"] if f["subject"] == "datadir"]
    assert len(found) == 1 and not found[0]["fatal"] and "mariabackup" in found[0]["problem"], found
    subprocess.run(found[0]["remedy"], shell=True, check=True)
    assert os.stat(lost).st_uid == owner and "datadir" not in subjects(worker.ask("check")["findings"])


@pytest.mark.parametrize("password, problem", [("replication-secret", None), ("other", "Access denied")])
def test_replicas_can_log_in(server, worker, password, problem):
    with server.root() as c:
        c.execute("SET sql_log_bin = 0")
        c.execute(f"SET PASSWORD FOR mha4rdb_n1@'%' = PASSWORD('{password}')")
    worker.up()
    findings = [f for f in worker.ask("check")["findings"] if f["subject"] == "replication_user"]
    if problem:
        assert problem in findings[0]["problem"] and findings[0]["fatal"]
    else:
        assert findings == []


def findings_of(worker, subject, **request):
    return [f for f in worker.ask("check", **request)["findings"] if f["subject"] == subject]


def run_remedy(server, finding):
    """As it stands, also where the server is closed."""
    with server.root() as c:
        for statement in finding["remedy"].split("   ")[0].split(";"):
            if statement.strip():
                c.execute(statement.replace("'...'", "'replication-secret'"))


@pytest.mark.kinds("mariadb", "mysql")
def test_the_account_of_those_who_stand_by(server, worker):
    worker.up()
    assert findings_of(worker, "replication_user") == []
    with server.unlocked() as c:
        c.execute("SET sql_log_bin = 0")
        c.execute("ALTER USER mha4rdb_standby@'%' ACCOUNT LOCK")
        c.execute("ALTER USER mha4rdb_n2@'%' ACCOUNT LOCK")  # a node's own may be
    locked = findings_of(worker, "replication_user")
    assert len(locked) == 1 and locked[0]["fatal"] and "mha4rdb_standby is locked" in locked[0]["problem"]
    run_remedy(server, locked[0])
    assert findings_of(worker, "replication_user") == []
    with server.unlocked() as c:
        c.execute("SET sql_log_bin = 0")
        c.execute("DROP USER mha4rdb_standby@'%'")
    missing = findings_of(worker, "replication_user")
    assert len(missing) == 1 and missing[0]["fatal"] and "mha4rdb_standby" in missing[0]["problem"]
    run_remedy(server, missing[0])
    assert findings_of(worker, "replication_user") == []


def test_with_one_account_for_all_less_is_needed(server, make_worker):
    with server.root() as c:
        c.execute("SET sql_log_bin = 0")
        c.execute("REVOKE CREATE USER ON *.* FROM mha4rdb@localhost")
        c.execute("DROP USER mha4rdb_standby@'%'")
    worker = make_worker(server, replication_user="mha4rdb_n2")
    worker.up()
    assert subjects(worker.ask("check")["findings"], fatal=True) == []
    per_node = make_worker(server, lock=server.dir + "/other.lock")
    per_node.up()
    assert set(subjects(per_node.ask("check")["findings"], fatal=True)) == {"grants", "replication_user"}


def test_log_in_at_the_source(make_server, make_worker):
    source, server = make_server(1), make_server(2)
    worker = make_worker(server)
    worker.up()
    where = {"source_host": source.host, "source_port": source.port}
    assert findings_of(worker, "replication_user", **where) == []
    with source.root() as c:
        c.execute("SET sql_log_bin = 0")
        c.execute("ALTER USER mha4rdb_n2@'%' ACCOUNT LOCK")
    assert findings_of(worker, "replication_user", **where) == [], "withdrawn there, and that is no mistake"
    with source.root() as c:
        c.execute("SET sql_log_bin = 0")
        c.execute("ALTER USER mha4rdb_n2@'%' ACCOUNT UNLOCK")
        c.execute("SET PASSWORD FOR mha4rdb_n2@'%' = PASSWORD('other')")
    found = findings_of(worker, "replication_user", **where)
    assert len(found) == 1 and found[0]["fatal"] and f"{source.host}:{source.port} as mha4rdb_n2" in found[0]["problem"]
    with source.root() as c:
        c.execute("SET sql_log_bin = 0")
        c.execute("DROP USER mha4rdb_standby@'%'")
    assert len(findings_of(worker, "replication_user", **where)) == 2


def test_filters_and_galera_are_fatal(make_server, make_worker):
    server = make_server(2, "--replicate-ignore-db=shop", "--slave-parallel-mode=minimal")
    worker = make_worker(server)
    worker.up()
    reply = worker.ask("check")
    assert reply["server_id"] == 2
    assert "replicate_ignore_db" in subjects(reply["findings"], fatal=True)
    assert "slave_parallel_mode" in subjects(reply["findings"], fatal=False)


# ---- before a switchover ----


def test_a_switchover_with_nothing_in_its_way(pair):
    first, second = pair
    assert first.ask("check", switchover=True)["findings"] == []
    assert second.ask("check", switchover=True)["findings"] == []


def test_what_is_in_the_way_of_a_source(server, worker):
    worker.open(3)
    create_orders(server)
    root = server.connect()
    found = worker.ask("check", switchover=True)["findings"]
    assert subjects(found) == ["sessions"] and f"connection {root.thread_id()} of root@localhost" in found[0]["problem"]
    run_remedy(server, found[0])
    with pytest.raises(pymysql.Error):
        root.cursor().execute("SELECT 1")
    holder = server.app()
    holder.begin()
    with holder.cursor() as c:
        c.execute("INSERT INTO shop.orders (v) VALUES (1)")
    backup = server.connect()
    time.sleep(6.2)  # what is open for less is not worth a word
    found = {f["subject"]: f for f in worker.ask("check", switchover=True)["findings"]}
    assert f"connection {holder.thread_id()} of app" in found["transactions"]["problem"]
    holder.rollback()
    with backup.cursor() as c:
        c.execute("FLUSH TABLES WITH READ LOCK")
    found = {f["subject"]: f for f in worker.ask("check", switchover=True)["findings"]}
    assert found["locks"]["fatal"]
    with backup.cursor() as c:
        c.execute("UNLOCK TABLES")
    worker.ask("set_commit_rule", epoch=3, acks=1)
    waiting = Writer(server, 5)
    worker.wait(lambda o: o["waiting_commits"] == 1)
    assert "commits" in subjects(worker.ask("check", switchover=True)["findings"])
    worker.ask("set_commit_rule", epoch=3, acks=0)
    waiting.join(2)


def test_what_is_in_the_way_of_a_target(pair):
    _, second = pair
    with second.server.root() as c:
        c.execute("STOP SLAVE SQL_THREAD")
        c.execute("SET sql_log_bin = 0")
        c.execute("REVOKE BINLOG ADMIN ON *.* FROM mha4rdb@localhost")
        c.execute("DROP USER mha4rdb_standby@'%'")
    found = second.ask("check", switchover=True)["findings"]
    assert {"replication", "grants", "replication_user"} == set(subjects(found, fatal=True)), found
    assert "applier is stopped" in [f for f in found if f["subject"] == "replication"][0]["problem"]


@pytest.mark.kinds("mariadb", "mysql")
def test_a_freeze_does_not_wait_for_a_check(make_server, make_worker):
    """Nor does a fence; and the check is answered all the same."""
    primary, replica = make_server(1), make_server(2)
    first, second = make_worker(primary), make_worker(replica)
    first.open(3)
    second.up()
    second.follow(primary, 3)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts, and never says a word
        check = second.send("check", source_host="127.0.0.1", source_port=silent.getsockname()[1])
        silent.accept()
        begin = time.monotonic()
        second.ask("freeze", term=5)
        late = time.monotonic() - begin - stalls.since(begin)
        assert check not in second.replies, "the check was over already"
        assert late < 1, f"the freeze took {late} s"
        assert second.ask("fence", reason="a test")["observation"]["fenced"]
        findings = second.answer(check, 20)["findings"]
    assert any(f["subject"] == "replication_user" and "127.0.0.1" in f["problem"] for f in findings), findings


def test_checks_one_after_the_other(server, worker):
    worker.up()
    numbers = [worker.send("check") for _ in range(3)]
    answered = []
    for number in numbers:
        try:
            worker.answer(number)
            answered.append(number)
        except Refused as refused:
            assert "newer" in str(refused)
    assert answered[-1] == numbers[-1] and numbers[0] in answered
