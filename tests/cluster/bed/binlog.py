"""Reads MariaDB's binary logs from the disk: which server wrote which transaction, in which order.

Format: https://mariadb.com/kb/en/2-binlog-event-header/ and the pages beside it. Only GTID events and the statements that ANNOTATE_ROWS
events repeat are looked at, which works on a server that is down and needs nobody's word.
"""

import collections
import struct

MAGIC = b"\xfebin"
HEADER = struct.Struct("<IBIIIH")  # time, type, server, size, next position, flags
ANNOTATE_ROWS, GTID = 160, 162

Transaction = collections.namedtuple("Transaction", "domain server sequence statements")


class BinlogError(Exception):
    pass


def transactions(paths):
    """All transactions of these files, in order."""
    found = []
    for path in paths:
        with open(path, "rb") as f:
            data = f.read()
        if data[:4] != MAGIC:
            raise BinlogError("%s is no binary log" % path)
        at = 4
        while at + HEADER.size <= len(data):
            _time, kind, server, size, _next, _flags = HEADER.unpack_from(data, at)
            if size < HEADER.size or at + size > len(data):
                break  # the server was killed while it wrote this one
            body = data[at + HEADER.size:at + size]
            if kind == GTID:
                sequence, domain = struct.unpack_from("<QI", body)
                found.append(Transaction(domain, server, sequence, []))
            elif kind == ANNOTATE_ROWS and found:
                found[-1].statements.append(body[:-4].decode(errors="replace"))  # behind it: the checksum
            at += size
    return found


def reigns(log):
    """The servers that wrote, one after the other: [(server, first sequence, last sequence)]."""
    found = []
    for t in log:
        if found and found[-1][0] == t.server:
            found[-1] = (t.server, found[-1][1], t.sequence)
        else:
            found.append((t.server, t.sequence, t.sequence))
    return found


def quarrels(logs):
    """What must not be: sequences that go back within one log, or one (domain, sequence) that is another transaction elsewhere.
    `logs` is name -> transactions. Compare logs of servers that have settled."""
    problems, known = [], {}
    for name, log in logs.items():
        last = {}
        for t in log:
            if t.sequence <= last.get(t.domain, 0):
                problems.append("%s: %d-%d-%d comes after sequence %d" % (name, t.domain, t.server, t.sequence, last[t.domain]))
            last[t.domain] = t.sequence
            first = known.setdefault((t.domain, t.sequence), (name, t))
            if (first[1].server, first[1].statements) != (t.server, t.statements):
                problems.append("%s and %s hold different transactions at %d-%d" % (first[0], name, t.domain, t.sequence))
    return problems
