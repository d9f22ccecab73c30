"""The first start: of empty servers (every other test's beginning), of servers with data, of a pair that serves already."""

from bed import wire
from bed.cluster import sleep_ms
from bed.host import wait_for
from bed.server import create_schema, settle
from scenario import scenario
from steps import ELECTION_MS, gap_ms, no_primary_for, set_aside, words

KEYS = 50


def with_data(node, first=-1):
    """As it was before there was a cluster: rows that some application wrote, and a server that was closed again."""
    node.server.start()
    node.server.open_by_hand()
    create_schema(node.server)
    values = ", ".join("(%d, @@server_id, 'old')" % (first - i) for i in range(KEYS))
    node.server.query("INSERT INTO shop.writes VALUES " + values)
    node.server.close_by_hand()


def old_rows(node):
    return node.server.query("SELECT COUNT(*) AS n FROM shop.writes WHERE note = 'old'")[0]["n"]


@scenario("I1", "first start: one server with data, the others empty", quick=("mariadb-3", "mysql-2"))
def test_one_with_data(cluster):
    """It is the primary, and the others get what it has."""
    owner = cluster.data[-1]
    with_data(owner)
    primary = cluster.begin()
    assert primary is owner
    for node in cluster.data:
        wait_for("%s has the old rows" % node.name, lambda: old_rows(node) == KEYS, 20)
    assert cluster.judge() == []


@scenario("I2", "first start: one with data whose logs were purged, the others empty: they are rebuilt", quick=("mysql-3",))
def test_one_with_data_and_no_logs(cluster):
    """What the others would need to follow is gone from its logs: they are made anew where that is allowed."""
    owner = cluster.data[0]
    with_data(owner)
    owner.server.purge_logs()
    primary = cluster.begin(sync_timeout_s=150)
    assert primary is owner
    for node in cluster.data:
        assert old_rows(node) == KEYS
    assert cluster.judge() == []


@scenario("I3", "first start: a pair that serves is taken over without an outage", quick=("mariadb-2", "mysql-2", "mysql-3"))
def test_pair_that_serves(cluster):
    """A client writes to the old primary's own address throughout: no write of its fails."""
    old, *replicas = cluster.data
    for node in cluster.data:
        node.server.start()
    old.server.open_by_hand()
    create_schema(old.server)
    for replica in replicas:
        replica.server.follow_by_hand(old.server)
    for replica in replicas:
        settle(replica.server, old.server)
    cluster.start_watch()
    cluster.start_writer(pace_ms=3, address=old.host.address)
    sleep_ms(500)
    taken = wire.now_ns()
    cluster.start()
    assert cluster.wait_primary(60) is old
    cluster.wait_in_sync(90)
    cluster.wait_acknowledged(wire.now_ns(), 20, count=50)
    failures = cluster.writes().failures_after(taken)
    # "slow": it waited for its answer, and got it
    broken = [f for f in failures if f[1] != "slow"]
    assert not broken, broken[:5]
    assert gap_ms(cluster, taken) < 2 * ELECTION_MS, "its writes stood still"
    assert cluster.judge() == []


@scenario("I4", "first start: two that diverge: refused, with the choice", quick=("mariadb-2", "mysql-3"))
def test_two_that_diverge(cluster):
    """Nobody is opened by itself; the operator chooses, and what the other one had alone is set aside."""
    one, two, *_rest = cluster.data
    with_data(one, first=-1)
    with_data(two, first=-1001)
    cluster.start_watch()
    cluster.start()
    wait_for("the choice is named: " + words(cluster), lambda: "mhactl init" in words(cluster), 40)
    text = words(cluster)
    assert one.name in text and two.name in text
    no_primary_for(cluster, cluster.data, 2000)
    result = cluster.mhactl("init", "--primary", two.name, node=two)
    assert result.returncode == 1 and "--discard-others" in result.stdout + result.stderr, result
    no_primary_for(cluster, cluster.data, 500)
    result = cluster.mhactl("init", "--primary", two.name, "--discard-others", node=two)
    assert result.returncode == 0, result
    assert cluster.wait_primary(30) is two
    wait_for("what the other had alone is set aside", lambda: set_aside(one, "old"), 90)
    cluster.wait_in_sync(120)
    cluster.start_writer()
    assert old_rows(two) == KEYS and old_rows(one) == KEYS
    assert one.server.query("SELECT COUNT(*) AS n FROM shop.writes WHERE k = -1")[0]["n"] == 0
    assert cluster.judge() == []
