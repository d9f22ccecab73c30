"""Members that lost their disks: refused until an operator lets them in as new ones."""

from bed import wire
from bed.host import wait_for
from members import listed, member, wait_stranger, wipe
from scenario import scenario
from steps import in_sync

THIRTY = "arbiter (or a data host's member) replaced by one with an empty disk"


@scenario(30, THIRTY, quick=("mariadb-2", "mysql-2"), without=dict.fromkeys(("mariadb-3", "mysql-3"), "has no arbiter"))
def test_wiped_arbiter_is_replaced(cluster):
    """It is refused until an operator lets it in; then the cluster survives a failure by its vote."""
    primary = cluster.begin(pace_ms=5)
    other = cluster.other(primary)
    before = {m["name"]: m["id"] for m in listed(cluster, primary)["members"]}
    refused = member(cluster, "replace", "arb")
    assert refused.returncode == 1 and "presented itself" in refused.stderr, refused
    wipe(cluster.arbiter)
    wait_stranger(cluster, primary, "arb")
    status = cluster.mhactl("status", node=primary).stdout
    assert "mhactl member replace arb" in status, status
    own = cluster.mhactl("status", node=cluster.arbiter)
    assert "mhactl member replace arb" in own.stdout, own
    assert "mhactl member replace arb" in cluster.arbiter.host.log("arbiter")
    result = member(cluster, "replace", "arb", node=other)  # any agent takes the command on to the leader
    assert result.returncode == 0 and "arb is a member, and votes" in result.stdout, result
    after = {m["name"]: m for m in listed(cluster, primary)["members"]}
    assert all(m["voter"] for m in after.values()) and len(after) == 3
    assert {n for n in after if after[n]["id"] != before[n]} == {"arb"}
    assert not listed(cluster, primary)["strangers"]
    event = wire.now_ns()
    primary.power_off()
    assert cluster.wait_primary(20, but=primary) is other
    cluster.wait_acknowledged(event + 100_000_000, 20)
    primary.power_on()
    cluster.wait_in_sync(60)
    assert cluster.judge() == []


@scenario(30, THIRTY, quick=("mysql-3",))
def test_wiped_agent_is_replaced(cluster):
    """Of a data host only the agent's directory is lost: its node comes back as a new member, and commits are on two hosts again."""
    primary = cluster.begin(pace_ms=5)
    wiped = cluster.other(primary)
    wipe(wiped)
    wait_stranger(cluster, primary, wiped.name)
    event = wire.now_ns()
    cluster.wait_acknowledged(event, 20)
    wait_for("it is out of the sync set", lambda: not in_sync(cluster, wiped), 20)
    refused = member(cluster, "remove", primary.name)
    assert refused.returncode == 1 and "is the primary" in refused.stderr, refused
    result = member(cluster, "replace", wiped.name)
    assert result.returncode == 0, result
    cluster.wait_in_sync(60)
    assert cluster.status(primary)["sync"]["acks"] == 1
    result = cluster.mhactl("switchover", "--to", wiped.name, node=wiped)
    assert result.returncode == 0, result
    assert cluster.wait_primary(20, but=primary) is wiped
    cluster.wait_in_sync(60)
    assert cluster.judge() == []
