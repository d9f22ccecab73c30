"""Cables that carry one way, or to some only: at most one change of primary, then calm."""

import pytest

from bed import rows, wire
from bed.cluster import sleep_ms


@pytest.fixture
def cluster(make_cluster):
    return make_cluster()


def calm_after(cluster, act, change_limit=1):
    cluster.begin()
    primary = cluster.primary()
    replica = cluster.other(primary)
    act(primary, replica)
    sleep_ms(4000)
    term = cluster.data_status()["term"]
    sleep_ms(3000)
    settled = cluster.data_status()["term"]
    event = wire.now_ns()
    cluster.wait_acknowledged(event, 20)
    cluster.switch.unblock()
    cluster.wait_in_sync(60)
    cluster.end_writing()
    changes = rows.changes(cluster.primary().server, cluster.writes())
    assert len(changes) <= change_limit, changes
    assert settled <= term + 1, "terms grow: %d, then %d" % (term, settled)
    assert cluster.judge() == []


def test_data_hosts_cannot_hear_each_other(cluster):
    def act(primary, replica):
        cluster.switch.block(primary.host, replica.host)
        cluster.switch.block(replica.host, primary.host)
    calm_after(cluster, act)


def test_primary_hears_the_replica_but_not_the_reverse(cluster):
    calm_after(cluster, lambda primary, replica: cluster.switch.block(primary.host, replica.host))


def test_replica_hears_the_primary_but_not_the_reverse(cluster):
    calm_after(cluster, lambda primary, replica: cluster.switch.block(replica.host, primary.host))


def test_primary_is_heard_by_nobody_but_hears_all(cluster):
    def act(primary, replica):
        cluster.switch.block(primary.host, replica.host)
        cluster.switch.block(primary.host, cluster.arbiter.host)
    calm_after(cluster, act)


def test_primary_hears_nobody_but_is_heard(cluster):
    def act(primary, replica):
        cluster.switch.block(replica.host, primary.host)
        cluster.switch.block(cluster.arbiter.host, primary.host)
    calm_after(cluster, act)


def test_replica_cut_off_from_all_comes_back(cluster):
    def act(primary, replica):
        replica.host.cut()
        sleep_ms(3000)
        replica.host.uncut()
    calm_after(cluster, act, change_limit=0)
