"""Five data hosts without an arbiter, on each kind of server."""

import pytest

from bed import wire
from bed.host import wait_for
from steps import in_sync, switch_over


@pytest.fixture(params=["mariadb", "mysql"])
def cluster(request, make_cluster):
    return make_cluster(kind=request.param, data=("db1", "db2", "db3", "db4", "db5"), arbiter=None)


def acks(cluster):
    status = cluster.data_status()
    return status["sync"]["acks"] if status else None


def test_two_hosts_lose_power_together(cluster):
    """The primary, and a replica. MySQL waits for two acknowledgements, so any replica may be the other one; MariaDB for one, so one of
    those that stand by. Both come back, and serve again."""
    wanted = 2 if cluster.kind == "mysql" else 1
    primary = cluster.begin()
    wait_for("commits wait for %d" % wanted, lambda: acks(cluster) == wanted, 60)
    other = next(n for n in cluster.others(primary) if cluster.kind == "mysql" or not in_sync(cluster, n))
    primary.power_off()
    other.power_off()
    new = cluster.wait_primary(60, but=primary)
    cluster.wait_acknowledged(wire.now_ns(), 30, count=20)
    assert cluster.primary() is new
    primary.power_on()
    other.power_on()
    cluster.wait_in_sync(180)
    result = switch_over(cluster)
    assert result.returncode == 0, result
    cluster.wait_in_sync(120)
    assert cluster.judge() == []
