"""What operators ask before they act: the check of all nodes, the look before a switchover, the question before data is lost."""

import json
import os
import pty
import subprocess

import pytest

from bed import wire
from bed.host import wait_for


@pytest.fixture
def cluster(make_cluster):
    return make_cluster()


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
    wait_for("it is possible again", lambda: cluster.mhactl("switchover", "--check", node=primary).returncode == 0, 20)
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
