"""The cluster port is open to the network: strangers, garbage and dawdlers must not be felt."""

import os
import random
import secrets
import subprocess
import sys

from bed import settings, wire
from bed.cluster import sleep_ms
from bed.settings import PORT
from scenario import scenario

TITLE = "another cluster's key, port scanner, slow-loris, random bytes"

# Runs in the client's network against all members at once; ends after the given seconds.
ATTACKER = r'''
import random, selectors, socket, struct, sys, time
kind, seconds, targets = sys.argv[1], float(sys.argv[2]), [(a, PORT) for a in sys.argv[3:]]
dice, end, held = random.Random(1), time.monotonic() + seconds, []
hello = bytes.fromhex("160301012c010001280303") + bytes(range(32)) + b"\x20" + bytes(32)
def dial(target):
    s = socket.socket(); s.setblocking(False)
    s.connect_ex(target)
    return s
def send(s, data):
    try: s.send(data)
    except OSError: pass
while time.monotonic() < end:
    for target in targets:
        if kind == "scan":
            for _ in range(10): dial(target).close()
        elif kind == "garbage":
            s = dial(target); held.append(s)
            if len(held) > 60:
                for old in held[:30]: send(old, dice.randbytes(dice.choice([1, 17, 400, 20000])))
                for old in held[:20]: old.close()
                del held[:20]
        elif kind == "truncated":
            s = dial(target); held.append(s)
            if len(held) > 60:
                for old in held[:30]: send(old, hello[:dice.randrange(1, len(hello))] + b"\xff" * dice.choice([0, 5, 16000]))
                del held[:30]
        elif kind == "dawdle":
            if len(held) < 400: held.append(dial(target))
            for old in dice.sample(held, min(50, len(held))): send(old, hello[:1])
    time.sleep(0.01)
'''.replace("PORT", str(PORT))


def undisturbed(cluster, act, gap_limit_ms=800):
    """While `act` goes on: same primary, same term, no gap worth the name, no new log lines by the thousand."""
    cluster.begin()
    sleep_ms(500)
    primary, term = cluster.primary(), cluster.status()["term"]
    lines = {n.name: len(n.host.log(n.daemons[-1]).splitlines()) for n in cluster.nodes.values()}
    event = wire.now_ns()
    act()
    end = wire.now_ns()
    cluster.wait_acknowledged(end)
    begin, finish = cluster.writes().gap_after(event, end)
    assert (finish - begin) / 1e6 < gap_limit_ms
    assert cluster.primary() is primary
    assert cluster.status()["term"] == term, "the members had to elect"
    for node in cluster.nodes.values():
        new = node.host.log(node.daemons[-1]).splitlines()[lines[node.name]:]
        assert len(new) < 100, "%s wrote %d lines:\n%s" % (node.name, len(new), "\n".join(new[:20]))
        assert node.host.running(node.daemons[-1])
    assert cluster.judge() == []


def noise(cluster, kind):
    def attack():
        addresses = [n.host.address for n in cluster.nodes.values()]
        result = subprocess.run(cluster.client.enter(sys.executable, "-c", ATTACKER, kind, "5", *addresses),
                                capture_output=True, text=True)
        assert result.returncode == 0, result.stderr
    undisturbed(cluster, attack)


@scenario(27, TITLE)
def test_27_scanner(cluster):
    noise(cluster, "scan")


@scenario(27, TITLE, quick=("mariadb-2",))
def test_27_garbage(cluster):
    noise(cluster, "garbage")


@scenario(27, TITLE)
def test_27_truncated_hellos(cluster):
    noise(cluster, "truncated")


@scenario(27, TITLE, quick=("mysql-3",))
def test_27_dawdlers(cluster):
    noise(cluster, "dawdle")


def stranger(cluster, key, name="shop"):
    """A real member's program on the clients' host, as a member that there is already of a cluster of that name, with that key."""
    node = (cluster.arbiter or cluster.data[-1]).name
    host, run = cluster.client, cluster.run
    uid = run.users.arbiter
    host.directory("arbiter", uid, 0o700)
    host.directory("arbiter-run", uid)
    host.file("etc/cluster.key", key, uid, 0o600)
    path = host.file("etc/arbiter.conf", settings.ARBITER_CONF.format(
        cluster=name, node=node, dir=host.dir, address=host.address, log_level="info", profile="lan",
        nodes=settings.node_list(cluster, as_arbiter=node)))
    host.service("arbiter", [run.program("mha4rdb-arbiter"), "-c", path], uid)
    host.start("arbiter")


@scenario(27, TITLE, quick=("mysql-2",))
def test_27_another_clusters_key(cluster):
    def act():
        stranger(cluster, secrets.token_hex(32) + "\n")
        sleep_ms(5000)
        assert cluster.client.running("arbiter"), cluster.client.log("arbiter")
    undisturbed(cluster, act)


@scenario(27, TITLE, quick=("mariadb-3",))
def test_27_right_key_wrong_member(cluster):
    """A second member of the same name with an empty disk is a stranger too."""
    def act():
        stranger(cluster, cluster.key)
        sleep_ms(5000)
    undisturbed(cluster, act)


@scenario(27, TITLE)
def test_27_garbage_on_the_local_sockets(cluster):
    """vipd's and the agent's unix sockets, from a user that may connect."""
    def act():
        dice = random.Random(2)
        program = ("import os,socket,sys\n"
                   "for path, kind in ((sys.argv[1], socket.SOCK_STREAM), (sys.argv[2], socket.SOCK_SEQPACKET)):\n"
                   "    for size in (1, 4, 100, 5000, 60000):\n"
                   "        try:\n"
                   "            s = socket.socket(socket.AF_UNIX, kind); s.settimeout(0.2); s.connect(path)\n"
                   "            s.send(os.urandom(size)); s.recv(100)\n"
                   "        except OSError: pass\n")
        for node in cluster.data:
            for _ in range(dice.randrange(2, 5)):
                subprocess.run([sys.executable, "-c", program, node.control,
                                os.path.join(node.host.dir, "vipd-run/vipd.sock")], check=True)
    undisturbed(cluster, act)
