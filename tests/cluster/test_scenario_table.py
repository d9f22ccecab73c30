"""The table of results tells the truth: what failed, what was not run, and what makes no sense somewhere."""

import scenario


def told(number, case, without=None):
    return {"number": number, "title": "fault %s" % number, "case": case, "without": without or {}}


def full():
    table = scenario.Table()
    for case in scenario.CASES[:2]:
        table.add(told("1", case, {case: "why" for case in scenario.CASES[2:]}), True)
    return table


def test_all_passed_or_not_applicable():
    table = full()
    assert table.complete([1])
    text = "\n".join(table.lines())
    assert text.count("passed") == 2 and text.split("\n")[1].count("n/a") == 2 and "why" in text


def test_one_that_was_not_run():
    table = full()
    assert not table.complete([1, 2])
    table.add(told("2", scenario.CASES[0]), True)
    assert not table.complete([1, 2]) and "NOT RUN" in "\n".join(table.lines())


def test_one_of_two_functions_failed():
    table = full()
    table.add(told("1", scenario.CASES[0]), False)
    table.add(told("1", scenario.CASES[0]), True)
    assert not table.complete([1]) and "FAILED" in "\n".join(table.lines())
