"""What a scenario is: a numbered fault, run on each kind of server and in each form of cluster where it makes sense.

    @scenario(1, "primary's database killed (-9)", quick=("mariadb-2", "mysql-3"))
    def test_01_database_killed(cluster): ...

gives four tests, one for each case, each with a fresh cluster. `quick`: the cases that `make check` runs. `without`: case -> why it makes
no sense there, for the table of results. Further options go to bed.cluster.Cluster; one that can be called is given the kind.
Several functions may share a number: in the table their row has failed if one of them has.
"""

import os

import pytest

FORMS = {"2": {"data": ("db1", "db2"), "arbiter": "arb"}, "3": {"data": ("db1", "db2", "db3"), "arbiter": None}}
CASES = tuple("%s-%s" % (kind, form) for kind in ("mariadb", "mysql") for form in FORMS)
PICKED = tuple(os.environ.get("MHA_CASES", "").split()) or CASES
assert set(PICKED) <= set(CASES), "MHA_CASES=%s: not a case; there are %s" % (" ".join(sorted(set(PICKED) - set(CASES))), " ".join(CASES))
TWO_NODES = {"mariadb-3": "needs two data nodes", "mysql-3": "needs two data nodes"}
NEEDS_THIRD = {"mariadb-2": "needs a third data node", "mysql-2": "needs a third data node"}


def scenario(number, title, quick=(), without=None, **options):
    without = without or {}
    assert not set(quick) & set(without), "a quick case that does not run"
    cases = [c for c in CASES if c not in without and c in PICKED]

    def decorate(function):
        params = [pytest.param(case, marks=[pytest.mark.quick] if case in quick else []) for case in cases]
        function = pytest.mark.parametrize("cluster", params, indirect=True)(function)
        return pytest.mark.scenario(number=number, title=title, without=without, options=options)(function)
    return decorate


def cluster_options(marker, case):
    kind, form = case.split("-")
    options = {name: value(kind) if callable(value) else value for name, value in marker.kwargs["options"].items()}
    return {"kind": kind, **FORMS[form], **options}


def properties(item):
    """What travels with a test's report: who makes the table runs none of the tests itself."""
    marker = item.get_closest_marker("scenario")
    if not marker:
        return None
    return {"number": str(marker.kwargs["number"]), "title": marker.kwargs["title"], "case": item.callspec.params["cluster"],
            "without": marker.kwargs["without"]}


class Table:
    """number -> title, case -> result."""

    def __init__(self):
        self.rows = {}

    def add(self, told, passed):
        row = self.rows.setdefault(told["number"], {"title": told["title"], "cells": {}, "without": {}})
        row["cells"][told["case"]] = passed and row["cells"].get(told["case"], True)
        row["without"].update(told["without"])

    def lines(self):
        def place(number):
            return (0, int(number), "") if number.isdigit() else (1, 0, number)
        yield "%-4s %-72s %s" % ("#", "scenario", " ".join("%-10s" % c for c in CASES))
        for number in sorted(self.rows, key=place):
            row = self.rows[number]
            words = [self.word(row, case) for case in CASES]
            yield "%-4s %-72s %s" % (number, row["title"][:72], " ".join("%-10s" % w for w in words))
            reasons = {}
            for case, why in row["without"].items():
                if case not in row["cells"]:
                    reasons.setdefault(why, []).append(case)
            for why, cases in reasons.items():
                yield "     n/a on %s: %s" % (", ".join(cases), why)

    @staticmethod
    def word(row, case):
        if case in row["cells"]:
            return "passed" if row["cells"][case] else "FAILED"
        return "n/a" if case in row["without"] else "NOT RUN"

    def complete(self, numbers):
        """All of them, each passed or not applicable in each case."""
        return all(str(n) in self.rows for n in numbers) and all(
            self.word(row, case) in ("passed", "n/a") for row in self.rows.values() for case in CASES)
