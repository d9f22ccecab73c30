"""`make demo`: a two-node cluster with an arbiter on this machine's own kernel, three changes of primary, and the proof that nothing was lost.

Everything that is printed is seen from outside: by a client that inserts through the VIP, a watcher on the bridge, and the rows and binary
logs of the servers. Only the phases in brackets are the cluster's own account.
"""

import argparse
import os
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from bed import binlog, host, rows, server, wire  # noqa: E402
from bed.cluster import VIP, Cluster  # noqa: E402

MS = 1_000_000
ROWS_LEAST = 1000


class Demo:
    def __init__(self, run):
        self.run = run
        self.begun = time.monotonic()
        self.cluster = None
        self.gaps_ms = {}

    def say(self, text=""):
        print("%6.1f s  %s" % (time.monotonic() - self.begun, text) if text else "", flush=True)

    def set_up(self):
        self.say("three hosts on a bridge: db1, db2 with MariaDB, arb the arbiter; a fourth, app, with the writer")
        self.cluster = Cluster(self.run)
        self.say("programs and servers are starting; the cluster forms itself and picks its first primary")
        primary = self.cluster.begin()
        self.say("%s is the primary, has the virtual IP %s, and %s acknowledges its commits"
                 % (primary.name, VIP, self.cluster.other(primary).name))
        self.say("the writer inserts through %s and notes every row that was acknowledged" % VIP)
        time.sleep(1.5)

    def event(self, name, title, act, back=None):
        """One change of primary, from a cluster in sync to a cluster in sync."""
        cluster = self.cluster
        old = cluster.primary()
        new = cluster.other(old)
        data_directory = os.stat(old.server.datadir).st_ino
        self.say()
        self.say("== %s" % title.format(old=old.name, new=new.name))
        event = wire.now_ns()
        act(old, new)
        cluster.wait_primary(30, but=old)
        cluster.wait_acknowledged(wire.now_ns())
        gap = cluster.writes().gap_after(event)
        self.gaps_ms[name] = round((gap[1] - gap[0]) / MS)
        self.say("%s is the primary now; the writer saw a gap of %d ms" % (new.name, self.gaps_ms[name]))
        self.tell_phases(event, gap, old, new)
        if back:
            time.sleep(1.5)
            back(old)
        cluster.wait_in_sync(90)
        if os.stat(old.server.datadir).st_ino != data_directory:
            raise host.BedError("%s did not keep its data directory" % old.name)
        self.say("%s is back as a replica in sync, with its own data directory" % old.name)
        time.sleep(1.0)

    def tell_phases(self, event, gap, old, new):
        sights = self.cluster.sights()
        phases = sights.phases(event, old.name, new.name, new.host.mac)
        words = {"old_server_last_write": "%s took its last write" % old.name,
                 "old_address_gone": "the address left %s" % old.name,
                 "new_server_writable": "%s took its first write" % new.name,
                 "new_address_taken": "the address came to %s" % new.name,
                 "announced": "it was announced"}
        seen = sorted((ms, words[phase]) for phase, ms in phases.items() if ms is not None)
        seen.append(((gap[1] - event) / MS, "the writer's first acknowledged row"))
        self.say("   seen: " + ", ".join("%s at %.0f ms" % (what, ms) for ms, what in seen))
        status = self.cluster.data_status()
        if status and status["history"]:
            told = status["history"][-1]
            if told["phases_us"]:
                self.say("   [told: %s, epoch %s: %s]" % (told["kind"], told["epoch"], ", ".join(
                    "%s %.0f ms" % (k, v / 1000) for k, v in told["phases_us"].items())))

    def kill_database(self):
        self.event("database_killed", "kill -9 of the primary's mariadbd on {old}",
                   lambda old, new: old.host.kill("database"))

    def cut_host(self):
        def back(old):
            self.say("the network of %s comes back" % old.name)
            old.host.uncut()
        self.event("host_cut", "the primary's host {old} is cut off the network",
                   lambda old, new: old.host.cut(), back)

    def switch_over(self):
        def act(old, new):
            result = self.cluster.mhactl("switchover", "--to", new.name, node=new)
            if result.returncode != 0:
                raise host.BedError("mhactl switchover: " + result.stdout + result.stderr)
        self.event("switchover", "planned: mhactl switchover --to {new}", act)

    def judge(self):
        cluster = self.cluster
        self.say()
        self.say("== the account")
        cluster.end_writing()
        writes, sights = cluster.writes(), cluster.sights()
        primary = cluster.wait_settled()[0]
        problems = []
        missing = {what for node in cluster.data for what in rows.missing(node.server, writes, sights)}
        logs = {n.name: n.server.transactions() for n in cluster.data}
        two_writers = sights.two_writers() + binlog.quarrels(logs)
        two_addresses = sights.two_addresses()
        changes = rows.changes(primary.server, writes)
        reigns = [r for r in binlog.reigns(logs[primary.name])]
        self.say("%d rows were acknowledged, %d are missing on one server or both" % (len(writes.acks), len(missing)))
        self.say("the watcher asked %d times who has %s: %d moments with two addresses"
                 % (sights.signs[-1][1], VIP, len(two_addresses)))
        self.say("it tried %d writes on the servers' own addresses: %d moments with two writable servers"
                 % (sights.signs[-1][2], len(two_writers)))
        self.say("the acknowledged rows changed server %d times; the binary log of %s has the reigns %s"
                 % (len(changes), primary.name, ", ".join("server %d: %d-%d" % r for r in reigns)))
        if len(changes) != 3 or len(reigns) != 4:
            problems.append("three changes of primary were expected")
        if len(writes.acks) < ROWS_LEAST:
            problems.append("fewer than %d rows were acknowledged" % ROWS_LEAST)
        if sights.blind_ms() > 1000:
            problems.append("the watcher stood still for %.0f ms" % sights.blind_ms())
        for what in (sorted(missing) + two_writers + two_addresses)[:20] + problems:
            self.say("PROBLEM: " + what)
        self.line = ("demo: acknowledged=%d missing=%d two_addresses=%d two_writers=%d database_killed_ms=%d "
                     "host_cut_ms=%d switchover_ms=%d"
                     % (len(writes.acks), len(missing), len(two_addresses), len(two_writers),
                        self.gaps_ms["database_killed"], self.gaps_ms["host_cut"], self.gaps_ms["switchover"]))
        return not (missing or two_addresses or two_writers or problems)

    def keep(self):
        """Leaves the cluster up until the user has seen enough: the hosts live as long as this process."""
        cluster = self.cluster
        node = cluster.data[0]
        ctl = "%s -s %s" % (self.run.program("mhactl"), node.control)
        primary = cluster.wait_primary(20)
        print("""
The cluster stays up until you press ^C here. Try, as root, in another terminal:
    {ctl} status
    {ctl} history
    {ctl} check
    {ctl} switchover
Inside a host (its network and its processes), for example the primary's:
    nsenter -t {pid} -n -p -m -u bash
A client that goes through the virtual IP:
    nsenter -t {client} -n mariadb -h {vip} -u {user} -p{password} shop -e 'SELECT @@server_id, COUNT(*) FROM writes'
Do harm:
    kill -9 {server}    # {name}'s mariadbd
    nsenter -t {switch} -n ip link set {name} nomaster    # {name} off the network; `master br0` brings it back
Logs: {dir}/*/log/
""".format(ctl=ctl, pid=primary.host.pid, client=cluster.client.pid, vip=VIP, user=server.APP_USER,
           password=cluster.app_password, name=primary.name, switch=cluster.switch.pid, dir=self.run.dir,
           server=primary.host.processes("mariadbd")[0]), flush=True)
        try:
            signal.pause()
        except KeyboardInterrupt:
            print("the cluster is taken down")


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--keep", action="store_true", help="leave the cluster up at the end")
    options = arguments.parse_args()
    host.end_on_signals()
    with host.Run("release", "demo") as run:
        demo = Demo(run)
        try:
            demo.set_up()
            demo.kill_database()
            demo.cut_host()
            demo.switch_over()
            good = demo.judge()
            if options.keep:
                print(demo.line, flush=True)
                demo.keep()
        except KeyboardInterrupt:
            print("demo: interrupted; everything it started is gone", file=sys.stderr)
            return 130
        except (host.BedError, OSError) as e:
            print("demo: failed: %s" % e, file=sys.stderr)
            return 1
    print(demo.line, flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
