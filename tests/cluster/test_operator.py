"""What operators ask before they act: the check of all nodes, the look before a switchover, the question before data is lost."""

import json
import os
import pty
import re
import subprocess

import pytest

from bed import wire
from bed.host import wait_for
from bed.server import REPLICATION_PASSWORD
from scenario import PICKED

KINDS = {"mariadb": {}}
if "mysql-3" in PICKED:
    KINDS["mysql-three-nodes"] = {"kind": "mysql", "data": ("db1", "db2", "db3"), "arbiter": None}
several = pytest.mark.parametrize("cluster", KINDS.values(), ids=KINDS.keys(), indirect=True)


@pytest.fixture
def cluster(request, make_cluster):
    return make_cluster(**getattr(request, "param", {}))


def check(cluster, node):
    """(exit status, findings) of `mhactl check`, asked on `node`."""
    result = cluster.mhactl("-o", "json", "check", node=node)
    assert result.returncode in (0, 1), result.stdout + result.stderr
    report = json.loads(result.stdout)
    assert report["fatal"] == (result.returncode == 1)
    return report["findings"]


def about(findings, node, subject):
    return [f for f in findings if f["node"] == node and f["subject"] == subject]


def wait_finding(cluster, asked, node, subject, words, fatal=True):
    """Some finding about `node` has all `words` in its problem or remedy."""
    def found():
        for f in about(check(cluster, asked), node, subject):
            if all(w in f["problem"] + f["remedy"] for w in words) and f["fatal"] == fatal:
                return f
        return None
    return wait_for("%s of %s is named" % (subject, node), found, 40)


def rewrite(node, old, new, name="etc/agent.conf"):
    path = os.path.join(node.host.dir, name)
    with open(path) as f:
        text = f.read()
    assert old in text
    with open(path, "w") as f:
        f.write(text.replace(old, new))


@several
def test_check_asks_all_nodes_and_compares_them(cluster):
    cluster.begin(writer=False)
    primary = cluster.primary()
    replica = cluster.other(primary)

    # Whoever is asked, all are looked at, and nothing that concerns several is wrong.
    for asked in cluster.data:
        findings = check(cluster, asked)
        assert {f["node"] for f in findings} <= {n.name for n in cluster.nodes.values()}
        for subject in ("agent", "check", "key", "connection", "server", "server_id", "mha4rdb", "nodes", "VIP", "clock",
                        "durability", "rejoin", "heartbeat_ms", "election_ms"):
            assert [f for f in findings if f["subject"] == subject] == []

    # A setting of the other node's server is found from here, and gone once it is mended.
    replica.server.query("SET GLOBAL sync_binlog=0")
    found = wait_finding(cluster, primary, replica.name, "sync_binlog", ["sync_binlog = 1"])
    assert about(check(cluster, replica), replica.name, "sync_binlog") == [found]
    assert about(check(cluster, replica), primary.name, "sync_binlog") == []
    text = cluster.mhactl("check", node=primary)
    assert text.returncode == 1 and "\n%s\n" % replica.name in "\n" + text.stdout and "FATAL" in text.stdout
    replica.server.query("SET GLOBAL sync_binlog=1")
    assert about(check(cluster, primary), replica.name, "sync_binlog") == []

    # What only a replica meets: its own account at the primary.
    account = "'mha4rdb_%s'@'192.0.2.%%'" % replica.name
    primary.server.query("SET sql_log_bin=0", "ALTER USER %s IDENTIFIED BY 'another'" % account)
    where = "%s:3306" % primary.host.address
    wait_finding(cluster, primary, replica.name, "replication_user", [where, "as mha4rdb_%s" % replica.name])
    primary.server.query("SET sql_log_bin=0", "ALTER USER %s IDENTIFIED BY '%s'" % (account, REPLICATION_PASSWORD))
    assert about(check(cluster, primary), replica.name, "replication_user") == []

    # What must differ, and does not.
    number = replica.server.variable("server_id")
    replica.server.query("SET GLOBAL server_id=%d" % primary.server.variable("server_id"))
    names = sorted([primary.name, replica.name])
    wait_finding(cluster, replica, names[1], "server_id", ["as on " + names[0]])
    replica.server.query("SET GLOBAL server_id=%d" % number)
    assert about(check(cluster, primary), names[1], "server_id") == []


def test_check_names_settings_and_addresses_that_differ(cluster):
    rewrite(cluster["db2"], 'profile = "lan"', 'profile = "lan"; election_ms = 1500')
    rewrite(cluster["db2"], "/24", "/32", "etc/vipd.conf")
    cluster.begin(writer=False)
    db1 = cluster["db1"]
    # three members, and two have the usual time
    found = wait_finding(cluster, db1, "db2", "election_ms", ["it is 1500", "election_ms = 1000;"], fatal=False)
    assert about(check(cluster, cluster["db2"]), "db2", "election_ms") == [found]
    wait_finding(cluster, db1, "db2", "VIP", ["prefix length is 32, and 24 on db1"], fatal=False)

    # Without vipd a node cannot become the primary.
    replica = cluster.other(cluster.primary())
    replica.host.kill("vipd")
    wait_finding(cluster, db1, replica.name, "VIP", ["systemctl enable --now mha4rdb-vipd"])
    replica.host.start("vipd")
    wait_for("vipd is back", lambda: not [f for f in about(check(cluster, db1), replica.name, "VIP") if f["fatal"]], 20)


def test_check_names_who_is_not_heard_and_why(cluster):
    cluster.begin(writer=False)
    primary = cluster.primary()
    replica = cluster.other(primary)

    # The two that do not hear each other are named by one who hears both.
    cluster.switch.block(replica.host, cluster.arbiter.host)
    cluster.switch.block(cluster.arbiter.host, replica.host)
    wait_finding(cluster, primary, replica.name, "connection", ["no connection to arb"], fatal=False)
    assert about(check(cluster, primary), "arb", "agent") == []
    cluster.switch.unblock()
    wait_for("they hear each other", lambda: not [f for f in check(cluster, primary) if f["subject"] == "connection"], 20)

    # Another key: what to copy where.
    cluster.arbiter.host.stop("arbiter")
    wait_finding(cluster, primary, "arb", "agent", ["systemctl status mha4rdb-arbiter"])
    path = os.path.join(cluster.arbiter.host.dir, "etc/cluster.key")
    with open(path, "w") as f:
        f.write("%064x\n" % 7)
    cluster.arbiter.host.start("arbiter")
    found = wait_finding(cluster, primary, "arb", "key", ["another key", "scp ", "restart mha4rdb-arbiter"])
    assert os.path.join(primary.host.dir, "etc/cluster.key") in found["remedy"]
    with open(path, "w") as f:
        f.write(cluster.key)
    cluster.arbiter.host.stop("arbiter")
    cluster.arbiter.host.start("arbiter")
    wait_for("the arbiter is back", lambda: not [f for f in check(cluster, primary) if f["node"] == "arb"], 20)


@several
def test_switchover_looks_before_it_begins(cluster):
    """What stands in the way is told before anything is touched, by --check and by the switchover itself."""
    cluster.begin()
    primary = cluster.primary()
    replica = cluster.other(primary)

    possible = cluster.mhactl("switchover", "--check", node=replica)
    assert possible.returncode == 0, possible.stdout + possible.stderr
    assert cluster.primary() is primary

    replica.host.kill("vipd")
    wait_for("vipd is missed", lambda: about(check(cluster, primary), replica.name, "VIP"), 20)
    before = (cluster.status(primary) or {}).get("history")
    for asked in cluster.data:
        only = cluster.mhactl("-o", "json", "switchover", "--check", "--to", replica.name, node=asked)
        assert only.returncode == 1
        told = json.loads(only.stdout)
        refused = cluster.mhactl("switchover", "--to", replica.name, node=asked)
        assert refused.returncode == 1, refused.stdout
        if told.get("findings"):  # else the policy itself has said why
            assert about(told["findings"], replica.name, "VIP")
            assert "nothing was changed" in refused.stderr and "mha4rdb-vipd" in refused.stdout
    event = wire.now_ns()
    cluster.wait_acknowledged(event, 10)
    assert cluster.primary() is primary and (cluster.status(primary) or {}).get("history") == before

    replica.host.start("vipd")
    wait_for("it is possible again", lambda: cluster.mhactl("switchover", "--check", "--to", replica.name, node=primary).returncode == 0, 20)
    done = cluster.mhactl("switchover", "--to", replica.name, node=primary)
    assert done.returncode == 0, done.stdout + done.stderr
    wait_for("it has moved", lambda: cluster.primary() is replica, 20)
    cluster.wait_acknowledged(wire.now_ns(), 20)
    assert cluster.judge() == []


def on_a_terminal(cluster, node, typed, *arguments):
    """mhactl with an operator at the keyboard: (exit status, what it said on standard error)."""
    ours, theirs = pty.openpty()
    try:
        with subprocess.Popen([cluster.run.program("mhactl"), "-s", node.control] + list(arguments), stdin=theirs,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            os.write(ours, (typed + "\n").encode())
            out, err = process.communicate(timeout=60)
            return process.returncode, out + err
    finally:
        os.close(ours)
        os.close(theirs)


def test_loss_of_data_takes_the_name_of_the_node(cluster):
    """It says what may be lost, and goes on only for the node's name typed on a terminal, or --yes."""
    cluster.begin()
    primary = cluster.primary()
    replica = cluster.other(primary)
    replica.power_off()
    cluster.wait_acknowledged(wire.now_ns() + 1_500_000_000, 20, count=20)
    primary.power_off()
    replica.power_on()
    wait_for("it has a quorum", lambda: (cluster.status(replica) or {}).get("quorum"), 20)
    wait_for("its agent sees its server", lambda: any(
        (n["database"] or {}).get("state") == "up" for n in (cluster.status(replica) or {}).get("nodes", []) if n["self"]), 30)
    command = ("failover", "--to", replica.name, "--accept-data-loss", "--old-primary-is-off")

    refused = cluster.mhactl(*command, node=replica)
    assert refused.returncode == 1 and "--yes" in refused.stderr and "lose acknowledged writes" in refused.stderr
    for wrong in ("yes", primary.name, ""):
        status, said = on_a_terminal(cluster, replica, wrong, *command)
        assert status == 1 and "nothing was done" in said, said
    assert not cluster.has_vip(replica)
    event = wire.now_ns()
    status, said = on_a_terminal(cluster, replica, replica.name, *command)
    assert status == 0, said
    cluster.wait_acknowledged(event, 20, count=20)
    assert cluster.primary() is replica


@several
def test_rebuild_by_hand(cluster):
    """A replica's database made anew at an operator's word: it leaves the sync set, is copied, follows, and joins again."""
    cluster.begin()
    primary = cluster.primary()
    replica = cluster.other(primary)
    def start():
        return [n["database"]["incarnation"] for n in cluster.status(primary)["nodes"] if n["name"] == replica.name][0]

    before = start()
    refused = cluster.mhactl("rebuild", "--node", primary.name, node=replica)
    assert refused.returncode == 1 and "is the primary" in refused.stderr, refused
    refused = cluster.mhactl("rebuild", "--node", "nobody", node=primary)
    assert refused.returncode == 1 and "nobody" in refused.stderr, refused
    # at a rate that makes the copy last: whoever watches asks twice a second
    done = cluster.mhactl("rebuild", "--node", replica.name, "--rate", "20", "--watch", node=replica, timeout_s=150)
    assert done.returncode == 0, done.stdout + done.stderr
    donor = re.search(r"copying, from (\w+)", done.stdout)
    assert donor and done.stdout.endswith("%s: done\n" % replica.name), done.stdout
    assert donor.group(1) in [n.name for n in cluster.others(primary) if n is not replica] or [primary.name], "a replica where there is one"
    cluster.wait_in_sync(90)
    assert start() != before, "its server has not been started anew"
    assert cluster.primary() is primary
    assert cluster.judge() == []


@several
def test_member_leaves_drained(cluster):
    """A member of the sync set leaves the group while its server runs, and writes go on."""
    cluster.begin()
    primary = cluster.primary()
    replica = cluster.other(primary)
    refused = cluster.mhactl("member", "remove", replica.name, node=primary)
    assert refused.returncode == 1 and "sync set" in refused.stderr, refused
    for asked in cluster.data:
        refused = cluster.mhactl("member", "remove", primary.name, "--drain", node=asked)
        assert refused.returncode == 1 and "is the primary" in refused.stderr, refused
    done = cluster.mhactl("member", "remove", replica.name, "--drain", node=primary)
    assert done.returncode == 0 and "no member any more" in done.stdout, done.stdout + done.stderr
    cluster.wait_acknowledged(wire.now_ns(), 20)
    assert cluster.primary() is primary
    wait_for("it says so", lambda: "was removed" in cluster.mhactl("status", node=replica).stdout, 20)
    wait_for("it asks to come in", lambda: (cluster.status(primary) or {}).get("strangers"), 20)
    back = cluster.mhactl("member", "add", replica.name, node=primary)
    assert back.returncode == 0, back.stdout + back.stderr
    cluster.wait_in_sync(60)
    assert cluster.judge() == []


def test_operator_chooses_the_first_primary(cluster):
    """Two servers with data of their own: nothing begins until an operator says whose it is, and what the other one has is kept aside."""
    for node in cluster.data:
        node.server.start()
        wait_for("%s's server answers" % node.name, node.server.answers)
        node.server.query("SET GLOBAL read_only=0", "CREATE DATABASE of_%s" % node.name, "SET GLOBAL read_only=1")
        node.host.stop("mariadb")
    cluster.start()
    chosen, other = cluster.data
    wait_for("all are heard", lambda: all((cluster.status(asked) or {}).get("leader") and all(
        (n["database"] or {}).get("state") == "up" for n in cluster.status(asked)["nodes"] if n["kind"] == "data")
        for asked in cluster.data), 60)
    refused = cluster.mhactl("init", "--primary", chosen.name, node=other)
    assert refused.returncode == 1 and "--discard-others" in refused.stderr and other.name in refused.stderr, refused
    assert cluster.primary() is None
    done = cluster.mhactl("init", "--primary", chosen.name, "--discard-others", node=other)
    assert done.returncode == 0 and "%s is the primary" % chosen.name in done.stdout, done.stdout + done.stderr
    assert cluster.wait_primary(30) is chosen
    cluster.wait_in_sync(120)
    assert not other.server.query("SHOW DATABASES LIKE 'of_%s'" % other.name)
    assert other.server.query("SHOW DATABASES LIKE 'of_%s'" % chosen.name)
    aside = [n["set_aside"] for n in cluster.status(chosen)["nodes"] if n["name"] == other.name][0]
    assert aside and "of_%s" % other.name in open(os.path.join(aside, "transactions.sql")).read()
