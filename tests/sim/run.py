#!/usr/bin/python3
"""Runs simulated groups and clusters under random faults: each seed once as a Raft group (test_raft_random) and once as a whole
cluster (test_policy_random), in as many processes as there are cores.

    make sim                          what `make check` runs
    make soak SEEDS=20000 [FIRST=1] [JOBS=2]

Prints what took effect (the programs' counts, tests/sim/counts.h), every violation with the command that replays it, and ends
with one line, `sim: seeds=N hours=H violations=V topologies=...`. The exit status is 1 after a violation, a crash or a hang, or if
a kind of fault never took effect in a run of enough seeds."""

import argparse
import collections
import os
import queue
import re
import resource
import signal
import subprocess
import sys
import threading
import time

# name: (executable, seeds in one process)
PROGRAMS = {"raft": ("tests/sim/test_raft_random", 50), "cluster": ("tests/sim/test_policy_random", 10)}
ENOUGH_SEEDS = 1000  # with fewer a kind may be missing by chance
HANG_S = 600
SHOWN_MOST = 20

COUNT = re.compile(r"^count (\w+) (\d+)$")
VIOLATION = re.compile(r"^  seed (\d+) \(([^)]*)\): (.*)$")
# Counts that are no faults, in the order of the table's head.
HEAD = ("seeds", "violations", "simulated_us")


class Totals:
    def __init__(self):
        self.lock = threading.Lock()
        self.counts = {name: collections.OrderedDict() for name in PROGRAMS}
        self.problems = []  # texts
        self.violations = 0


def run_range(build, program, first, seeds):
    """The output and the exit status (negative: a signal; None: it hung)."""
    environment = {"FIRST": str(first), "SEEDS": str(seeds), "BAD": str(seeds), "COUNTS": "1"}
    process = subprocess.Popen([os.path.join(build, PROGRAMS[program][0])], env={**os.environ, **environment}, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True)
    try:
        output, _ = process.communicate(timeout=HANG_S)
        return output, process.returncode
    except subprocess.TimeoutExpired:
        process.kill()
        output, _ = process.communicate()
        return output, None


def describe(program, seed, topology, text):
    return f"{program} seed {seed} ({topology}): {text}\n    replay: make again SIM={program} SEED={seed}    cut down: make shrink SIM={program} SEED={seed}"


def take(options, totals, program, first, seeds):
    output, status = run_range(options.build, program, first, seeds)
    found = [VIOLATION.match(line) for line in output.splitlines()]
    found = [match for match in found if match]
    if status is None or status < 0:
        if seeds > 1:  # which of them?
            for seed in range(first, first + seeds):
                take(options, totals, program, seed, 1)
            return
        what = "hangs" if status is None else f"crashes, signal {-status}"
        last = "\n    ".join(output.strip().splitlines()[-8:])
        with totals.lock:
            totals.violations += 1
            totals.problems.append(describe(program, first, "?", what) + "\n    " + last)
        return
    with totals.lock:
        for line in output.splitlines():
            match = COUNT.match(line)
            if match:
                counts = totals.counts[program]
                counts[match[1]] = counts.get(match[1], 0) + int(match[2])
        for match in found:
            totals.problems.append(describe(program, match[1], match[2], match[3]))
        totals.violations += len(found)
        if status != 0 and not found:
            totals.problems.append(f"{program}, seeds {first} to {first + seeds - 1}: exit status {status}\n    "
                                   + "\n    ".join(output.strip().splitlines()[-8:]))


def work(options, totals, waiting):
    while True:
        try:
            program, first, seeds = waiting.get_nowait()
        except queue.Empty:
            return
        if len(totals.problems) < SHOWN_MOST:
            take(options, totals, program, first, seeds)


def shown_topology(name):
    """topology_2_arbiter: 2+1"""
    if name == "topology_shared_arbiter":
        return "arbiter-many"
    parts = name[len("topology_"):].split("_")
    if parts[0].isdigit():
        return parts[0] + ("+1" if "arbiter" in parts[1:] else "")
    return "-".join(parts)


def topologies(totals):
    present = []
    for counts in totals.counts.values():
        for name, number in counts.items():
            if name.startswith("topology_") and number and shown_topology(name) not in present:
                present.append(shown_topology(name))
    return sorted(present, key=lambda text: (not text[0].isdigit(), text))


def print_table(totals):
    names = []
    for counts in totals.counts.values():
        names += [name for name in counts if name not in names]
    names = [name for name in names if name not in HEAD]
    print(f"{'':24}{'raft':>14}{'cluster':>14}")
    for name in names:
        cells = [str(counts[name]) if name in counts else "" for counts in totals.counts.values()]
        print(f"{name:24}" + "".join(f"{cell:>14}" for cell in cells))


def missing_kinds(totals):
    return [f"{program}: '{name}' never took effect" for program, counts in totals.counts.items()
            for name, number in counts.items() if number == 0 and name != "violations"]


def hours(totals):
    return sum(counts.get("simulated_us", 0) for counts in totals.counts.values()) / 3.6e9


def main():
    parser = argparse.ArgumentParser(description="Simulated clusters under random faults.")
    parser.add_argument("--build", default="build/release")
    parser.add_argument("--seeds", type=int, default=2000)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--program", choices=PROGRAMS, help="only this one")
    options = parser.parse_args()

    programs = [options.program] if options.program else list(PROGRAMS)
    end = options.first + options.seeds
    ranges = [(program, first, min(PROGRAMS[program][1], end - first))
              for program in programs for first in range(options.first, end, PROGRAMS[program][1])]
    # Evenly mixed, so that the last ones to run are short.
    waiting = queue.Queue()
    for item in sorted(ranges, key=lambda item: (item[1], item[0])):
        waiting.put(item)

    def end_early(*_):
        """Told to stop: no further ranges, and a report of those that ran."""
        while not waiting.empty():
            try:
                waiting.get_nowait()
            except queue.Empty:
                return

    signal.signal(signal.SIGTERM, end_early)
    signal.signal(signal.SIGINT, end_early)
    totals = Totals()
    began = time.monotonic()
    threads = [threading.Thread(target=work, args=(options, totals, waiting)) for _ in range(options.jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took_s = time.monotonic() - began
    seeds = min(totals.counts[program].get("seeds", 0) for program in programs)
    if seeds < options.seeds:
        print(f"ended after {seeds} of {options.seeds} seeds")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = used.ru_utime + used.ru_stime

    print_table(totals)
    if seeds >= ENOUGH_SEEDS and not totals.problems:
        totals.problems += missing_kinds(totals)
    for problem in totals.problems[:SHOWN_MOST]:
        print(problem)
    if len(totals.problems) >= SHOWN_MOST:
        print(f"stopped after {SHOWN_MOST} problems")
    simulated_h = hours(totals)
    runs = sum(counts.get("seeds", 0) for counts in totals.counts.values())
    print(f"{runs} runs in {took_s:.0f} s; {simulated_h / (cpu_s / 60) if cpu_s else 0:.0f} simulated hours per core and minute")
    print(f"sim: seeds={seeds} hours={simulated_h:.1f} violations={totals.violations} "
          f"topologies={','.join(topologies(totals)) or 'none'}", flush=True)
    return 1 if totals.problems or totals.violations or seeds < options.seeds else 0


if __name__ == "__main__":
    sys.exit(main())
