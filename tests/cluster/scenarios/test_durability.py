"""durability = "available", an operator's choice: commits wait for nobody, and a failover may lose what a replica had not got."""

from bed import wire
from bed.cluster import sleep_ms
from bed.host import wait_for
from scenario import scenario
from steps import ELECTION_MS, fail_over, gap_ms, no_primary_for, words

AVAILABLE = 'durability = "available";\nlag_most_ms = 3000;\n'


@scenario("D1", "durability = available: replicas that die are not felt, failover to the best", quick=("mysql-3",),
          agent_extra=AVAILABLE)
def test_available(cluster):
    primary = cluster.begin()
    assert not primary.server.commits_wait(), "commits wait for an acknowledgement"
    replica = cluster.other(primary)
    event = wire.now_ns()
    replica.host.kill("database")
    sleep_ms(2 * ELECTION_MS)
    assert gap_ms(cluster, event) < 800, "the replica's death was felt"
    cluster.wait_in_sync(60)
    assert "available" in cluster.mhactl("status", node=primary).stdout
    old, new, gap = fail_over(cluster, lambda old: old.power_off())
    assert gap < 3 * ELECTION_MS
    cluster.end_writing()
    sights = cluster.sights()
    assert sights.two_addresses() == []


@scenario("D2", "durability = available: one that lags by more than the bound is not promoted by itself", quick=("mysql-2",),
          agent_extra=AVAILABLE)
def test_beyond_the_bound(cluster):
    primary = cluster.begin()
    cluster.switch.block_port(3306, cluster.others(primary))  # they receive nothing any more, and their agents hear all
    sleep_ms(6000)
    assert not any(r.server.same_as(primary.server) for r in cluster.others(primary))
    primary.power_off()
    no_primary_for(cluster, cluster.others(primary), 5000)
    assert "lag" in words(cluster) or "behind" in words(cluster), words(cluster)
    primary.power_on()
    cluster.switch.unblock()
    assert cluster.wait_primary(40) is primary
    wait_for("it writes", lambda: cluster.writes().first_ack_after(wire.now_ns() - 1_000_000_000), 20)
