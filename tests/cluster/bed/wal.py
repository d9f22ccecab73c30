"""Reads a member's write-ahead log (common/store/record.h, proto/log.proto): what it voted, and what it holds.

It is read while the member is dead: each start copies the log to a new segment, so that whoever reads after every death misses nothing.
CRCs are not checked here: a torn tail ends the reading, as it ends the member's.
"""

import collections
import glob
import os
import struct

HEADER = struct.Struct("<8sQQQQQI")
FRAME = struct.Struct("<IIQQ")
HEADER_BYTES, FRAME_BYTES = 64, 24

Entry = collections.namedtuple("Entry", "index term kind data")
Vote = collections.namedtuple("Vote", "term vote")


def fields(data):
    """(number, value) of a protobuf message; only the wire types that log.proto uses."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            if byte < 128:
                return value
            shift += 7

    while at < len(data):
        tag = varint()
        if tag & 7 == 0:
            yield tag >> 3, varint()
        elif tag & 7 == 2:
            size = varint()
            yield tag >> 3, data[at:at + size]
            at += size
        else:
            raise ValueError("wire type %d" % (tag & 7))


def records(directory):
    """Payloads of all segments, by sequence number."""
    found = {}
    for path in glob.glob(os.path.join(directory, "wal-*")):
        with open(path, "rb") as f:
            data = f.read()
        if data[:7] != b"mha4wal":
            continue
        at = HEADER_BYTES
        sequence = HEADER.unpack_from(data)[3]
        while at + FRAME_BYTES <= len(data):
            length, _crc, number, _synced = FRAME.unpack_from(data, at)
            if number != sequence:
                break
            found.setdefault(number, data[at + FRAME_BYTES:at + FRAME_BYTES + length])
            sequence += 1
            at += FRAME_BYTES + (length + 7) // 8 * 8
    return [found[n] for n in sorted(found)]


def contents(directory):
    """(votes, entries) in the order in which they were written."""
    votes, entries = [], []
    for payload in records(directory):
        for number, value in fields(payload):
            message = dict(fields(value)) if isinstance(value, bytes) else {}
            if number == 1:
                votes.append(Vote(message.get(1, 0), message.get(2, 0)))
            elif number == 2:
                entries.append(Entry(message.get(1, 0), message.get(2, 0), message.get(3, 0), message.get(4, b"")))
    return votes, entries


def undo(path, segment):
    """Takes back what powercut.c remembers of writes that were never synced, the newest first."""
    with open(path, "rb") as f:
        data = f.read()
    writes, at = [], 0
    while at + 16 <= len(data):
        offset, size = struct.unpack_from("=QQ", data, at)
        writes.append((offset, data[at + 16:at + 16 + size]))
        at += 16 + size
    try:
        with open(segment, "r+b") as f:
            for offset, old in reversed(writes):
                f.seek(offset)
                f.write(old)
    except FileNotFoundError:
        pass  # a segment that was never finished, or is not needed any more
    return len(writes)


class Ledger:
    """All votes and entries ever seen of all members, and what is wrong with them."""

    def __init__(self):
        self.votes = collections.defaultdict(set)  # (member, term) -> candidates
        self.entries = collections.defaultdict(set)  # (index, term) -> contents
        self.problems = []
        self.terms = collections.defaultdict(int)

    def read(self, member, directory):
        votes, entries = contents(directory)
        term = 0
        for vote in votes:
            if vote.term < term:
                self.problems.append("%s went back from term %d to %d" % (member, term, vote.term))
            term = vote.term
            if vote.vote:
                self.votes[member, vote.term].add(vote.vote)
        if term < self.terms[member]:
            self.problems.append("%s forgot term %d, it knows %d" % (member, self.terms[member], term))
        self.terms[member] = max(term, self.terms[member])
        for entry in entries:
            self.entries[entry.index, entry.term].add((entry.kind, entry.data))

    def verdict(self):
        return (self.problems +
                ["%s voted for %d members in term %d" % (m, len(c), t) for (m, t), c in self.votes.items() if len(c) > 1] +
                ["entry %d of term %d has %d contents" % (i, t, len(c)) for (i, t), c in self.entries.items() if len(c) > 1])
