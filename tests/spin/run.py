#!/usr/bin/python3
"""run.py BUILD [MODEL...] - verifies the SPIN models of this folder, and finds each of their seeded faults.

A model is right when its whole state space, within the bounds below, holds no violated assertion. A fault is one
wrong line (-DFAULT_...): it is found when the same bounds give a counterexample. `make spin` runs all of it."""
import concurrent.futures
import os
import re
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
JOBS = int(os.environ.get("JOBS", "2"))

# model: (what it is about, bounds to verify it with, {fault: bounds to find it with})
RULE3 = "-DN=3 -DTERMS=2 -DCRASHES=1 -DWRITES=1 -DLENGTH=4"
RULE4 = "-DN=4 -DTERMS=2 -DCRASHES=0 -DWRITES=1 -DLENGTH=4 -DCHANGES=2"
RULE33 = "-DN=3 -DTERMS=3 -DCRASHES=0 -DWRITES=1 -DLENGTH=5 -DCHANGES=1"
ARBITER = "-DCRASHES=2 -DWRITES=2"
COMPACT = "-DCRASHES=2 -DWRITES=1"
LEASE = "-DFIRST=0"
LEASE2 = "-DFIRST=2"
MODELS = {
    "arbiter": ("an arbiter that leads only to hand over", [ARBITER], {
        "VOTES_FOR_SHORTER": ARBITER,
        "NEVER_LEADS": ARBITER,
        "HANDS_OVER_EARLY": ARBITER,
        "KEEPS_LEADING": ARBITER,
        "ARBITER_FORGETS": ARBITER,
        "COMMITS_OLD_TERMS": "-DCRASHES=3 -DWRITES=0",
    }),
    "compact": ("a log prefix is dropped only with a whole snapshot", [COMPACT], {
        "DROPS_WITH_THE_LEADER": COMPACT,
        "DROPS_AT_THE_FIRST_CHUNK": COMPACT,
        "MIXES_CHUNKS": COMPACT,
    }),
    "lease": ("leases with voters that restart", [LEASE, LEASE2], {
        "NOT_STICKY": LEASE,
        "NO_MARGIN": LEASE,
        "FROM_THE_ANSWER": LEASE,
        "NO_WAIT_AFTER_RESTART": LEASE,
        "PROMISE_NOT_PERSISTED": LEASE,
        "E_ASSUMED": LEASE,
        "CANDIDATE_PROMISES_NOTHING": LEASE,
        "NO_HOLD_AFTER_LEADING": LEASE,
        "TRANSFER_BEFORE_THE_END": LEASE,
        "LEADS_ON_AFTER_TRANSFER": LEASE,
        "RELEASE_UNCONFIRMED": LEASE,
    }),
    "rule": ("the commit rule changes while others are promoted", [RULE3, RULE4, RULE33], {
        "NOT_FROZEN": RULE3,
        "ONE_POSITION_LESS": RULE3,
        "AHEAD_IGNORED": RULE3,
        "OLD_NOT_FENCED": RULE3,
        "RESTART_COUNTS": RULE3,
        "START_NOT_BOUND": RULE3,
        "TERM_FORGOTTEN": RULE3,
        "NO_RECORD": RULE33,
        "KEEPS_ACKS": RULE33,
        "FENCE_FREES_COMMITS": RULE3,
        "WEAKEN_DATABASE_FIRST": RULE3,
        "ALLOW_FIRST": RULE3,
        "NOT_WITHDRAWN": RULE4,
        "RAISE_COMMIT_FIRST": RULE3,
        "NO_MARK": RULE3,
        "GIVES_UP_UNDECIDED": RULE3,
    }),
}


def run(build, model, flags, fault):
    """-> (states, seconds, verdict): "verified", "violated" or what went wrong."""
    began = time.monotonic()
    name = "%s-%s" % (model, fault.lower() if fault else "right-" + re.sub(r"[^A-Z0-9]+", "", flags))
    folder = os.path.join(build, name)
    os.makedirs(folder, exist_ok=True)
    source = os.path.join(HERE, model + ".pml")
    defines = flags.split() + (["-DFAULT_" + fault] if fault else [])

    def call(*command):
        return subprocess.run(command, cwd=folder, capture_output=True, text=True)

    made = call("spin", "-a", *defines, source)
    if made.returncode != 0:
        return 0, 0, "spin: " + (made.stdout + made.stderr).strip()
    made = call("gcc", "-w", "-O2" if not fault else "-O1", "-DSAFETY", "-DVECTORSZ=4096", "-DMEMLIM=3000", "-o", "pan", "pan.c")
    if made.returncode != 0:
        return 0, 0, "gcc: " + made.stderr.strip()
    # -E: an end of all steps is no error by itself; what must have come about by then is an assertion
    out = call("./pan", "-E", "-m100000", "-w22").stdout
    open(os.path.join(folder, "out.txt"), "w").write(out)
    states = re.search(r"(\d+) states, stored", out)
    errors = re.search(r"errors: (\d+)", out)
    cut = "max search depth too small" in out or "Search not completed" in out
    if not states or not errors:
        verdict = "pan: " + out.strip()[-300:]
    elif errors.group(1) != "0":
        verdict = "violated"
    elif cut:
        verdict = "pan: the search was cut short"
    else:
        verdict = "verified"
    return int(states.group(1)) if states else 0, time.monotonic() - began, verdict


def main():
    build = os.path.abspath(sys.argv[1])
    chosen = sys.argv[2:] or list(MODELS)
    tasks = []
    for model in chosen:
        tasks += [(model, flags, "") for flags in MODELS[model][1]]
        tasks += [(model, flags, fault) for fault, flags in MODELS[model][2].items()]
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        results = list(pool.map(lambda task: run(build, *task), tasks))
    verified = {model: True for model in chosen}
    faults = found = 0
    for (model, flags, fault), (states, seconds, verdict) in zip(tasks, results):
        if fault:
            faults += 1
            found += verdict == "violated"
            print("  SPIN  %-9s %-26s %-9s %9d states %5.1f s" % (
                model, fault, {"violated": "found", "verified": "NOT FOUND"}.get(verdict, verdict), states, seconds))
        else:
            verified[model] = verified[model] and verdict == "verified"
            print("  SPIN  %-9s %-26s %-9s %9d states %5.1f s  %s" % (
                model, "", verdict, states, seconds, flags.replace("-D", "")))
            if verdict == "violated":
                print("        see `spin -t -p -g %s ../../../tests/spin/%s.pml` in %s" % (flags, model, build))
    print("spin: models=%d verified=%d faults=%d found=%d" % (len(chosen), sum(verified.values()), faults, found))
    return 0 if all(verified.values()) and faults == found else 1


if __name__ == "__main__":
    sys.exit(main())
