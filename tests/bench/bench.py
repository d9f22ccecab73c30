"""`make bench`: the gap that a client sees in each kind of event, how long a hang goes unnoticed, what the commit rule costs, and what
the programs cost at rest. Ends with tables for README.md.

Every round is printed; a round that fails, or loses a row, fails the bench. The gap is the writer's own: from its last acknowledged row before to
its first after. Release build, one cluster for all rounds of a server and profile.
"""

import argparse
import os
import statistics
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "cluster"))

import cost  # noqa: E402
import events  # noqa: E402
from bed import host, wire  # noqa: E402
from bed.cluster import Cluster, sleep_ms  # noqa: E402
from bed.host import BedError, wait_for  # noqa: E402

MS = 1e6


def machine():
    with open("/proc/cpuinfo") as f:
        models = [line.split(":", 1)[1].strip() for line in f if line.startswith("model name")]
    with open("/proc/meminfo") as f:
        memory_kb = int(f.readline().split()[1])
    return "%d cores (%s), %.0f GB, Linux %s" % (len(models) or os.cpu_count(), models[0] if models else "?", memory_kb / 1048576,
                                                 os.uname().release)


def wait_applied(cluster):
    """The next round begins with servers that are no longer at what the last one left."""
    primary = cluster.primary()
    newest = primary.server.query("SELECT MAX(k) AS k FROM shop.writes")[0]["k"]
    for node in cluster.others(primary):
        wait_for("%s has applied what it has" % node.name,
                 lambda: node.server.query("SELECT MAX(k) AS k FROM shop.writes")[0]["k"] >= newest, 120)


def one_round(cluster, event):
    """(gap, noticed) in ms; noticed is None where nothing is to be noticed."""
    old = cluster.primary()
    new = cluster.other(old)
    begun = wire.now_ns()
    event.begin(cluster, old, new)
    cluster.wait_primary(30, but=old)
    cluster.wait_acknowledged(wire.now_ns())
    noticed = (events.wait_address_left(cluster, old, begun) - begun) / MS if event.hang else None
    event.end(cluster, old)
    gap = cluster.writes().gap_after(begun)
    cluster.wait_in_sync(120)
    wait_applied(cluster)
    sleep_ms(200)
    return (gap[1] - gap[0]) / MS, noticed


def bench_events(server, profile, names, rounds):
    """{event: ([gap], [noticed])} and what did not hold."""
    results = {}
    with host.Run("release", "bench") as run:
        cluster = Cluster(run, kind=server, profile=profile, disk_mb=1500 if any(events.EVENTS[n].needs_disk for n in names) else 0)
        cluster.begin(pace_ms=2)
        sleep_ms(500)
        for name in names:
            gaps, noticed = results.setdefault(name, ([], []))
            for number in range(1, rounds + 1):
                gap, seen = one_round(cluster, events.EVENTS[name])
                gaps.append(gap)
                if seen is not None:
                    noticed.append(seen)
                print("bench: %s %s %s: round %d of %d: %.0f ms%s" % (
                    server, profile, name, number, rounds, gap, "" if seen is None else ", noticed after %.0f ms" % seen), flush=True)
        problems = cluster.judge()
        lost = sum("misses" in p for p in problems)
        version = cluster.data[0].server.variable("version").split("-")[0]
        for name, (gaps, noticed) in results.items():
            print("bench: server=%s-%s profile=%s event=%s rounds=%d median_ms=%.0f min_ms=%.0f max_ms=%.0f lost=%d%s"
                  % (server, version, profile, name, len(gaps), statistics.median(gaps), min(gaps), max(gaps), lost,
                     " noticed_median_ms=%.0f noticed_max_ms=%.0f" % (statistics.median(noticed), max(noticed)) if noticed else ""), flush=True)
        for problem in problems:
            print("bench: PROBLEM: %s" % problem, flush=True)
        return results, version, problems


def summary(values):
    return "%.0f (%.0f-%.0f)" % (statistics.median(values), min(values), max(values)) if values else "-"


def print_gaps(measured, rounds):
    """measured: (server, version, profile) -> {event: ([gap], [noticed])}"""
    columns = list(measured)
    print("\n| event | %s |" % " | ".join("%s %s, `%s`" % ({"mariadb": "MariaDB", "mysql": "MySQL"}[s], v, p) for s, v, p in columns))
    print("| --- |" + " --- |" * len(columns))
    for name, event in events.EVENTS.items():
        if not any(name in measured[c] for c in columns):
            continue
        for hang in ([False, True] if event.hang else [False]):
            cells = [summary(measured[c][name][hang]) if name in measured[c] else "-" for c in columns]
            print("| %s | %s |" % ("... noticed, the address given up" if hang else event.__doc__.splitlines()[0], " | ".join(cells)))
    print("\nMilliseconds that a client waits: median (smallest-largest) of %d rounds; no acknowledged row was lost." % rounds)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--rounds", type=int, default=10)
    arguments.add_argument("--servers", type=lambda s: s.split(","), default=["mariadb", "mysql"])
    arguments.add_argument("--profiles", type=lambda s: s.split(","), default=["lan", "fast"])
    arguments.add_argument("--events", type=lambda s: s.split(",") if s else [], default=None,
                           help="some of %s; nothing: none" % ", ".join(events.EVENTS))
    arguments.add_argument("--parts", type=lambda s: s.split(","), default=["events", "cost", "rest"], help="events, cost, rest")
    arguments.add_argument("--seconds", type=int, default=6, help="of each measurement of the cost")
    options = arguments.parse_args()
    host.end_on_signals()
    begun = time.monotonic()
    good, measured = True, {}
    costs, rests = [], []
    try:
        for server in options.servers:
            for profile in options.profiles if "events" in options.parts else ():
                names = [n for n in options.events or events.BY_PROFILE[profile] if events.can_be_made(n)]
                results, version, problems = bench_events(server, profile, names, options.rounds)
                measured[server, version, profile] = results
                good = good and not problems
            if "cost" in options.parts:
                costs += cost.bench_commit_rule(server, options.seconds)
            if "rest" in options.parts:
                rests.append(cost.bench_rest(server, 20))
    except KeyboardInterrupt:
        print("bench: interrupted; everything it started is gone", file=sys.stderr)
        return 130
    except (BedError, OSError) as e:
        print("bench: a round failed: %s" % e, file=sys.stderr)
        return 1
    if measured:
        print_gaps(measured, options.rounds)
    if costs:
        cost.print_costs(costs)
    if rests:
        cost.print_rests(rests)
    print("\nBy `sudo make bench ROUNDS=%d` on a machine with %s, in %.0f s." % (options.rounds, machine(), time.monotonic() - begun))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
