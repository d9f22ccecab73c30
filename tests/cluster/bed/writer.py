"""The client that measures outages: inserts through the VIP and notes every acknowledged row.

    python3 writer.py HOST PORT USER PASSWORD FILE PACE_MS

Writes to FILE, one line each, times in CLOCK_BOOTTIME nanoseconds:
    A key sent acked     the server acknowledged the row
    F time why           the session in use broke, or hung for SLOW_MS

What it must not do is add to the outage or hide a part of it. So: while no session is known to work, a new attempt begins every 10 ms, whatever
the earlier ones do; an attempt whose SYN is lost is given up after 100 ms (the kernel would repeat it only after a second) while the others go on;
a statement that is not answered within SLOW_MS keeps waiting, but attempts begin beside it; each statement has a key of its own, and every
acknowledgement counts, on whatever session it comes.
"""

import signal
import socket
import sys

try:
    from wire import Loop, Notes, Session, go_first, now_ns
except ImportError:
    from .wire import Loop, Notes, Session, go_first, now_ns

MS = 1_000_000
ATTEMPT_EVERY = 10 * MS
CONNECT_LIMIT = 100 * MS
LOGIN_LIMIT = 300 * MS
SLOW_MS = 100
WAITING_MAX = 8            # statements that wait for an answer at once
WAITING_LIMIT = 2000 * MS  # and for how long
DROP_EVERY = 50 * MS       # when all of them wait, the oldest makes room this often


class Writer:
    def __init__(self, address, user, password, path, pace_ns):
        self.address, self.user, self.password = address, user, password
        self.pace = pace_ns
        self.notes = Notes(path)
        self.loop = Loop()
        self.sessions = []
        self.current = None
        self.key = 0
        self.next_statement = self.next_attempt = self.next_drop = 0
        self.ended = False

    def note(self, *words):
        self.notes.add(*words)

    def begin_attempt(self):
        session = Session(socket.socket(socket.AF_INET), self.address, self.user, self.password, "shop")
        if session.state != "closed":
            self.sessions.append(session)
            self.loop.add(session)

    def drop(self, session, why):
        self.loop.forget(session)
        session.close(why)
        if session in self.sessions:
            self.sessions.remove(session)
        if session is self.current:
            self.current = None
            self.note("F", now_ns(), why)

    def insert(self, session):
        self.key += 1
        session.statement("INSERT INTO writes (k, server, note) VALUES (%d, @@server_id, 'w')" % self.key, self.key)

    def waiting(self):
        return [s for s in self.sessions if s.state == "busy"]

    def happened(self, session, result):
        now = now_ns()
        if result[0] == "ok":
            self.note("A", session.tag, session.sent_ns, now)
            if session is not self.current:
                self.choose(session)
        elif result[0] == "ready":
            if self.current is None and len(self.waiting()) < WAITING_MAX:
                self.insert(session)
            else:
                self.drop(session, "not needed")
        elif result[0] == "error":
            self.drop(session, "error %d" % result[1])
        elif result[0] == "closed":
            self.drop(session, session.why)

    def choose(self, session):
        """It acknowledged: the one to use; attempts end, statements that wait elsewhere may still be answered."""
        self.current = session
        self.next_statement = now_ns() + self.pace
        for other in list(self.sessions):
            if other is not session and other.state != "busy":
                self.drop(other, "not needed")

    def overdue(self, now):
        for session in list(self.sessions):
            age = now - session.begun_ns
            if session.state == "connecting" and age > CONNECT_LIMIT:
                self.drop(session, "connect timed out")
            elif session.state == "login" and age > LOGIN_LIMIT:
                self.drop(session, "login timed out")
            elif session.state == "busy" and now - session.sent_ns > WAITING_LIMIT:
                self.drop(session, "no answer")
        if self.current and self.current.state == "busy" and now - self.current.sent_ns > SLOW_MS * MS:
            self.note("F", now, "slow")
            self.current = None  # it stays among the sessions and may still be answered
        if self.current is None and now >= self.next_drop and len(self.waiting()) >= WAITING_MAX:
            self.next_drop = now + DROP_EVERY
            self.drop(min(self.waiting(), key=lambda s: s.sent_ns), "made room")

    def run(self):
        while not self.ended:
            now = now_ns()
            self.overdue(now)
            if self.current is None and now >= self.next_attempt:
                self.next_attempt = now + ATTEMPT_EVERY
                self.begin_attempt()
            if self.current and self.current.state == "ready" and now >= self.next_statement:
                self.next_statement = max(self.next_statement + self.pace, now)
                self.insert(self.current)
            for session, result in self.loop.wait(self.pause_s()):
                self.happened(session, result)

    def pause_s(self):
        now = now_ns()
        if self.current is None:
            until = self.next_attempt
        elif self.current.state == "ready":
            until = self.next_statement
        else:
            until = now + 10 * MS
        return max(0, min(until - now, 10 * MS)) / 1e9

    def stop(self, *_):
        self.ended = True


if __name__ == "__main__":
    host, port, user, password, path, pace_ms = sys.argv[1:]
    writer = Writer((host, int(port)), user, password, path, int(float(pace_ms) * MS))
    signal.signal(signal.SIGTERM, writer.stop)
    go_first()
    try:
        writer.run()
    finally:
        writer.notes.close()
