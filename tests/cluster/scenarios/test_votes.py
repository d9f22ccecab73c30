"""Members are killed while they elect: nobody votes twice in a term, nobody forgets, and one history comes out.

After every death the member's log is read from its disk, before it starts again.
"""

import collections
import os
import random
import re
import time

from bed import wire
from bed.cluster import sleep_ms
from bed.host import wait_for
from bed.wal import Ledger
from scenario import scenario

TITLE = "the agent restarts in the middle of a promotion, or between vote and answer"
WITHOUT_ARBITER = dict.fromkeys(("mariadb-3", "mysql-3"), "has no arbiter")


def read(ledger, node):
    ledger.read(node.name, os.path.join(node.host.dir, node.daemons[-1]))


def contradictions(cluster):
    """What members applied was committed: the same change must read the same on every member, before and after every death."""
    told = collections.defaultdict(set)
    for node in cluster.data:
        for match in re.finditer(r"notice: (?:first start|failover|switchover|restart|forced) (\d+): (\S+ -> \S+, epoch \d+)",
                                 node.host.log("agent")):
            told["change " + match[1]].add(match[2])
        for match in re.finditer(r"notice: (epoch \d+) is open on (\S+ from \S+)", node.host.log("agent")):
            told[match[1]].add(match[2])
    assert told, "the agents' log lines have changed: this reader must too"
    return ["%s was committed as %s" % (what, " and as ".join(sorted(how))) for what, how in told.items() if len(how) > 1]


def storm(cluster, seed, kill):
    dice = random.Random(seed)
    cluster.begin()
    ledger = Ledger()
    nodes = list(cluster.nodes.values())
    for _round in range(14):
        victims = dice.sample(nodes, dice.choice([1, 1, 2, 3]))
        kill(victims)
        for node in victims:
            read(ledger, node)
        sleep_ms(dice.choice([0, 5, 50, 200]))
        for node in victims:
            node.host.start(node.daemons[-1])
        # long enough for an election to be on its way, rarely for it to be over
        sleep_ms(dice.choice([20, 300, 900, 1100, 1300]))
    event = wire.now_ns()
    cluster.wait_primary(30)
    cluster.wait_acknowledged(event, 30)
    cluster.wait_in_sync(60)
    problems = cluster.judge()
    kill(nodes)
    for node in nodes:
        read(ledger, node)
    assert problems + ledger.verdict() + contradictions(cluster) == []
    assert len({term for _member, term in ledger.votes}) >= 3, "there was hardly an election"


@scenario(21, TITLE, quick=("mariadb-2", "mysql-3"))
def test_storm_of_deaths_during_elections(cluster):
    storm(cluster, 1, cluster.kill_members)


@scenario(21, TITLE, quick=("mariadb-3",), powercut=True)
def test_storm_of_power_cuts_during_elections(cluster):
    """Each death also takes what was written and not synced: a promise that left too early would be broken now."""
    storm(cluster, 3, cluster.power_cut)


@scenario(21, TITLE, quick=("mariadb-2",), powercut=True, without=WITHOUT_ARBITER)
def test_arbiter_loses_power_in_the_sync_of_a_new_rule(cluster):
    """The replica is gone and the primary asks to go on alone. An answer that left before its entry was on disk would let the primary
    acknowledge rows under a rule that the others have forgotten: they would promote the replica over them."""
    primary = cluster.begin()
    replica = cluster.other(primary)
    cluster.arm(cluster.arbiter)
    replica.power_off()
    wait_for("the arbiter dies in its sync", lambda: cluster.dead(cluster.arbiter), 20)
    sleep_ms(700)
    primary.power_off()
    cluster.power_cut([cluster.arbiter])
    cluster.arbiter.host.start("arbiter")
    replica.power_on()
    sleep_ms(4000)
    primary.power_on()
    cluster.wait_primary(30)
    cluster.wait_in_sync(60)
    assert cluster.judge() == []


@scenario(21, TITLE, quick=("mysql-2",), powercut=True, without=WITHOUT_ARBITER)
def test_arbiter_loses_power_in_the_sync_of_its_vote(cluster):
    """Nobody leads by a vote that was never on a disk."""
    primary = cluster.begin()
    replica = cluster.other(primary)
    cluster.arm(cluster.arbiter)
    primary.host.cut()
    wait_for("the arbiter dies in its sync", lambda: cluster.dead(cluster.arbiter), 20)
    end = time.monotonic() + 1.5
    while time.monotonic() < end:
        status = cluster.status(replica)
        assert status and status["leader"] != replica.name, "it leads by a vote that its voter has forgotten"
    cluster.power_cut([cluster.arbiter])
    cluster.arbiter.host.start("arbiter")
    assert cluster.wait_primary(20, but=primary) is replica
    primary.host.uncut()
    cluster.wait_in_sync(60)
    assert cluster.judge() == []


def test_ledger_sees_a_second_vote():
    """The judge is shown a crime."""
    ledger = Ledger()
    ledger.votes["arb", 7] |= {1, 2}
    ledger.entries[3, 2] |= {(0, b""), (1, b"x")}
    assert len(ledger.verdict()) == 2
