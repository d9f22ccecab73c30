"""The preflight: what it objects to, and that the remedy that it names is one."""

import pytest


def subjects(findings, fatal=None):
    return [f["subject"] for f in findings if fatal is None or f["fatal"] == fatal]


def test_a_good_server(server, worker):
    worker.up()
    findings = worker.ask("check")["findings"]
    assert subjects(findings, fatal=True) == [], findings
    # the tests' root accounts are named, and server_id 1 is the default
    assert set(subjects(findings)) <= {"accounts", "server_id", "binlog_format", "read_only"}
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
