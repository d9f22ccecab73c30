"""Members are killed while they elect: nobody votes twice in a term, nobody forgets, and one history comes out.

After every death the member's log is read from its disk, before it starts again.
"""

import os
import random

import pytest

from bed import wire
from bed.cluster import sleep_ms
from bed.wal import Ledger


def read(ledger, node):
    ledger.read(node.name, os.path.join(node.host.dir, node.daemons[-1]))


def storm(cluster, seed, kill):
    dice = random.Random(seed)
    cluster.begin()
    ledger = Ledger()
    nodes = list(cluster.nodes.values())
    for _round in range(14):
        victims = dice.sample(nodes, dice.choice([1, 1, 2, 3]))
        for node in victims:
            kill(node)
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
    for node in nodes:
        kill(node)
        read(ledger, node)
    assert problems + ledger.verdict() == []
    assert len({term for _member, term in ledger.votes}) >= 3, "there was hardly an election"


@pytest.mark.parametrize("seed", [1, 2])
def test_storm_of_deaths_during_elections(make_cluster, seed):
    cluster = make_cluster()
    storm(cluster, seed, lambda node: node.host.kill(node.daemons[-1]))


@pytest.mark.parametrize("seed", [3, 4])
def test_storm_of_power_cuts_during_elections(make_cluster, seed):
    """Each death also takes what was written and not synced: a promise that left too early would be broken now."""
    cluster = make_cluster(powercut=True)
    storm(cluster, seed, cluster.power_cut)


def test_ledger_sees_a_second_vote():
    """The judge is shown a crime."""
    ledger = Ledger()
    ledger.votes["arb", 7] |= {1, 2}
    ledger.entries[3, 2] |= {(0, b""), (1, b"x")}
    assert len(ledger.verdict()) == 2
