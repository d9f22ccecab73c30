"""Reads binary logs from the disk: which server wrote which transaction, in which order.

Formats: https://mariadb.com/kb/en/2-binlog-event-header/ and the pages beside it; for MySQL libs/mysql/binlog/event of its source. Only the
events that begin a transaction and those that repeat its statements (MariaDB's ANNOTATE_ROWS; MySQL's ROWS_QUERY, which
binlog_rows_query_log_events switches on) are looked at, which works on a server that is down and needs nobody's word.
"""

import collections
import struct
import uuid

MAGIC = b"\xfebin"
HEADER = struct.Struct("<IBIIIH")  # time, type, server, size, next position, flags
QUERY, XID, ROWS_QUERY, MYSQL_GTID, MYSQL_TAGGED_GTID = 2, 16, 29, 33, 42
ANNOTATE_ROWS, GTID = 160, 162

# domain: MariaDB's number, MySQL's UUID of who made it. Within one, sequences grow.
Transaction = collections.namedtuple("Transaction", "domain server sequence statements")


class BinlogError(Exception):
    pass


def transactions(paths):
    """All transactions of these files, in order. One whose end is missing at the end of a file is none: the server was killed while it wrote
    it, or had no room for it, and will not read it either."""
    found = []
    for path in paths:
        with open(path, "rb") as f:
            data = f.read()
        if data[:4] != MAGIC:
            raise BinlogError("%s is no binary log" % path)
        at, begun = 4, False
        while at + HEADER.size <= len(data):
            _time, kind, server, size, _next, _flags = HEADER.unpack_from(data, at)
            if size < HEADER.size or at + size > len(data):
                break  # the server was killed while it wrote this one
            body = data[at + HEADER.size:at + size]
            if kind == GTID:
                sequence, domain = struct.unpack_from("<QI", body)
                found.append(Transaction(domain, server, sequence, []))
                begun = True
            elif kind == MYSQL_GTID:
                found.append(Transaction(str(uuid.UUID(bytes=body[1:17])), server, struct.unpack_from("<q", body, 17)[0], []))
                begun = True
            elif kind == MYSQL_TAGGED_GTID:
                raise BinlogError("%s: a tagged GTID; nothing here makes such" % path)
            elif kind in (ANNOTATE_ROWS, ROWS_QUERY) and found:
                # behind it the checksum; before MySQL's a byte without a meaning
                found[-1].statements.append(body[kind == ROWS_QUERY:-4].decode(errors="replace"))
            elif kind == XID or kind == QUERY and not body[:-4].endswith(b"\0BEGIN"):
                begun = False
            at += size
        if begun:
            found.pop()
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
    """What must not be: sequences that go back within one log (MariaDB's; MySQL's appliers keep the order of commits but for DDL), one
    that comes twice, or one (domain, sequence) that is another transaction elsewhere.
    `logs` is name -> transactions. Compare logs of servers that have settled."""
    problems, known = [], {}
    for name, log in logs.items():
        last, seen = {}, set()
        for t in log:
            if (t.domain, t.sequence) in seen:
                problems.append("%s: %s-%d-%d is there twice" % (name, t.domain, t.server, t.sequence))
            seen.add((t.domain, t.sequence))
            if isinstance(t.domain, int) and t.sequence <= last.get(t.domain, 0):
                problems.append("%s: %s-%d-%d comes after sequence %d" % (name, t.domain, t.server, t.sequence, last[t.domain]))
            last[t.domain] = t.sequence
            first = known.setdefault((t.domain, t.sequence), (name, t))
            if (first[1].server, first[1].statements) != (t.server, t.statements):
                problems.append("%s and %s hold different transactions at %s-%d" % (first[0], name, t.domain, t.sequence))
    return problems
