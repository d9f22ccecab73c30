#!/usr/bin/python3
"""Cuts a failing run of the simulator down to what it takes: `make shrink SIM=raft SEED=7` (or SIM=cluster).

A run is a row of numbered decisions (faults, repairs, requests), each drawn from the seed and its number alone, so that leaving
some out does not change the others: KEEP=1,4,7-9 keeps only those, PAUSES=4,7 only the pauses after these two. This
looks for the smallest set with which the same invariant is broken in the same words (delta debugging, Zeller 2002), and prints
the command that shows it and the last moments of its trace.

With --replay it only runs the seed once, with its trace: `make again SIM=raft SEED=7 KEEP=3,9-11`."""

import argparse
import os
import re
import subprocess
import sys

# name: (executable, the numbers that its decisions may have, what stands for none of them)
PROGRAMS = {
    "raft": ("tests/sim/test_raft_random", range(0, 256), "none"),
    "cluster": ("tests/sim/test_policy_random", range(1, 65), "0"),
}
TRACE = {"TRACE": "1"}
HANG_S = 120
LAST_LINES = 60

VIOLATION = re.compile(r"^  seed \d+ \([^)]*\): (?:at [0-9.]+ s: )?(.*)$", re.MULTILINE)


def keep_text(kept, none):
    """1,4,7-9 of a sorted list"""
    parts, i = [], 0
    while i < len(kept):
        last = i
        while last + 1 < len(kept) and kept[last + 1] == kept[last] + 1:
            last += 1
        parts.append(str(kept[i]) if last == i else f"{kept[i]}-{kept[last]}")
        i = last + 1
    return ",".join(parts) or none


def same_words(text):
    """Without what may differ from run to run: names and numbers."""
    return re.sub(r"\b[A-Z][0-9]?\b(?!:)|\d+(?:\.\d+)?", "_", text)


class Run:
    def __init__(self, options):
        self.program = options.program or os.path.join(options.build, PROGRAMS[options.sim][0])
        _, self.decisions, self.none = PROGRAMS[options.sim]
        self.seed = options.seed
        self.runs = 0

    def environment(self, kept, pauses):
        environment = {"SEED": str(self.seed)}
        if kept is not None:
            environment["KEEP"] = keep_text(kept, self.none)
        if pauses is not None:
            environment["PAUSES"] = keep_text(pauses, self.none)
        return environment

    def output(self, environment):
        self.runs += 1
        base = {name: value for name, value in os.environ.items() if name not in ("KEEP", "PAUSES", "FIRST", "SEEDS")}
        try:
            result = subprocess.run([self.program], env={**base, **environment}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                    text=True, errors="replace", timeout=HANG_S)
        except subprocess.TimeoutExpired:
            return f"  seed {self.seed} (?): hangs\n"
        if result.returncode < 0:
            return result.stdout + f"\n  seed {self.seed} (?): crashes, signal {-result.returncode}\n"
        return result.stdout

    def violation(self, kept, pauses=None):
        match = VIOLATION.search(self.output(self.environment(kept, pauses)))
        return match[1] if match else ""


def shrink(fails, kept):
    """The smallest part of `kept` that still fails, as far as leaving out one piece at a time finds it."""
    pieces = 2
    while len(kept) > 0:
        size = max(1, -(-len(kept) // pieces))
        for start in range(0, len(kept), size):
            rest = kept[:start] + kept[start + size:]
            if fails(rest):
                kept = rest
                pieces = max(pieces - 1, 2)
                break
        else:
            if size == 1:
                break
            pieces = min(len(kept), pieces * 2)
    return kept


def cut_the_end(fails, kept):
    """Decisions after the violation are none of it: the shortest beginning that fails."""
    low, high = 0, len(kept)
    while low < high:
        middle = (low + high) // 2
        if fails(kept[:middle]):
            high = middle
        else:
            low = middle + 1
    return kept[:high] if fails(kept[:high]) else kept


def main():
    parser = argparse.ArgumentParser(description="Cuts a failing simulated run down.")
    parser.add_argument("--build", default="build/release")
    parser.add_argument("--program", help="another executable, a mutant say")
    parser.add_argument("--sim", choices=PROGRAMS, default="cluster")
    parser.add_argument("--replay", action="store_true", help="only run it once, with its trace")
    parser.add_argument("--keep", help="with --replay: these decisions only, as in 1,4,7-9")
    parser.add_argument("--pauses", help="with --replay: and these pauses only")
    parser.add_argument("seed", type=int)
    options = parser.parse_args()
    run = Run(options)

    if options.replay:
        environment = {**run.environment(None, None), **TRACE}
        if options.keep:
            environment["KEEP"] = options.keep
        if options.pauses:
            environment["PAUSES"] = options.pauses
        return subprocess.run([run.program], env={**os.environ, **environment}).returncode

    wanted = run.violation(None)
    if not wanted:
        print(f"seed {options.seed} breaks nothing in {run.program}")
        return 2
    print(f"seed {options.seed}: {wanted}")
    words = same_words(wanted)

    everything = list(run.decisions)
    if same_words(run.violation(everything)) != words:
        print("it does not come back when its decisions are named: nothing to cut down")
        return 2

    def fails(kept, pauses=None):
        return same_words(run.violation(kept, pauses)) == words

    kept = shrink(fails, cut_the_end(fails, everything))
    pauses = shrink(lambda rest: fails(kept, rest), cut_the_end(lambda rest: fails(kept, rest), everything))
    kept = shrink(lambda rest: fails(rest, pauses), kept)
    environment = run.environment(kept, pauses)
    output = run.output({**environment, **TRACE})
    match = VIOLATION.search(output)
    # Of a whole cluster its own events; every message of Raft's is in the replay.
    lines = [line for line in output[: match.start() if match else None].splitlines()
             if options.sim == "raft" or not re.search(r" (sends to|hears from) ", line)]
    print("\n".join(lines[-LAST_LINES:]))
    print(f"{len(kept)} decisions are left after {run.runs} runs: {match[1] if match else '?'}")
    if options.program:
        print(" ".join(f"{name}={value}" for name, value in {**environment, **TRACE}.items()), options.program)
    else:
        print(f"make again SIM={options.sim} SEED={options.seed} KEEP={keep_text(kept, run.none)} PAUSES={keep_text(pauses, run.none)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
