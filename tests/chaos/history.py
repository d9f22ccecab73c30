"""Reads what a run left: the clients' notes (load.py), and the rows of the final primary."""

import collections

import check
from bed import wire

MS = 1_000_000

SCHEMA = (
    "CREATE DATABASE chaos",
    # no unique key on u: a row that is replayed twice must be able to show
    "CREATE TABLE chaos.inserts (id BIGINT AUTO_INCREMENT PRIMARY KEY, u BIGINT NOT NULL, server INT NOT NULL, "
    "epoch BIGINT NOT NULL, KEY (u)) ENGINE=InnoDB",
    "CREATE TABLE chaos.registers (r INT PRIMARY KEY, version BIGINT NOT NULL, op BIGINT NOT NULL) ENGINE=InnoDB",
    "CREATE TABLE chaos.chain (id BIGINT AUTO_INCREMENT PRIMARY KEY, r INT NOT NULL, version BIGINT NOT NULL, op BIGINT NOT NULL, "
    "server INT NOT NULL, epoch BIGINT NOT NULL) ENGINE=InnoDB",
)


class Notes:
    """What the clients noted, so far."""

    def __init__(self, path):
        self.inserts, self.changes, self.reads = [], [], []
        self.unknown_inserts, self.unknown_changes = {}, {}
        self.server_of_session = {}
        self.acked_times = []
        for line in _whole_lines(path):
            kind, *words = line.split()
            if kind == "A":
                self.inserts.append(check.Insert(*map(int, words)))
                self.acked_times.append(int(words[3]))
            elif kind == "C":
                self.changes.append(check.Change(*map(int, words)))
                self.acked_times.append(int(words[5]))
            elif kind == "R":
                seen = {r: (version, op) for r, version, op in (map(int, w.split(":")) for w in words[3:])}
                self.reads.append(check.Read(*map(int, words[:3]), seen))
            elif kind == "U":
                self.unknown_inserts[int(words[0])] = words[3]
            elif kind == "X":
                self.unknown_changes[int(words[0])] = words[5]
            elif kind == "S":
                self.server_of_session[int(words[0])] = int(words[2])
        self.acked_times.sort()

    @property
    def acknowledged(self):
        return len(self.inserts) + len(self.changes)

    def gaps(self, least_ms=100):
        """(begin, end) of all times without any acknowledgement."""
        return [(a, b) for a, b in zip(self.acked_times, self.acked_times[1:]) if b - a >= least_ms * MS]


def _whole_lines(path):
    try:
        with open(path) as f:
            text = f.read()
    except FileNotFoundError:
        return []
    return text[:text.rfind("\n") + 1].splitlines()


class Tail:
    """Follows the clients' notes while they grow: when was the newest acknowledged write sent, and when answered?"""

    def __init__(self, path):
        self.path, self.at, self.rest = path, 0, ""
        self.newest_sent = self.newest_acked = self.count = 0

    def look(self):
        try:
            with open(self.path) as f:
                f.seek(self.at)
                text = self.rest + f.read()
                self.at = f.tell()
        except FileNotFoundError:
            return
        lines = text.split("\n")
        self.rest = lines.pop()
        for line in lines:
            if line[:1] in "AC":
                sent, acked = map(int, line.split()[-2:])
                self.newest_sent = max(self.newest_sent, sent)
                self.newest_acked = max(self.newest_acked, acked)
                self.count += 1

    def acknowledged_since(self, time_ns):
        self.look()
        return self.newest_sent > time_ns


class Rows:
    """What a server holds in the end."""

    def __init__(self, server):
        def query(text):
            return server.query(text, timeout_s=120)
        self.inserts = collections.defaultdict(list)
        for row in query("SELECT u, server, epoch FROM chaos.inserts"):
            self.inserts[row["u"]].append(check.Row(row["server"], row["epoch"]))
        self.chain = [check.Link(row["r"], row["version"], row["op"], row["server"], row["epoch"])
                      for row in query("SELECT r, version, op, server, epoch FROM chaos.chain")]
        self.registers = {row["r"]: (row["version"], row["op"])
                          for row in query("SELECT r, version, op FROM chaos.registers")}

    def same_as(self, other):
        return (self.inserts == other.inserts and sorted(self.chain) == sorted(other.chain) and
                self.registers == other.registers)


def marks(notes, rows):
    """(sent, acked, server, epoch) of all acknowledged writes that are there."""
    links = {link.op: link for link in rows.chain}
    found = []
    for insert in notes.inserts:
        for row in rows.inserts.get(insert.key, ()):
            found.append((insert.sent, insert.acked, row.server, row.epoch))
    for change in notes.changes:
        if change.op in links:
            found.append((change.sent, change.acked, links[change.op].server, links[change.op].epoch))
    return found


def strangers(notes, rows):
    """Rows that name another server than the one that the session was connected to: then the rest cannot be trusted."""
    found = []
    for insert in notes.inserts:
        server = notes.server_of_session.get(insert.session)
        found += ["insert %d says server %d, its session was on %s" % (insert.key, row.server, server)
                  for row in rows.inserts.get(insert.key, ()) if row.server != server]
    return found


def verdict(notes, rows, windows):
    """{what: [violations]} of everything that the clients can tell."""
    return {
        "missing": check.missing_inserts(notes.inserts, rows.inserts) +
        check.broken_chains(notes.changes, notes.unknown_changes, rows.chain, rows.registers) +
        check.ghost_inserts(notes.inserts, notes.unknown_inserts, rows.inserts),
        "two_writers": check.two_writers(marks(notes, rows)) + strangers(notes, rows),
        "stale_reads": check.stale_reads(notes.reads, notes.changes, rows.chain, notes.server_of_session, windows),
    }


def make_schema(server, registers, user):
    server.query(*SCHEMA)
    server.query("INSERT INTO chaos.registers VALUES " + ", ".join("(%d, 0, 0)" % r for r in range(registers)))
    server.query("GRANT SELECT, INSERT, UPDATE, DELETE ON chaos.* TO '%s'@'%%'" % user,
                 "GRANT SELECT ON mha4rdb.* TO '%s'@'%%'" % user)


def now_ns():
    return wire.now_ns()
