"""Follow, freeze, drain, and what a promotion finds."""

import contextlib
import os
import socket
import subprocess
import threading
import time

import pytest

from clients import Load, Writer, create_orders, stalls, values
from dbworker import Refused
from sql_server import SERVER_UID, give


pytestmark = pytest.mark.kinds("mariadb", "mysql")


@pytest.fixture
def caught_up(pair):
    applied(*pair)
    return pair


def applied(first, second):
    want = first.server.position()
    return second.wait(lambda o: o["executed"] == want)


@contextlib.contextmanager
def held_applier(second):
    """The applier waits for a lock: what arrives is received but not applied."""
    connection = second.server.connect()
    connection.cursor().execute("LOCK TABLES shop.orders READ")
    try:
        yield
    finally:
        connection.close()


def test_follow(caught_up):
    first, second = caught_up
    seen = applied(first, second)
    assert seen["receiving"] and seen["applying"] and seen["acknowledging"] and seen["drained"]
    assert seen["source"] == f"127.0.0.1:{first.server.port}" and seen["source_epoch"] == 3
    assert seen["read_only"] and seen["received"] == seen["executed"] == first.server.position()
    assert seen["written_epoch"] == 3 and not seen["empty"] and seen["acks"] == 0
    receiver = second.server.RECEIVER
    before = second.server.query(receiver)
    seen = second.ask("follow", host="127.0.0.1", port=first.server.port, epoch=4)["observation"]
    assert seen["source_epoch"] == 4 and second.server.query(receiver) == before, "nothing was restarted"
    with pytest.raises(Refused, match="older than 4"):
        second.ask("follow", host="127.0.0.1", port=first.server.port, epoch=3)


def with_certificate(server):
    """What MySQL makes for itself at its first start."""
    paths = [os.path.join(server.dir, name) for name in ("key.pem", "cert.pem")]
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=n1",
                    "-keyout", paths[0], "-out", paths[1]], check=True, capture_output=True)
    for path in paths:
        give(path, SERVER_UID)
    return server.start(f"--ssl-key={paths[0]}", f"--ssl-cert={paths[1]}")


@pytest.mark.kinds("mariadb")  # of MySQL: test_mysql.py
def test_replication_by_tls(make_server, make_worker):
    """The receiver's connection, and the one by which what is held is told once more."""
    first = make_worker(with_certificate(make_server(1, start=False)))
    plain, secure = make_worker(make_server(2)), make_worker(make_server(3), replication_tls="true")
    with first.server.root() as c:
        c.execute("SET sql_log_bin = 0")
        for name in ("n2", "n3", "standby"):
            c.execute(f"ALTER USER mha4rdb_{name}@'%' REQUIRE SSL")
    first.open(3)
    create_orders(first.server)
    for worker in (plain, secure):
        worker.up()
    secure.ask("follow", host=first.server.host, port=first.server.port, epoch=3, standing_by=True)
    secure.wait(lambda o: o["standing_by"])
    first.ask("set_commit_rule", epoch=3, acks=1)
    writer = Writer(first.server, 1)
    first.wait(lambda o: o["waiting_commits"] == 1)
    secure.wait(lambda o: o["received"] == first.server.position())
    assert writer.told is None
    secure.follow(first.server, 3)
    writer.join(10)
    assert writer.told == "ok"
    plain.ask("follow", host=first.server.host, port=first.server.port, epoch=3)
    plain.wait(lambda o: o["trouble_kind"] == "DB_TROUBLE_REPLICATION_REFUSED", 15)


def test_a_receiver_that_does_not_acknowledge_is_started_anew(caught_up):
    """Whether it does is settled when it starts."""
    first, second = caught_up
    with second.server.root() as c:
        c.execute(f"SET GLOBAL rpl_semi_sync_{second.server.WORDS[1]}_enabled = 0")
        c.execute("STOP REPLICA IO_THREAD")
        c.execute("START REPLICA IO_THREAD")
    second.wait(lambda o: o["receiving"] and not o["acknowledging"])
    second.ask("follow", host="127.0.0.1", port=first.server.port, epoch=4)
    second.wait(lambda o: o["receiving"] and o["acknowledging"])


@pytest.mark.kinds("mariadb")
@pytest.mark.parametrize("lost", ["master.info", "relay-log.info"])
def test_follow_after_a_power_cut_that_emptied_the_servers_notes(caught_up, lost):
    """They are not synced; the position that counts is."""
    first, second = caught_up
    second.server.kill()
    with open(os.path.join(second.server.data, lost), "w"):
        pass
    second.server.start("--init-rpl-role=SLAVE")
    second.up()
    second.follow(first.server, 3)
    first.server.query("INSERT INTO shop.orders (v) VALUES (4711)")
    applied(first, second)


def test_freeze_keeps_what_was_received(caught_up):
    first, second = caught_up
    with held_applier(second):
        for i in range(50):
            Writer(first.server, i).join(2)
        want = first.server.position()
        second.wait(lambda o: o["received"] == want)
        seen = second.ask("freeze", term=5)["observation"]
        assert second.waited < 0.5
        assert seen["frozen_term"] == 5 and not seen["receiving"] and not seen["drained"] and seen["applying"]
        assert seen["received"] == want and seen["executed"] != want
        with pytest.raises(Refused, match="drain first"):
            second.ask("promote", epoch=5, acks=0, node="db2")
        Writer(first.server, 1000).join(2)
        time.sleep(0.2)
        assert second.fresh()["received"] == want, "frozen"
        drain = second.send("drain")
        time.sleep(0.3)
        assert drain not in second.replies
    second.answer(drain)
    seen = second.observation
    assert seen["drained"] and seen["executed"] == want and seen["frozen_term"] == 5
    assert values(second.server) == set(range(50))
    with pytest.raises(Refused, match="5"):
        second.ask("follow", host="127.0.0.1", port=first.server.port, epoch=4)


def test_freeze_with_the_applier_stopped_loses_nothing(caught_up):
    first, second = caught_up
    second.server.stop_applier()
    for i in range(30):
        Writer(first.server, i).join(2)
    want = first.server.position()
    second.wait(lambda o: o["received"] == want)
    second.ask("freeze", term=5)
    second.ask("drain")
    assert values(second.server) == set(range(30))


def test_what_a_broken_applier_cannot_apply_still_counts(caught_up):
    first, second = caught_up
    with second.server.unlocked() as c:
        c.execute("SET sql_log_bin = 0")
        c.execute("INSERT INTO shop.orders (id, v) VALUES (3, 0)")
    for i in range(6):
        Writer(first.server, i).join(2)
    want = first.server.position()
    # MySQL says what the worker met, or that a worker has met something, by which of them is first
    stopped = lambda o: o["trouble_kind"] == "DB_TROUBLE_APPLIER_STOPPED" and ("1062" in o["trouble"] or "3030" in o["trouble"])  # noqa: E731
    second.wait(lambda o: o["received"] == want and not o["applying"] and stopped(o))
    for term in (5, 6):
        second.ask("freeze", term=term)
        time.sleep(0.1)
        seen = second.fresh()
        assert seen["frozen_term"] == term and seen["received"] == want and not seen["drained"]
    with pytest.raises(Refused, match="1062" if first.server.kind == "mariadb" else "in the worker"):
        second.ask("drain")
    with pytest.raises(Refused, match="drain first"):
        second.ask("promote", epoch=6, acks=0, node="db2")


def test_a_drain_is_given_up_for_a_newer_request(caught_up):
    first, second = caught_up
    with held_applier(second):
        Writer(first.server, 1).join(2)
        want = first.server.position()
        second.wait(lambda o: o["received"] == want)
        second.ask("freeze", term=5)
        drain = second.send("drain")
        time.sleep(0.2)
        begin = time.monotonic()
        again = second.send("freeze", term=6)
        with pytest.raises(Refused, match="newer request"):
            second.answer(drain)
        assert second.answer(again)["observation"]["frozen_term"] == 6
        assert time.monotonic() - begin < 0.5


class Cable:
    """Carries connections to a server, and goes dead in the middle of what the server sends."""

    def __init__(self, server):
        self.server, self.left = server, None
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.host, self.port = self.listener.getsockname()
        self.dead = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            near, _ = self.listener.accept()
            if self.dead.is_set():
                near.close()
                continue
            far = socket.create_connection(("127.0.0.1", self.server.port))
            threading.Thread(target=self._carry, args=(near, far, False), daemon=True).start()
            threading.Thread(target=self._carry, args=(far, near, True), daemon=True).start()

    def _carry(self, come, go, counts):
        with contextlib.suppress(OSError):
            while data := come.recv(4096):
                if counts and self.left is not None:
                    self.left -= len(data)
                    if self.left < 0:
                        self.dead.set()
                        break
                go.sendall(data)
        for end in (come, go):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("held", [False, True])
def test_promote_after_a_part_of_a_transaction(caught_up, held):
    """The primary dies while it sends a large one. MySQL's STOP REPLICA would wait a minute for the rest of it,
    whether its worker waits for the rest or (held) for a lock."""
    first, second = caught_up
    cable = Cable(first.server)
    second.follow(cable, 3)
    before = values(second.server)
    cable.left = 300000
    lock = contextlib.ExitStack()
    if held:
        lock.enter_context(held_applier(second))
    rows = ", ".join("(%d)" % (1000000 + i) for i in range(100000))
    first.server.query("INSERT INTO shop.orders (v) VALUES " + rows)
    assert cable.dead.wait(20), "the whole transaction went through"
    first.server.kill()
    second.ask("freeze", term=5)
    second.ask("drain")
    second.lease(5, 60)
    begin = time.monotonic()
    second.ask("promote", epoch=5, acks=0, node="db2")
    assert second.waited < 5 + stalls.since(begin)
    lock.close()
    assert second.ask("open", epoch=5)["observation"]["open"]
    assert values(second.server) == before, "a part of a transaction"


def test_promote_with_a_backlog_loses_nothing(caught_up):
    first, second = caught_up
    first.ask("set_commit_rule", epoch=3, acks=1)
    with held_applier(second):
        loads = [Load(first.server) for _ in range(3)]
        time.sleep(0.5)
        first.server.kill()
        told = set()
        for load in loads:
            told |= set(load.stop())
        freeze = second.send("freeze", term=5)
        second.answer(freeze)
    second.ask("drain")
    second.lease(5, 60)
    second.ask("promote", epoch=5, acks=0, node="db2")
    seen = second.ask("open", epoch=5)["observation"]
    assert seen["open"] and seen["source"] == "" and seen["written_epoch"] == 5
    assert len(told) > 20 and told <= values(second.server)
    Writer(second.server, 1).join(2)
    assert 1 in values(second.server)


@pytest.mark.kinds("mariadb")
def test_a_promotion_that_is_refused_leaves_the_number_as_it_was(caught_up):
    """Who stands by goes by another number, so as to be sent what it wrote itself: it may go on standing by."""
    first, second = caught_up
    second.ask("follow", host=first.server.host, port=first.server.port, epoch=3, standing_by=True)
    second.wait(lambda o: o["receiving"] and o["standing_by"])
    number = second.server.value("@@global.server_id")
    assert number != 2
    with held_applier(second):
        Writer(first.server, 1).join(2)
        want = first.server.position()
        second.wait(lambda o: o["received"] == want and not o["drained"])
        second.ask("freeze", term=5)
        with pytest.raises(Refused, match="drain first"):
            second.ask("promote", epoch=5, acks=0, node="db2")
        assert second.server.value("@@global.server_id") == number
    second.ask("drain")
    second.ask("promote", epoch=5, acks=0, node="db2")
    assert second.server.value("@@global.server_id") == 2


def test_switchover_and_the_old_primary_follows(caught_up):
    first, second = caught_up
    first.ask("set_commit_rule", epoch=3, acks=1)
    load = Load(first.server)
    time.sleep(0.2)
    final = first.ask("close", timeout_us=2000000)["observation"]["executed"]
    load.join(2)
    second.wait(lambda o: o["received"] == final)
    second.ask("freeze", term=4)
    second.ask("drain")
    second.lease(4, 60)
    seen = second.ask("promote", epoch=4, acks=1, node="db2")["observation"]
    assert seen["acks"] == 1 and seen["acks_enforced"]
    first.ask("freeze", term=4)  # no replication there: at once
    assert first.observation["frozen_term"] == 4
    begin = time.monotonic()
    first.follow(second.server, 4)
    assert first.waited < 0.5 + stalls.since(begin), "the opening waits for it, and not for the end of its own semi-sync"
    assert "replication starts at GTID position ''" not in open(first.server.log).read(), "its own log counts as applied"
    record = seen["written_epoch_position"]
    first.wait(lambda o: record in o["received"])
    second.ask("open", epoch=4)
    writer = Writer(second.server, 5)
    writer.join(2)
    assert writer.told == "ok", "the old primary acknowledges"
    first.wait(lambda o: 5 in values(first.server))
    assert values(first.server) == values(second.server) == set(load.told) | {5}
    assert first.fresh()["acks"] == 0, "a replica's applier waits for nobody"
    # and back again
    final = second.ask("close", timeout_us=2000000)["observation"]["executed"]
    first.wait(lambda o: o["received"] == final)
    first.ask("freeze", term=6)
    first.ask("drain")
    first.lease(6, 60)
    first.ask("promote", epoch=6, acks=0, node="db1")
    first.ask("open", epoch=6)
    second.follow(first.server, 6)


@pytest.mark.kinds("mariadb")
def test_the_unacknowledged_tail_is_cut(caught_up):
    first, second = caught_up
    first.ask("set_commit_rule", epoch=3, acks=1)
    writer = Writer(first.server, 1)
    writer.join(2)
    second.ask("freeze", term=5)
    held = second.observation["received"]
    tail = [Writer(first.server, i) for i in range(100, 105)]
    first.wait(lambda o: o["waiting_commits"] > 0)
    first.ask("fence", reason="a test")  # by SIGKILL
    second.lease(5, 60)
    second.ask("promote", epoch=5, acks=0, node="db2")
    second.ask("open", epoch=5)
    first.server.process.wait()
    first.server.start("--init-rpl-role=SLAVE", "--rpl-semi-sync-slave-enabled=1")
    seen = first.up()
    assert seen["started_to_follow"] and seen["received"] == held and seen["fenced"] and seen["source_epoch"] == 0
    first.follow(second.server, 5)
    applied(second, first)
    assert values(first.server) == values(second.server) == {1}
    assert all(w.told != "ok" for w in tail)


@pytest.mark.kinds("mariadb")
def test_who_stands_by_gets_back_what_it_wrote_itself(caught_up):
    """Crash recovery has cut off what another server holds and had acknowledged. MariaDB's receiver drops events of its own server's number."""
    first, second = caught_up
    first.ask("set_commit_rule", epoch=3, acks=1)
    Writer(first.server, 1).join(2)
    kept = first.server.value("@@gtid_binlog_pos")
    for i in (2, 3):
        Writer(first.server, i).join(2)
    applied(first, second)
    second.ask("freeze", term=5)
    second.lease(5, 60)
    second.ask("promote", epoch=5, acks=0, node="db2")
    second.ask("open", epoch=5)
    first.server.kill()
    first.server.start("--init-rpl-role=SLAVE", "--rpl-semi-sync-slave-enabled=1")
    first.wait(lambda o: o["started_to_follow"])
    with first.server.root() as c:
        c.execute("SET sql_log_bin=0")
        c.execute("DELETE FROM shop.orders WHERE v > 1")
        c.execute("RESET MASTER")
        c.execute("SET GLOBAL gtid_slave_pos='%s'" % kept)
    first.ask("follow", host=second.server.host, port=second.server.port, epoch=5, standing_by=True)
    first.wait(lambda o: o["receiving"] and o["standing_by"])
    Writer(second.server, 4).join(2)
    applied(second, first)
    assert values(first.server) == values(second.server) == {1, 2, 3, 4}
    # it is itself again where its acknowledgements count, and as a primary
    assert first.server.value("@@global.server_id") != 1
    first.follow(second.server, 5)
    assert first.server.value("@@global.server_id") == 1
    first.ask("follow", host=second.server.host, port=second.server.port, epoch=5, standing_by=True)
    first.wait(lambda o: o["receiving"] and o["standing_by"])
    applied(second, first)
    first.ask("freeze", term=6)
    first.ask("drain")
    first.lease(6, 60)
    first.ask("promote", epoch=6, acks=0, node="db1")
    first.ask("open", epoch=6)
    Writer(first.server, 5).join(2)
    assert first.server.value("@@gtid_binlog_pos").split("-")[1] == "1"


@pytest.mark.kinds("mariadb")
def test_a_diverged_server_says_so(caught_up):
    first, second = caught_up
    second.ask("freeze", term=4)
    with second.server.root() as c:
        c.execute("STOP SLAVE")
        c.execute("CREATE DATABASE stray")  # root writes though read_only is on
    with first.server.root() as c:
        c.execute("CREATE DATABASE other")
    second.ask("follow", host="127.0.0.1", port=first.server.port, epoch=5)
    seen = second.wait(lambda o: "1236" in o["trouble"])
    assert not seen["receiving"]


@pytest.mark.parametrize("statement", ["PASSWORD EXPIRE", "IDENTIFIED BY 'other'", "ACCOUNT LOCK"])
def test_a_receiver_that_gave_up_is_told_to_follow_again(caught_up, kind, statement):
    """Nothing of what it had received is lost by it."""
    first, second = caught_up

    def alter(what):
        with first.server.root() as c:
            c.execute("SET sql_log_bin = 0")
            c.execute("ALTER USER mha4rdb_n2@'%' " + what)

    lock = second.server.connect()
    lock.cursor().execute("LOCK TABLES shop.orders READ")
    for i in range(5):
        Writer(first.server, i).join(2)
    want = first.server.position()
    second.wait(lambda o: o["received"] == want and not o["drained"])
    alter(statement)
    with first.server.root() as c:
        c.execute("SELECT ID FROM information_schema.PROCESSLIST WHERE USER = 'mha4rdb_n2'")
        for row in c.fetchall():
            c.execute(f"KILL {row['ID']}")
    gives_up = kind == "mariadb" and statement == "PASSWORD EXPIRE"  # whatever else it is, the server tries again by itself
    seen = second.wait(lambda o: o["trouble_kind"] == "DB_TROUBLE_REPLICATION_REFUSED" and o["receiver_stopped"] == gives_up, 15)
    assert not seen["receiving"] and seen["applying"] and seen["received"] == want
    alter("IDENTIFIED BY 'replication-secret'")
    alter("ACCOUNT UNLOCK")
    follow = second.send("follow", host=first.server.host, port=first.server.port, epoch=3)
    time.sleep(0.5)
    assert second.fresh()["received"] == want
    lock.close()
    second.answer(follow, 20)
    Writer(first.server, 5).join(5)
    want = first.server.position()
    second.wait(lambda o: o["receiving"] and o["acknowledging"] and o["executed"] == want, 10)
    assert values(second.server) == set(range(6))


def test_a_wrong_replication_password_says_so(caught_up):
    first, second = caught_up
    first.server.set_password("mha4rdb_n2@'%'", "other")
    second.ask("freeze", term=4)
    second.ask("follow", host="127.0.0.1", port=first.server.port, epoch=5)
    seen = second.wait(lambda o: o["trouble"])
    assert "1045" in seen["trouble"] and not seen["receiving"]


@pytest.mark.kinds("mariadb")
def test_a_restarted_replica_holds_only_what_it_applied(caught_up):
    first, second = caught_up
    Writer(first.server, 1).join(2)
    durable = applied(first, second)["executed"]
    with held_applier(second):
        for i in range(10, 20):
            Writer(first.server, i).join(2)
        want = first.server.position()
        second.wait(lambda o: o["received"] == want)
        second.server.kill()
    second.wait(lambda o: o["state"] == "DB_DOWN")
    second.server.start()
    seen = second.up()
    assert seen["received"] == seen["executed"] == durable and seen["frozen_term"] == 0 and seen["source_epoch"] == 0
    second.follow(first.server, 4)
    second.wait(lambda o: o["executed"] == want)


@pytest.fixture
def cut():
    """Two network namespaces with a cable between them; .silence() drops everything that comes to the first."""
    names = [f"mhadb{os.getpid()}{x}" for x in "ab"]

    def ip(*words):
        subprocess.run(["ip", *words], check=True)

    for name in names:
        ip("netns", "add", name)
    try:
        ip("link", "add", "va", "netns", names[0], "type", "veth", "peer", "name", "vb", "netns", names[1])
        for name, link, address in zip(names, ("va", "vb"), ("192.0.2.1/24", "192.0.2.2/24")):
            ip("-n", name, "address", "add", address, "dev", link)
            ip("-n", name, "link", "set", link, "up")
            ip("-n", name, "link", "set", "lo", "up")

        class Cut:
            a, b = names

            @staticmethod
            def silence():
                rules = "add table inet cut; add chain inet cut in { type filter hook input priority 0; policy drop; }"
                subprocess.run(["ip", "netns", "exec", names[0], "nft", rules], check=True)

        yield Cut
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "del", name], check=False)


def test_freeze_while_the_source_is_silently_gone(make_server, make_worker, cut):
    primary = make_server(1, netns=cut.a, host="192.0.2.1")
    replica = make_server(2, netns=cut.b, host="192.0.2.2")
    first, second = make_worker(primary), make_worker(replica)
    first.open(3)
    create_orders(primary)
    second.up()
    second.follow(primary, 3)
    first.ask("set_commit_rule", epoch=3, acks=1)
    load = Load(primary)
    time.sleep(0.3)
    cut.silence()
    time.sleep(0.3)
    told = set(load.told)
    begin = time.monotonic()
    seen = second.ask("freeze", term=4)["observation"]
    frozen = time.monotonic() - begin
    second.ask("drain")
    second.lease(4, 60)
    second.ask("promote", epoch=4, acks=0, node="db2")
    second.ask("open", epoch=4)
    opened = time.monotonic() - begin
    print(f"frozen in {frozen * 1000:.0f} ms, open after {opened * 1000:.0f} ms")
    # On 11.x always, on 10.11 seldom, the ending receiver dials its source, for a second: the least
    # timeout that the server knows. Never the two seconds and more of a plain STOP SLAVE; how long it takes is the bench's to tell.
    assert seen["frozen_term"] == 4 and frozen < 1.8 + stalls.since(begin)
    assert opened < 2.5 + stalls.since(begin)
    assert told and told <= values(replica)
    assert set(load.told) == told, "nobody acknowledges for the one that is cut off"


def test_follow_another_while_the_source_is_silently_gone(make_server, make_worker, cut):
    primary = make_server(1, netns=cut.a, host="192.0.2.1")
    replica = make_server(2, netns=cut.b, host="192.0.2.2")
    other = make_server(3, netns=cut.b, host="192.0.2.2")
    first, second, third = make_worker(primary), make_worker(replica), make_worker(other)
    first.open(3)
    create_orders(primary)
    for worker in (second, third):
        worker.up()
        worker.follow(primary, 3)
        applied(first, worker)
    cut.silence()
    for worker in (second, third):
        worker.ask("freeze", term=4)
        worker.ask("drain")
    third.lease(4, 60)
    third.ask("promote", epoch=4, acks=1, node="db3")
    begin = time.monotonic()
    second.follow(other, 4)
    assert time.monotonic() - begin < 1 + stalls.since(begin)
    third.ask("open", epoch=4)
    writer = Writer(other, 1)
    writer.join(2)
    assert writer.told == "ok"
