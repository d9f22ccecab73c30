"""`make bench`: the gap that a client sees in each kind of event, and what the programs cost at rest.

Every round is printed; a round that fails, or loses a row, fails the bench. The gap is the writer's own: from its last
acknowledged row before to its first after. Release build, one cluster for all rounds of an event.
"""

import argparse
import os
import statistics
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "cluster"))

from bed import host, wire  # noqa: E402
from bed.cluster import Cluster, sleep_ms  # noqa: E402

SERVER = "mariadb-10.11"


def kill_database(cluster, old, new):
    old.host.kill("database")


def cut_host(cluster, old, new):
    old.host.cut()


def uncut_host(cluster, old):
    old.host.uncut()


def switch_over(cluster, old, new):
    result = cluster.mhactl("switchover", "--to", new.name, node=new)
    if result.returncode != 0:
        raise host.BedError(result.stdout + result.stderr)


def nothing(cluster, old):
    pass


EVENTS = {
    "database_killed": (kill_database, nothing),
    "host_cut": (cut_host, uncut_host),
    "switchover": (switch_over, nothing),
}


def one_round(cluster, act, undo):
    old = cluster.primary()
    new = cluster.other(old)
    event = wire.now_ns()
    act(cluster, old, new)
    cluster.wait_primary(30, but=old)
    cluster.wait_acknowledged(wire.now_ns())
    begin, end = cluster.writes().gap_after(event)
    sleep_ms(300)
    undo(cluster, old)
    cluster.wait_in_sync(90)
    sleep_ms(300)
    return (end - begin) / 1e6


def bench_event(name, profile, rounds):
    act, undo = EVENTS[name]
    with host.Run("release", "bench") as run:
        cluster = Cluster(run, profile=profile)
        cluster.begin()
        sleep_ms(500)
        gaps = []
        for number in range(1, rounds + 1):
            gaps.append(one_round(cluster, act, undo))
            print("bench: round %d of %d: %s %.0f ms" % (number, rounds, name, gaps[-1]), flush=True)
        problems = cluster.judge()
        lost = sum("misses" in p for p in problems)
        print("bench: server=%s profile=%s event=%s rounds=%d median_ms=%.0f min_ms=%.0f max_ms=%.0f lost=%d"
              % (SERVER, profile, name, rounds, statistics.median(gaps), min(gaps), max(gaps), lost), flush=True)
        for problem in problems:
            print("bench: PROBLEM: %s" % problem, flush=True)
        return not problems


def resident_kb(pid):
    """Resident memory, the part of the shared libraries that it touched included."""
    with open("/proc/%d/smaps_rollup" % pid) as f:
        values = {line.split(":")[0]: int(line.split()[1]) for line in f if line.rstrip().endswith("kB")}
    return values["Rss"]


def cpu_ticks(pid):
    with open("/proc/%d/stat" % pid) as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


def bench_rest(profile, seconds):
    """No client at all: what it costs to keep watch."""
    with host.Run("release", "bench") as run:
        cluster = Cluster(run, profile=profile)
        cluster.start()
        primary = cluster.wait_primary(60)
        cluster.wait_in_sync(60)
        programs = {}
        for node in cluster.nodes.values():
            for program in ("agent", "dbworker", "vipd", "arbiter"):
                for pid in node.host.processes("mha4rdb-" + program):
                    programs.setdefault(program, []).append((node, pid))
        before = sum(cpu_ticks(pid) for found in programs.values() for _node, pid in found)
        begun = time.monotonic()
        time.sleep(seconds)
        ticks = sum(cpu_ticks(pid) for found in programs.values() for _node, pid in found) - before
        share = 100.0 * ticks / os.sysconf("SC_CLK_TCK") / (time.monotonic() - begun)
        # the larger of the hosts', which is the primary's as a rule
        cost = {program: max(resident_kb(pid) for _node, pid in found) for program, found in programs.items()}
        print("bench: memory agent_kb=%d dbworker_kb=%d vipd_kb=%d arbiter_kb=%d primary=%s "
              "cpu_percent_of_all_programs_on_all_hosts=%.2f seconds=%d"
              % (cost["agent"], cost["dbworker"], cost["vipd"], cost["arbiter"], primary.name, share, seconds),
              flush=True)
        return set(cost) == {"agent", "dbworker", "vipd", "arbiter"}


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--rounds", type=int, default=10)
    arguments.add_argument("--profile", default="lan")
    arguments.add_argument("--event", choices=list(EVENTS), action="append")
    arguments.add_argument("--rest-seconds", type=int, default=30)
    options = arguments.parse_args()
    host.end_on_signals()
    good = True
    try:
        for name in options.event or EVENTS:
            good = bench_event(name, options.profile, options.rounds) and good
        if not options.event:
            good = bench_rest(options.profile, options.rest_seconds) and good
    except KeyboardInterrupt:
        print("bench: interrupted; everything it started is gone", file=sys.stderr)
        return 130
    except (host.BedError, OSError) as e:
        print("bench: a round failed: %s" % e, file=sys.stderr)
        return 1
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
