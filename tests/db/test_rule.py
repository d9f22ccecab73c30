"""The commit rule, with a replica that follows and under load."""

import time

import pytest

from clients import Load, Writer, stalls, values


pytestmark = pytest.mark.kinds("mariadb", "mysql")


def test_raise_and_lower_under_load(apart):
    first, second = apart
    second.follow(first.server, 3)
    begin = time.monotonic()
    loads = [Load(first.server) for _ in range(4)]
    time.sleep(0.3)
    for _ in range(3):
        seen = first.ask("set_commit_rule", epoch=3, acks=1)["observation"]
        assert seen["acks"] == 1 and seen["acks_enforced"]
        time.sleep(0.3)
        seen = first.fresh()
        assert seen["acks"] == 1 and seen["acks_enforced"], "the rule stays in force"
        # without an acknowledgement nothing is told "ok" any more
        before = first.server.unacknowledged()
        time.sleep(0.2)
        assert before == first.server.unacknowledged()
        seen = first.ask("set_commit_rule", epoch=3, acks=0)["observation"]
        assert seen["acks"] == 0
        time.sleep(0.1)
    told = set()
    for load in loads:
        told |= set(load.stop())
        assert load.error is None and load.longest < 1 + stalls.since(begin), (load.error, load.longest)
    assert len(told) > 100
    log = open(first.server.log).read()
    print("timeouts of acks = 0 in the log:", log.count("Timeout waiting"), "for", len(told), "commits")


def test_lowering_releases_what_waits(apart):
    first, _second = apart
    first.ask("set_commit_rule", epoch=3, acks=1)
    waiting = [Writer(first.server, i) for i in range(20)]
    time.sleep(0.5)
    assert all(w.told is None for w in waiting)
    assert first.fresh()["waiting_commits"] > 0
    begin = time.monotonic()
    seen = first.ask("set_commit_rule", epoch=3, acks=0)["observation"]
    for w in waiting:
        w.join(2)
    assert all(w.told == "ok" for w in waiting)
    assert time.monotonic() - begin < 1 + stalls.since(begin)
    assert seen["acks"] == 0 and first.fresh()["waiting_commits"] == 0


def test_asking_again_releases_nothing(apart):
    first, second = apart
    first.ask("set_commit_rule", epoch=3, acks=1)
    waiting = Writer(first.server, 1)
    first.wait(lambda o: o["waiting_commits"] == 1)
    first.ask("set_commit_rule", epoch=3, acks=1)
    first.ask("promote", epoch=3, acks=1, node="db1")
    time.sleep(0.3)
    assert waiting.told is None
    # a replica that comes lets it go
    second.follow(first.server, 3)
    waiting.join(2)
    assert waiting.told == "ok"
    second.wait(lambda o: values(second.server) == {1})


def test_a_replica_that_followed_before_acknowledges_after(apart):
    first, second = apart
    second.follow(first.server, 3)
    first.ask("set_commit_rule", epoch=3, acks=1)
    begin = time.monotonic()
    for i in range(20):
        Writer(first.server, i).join(2)
    assert time.monotonic() - begin < 2 and values(first.server) == set(range(20))
    # and it is this replica's word that counts
    second.server.stop_receiver()
    waiting = Writer(first.server, 100)
    time.sleep(0.3)
    assert waiting.told is None
