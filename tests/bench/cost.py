"""What the commit rule costs a client, and what the programs cost at rest."""

import os
import time

from bed import host
from bed.cluster import VIP, Cluster, sleep_ms
from bed.host import BedError, wait_for
from bed.server import APP_USER, create_schema

SESSIONS = (1, 16)
TABLE = "CREATE TABLE shop.commits (id BIGINT AUTO_INCREMENT PRIMARY KEY, session INT NOT NULL, note VARCHAR(64) NOT NULL)"


def measure(cluster, address, sessions, seconds):
    """{name: number} of one run of commits.c on the client's host."""
    program = cluster.run.program("tests/bench/commits")
    result = cluster.client.run_command(program, address, "3306", APP_USER, cluster.app_password, "shop", str(sessions), str(seconds))
    if result.returncode != 0:
        raise BedError("commits: " + result.stdout + result.stderr)
    return {name: float(value) for name, value in (word.split("=") for word in result.stdout.split())}


def report(server, rule, found, sessions):
    print("bench: cost server=%s rule=%s sessions=%d %s"
          % (server, rule.replace(" ", "_"), sessions, " ".join("%s=%.0f" % item for item in found.items())), flush=True)
    return {"server": server, "rule": rule, "sessions": sessions, **found}


def without(server, seconds):
    """Nobody waits: the same two servers with plain asynchronous replication, set up by hand, and no mha4rdb anywhere."""
    with host.Run("release", "bench") as run:
        cluster = Cluster(run, kind=server)
        first, second = [n.server for n in cluster.data]
        for one in (first, second):
            one.start()
        first.lead_by_hand(semi_sync=False)
        second.follow_by_hand(first)
        create_schema(first)
        first.query(TABLE)
        wait_for("the replica has the table", lambda: second.same_as(first), 20)
        return [report(server, "k=0, plain replication", measure(cluster, first.host.address, n, seconds), n) for n in SESSIONS]


def with_rule(server, seconds, data, rule):
    with host.Run("release", "bench") as run:
        cluster = Cluster(run, kind=server, data=data, arbiter="arb" if len(data) == 2 else None)
        cluster.start()
        primary = cluster.wait_primary(60)
        wait_for("the tables can be made", cluster._try_schema, 20)
        primary.server.query(TABLE)
        cluster.wait_in_sync(90)
        sleep_ms(500)
        return [report(server, rule, measure(cluster, VIP, n, seconds), n) for n in SESSIONS]


def bench_commit_rule(server, seconds):
    """Without, with, and with more nodes: one after the other on the same machine."""
    return (without(server, seconds) + with_rule(server, seconds, ("db1", "db2"), "k=1, two nodes and an arbiter") +
            with_rule(server, seconds, ("db1", "db2", "db3"), "k=1, three nodes"))


def print_costs(costs):
    print("\n| server, commit rule | %s |" % " | ".join(
        "%d session%s: commits/s | median, p99 ms" % (n, "s" * (n > 1)) for n in SESSIONS))
    print("| --- |" + " --- | --- |" * len(SESSIONS))
    for server in dict.fromkeys(c["server"] for c in costs):
        for rule in dict.fromkeys(c["rule"] for c in costs if c["server"] == server):
            cells = []
            for n in SESSIONS:
                c = next(c for c in costs if (c["server"], c["rule"], c["sessions"]) == (server, rule, n))
                cells += ["%.0f" % c["per_second"], "%.2f, %.2f" % (c["p50_us"] / 1000, c["p99_us"] / 1000)]
            print("| %s, %s | %s |" % ({"mariadb": "MariaDB", "mysql": "MySQL"}[server], rule, " | ".join(cells)))


def resident_kb(pid):
    """Resident memory, the part of the shared libraries that it touched included."""
    with open("/proc/%d/smaps_rollup" % pid) as f:
        values = {line.split(":")[0]: int(line.split()[1]) for line in f if line.rstrip().endswith("kB")}
    return values["Rss"]


def cpu_ticks(pid):
    with open("/proc/%d/stat" % pid) as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


def bench_rest(server, seconds):
    """No client at all: what it costs to keep watch."""
    with host.Run("release", "bench") as run:
        cluster = Cluster(run, kind=server)
        cluster.start()
        cluster.wait_primary(60)
        cluster.wait_in_sync(90)
        programs = {}
        for node in cluster.nodes.values():
            for program in ("agent", "dbworker", "vipd", "arbiter"):
                for pid in node.host.processes("mha4rdb-" + program):
                    programs.setdefault(program, []).append(pid)
        if set(programs) != {"agent", "dbworker", "vipd", "arbiter"}:
            raise BedError("not all programs run: %s" % sorted(programs))
        before = sum(cpu_ticks(pid) for pids in programs.values() for pid in pids)
        begun = time.monotonic()
        time.sleep(seconds)
        ticks = sum(cpu_ticks(pid) for pids in programs.values() for pid in pids) - before
        share = 100.0 * ticks / os.sysconf("SC_CLK_TCK") / (time.monotonic() - begun)
        # the largest of the hosts', which is the primary's as a rule
        found = {program: max(map(resident_kb, pids)) for program, pids in programs.items()}
        print("bench: memory server=%s agent_kb=%d dbworker_kb=%d vipd_kb=%d arbiter_kb=%d cpu_percent_of_all_programs_on_all_hosts=%.2f "
              "seconds=%d" % (server, found["agent"], found["dbworker"], found["vipd"], found["arbiter"], share, seconds), flush=True)
        return {"server": server, "cpu": share, **found}


def print_rests(rests):
    print("\n| at rest | agent | dbworker | vipd | arbiter | CPU of all programs on all hosts |\n| --- | --- | --- | --- | --- | --- |")
    for rest in rests:
        print("| %s | %s | %.1f %% of a core |" % ({"mariadb": "MariaDB", "mysql": "MySQL"}[rest["server"]], " | ".join(
            "%.1f MB" % (rest[p] / 1024) for p in ("agent", "dbworker", "vipd", "arbiter")), rest["cpu"]))
