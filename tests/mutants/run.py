#!/usr/bin/python3
"""Shows that each checker of the simulator can fail: builds the program with one rule broken, runs it, and demands that the
named checker reports it, and nothing else before.

A mutant is a text file, tests/mutants/NN-name.mutant:

    rule: what is broken, in a sentence
    file: common/raft/election.c
    program: raft                       one of PROGRAMS below
    seeds: 1-400                        of a random program; for stories `story: tests/sim/stories/01-name.story`
    checker: I7: * votes twice in term  the violation must begin with this (* stands for anything)
    --- text
    what must stand in the file, exactly once
    --- replacement
    what stands there instead
    --- end

Further hunks may follow, each introduced by `--- text`, or by a `file:` line of its own first. What stands before the first
key is a comment.

Killed means: the unmutated program passes the same seeds (or the story), the mutant is reported by the named checker, first.
A mutant that does not fit its file any more, does not build, crashes, fails an assertion, hangs or is reported by another checker
is alive. The last line is `mutants: killed=N alive=N`; with any alive the exit status is 1.

Run it by `make mutants` (MUTANTS="07 12" picks some); the objects of the build directory are used, only the changed file is
compiled anew."""

import argparse
import concurrent.futures
import fnmatch
import glob
import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
import time

# name: (executable, runs stories)
PROGRAMS = {
    "raft": ("tests/sim/test_raft_random", False),
    "cluster": ("tests/sim/test_policy_random", False),
    "raft-story": ("tests/sim/test_stories", True),
    "cluster-story": ("tests/sim/test_policy_stories", True),
}
KEYS = ("rule", "file", "program", "seeds", "story", "checker")
HANG_S = 300
BLOCK = 20  # seeds that the unmutated program runs at a time

VIOLATION = re.compile(r"^  seed (\d+) \([^)]*\): (?:at [0-9.]+ s: )?(.*)$")
STORY_PROBLEM = re.compile(r"^  FAIL (\S+):\d+ \([0-9.]+ s\): (.*)$")


class Broken(Exception):
    """The mutant itself is wrong, not what it shows."""


class Mutant:
    def __init__(self, path):
        self.path = path
        self.number, _, self.name = os.path.basename(path)[: -len(".mutant")].partition("-")
        self.values = {}
        self.edits = {}  # file: [(text, replacement)]
        self.parse()

    def parse(self):
        part, lines, file = None, [], None
        text = None
        with open(self.path, encoding="utf-8") as stream:
            for line in stream.read().split("\n"):
                if line == "--- text" and part is None:
                    part, lines = "text", []
                elif line == "--- replacement" and part == "text":
                    text, part, lines = "\n".join(lines), "replacement", []
                elif line == "--- end" and part == "replacement":
                    if file is None:
                        raise Broken(f"{self.path}: a change before any 'file:'")
                    self.edits.setdefault(file, []).append((text, "\n".join(lines)))
                    part = None
                elif part is not None:
                    lines.append(line)
                else:
                    key, colon, value = line.partition(":")
                    if not colon or key not in KEYS:
                        if line.strip() and self.values:
                            raise Broken(f"{self.path}: '{line}' is neither a key nor a change")
                        continue
                    if key == "file":
                        file = value.strip()
                    else:
                        self.values[key] = value.strip()
        if part is not None:
            raise Broken(f"{self.path}: '--- {part}' has no end")
        for key in ("rule", "program", "checker"):
            if key not in self.values:
                raise Broken(f"{self.path}: no '{key}:'")
        if not self.edits:
            raise Broken(f"{self.path}: changes nothing")
        if self.program not in PROGRAMS:
            raise Broken(f"{self.path}: no program '{self.program}'; one of {', '.join(PROGRAMS)}")
        if self.is_story:
            if not os.path.exists(self.values.get("story", "")):
                raise Broken(f"{self.path}: no story '{self.values.get('story', '')}'")
        else:
            match = re.fullmatch(r"(\d+)-(\d+)", self.values.get("seeds", ""))
            if not match:
                raise Broken(f"{self.path}: 'seeds:' must be FIRST-LAST")
            self.first, self.last = int(match[1]), int(match[2])

    @property
    def program(self):
        return self.values["program"]

    @property
    def is_story(self):
        return PROGRAMS[self.program][1]

    def mutated(self, file):
        with open(file, encoding="utf-8") as stream:
            source = stream.read()
        for text, replacement in self.edits[file]:
            found = source.count(text)
            if found != 1:
                raise Broken(f"the text to replace stands {found} times in {file}, not once")
            source = source.replace(text, replacement)
        return source

    def is_named(self, violation):
        return fnmatch.fnmatchcase(violation, self.values["checker"].replace("[", "[[]") + "*")


class Build:
    """The commands by which make builds what is there already, for use with one file changed."""

    def __init__(self, build, make, mutants):
        self.build = build
        self.compile, self.link = {}, {}
        self.programs = {name: os.path.join(build, path) for name, (path, _) in PROGRAMS.items()}
        sources = sorted({file for mutant in mutants for file in mutant.edits if os.path.exists(file)})
        objects = {os.path.join(build, source[:-2] + ".o"): source for source in sources}
        wanted = sorted({self.programs[mutant.program] for mutant in mutants})
        command = make + ["-n", "V=1", "VARIANT=release", "BUILD=" + build]
        for changed in sources + [program + ".o" for program in wanted]:
            command += ["-W", changed]
        listing = subprocess.run(command + list(objects) + wanted, check=True, capture_output=True, text=True).stdout
        for line in listing.replace("\\\n", " ").splitlines():
            for step in line.split(";"):
                words = shlex.split(step) if " -o " in step else []
                output = words[words.index("-o") + 1] if "-o" in words else None
                if output in objects:
                    self.compile[objects[output]] = [word for word in words if word not in ("-MMD", "-MP")]
                elif output in wanted:
                    self.link[output] = words

    def run(self, words, what):
        result = subprocess.run(words, capture_output=True, text=True)
        if result.returncode != 0:
            raise Broken(f"{what} fails: {(result.stderr.strip().splitlines() or [''])[0]}")

    def mutate(self, mutant, folder):
        """The program with the mutant in it."""
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        program = self.programs[mutant.program]
        link = list(self.link[program])
        for i, file in enumerate(mutant.edits):
            source = os.path.join(folder, os.path.basename(file))
            changed = source[:-2] + f".{i}.o"
            with open(source, "w", encoding="utf-8") as stream:
                stream.write(mutant.mutated(file))
            words = [source if word == file else word for word in self.compile[file]]
            words[words.index("-o") + 1] = changed
            self.run(words + ["-g0", "-Wno-error"], "compiling " + file)
            original = os.path.join(self.build, file[:-2] + ".o")
            if original in link:
                link[link.index(original)] = changed
            else:  # before the archives: what it defines is not taken from them
                link.insert(next(n for n, word in enumerate(link) if word.endswith(".o")), changed)
        output = os.path.join(folder, os.path.basename(program))
        link[link.index("-o") + 1] = output
        self.run(link, "linking")
        return output


def first_problem(words, environment, pattern):
    """(what, seed or story, text); what: violation, passed, or what went wrong instead."""
    process = subprocess.Popen(words, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                               errors="replace")
    hung = threading.Event()

    def give_up():
        hung.set()
        process.kill()

    timer = threading.Timer(HANG_S, give_up)
    timer.start()
    last = ""
    try:
        for line in process.stdout:
            match = pattern.match(line.rstrip("\n"))
            if match:
                process.kill()
                return "violation", match[1], match[2]
            last = line.strip() or last
        status = process.wait()
    finally:
        timer.cancel()
        process.stdout.close()
        process.wait()
    if hung.is_set():
        return "hangs", "", ""
    if status < 0:
        return "crashes", "", f"signal {-status}: {last}"
    if status > 0:
        return "fails without a violation", "", last
    return "passed", "", ""


def run(program, mutant):
    if mutant.is_story:
        return first_problem([program, mutant.values["story"]], {}, STORY_PROBLEM)
    environment = {"FIRST": str(mutant.first), "SEEDS": str(mutant.last - mutant.first + 1), "BAD": "1"}
    return first_problem([program], environment, VIOLATION)


class Unmutated:
    """What each program itself comes to with the seeds and stories that its mutants are shown with: each asked once."""

    def __init__(self, build):
        self.build = build
        self.lock = threading.Lock()
        self.known = {}

    def once(self, program, environment, story):
        """The answer to one question; who asks first finds it out."""
        key = (program, tuple(environment.items()), story)
        with self.lock:
            future = self.known.get(key)
            mine = future is None
            if mine:
                future = self.known[key] = concurrent.futures.Future()
        if mine:
            words = [self.build.programs[program]] + ([story] if story else [])
            future.set_result(first_problem(words, environment, STORY_PROBLEM if story else VIOLATION))
        return future.result()

    def first_problem(self, mutant, last):
        """With the very same seeds: those up to the one that shows the mutant."""
        if mutant.is_story:
            return self.once(mutant.program, {}, mutant.values["story"])
        for first in range(mutant.first // BLOCK * BLOCK, last + 1, BLOCK):
            what, seed, text = self.once(mutant.program, {"FIRST": str(first), "SEEDS": str(BLOCK), "BAD": "1"}, None)
            if what != "passed" and not (what == "violation" and not mutant.first <= int(seed) <= last):
                return what, seed, text
        return "passed", "", ""


def judge(mutant, build, unmutated, keep):
    """(killed, seed or story, text)"""
    folder = os.path.join("build/mutants", os.path.basename(mutant.path)[: -len(".mutant")])
    try:
        program = build.mutate(mutant, folder)
        what, seed, text = run(program, mutant)
        if what == "violation" and mutant.is_named(text):
            what_without, seed_without, text_without = unmutated.first_problem(mutant, 0 if mutant.is_story else int(seed))
            if what_without == "passed":
                return True, seed, text
            return False, seed_without, f"the unmutated program: {what_without}: {text_without}"
        if what == "violation":
            return False, seed, "another checker first: " + text
        return False, seed, (what if what != "passed" else "survives") + (": " + text if text else "")
    except Broken as problem:
        return False, "", str(problem)
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


def load(directory, wanted):
    mutants, problems = [], []
    for path in sorted(glob.glob(os.path.join(directory, "*.mutant"))):
        if wanted and not any(os.path.basename(path).startswith(name) for name in wanted):
            continue
        try:
            mutants.append(Mutant(path))
        except Broken as problem:
            problems.append(str(problem))
    numbers = [mutant.number for mutant in mutants]
    problems += [f"two mutants have the number {number}" for number in sorted(set(numbers)) if numbers.count(number) > 1]
    return mutants, problems


def cut(text, width):
    return text if len(text) <= width else text[: width - 3] + "..."


def main():
    parser = argparse.ArgumentParser(description="Shows that the simulator's checkers can fail.")
    parser.add_argument("--build", default="build/release", help="where the unmutated objects are")
    parser.add_argument("--make", default="make", help="the make to ask for the commands")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--keep", action="store_true", help="leave the mutated programs in build/mutants")
    parser.add_argument("mutants", nargs="*", help="beginnings of file names; all by default")
    options = parser.parse_args()

    began = time.monotonic()
    mutants, problems = load("tests/mutants", options.mutants)
    build = Build(options.build, shlex.split(options.make), mutants)
    unmutated = Unmutated(build)
    killed = 0
    rule_width = max([len(mutant.values["rule"]) for mutant in mutants] + [4])
    print(f"{'no':3} {'result':6} {'seed':>6}  {'rule that is broken':{rule_width}}  {'file':28} {'program':13} checker")
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        results = pool.map(lambda mutant: judge(mutant, build, unmutated, options.keep), mutants)
        for mutant, (good, seed, text) in zip(mutants, results):
            killed += good
            shown = os.path.basename(seed)[:6] if mutant.is_story else seed
            print(f"{mutant.number:3} {'killed' if good else 'ALIVE':6} {shown:>6}  {mutant.values['rule']:{rule_width}}  "
                  f"{', '.join(mutant.edits):28} {mutant.program:13} {mutant.values['checker']}", flush=True)
            if not good:
                print(f"           {text}")
    for problem in problems:
        print(f"ALIVE  {problem}")
    alive = len(mutants) - killed + len(problems)
    print(f"{time.monotonic() - began:.0f} s")
    print(f"mutants: killed={killed} alive={alive}")
    return 0 if alive == 0 and killed > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
