"""The bed must see what it claims to see: each of its judges is shown a crime."""

import os
import socket
import subprocess
import sys
import time

import pytest

from bed import binlog, evidence, faults, rows, wire
from bed.cluster import HERE, KINDS, VIP
from bed.host import BedError, Host, Switch, wait_for
from bed.server import APP_USER, SCHEMA, create_schema, settle


class Pair:
    """Two servers replicating by hand, a client, a watcher: the bed without the product."""

    def __init__(self, run, kind):
        self.run = run
        self.switch = Switch(run)
        self.hosts = [Host(run, "db1", 11, self.switch), Host(run, "db2", 12, self.switch)]
        self.client = Host(run, "app", 100, self.switch)
        self.watcher = Host(run, "watch", 101, self.switch)
        self.one, self.two = [KINDS[kind](h, 11 + i, ("db1", "db2")) for i, h in enumerate(self.hosts)]
        self.one.start()
        self.two.start()
        self.one.lead_by_hand()  # first: who connects before is not counted until it connects again
        self.two.follow_by_hand(self.one)
        create_schema(self.one)
        settle(self.two, self.one)
        self.notes = os.path.join(run.dir, "watch.notes")
        self.writes = os.path.join(self.client.dir, "writes.notes")
        self.watch = run.spawn([sys.executable, os.path.join(HERE, "watch.py"), VIP, str(self.watcher.pid),
                                self.watcher.address, APP_USER, self.one.APP_PASSWORD, self.notes],
                               stdin=subprocess.PIPE, text=True)
        for host in self.hosts:
            self.watch.stdin.write("up %s %d %s\n" % (host.name, host.pid, host.address))
        self.watch.stdin.flush()
        self.client.service("writer", [sys.executable, os.path.join(HERE, "writer.py"), VIP, "3306",
                                       APP_USER, self.one.APP_PASSWORD, self.writes, "2"])

    def sights(self):
        return evidence.Sights(self.notes)

    def take(self, host):
        host.ip_batch("address add %s/24 dev eth0\n" % VIP)

    def write_some(self, count=100):
        self.client.start("writer")
        wait_for("rows are written", lambda: len(evidence.Writes(self.writes).acks) >= count)

    def promote_two(self):
        self.two.stop_following_by_hand()
        self.two.open_by_hand()


@pytest.fixture(params=list(KINDS))
def pair(run, request):
    return Pair(run, request.param)


def test_innocence_is_seen(pair):
    pair.take(pair.hosts[0])
    pair.write_some()
    time.sleep(0.3)
    pair.client.stop("writer")
    pair.watch.stdin.close()
    pair.watch.wait(10)
    writes, sights = evidence.Writes(pair.writes), pair.sights()
    settle(pair.two, pair.one)
    assert sights.two_addresses() == [] and sights.two_writers() == []
    assert rows.missing(pair.one, writes, sights) == [] and rows.missing(pair.two, writes, sights) == []
    assert len(sights.tries["db1"]) > 20 and len(sights.tries["db2"]) == 0
    assert list(sights.holdings()) == ["db1"]
    assert rows.changes(pair.two, writes) == []
    logs = {s.host.name: s.transactions() for s in (pair.one, pair.two)}
    assert binlog.quarrels(logs) == []
    assert [r[0] for r in binlog.reigns(logs["db2"])] == [11]


def test_double_address_is_seen(pair):
    pair.take(pair.hosts[0])
    wait_for("the first is seen", lambda: pair.sights().holder() == ["db1"])
    assert pair.sights().two_addresses() == []
    pair.take(pair.hosts[1])
    wait_for("two answers are seen", lambda: any("answered by" in s for s in pair.sights().two_addresses()))
    assert any(s.startswith("on db1 and db2") for s in pair.sights().two_addresses())


def test_double_address_of_20_ms_is_seen(pair):
    pair.take(pair.hosts[0])
    wait_for("the first is seen", lambda: pair.sights().holder() == ["db1"])
    pair.take(pair.hosts[1])
    time.sleep(0.02)
    pair.hosts[0].ip_batch("address del %s/24 dev eth0\n" % VIP)
    wait_for("both kinds of evidence", lambda: len({s[:2] for s in pair.sights().two_addresses()}) == 2)


def test_address_behind_a_cut_is_seen(pair):
    """The cut-off host's address answers nobody, but it is there."""
    pair.take(pair.hosts[0])
    wait_for("the first is seen", lambda: pair.sights().holder() == ["db1"])
    pair.hosts[0].cut()
    pair.take(pair.hosts[1])
    wait_for("the overlap is seen", lambda: pair.sights().two_addresses())


def test_second_writer_is_seen(pair):
    pair.two.open_by_hand()
    wait_for("two writers are seen", lambda: pair.sights().two_writers())


def test_second_writer_behind_a_cut_is_seen(pair):
    pair.one.no_commit_rule()
    wait_for("the first writes", lambda: pair.sights().tries["db1"])
    pair.hosts[0].cut()
    pair.promote_two()
    wait_for("two writers are seen", lambda: pair.sights().two_writers())


def test_change_of_writer_is_no_second_writer(pair):
    wait_for("the first writes", lambda: pair.sights().tries["db1"])
    pair.one.close_by_hand()
    settle(pair.two, pair.one)
    pair.promote_two()
    wait_for("the second writes", lambda: len(pair.sights().tries["db2"]) > 5)
    assert pair.sights().two_writers() == []


def test_lost_row_is_seen(pair):
    pair.take(pair.hosts[0])
    pair.write_some()
    pair.client.stop("writer")
    writes = evidence.Writes(pair.writes)
    settle(pair.two, pair.one)
    assert rows.missing(pair.two, writes) == []
    key = sorted(writes.keys)[50]
    pair.two.unlogged("DELETE FROM shop.writes WHERE k=%d" % key)
    assert rows.missing(pair.two, writes) == ["write %d" % key]


def test_rewritten_history_is_seen(pair):
    """The same transaction number, another transaction."""
    pair.one.no_commit_rule()
    pair.two.stop_following_by_hand()
    held = len(pair.two.transactions())
    wait_for("the first goes on alone", lambda: len(pair.one.transactions()) > held + 100)
    pair.one.close_by_hand()
    mine = [t for t in pair.one.transactions() if t.statements][-1]
    pair.two.open_by_hand()
    pair.two.make_transaction(mine.domain, mine.server, mine.sequence, "INSERT INTO shop.tries VALUES ('db9', 1, 1)")
    problems = binlog.quarrels({s.host.name: s.transactions() for s in (pair.one, pair.two)})
    assert any("different transactions" in p for p in problems), problems


def test_writer_measures_a_pause_as_it_is(pair):
    """Its own retries neither lengthen nor shorten what it sees."""
    pair.one.no_commit_rule()  # the replica's connection recovers at TCP's pace
    pair.take(pair.hosts[0])
    pair.write_some()
    begin = wire.now_ns()
    pair.hosts[0].cut()
    time.sleep(0.6)
    pair.hosts[0].uncut()
    end = wire.now_ns()
    wait_for("it goes on", lambda: evidence.Writes(pair.writes).first_ack_after(end))
    gap = evidence.Writes(pair.writes).gap_after(begin)
    length_ms = (gap[1] - gap[0]) / 1e6
    assert 590 <= length_ms <= (end - begin) / 1e6 + 150, length_ms


def test_a_client_hears_each_kind_of_answer(pair):
    loop = wire.Loop()

    def hear(session):
        for _ in range(100):
            for _member, result in loop.wait(0.2):
                return result
        raise AssertionError("no answer: " + session.state)

    def ask(session, text):
        session.statement(text)
        return hear(session)

    def session(password):
        sock = wire.socket_in(pair.watcher.pid, socket.AF_INET)
        one = wire.Session(sock, (pair.one.host.address, 3306), APP_USER, password, SCHEMA)
        loop.add(one)
        return one

    client = session(pair.one.APP_PASSWORD)
    assert hear(client) == ("ready",)
    assert ask(client, "INSERT INTO writes VALUES (-1, 11, 'a'), (-2, 11, %r)" % ("b" * 60)) == ("ok", 2)
    assert ask(client, "SELECT k, NULL, note FROM writes WHERE k < 0 ORDER BY k DESC") == \
        ("rows", [["-1", None, "a"], ["-2", None, "b" * 60]])
    assert ask(client, "SELECT k FROM writes WHERE k = -3") == ("rows", [])
    assert ask(client, "INSERT INTO writes VALUES (-1, 11, 'again')")[:2] == ("error", 1062)
    assert ask(client, "SELECT REPEAT('x', 20000) UNION ALL SELECT 'end'") == ("rows", [["x" * 20000], ["end"]])
    client.close("done")
    stranger = session("not-" + pair.one.APP_PASSWORD)
    assert hear(stranger) == ("closed",) and stranger.why == "error 1045"


def test_power_off_is_silent_and_total(pair):
    pair.take(pair.hosts[0])
    pair.write_some()
    pair.watch.stdin.write("down db1\n")
    pair.watch.stdin.flush()
    pair.hosts[0].power_off()
    time.sleep(0.2)
    failures = [why for _time, why in evidence.Writes(pair.writes).failures]
    assert "EOF" not in failures and "ECONNRESET" not in failures, failures
    wait_for("the address is gone", lambda: pair.sights().holder() == [])
    assert pair.two.replica()["receiving"], "the replica was told of the death"
    pair.hosts[0].power_on()
    assert pair.hosts[0].status("database") == "never"


def test_a_killed_server_restarts_at_once(pair):
    for _ in range(3):
        pair.hosts[0].kill("database")
        pair.one.start()


@pytest.mark.separate_users
def test_only_the_database_is_the_agents_to_command(pair):
    hostctl = pair.run.program("tests/cluster/hostctl")
    control = os.path.join(pair.hosts[0].dir, "ctl")
    uid = str(pair.run.users.agent)

    def as_agent(*command):
        return subprocess.run(["setpriv", "--reuid=" + uid, "--regid=" + uid, "--clear-groups", *command],
                              capture_output=True, text=True)

    assert as_agent(hostctl, control, "kill").returncode == 0
    assert not pair.hosts[0].running("database")
    assert as_agent(hostctl, control, "start-follow").returncode == 0
    assert pair.hosts[0].status("database").endswith("follow")
    denied = as_agent(sys.executable, "-c", "import socket,sys\ns=socket.socket(socket.AF_UNIX)\n"
                      "s.connect(sys.argv[1]); s.send(b'kill vipd'); print(s.recv(99))", control)
    assert "not allowed" in denied.stdout, denied
    with pytest.raises(BedError):
        pair.hosts[0].ask("start nothing-of-that-name")


def test_cuts_are_seen(pair):
    one, two = pair.hosts
    assert faults.hears(one, two) and faults.hears(two, one)
    pair.switch.block(one, two)
    assert not faults.hears(two, one) and faults.hears(one, two)
    pair.switch.unblock()
    one.cut()
    assert not faults.hears(one, two) and not faults.hears(two, one)
    one.uncut()
    assert faults.hears(one, two)


@pytest.mark.separate_users
def test_disks_fill_hang_and_fail(run):
    faults.own_mounts()
    disk = faults.Disk(run, "db1", 32)
    host = Host(run, "db1", 11, Switch(run))
    disk.fill()
    with pytest.raises(OSError):
        with open(os.path.join(disk.path, "more"), "wb", buffering=0) as f:
            f.write(b"x" * 4096)
    disk.make_room()
    assert disk.free() > 0 and not disk.hangs()
    disk.freeze()
    assert disk.hangs()
    disk.thaw()
    disk.fail()
    with pytest.raises(OSError):
        open(os.path.join(disk.path, "again"), "w")
    host.power_off()
    disk.repair()
    open(os.path.join(disk.path, "again"), "w").close()


def test_a_wall_clock_jumps_and_the_others_do_not(run):
    clock = faults.Clock(run, "db1")
    program = "import time; print(time.time(), time.clock_gettime(time.CLOCK_BOOTTIME))"

    def ask():
        shown = subprocess.run([sys.executable, "-c", program], env={**os.environ, **clock.environment()}, text=True,
                               capture_output=True, check=True).stdout.split()
        return float(shown[0]) - time.time(), float(shown[1]) - time.clock_gettime(time.CLOCK_BOOTTIME)

    assert all(abs(difference) < 5 for difference in ask())
    clock.jump(-7200)
    wall, boot = ask()
    assert abs(wall + 7200) < 5 and abs(boot) < 5
