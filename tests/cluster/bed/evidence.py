"""What the writer's and the watcher's notes say. Everything is computed from what was seen from outside."""

import collections

MS = 1_000_000
KERNEL_LIFETIME_NS = 1300 * MS  # 1.2 s, and what it takes to be seen

Ack = collections.namedtuple("Ack", "key sent acked")
Try = collections.namedtuple("Try", "number sent acked")
Span = collections.namedtuple("Span", "begin end")


def _lines(path):
    """Whole lines only: a program may be writing the last one."""
    try:
        with open(path) as f:
            text = f.read()
    except FileNotFoundError:
        return []
    return [line.split() for line in text[:text.rfind("\n") + 1].splitlines()]


class Writes:
    """The writer's notes."""

    def __init__(self, path):
        self.acks, self.failures = [], []
        for words in _lines(path):
            if words[0] == "A":
                self.acks.append(Ack(*map(int, words[1:4])))
            elif words[0] == "F":
                self.failures.append((int(words[1]), " ".join(words[2:])))
        self.acks.sort(key=lambda a: a.acked)
        self.keys = {a.key for a in self.acks}

    def gaps(self, least_ms=0):
        """(begin, end) of all times without an acknowledgement of at least that length."""
        pairs = zip(self.acks, self.acks[1:])
        return [(a.acked, b.acked) for a, b in pairs if b.acked - a.acked >= least_ms * MS]

    def gap_after(self, begin, end=None):
        """The longest gap that ends after `begin` (and begins before `end`)."""
        candidates = [g for g in self.gaps() if g[1] > begin and (end is None or g[0] < end)]
        return max(candidates, key=lambda g: g[1] - g[0], default=None)

    def first_ack_after(self, time):
        """The first acknowledgement of a statement that was sent after `time`."""
        return next((a for a in self.acks if a.sent > time), None)

    def failures_after(self, time):
        return [f for f in self.failures if f[0] >= time]


class Sights:
    """The watcher's notes."""

    def __init__(self, path):
        self.answers, self.announcements, self.addresses, self.signs = [], [], [], []
        self.tries = collections.defaultdict(list)
        self.refusals = collections.defaultdict(list)
        for words in _lines(path):
            kind = words[0]
            if kind == "M":
                self.answers.append((int(words[2]), words[3:]))
            elif kind == "G":
                self.announcements.append((int(words[1]), words[2]))
            elif kind == "V":
                self.addresses.append((int(words[1]), words[2], words[3] == "add"))
            elif kind == "T":
                self.tries[words[1]].append(Try(*map(int, words[2:5])))
            elif kind == "R":
                self.refusals[words[1]].append((int(words[2]), " ".join(words[3:])))
            elif kind == "S":
                self.signs.append((int(words[1]), int(words[2]), int(words[3])))

    def blind_ms(self):
        """The longest time for which the watcher itself did not run."""
        times = [s[0] for s in self.signs]
        return max((b - a for a, b in zip(times, times[1:])), default=0) / MS

    def holdings(self):
        """name -> [(begin, end or None)], the VIP on that host's interfaces."""
        spans, since = collections.defaultdict(list), {}
        for time, name, held in self.addresses:
            if held:
                since[name] = time
            elif name in since:
                spans[name].append(Span(since.pop(name), time))
        for name, time in since.items():
            spans[name].append(Span(time, None))
        return spans

    def holder(self):
        """Who has the VIP now, by the kernels' word: a list."""
        held = {}
        for _time, name, on in self.addresses:
            held[name] = on
        return [name for name, on in held.items() if on]

    def two_addresses(self, only_kernel_since=None):
        """Moments at which two hosts had the VIP: two answers to one question, or overlapping times on interfaces.

        only_kernel_since=(name, time): from that time on nobody but that host's kernel was left to end the address there, which
        takes it whole seconds: the one exception that the design names (1.2 s). Until then it is no finding."""
        kernel, until = None, 0
        if only_kernel_since:
            kernel, until = only_kernel_since[0], only_kernel_since[1] + KERNEL_LIFETIME_NS
        found = ["question at %d answered by %s" % (t, " and ".join(m)) for t, m in self.answers
                 if len(m) > 1 and t > until]
        everybody = [(span, name) for name, spans in self.holdings().items() for span in spans]
        everybody.sort()
        for i, (a, a_name) in enumerate(everybody):
            for b, b_name in everybody[i + 1:]:
                if a_name == kernel and a.end is not None and a.end <= until:
                    continue
                if a_name != b_name and (a.end is None or b.begin < a.end):
                    found.append("on %s and %s from %d" % (a_name, b_name, b.begin))
        return found

    def writable_spans(self, name):
        """Times through which that server certainly took writes: unbroken runs of acknowledged tries."""
        spans, run = [], []
        for t in self.tries[name] + [Try(-1, 0, 0)]:
            if run and t.number != run[-1].number + 1:
                if len(run) > 1:
                    spans.append(Span(run[0].acked, run[-1].sent))
                run = []
            run.append(t)
        return spans

    def two_writers(self):
        """Moments at which two servers took writes: their certain times overlap, or one acknowledged a try that was begun and ended
        within another's certain time."""
        found = []
        spans = {name: self.writable_spans(name) for name in list(self.tries)}
        for name in spans:
            for other in spans:
                if other == name:
                    continue
                for span in spans[other]:
                    inside = [t for t in self.tries[name] if span.begin <= t.sent and t.acked <= span.end]
                    if inside:
                        found.append("%s acknowledged try %d while %s took writes" % (name, inside[0].number, other))
                    if name < other:
                        found += ["%s and %s both took writes from %d" % (name, other, max(span.begin, s.begin))
                                  for s in spans[name] if s.begin < span.end and span.begin < s.end]
        return found

    def acknowledged_tries(self):
        return {(name, t.number) for name, tries in self.tries.items() for t in tries}

    def last_try(self, name):
        return self.tries[name][-1].acked if self.tries[name] else 0

    # -- phases of one change, as offsets from `event` in milliseconds, None where it did not happen --

    def phases(self, event, old, new, new_mac):
        def first(times):
            return next(((t - event) / MS for t in sorted(times) if t >= event), None)

        lost = [t for t, name, held in self.addresses if name == old and not held]
        taken = [t for t, name, held in self.addresses if name == new and held]
        return collections.OrderedDict(
            old_server_last_write=max([(t.acked - event) / MS for t in self.tries[old] if t.acked >= event] or [0.0]),
            old_address_gone=first(lost),
            new_server_writable=first([t.acked for t in self.tries[new]]),
            new_address_taken=first(taken),
            announced=first([t for t, mac in self.announcements if mac == new_mac]))
