"""The checkers: what a history of acknowledgements and reads, and the rows that are there in the end, say about the promise. Pure.

A violation is a sentence. What is compared is always real time of one clock (CLOCK_MONOTONIC or CLOCK_BOOTTIME of one machine): an
operation took effect somewhere between the moment it was sent and the moment its answer came, and nothing finer is assumed.
"""

import collections

MS = 1_000_000

# key: the insert's number; sent: when its commit was sent; acked: when its answer came
Insert = collections.namedtuple("Insert", "key session sent acked")
# op: the attempt's number; the register went from version old to old + 1
Change = collections.namedtuple("Change", "op register old session sent acked")
# seen: {register: (version, op)}
Read = collections.namedtuple("Read", "session sent answered seen")
# what a row of the final primary says of itself: which server wrote it, under which epoch
Row = collections.namedtuple("Row", "server epoch")
Link = collections.namedtuple("Link", "register version op server epoch")
# a host's time in which the design allows what is forbidden otherwise; why names the exception
Window = collections.namedtuple("Window", "host begin end why")


def missing_inserts(acked, rows):
    """Every acknowledged insert is there exactly once. rows: key -> list of Row."""
    found = []
    for insert in acked:
        count = len(rows.get(insert.key, ()))
        if count != 1:
            found.append("insert %d, acknowledged at %d in session %d, is there %d times"
                         % (insert.key, insert.acked, insert.session, count))
    return found


def ghost_inserts(acked, unknown, rows):
    """What is there was sent, and no answer said that it failed. unknown: keys whose fate nobody was told."""
    known = {i.key for i in acked} | set(unknown)
    return ["insert %d is there and was never sent, or was refused" % k for k in sorted(rows) if k not in known]


def broken_chains(acked, unknown, chain, registers):
    """No lost update. chain: Links in any order; registers: register -> (version, op) in the end; unknown: ops without an answer."""
    found = []
    links = collections.defaultdict(list)
    for link in chain:
        links[link.register, link.version].append(link)
    acknowledged = {}
    for change in acked:
        place = (change.register, change.old + 1)
        if place in acknowledged:
            found.append("register %d: version %d was acknowledged to two: %d and %d"
                         % (*place, acknowledged[place].op, change.op))
        acknowledged[place] = change
        if change.op not in [link.op for link in links.get(place, ())]:
            found.append("register %d: version %d, acknowledged to %d at %d, is not in the chain"
                         % (*place, change.op, change.acked))
    answered = {c.op for c in acked} | set(unknown)
    for (register, version), here in sorted(links.items()):
        if len(here) > 1:
            found.append("register %d: version %d is in the chain %d times" % (register, version, len(here)))
        found += ["register %d: version %d is by %d, which was refused or never sent" % (register, version, link.op)
                  for link in here if link.op not in answered]
    for register, (version, op) in sorted(registers.items()):
        gaps = [v for v in range(1, version + 1) if (register, v) not in links]
        if gaps:
            found.append("register %d: %d versions are not in the chain, the first %d" % (register, len(gaps), gaps[0]))
        beyond = [v for r, v in links if r == register and v > version]
        if beyond:
            found.append("register %d stands at version %d, the chain goes on to %d" % (register, version, max(beyond)))
        if version and op not in [link.op for link in links.get((register, version), ())]:
            found.append("register %d: version %d is by %d, the chain says another" % (register, version, op))
    return found


def two_writers(marks):
    """marks: (sent, acked, server, epoch) of every acknowledged write.

    An epoch is one server's. And a write that was sent after a write of a later epoch had been acknowledged was taken by a server whose
    time was over: both servers took writes at that moment. (The other way round proves nothing: a write that was sent before may have
    been committed before, and its answer delayed.)"""
    found = []
    server_of = {}
    for _sent, acked, server, epoch in marks:
        other = server_of.setdefault(epoch, server)
        if other != server:
            found.append("servers %d and %d both acknowledged under epoch %d (%d at %d)" % (other, server, epoch, server, acked))
    by_epoch = collections.defaultdict(list)
    for mark in marks:
        by_epoch[mark[3]].append(mark)
    first_acked = None  # of all later epochs
    for epoch in sorted(by_epoch, reverse=True):
        if first_acked is not None:
            late = [m for m in by_epoch[epoch] if m[0] > first_acked[1]]
            if late:
                worst = max(late)
                found.append("server %d acknowledged %d writes of epoch %d that were sent after server %d had acknowledged under epoch "
                             "%d at %d, the last sent %.1f ms after it"
                             % (worst[2], len(late), epoch, first_acked[2], first_acked[3], first_acked[1],
                                (worst[0] - first_acked[1]) / MS))
        earliest = min(by_epoch[epoch], key=lambda m: m[1])
        if first_acked is None or earliest[1] < first_acked[1]:
            first_acked = earliest
    return found


def stale_reads(reads, acked, chain, server_of_session, windows=()):
    """Three promises to a reader through the address:
    - in one session no register goes back;
    - what was read is in the final chain: it did not vanish;
    - a read that was sent after a version had been acknowledged shows that version or a later one.
    The last one has an exception: a server whose host was paused, until its lease's end is seen there (windows)."""
    found = []
    links = {(link.register, link.version, link.op) for link in chain}
    last = {}
    acked = sorted(acked, key=lambda c: c.acked)
    newest, at = {}, 0
    for read in sorted(reads, key=lambda r: r.sent):
        while at < len(acked) and acked[at].acked < read.sent:
            change = acked[at]
            newest[change.register] = max(newest.get(change.register, 0), change.old + 1)
            at += 1
        before = last.setdefault(read.session, {})
        server = server_of_session.get(read.session)
        excused = any(w.host == server and w.begin <= read.answered <= w.end for w in windows)
        for register, (version, op) in read.seen.items():
            if version < before.get(register, 0):
                found.append("session %d read register %d at version %d after version %d (at %d)"
                             % (read.session, register, version, before[register], read.answered))
            before[register] = max(version, before.get(register, 0))
            if version and (register, version, op) not in links:
                found.append("session %d read version %d by %d of register %d at %d, which is not there in the end"
                             % (read.session, version, op, register, read.answered))
            if version < newest.get(register, 0) and not excused:
                found.append("session %d read register %d at version %d on server %s, sent at %d after version %d had been acknowledged"
                             % (read.session, register, version, server, read.sent, newest[register]))
    return found


def _uncovered(begin, end, host, windows):
    """The first part of [begin, end] that no window of the host covers, or None."""
    for window in sorted((w for w in windows if w.host == host), key=lambda w: w.begin):
        if window.begin <= begin < window.end:
            begin = window.end
    return (begin, end) if begin < end else None


def two_addresses(holdings, answers, owners, windows=(), now=None):
    """holdings: host -> [(begin, end or None)]; answers: [(time, [mac, ...])] with who answered one question; owners: mac -> host.
    A moment counts unless one of the two is in a window of its own."""
    found = []
    spans = sorted((begin, end if end is not None else now or begin + 1, host)
                   for host, times in holdings.items() for begin, end in times)
    for i, (_begin, a_end, a) in enumerate(spans):
        for b_begin, b_end, b in spans[i + 1:]:
            if b_begin >= a_end:
                break
            if a == b:
                continue
            left = _uncovered(b_begin, min(a_end, b_end), a, windows)
            left = left and _uncovered(*left, b, windows)
            if left:
                found.append("on %s and %s from %d for %.1f ms" % (a, b, left[0], (left[1] - left[0]) / MS))
    for time, macs in answers:
        hosts = [owners.get(mac, mac) for mac in macs]
        if len(hosts) > 1 and not any(_uncovered(time, time + 1, h, windows) is None for h in hosts):
            found.append("question at %d answered by %s" % (time, " and ".join(hosts)))
    return found
