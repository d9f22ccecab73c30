"""The checkers see what they are there for: made-up histories, one violation each, and the same ones without it."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "cluster"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import check  # noqa: E402
import history  # noqa: E402
import plan  # noqa: E402
from bed import wire  # noqa: E402
from check import Change, Insert, Link, Read, Row, Window  # noqa: E402

A, B = 11, 12  # servers


def one(found, *words):
    """Exactly one violation, which names these."""
    assert len(found) == 1, found
    assert all(w in found[0] for w in words), found


# -- acknowledged inserts --

def test_acknowledged_insert_is_missing_or_there_twice():
    acked = [Insert(1, 7, 100, 200), Insert(2, 7, 300, 400)]
    good = {1: [Row(A, 1)], 2: [Row(A, 1)]}
    assert check.missing_inserts(acked, good) == []
    one(check.missing_inserts(acked, {1: [Row(A, 1)]}), "insert 2", "0 times")
    one(check.missing_inserts(acked, {**good, 2: [Row(A, 1), Row(A, 1)]}), "insert 2", "2 times")


def test_row_that_nobody_sent_or_that_was_refused():
    acked = [Insert(1, 7, 100, 200)]
    assert check.ghost_inserts(acked, [2], {1: [Row(A, 1)], 2: [Row(A, 1)]}) == []
    one(check.ghost_inserts(acked, [2], {1: [Row(A, 1)], 3: [Row(A, 1)]}), "insert 3")


# -- compare and set --

ACKED = [Change(101, 0, 0, 7, 10, 20), Change(102, 0, 1, 8, 30, 40)]
CHAIN = [Link(0, 1, 101, A, 1), Link(0, 2, 102, A, 1)]


def test_chain_is_whole():
    assert check.broken_chains(ACKED, [], CHAIN, {0: (2, 102)}) == []
    # one that nobody was told of may be there or not
    assert check.broken_chains(ACKED, [103], CHAIN + [Link(0, 3, 103, A, 1)], {0: (3, 103)}) == []
    assert check.broken_chains(ACKED, [103], CHAIN, {0: (2, 102)}) == []


def test_lost_update():
    """102 was acknowledged, and then the register went on as if it had never been."""
    found = check.broken_chains(ACKED, [103], [CHAIN[0], Link(0, 2, 103, B, 2)], {0: (2, 103)})
    one(found, "version 2", "102", "not in the chain")


def test_version_acknowledged_to_two():
    found = check.broken_chains(ACKED + [Change(103, 0, 1, 9, 32, 44)], [], CHAIN + [Link(0, 2, 103, B, 2)], {0: (2, 103)})
    assert any("acknowledged to two" in f and "102" in f and "103" in f for f in found)
    assert any("2 times" in f for f in found)


def test_register_that_went_back():
    one(check.broken_chains(ACKED, [], CHAIN, {0: (1, 101)}), "stands at version 1", "2")


def test_chain_with_a_hole():
    one(check.broken_chains([], [101, 103], [CHAIN[0], Link(0, 3, 103, A, 1)], {0: (3, 103)}), "1 versions", "first 2")


def test_change_that_was_refused_is_in_the_chain():
    one(check.broken_chains(ACKED[:1], [], CHAIN, {0: (2, 102)}), "102", "refused")


# -- two writers --

def test_one_writer_after_the_other():
    marks = [(10, 20, A, 1), (30, 40, A, 1), (50, 60, B, 2), (70, 80, A, 3)]
    assert check.two_writers(marks) == []


def test_late_answer_is_no_second_writer():
    """Sent before B's first acknowledgement, answered after it: it may have been committed in time."""
    assert check.two_writers([(45, 90, A, 1), (50, 60, B, 2)]) == []


def test_old_server_still_acknowledges():
    one(check.two_writers([(10, 20, A, 1), (50, 60, B, 2), (70, 80, A, 1)]), "server 11", "epoch 1", "server 12", "epoch 2")


def test_old_server_acknowledges_after_a_much_later_epoch():
    """Not only neighbours are compared."""
    one(check.two_writers([(10, 20, A, 1), (30, 40, A, 1), (15, 22, B, 2), (28, 29, A, 3)]), "epoch 1")


def test_two_servers_in_one_epoch():
    one(check.two_writers([(10, 20, A, 1), (30, 40, B, 1)]), "epoch 1", "11", "12")


def test_row_names_another_server_than_the_session():
    class Notes:
        inserts = [Insert(1, 7, 100, 200)]
        server_of_session = {7: A}

    class Rows:
        inserts = {1: [Row(A, 1)]}
    assert history.strangers(Notes, Rows) == []
    Rows.inserts = {1: [Row(B, 1)]}
    one(history.strangers(Notes, Rows), "insert 1")


# -- reads --

def reads(*seen, session=5, step=100):
    return [Read(session, 1000 + i * step, 1050 + i * step, {0: s}) for i, s in enumerate(seen)]


LONG = [Link(0, v, 100 + v, A, 1) for v in range(1, 6)]


def test_reads_in_order():
    assert check.stale_reads(reads((0, 0), (1, 101), (1, 101), (5, 105)), [], LONG, {5: A}) == []


def test_read_goes_back_in_one_session():
    one(check.stale_reads(reads((2, 102), (1, 101)), [], LONG, {5: A}), "version 1 after version 2")
    # in two sessions it is no matter of this check
    two = reads((2, 102)) + reads((1, 101), session=6)
    assert check.stale_reads(two, [], LONG, {5: A, 6: B}) == []


def test_read_of_what_vanished():
    one(check.stale_reads(reads((3, 999)), [], LONG, {5: A}), "version 3 by 999", "not there in the end")


def test_read_older_than_what_was_acknowledged():
    acked = [Change(103, 0, 2, 9, 900, 990)]
    assert check.stale_reads(reads((3, 103)), acked, LONG, {5: A}) == []
    one(check.stale_reads(reads((2, 102)), acked, LONG, {5: A}), "version 2", "version 3 had been acknowledged")
    # acknowledged only while it was under way: both are right
    assert check.stale_reads(reads((2, 102)), [Change(103, 0, 2, 9, 900, 1020)], LONG, {5: A}) == []


def test_server_that_woke_from_a_pause_is_excused_for_its_bound_only():
    acked = [Change(103, 0, 2, 9, 900, 990)]
    assert check.stale_reads(reads((2, 102)), acked, LONG, {5: A}, [Window(A, 1040, 1060, "waking")]) == []
    one(check.stale_reads(reads((2, 102)), acked, LONG, {5: A}, [Window(A, 1000, 1049, "waking")]), "version 2")
    one(check.stale_reads(reads((2, 102)), acked, LONG, {5: A}, [Window(B, 1040, 1060, "waking")]), "version 2")


# -- two addresses --

MACS = {"mac1": "db1", "mac2": "db2"}


def test_address_on_one_host_after_the_other():
    assert check.two_addresses({"db1": [(0, 100), (300, None)], "db2": [(100, 300)]}, [(50, ["mac1"])], MACS, now=400) == []


def test_address_on_two_hosts():
    one(check.two_addresses({"db1": [(0, 100)], "db2": [(90, 300)]}, [], MACS), "db1", "db2", "from 90")
    one(check.two_addresses({"db1": [(0, None)], "db2": [(90, None)]}, [], MACS, now=500), "from 90")


def test_two_hosts_answer_one_question():
    one(check.two_addresses({}, [(70, ["mac1", "mac2"])], MACS), "at 70", "db1 and db2")


def test_exceptions_cover_what_lies_within_them_only():
    held = {"db1": [(0, 100)], "db2": [(90, 300)]}
    assert check.two_addresses(held, [(95, ["mac1", "mac2"])], MACS, [Window("db1", 80, 120, "kernel")]) == []
    one(check.two_addresses(held, [], MACS, [Window("db1", 80, 95, "kernel")]), "from 95")
    assert check.two_addresses(held, [], MACS, [Window("db1", 80, 95, "kernel"), Window("db2", 95, 100, "waking")]) == []
    one(check.two_addresses(held, [], MACS, [Window("db1", 95, 120, "kernel")]), "from 90")
    one(check.two_addresses({}, [(95, ["mac1", "mac2"])], MACS, [Window("db3", 80, 120, "kernel")]), "at 95")


# -- what they are fed --

def test_notes_are_read_as_they_are_written(tmp_path):
    path = tmp_path / "notes"
    path.write_text("S 7 90 11\nA 1 7 100 200\nU 2 7 300 no_answer\nC 3 0 4 7 110 190\nX 5 1 6 7 400 error_1290\n"
                    "R 8 500 510 0:5:3 1:0:0\nA 9 7 600 7")  # the last one is being written
    notes = history.Notes(str(path))
    assert notes.inserts == [Insert(1, 7, 100, 200)] and notes.changes == [Change(3, 0, 4, 7, 110, 190)]
    assert notes.reads == [Read(8, 500, 510, {0: (5, 3), 1: (0, 0)})]
    assert set(notes.unknown_inserts) == {2} and set(notes.unknown_changes) == {5}
    assert notes.server_of_session == {7: 11} and notes.acknowledged == 2
    tail = history.Tail(str(path))
    assert tail.acknowledged_since(99) and not tail.acknowledged_since(110) and tail.count == 2
    with open(path, "a") as f:
        f.write("00\n")
    assert tail.acknowledged_since(599) and tail.newest_acked == 700


def test_rows_of_an_answer():
    assert wire.row(b"\x0211\xfb\x05hello", 3) == ["11", None, "hello"]
    assert wire.lenenc(b"\xfc\x10\x27", 0) == (10000, 3)


# -- the plan --

def test_plan_is_the_seed_s():
    steps = [plan.step(42, n, 1000) for n in range(1, 300)]
    assert steps == [plan.step(42, n, 1000) for n in range(1, 300)]
    assert steps != [plan.step(43, n, 1000) for n in range(1, 300)]
    assert plan.step(42, 17, 1000) == steps[16], "a step depends on its own number alone"
    assert {f.kind for s in steps for f in s.faults} == set(plan.KINDS), "every kind comes"
    assert {len(s.faults) for s in steps} == {1, 2} and {s.wait_sync for s in steps} == {True, False}


def test_every_kind_can_be_made():
    import faults
    assert set(faults.KINDS) == set(plan.KINDS)
