"""What comes back with something of its own: it follows, is set aside and rebuilt by itself, or waits for an operator."""

from bed import wire
from bed.host import wait_for
from bed.server import ERRORS
from scenario import scenario
from steps import errant, kill_database, set_aside, told, words

def has_database(node, name="errant"):
    try:
        return bool(node.server.query("SHOW DATABASES LIKE '%s'" % name))
    except ERRORS:
        return None


def diverged_replica(cluster):
    replica = cluster.other(cluster.begin())
    errant(replica)
    kill_database(replica)  # its agent starts it, and sees what it holds
    return replica


@scenario("R1", "rejoin = auto: what a node has alone is set aside, and it is rebuilt", quick=("mariadb-2", "mysql-3"))
def test_auto(cluster):
    replica = diverged_replica(cluster)
    wait_for("what it had alone is found: " + words(cluster, replica), lambda: set_aside(replica, "errant"), 60)
    cluster.wait_in_sync(120)
    assert has_database(replica) is False
    assert not cluster.primary() is replica
    cluster.wait_acknowledged(wire.now_ns(), 20)
    assert cluster.judge() == []


@scenario("R2", "rejoin = manual: it waits for an operator's rebuild, who may choose the donor", quick=("mariadb-3", "mysql-2"),
          rejoin="manual")
def test_manual(cluster):
    replica = diverged_replica(cluster)
    wait_for("it is named", lambda: told(cluster, replica, ["rebuild", "alone", "of its own"]), 30)
    wait_for("it keeps what it has", lambda: has_database(replica), 20)
    assert not set_aside(replica, "errant")
    primary = cluster.primary()
    result = cluster.mhactl("rebuild", "--node", replica.name, "--donor", primary.name, node=primary)
    assert result.returncode == 0, result
    wait_for("what it had alone is found", lambda: set_aside(replica, "errant"), 60)
    cluster.wait_in_sync(120)
    assert has_database(replica) is False
    assert cluster.primary() is primary
    assert cluster.judge() == []


@scenario("R3", "a member of the sync set is not rebuilt; an unknown node neither", quick=("mariadb-2", "mysql-2"))
def test_refused(cluster):
    primary = cluster.begin()
    for name in (primary.name, "nobody"):
        result = cluster.mhactl("rebuild", "--node", name, node=primary)
        assert result.returncode == 1 and name in result.stderr, result
    cluster.wait_acknowledged(wire.now_ns(), 20)
    assert cluster.primary() is primary
    assert cluster.judge() == []


@scenario("R4", "a wiped server is made anew by a rebuild", quick=("mariadb-2", "mysql-3"))
def test_empty_server(cluster):
    """Its disk was replaced: a new, empty server with the accounts of a first start."""
    replica = cluster.other(cluster.begin())
    replica.power_off()
    cluster.wait_acknowledged(wire.now_ns() + 50_000_000, 20, count=20)
    replica.server.renew()
    replica.power_on()
    if cluster.mhactl("status", node=cluster.primary()).returncode == 0:
        cluster.wait_in_sync(120)
    assert cluster.judge() == []
