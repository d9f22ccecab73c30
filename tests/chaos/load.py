"""The clients of a chaos run, in one process: many sessions through the VIP that insert, compare and set, and read.

    python3 load.py HOST PORT USER PASSWORD FILE INSERTERS SETTERS READERS PACE_MS

Notes in FILE, one line each, times in CLOCK_BOOTTIME nanoseconds:
    S session time server              a session began, on the server with that number: a connection never moves
    A key session sent acked           an insert was acknowledged
    U key session sent why             nobody told the fate of that insert
    C op register old session sent acked   a compare-and-set was acknowledged: its COMMIT was sent and answered at these times
    X op register old session sent why     nobody told the fate of that one
    R session sent answered version:op ... what a reader saw, register by register

A server's word that a statement failed is taken: what it refused must not be there in the end. Only a commit's fate can be unknown. Half of the
workers wait long for an answer, so that a commit which waits through a whole failover is heard of when it is answered after all; the other half
give up soon and try again. Every attempt has a number of its own, which is never used again.
"""

import random
import signal
import socket
import sys

from bed.wire import Loop, Notes, Session, go_first, now_ns

MS = 1_000_000
REGISTERS = 8
CONNECT_LIMIT = 200 * MS
LOGIN_LIMIT = 1000 * MS
PATIENT, HASTY = 12_000 * MS, 1000 * MS
RETRY_MS = (5, 60)

WHO = "SELECT @@server_id"
# the epoch is looked up without a lock, and no snapshot is kept: a client's transaction must not stand in the way of an opening
CALM = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"
INSERT = "INSERT INTO inserts (u, server, epoch) SELECT %d, @@server_id, COALESCE(MAX(epoch), 0) FROM mha4rdb.epoch"
SEE = "SELECT version, op FROM registers WHERE r = %d"
SEE_ALL = "SELECT r, version, op FROM registers"
SET = "UPDATE registers SET version = %d, op = %d WHERE r = %d AND version = %d"
LINK = ("INSERT INTO chain (r, version, op, server, epoch) SELECT %d, %d, %d, @@server_id, COALESCE(MAX(epoch), 0) "
        "FROM mha4rdb.epoch")


class Worker:
    """One session at a time; a subclass says what it does with it."""

    numbers = 0  # of sessions and attempts alike: never used twice in a run

    def __init__(self, load, index):
        self.load = load
        self.limit = PATIENT if index % 2 else HASTY
        self.session = None
        self.number = 0
        self.stage = ""
        self.next_ns = now_ns() + random.randrange(100) * MS

    @classmethod
    def new_number(cls):
        Worker.numbers += 1
        return Worker.numbers

    def turn(self, now):
        """Something is due: a new session, the next statement, or an end of patience."""
        session = self.session
        if session is None:
            if now >= self.next_ns:
                self.connect()
        elif session.state == "connecting" and now - session.begun_ns > CONNECT_LIMIT:
            self.drop("connect timed out")
        elif session.state == "login" and now - session.begun_ns > LOGIN_LIMIT:
            self.drop("login timed out")
        elif session.state == "busy" and now - session.sent_ns > self.limit:
            self.drop("no answer")
        elif session.state == "ready" and self.stage == "idle" and now >= self.next_ns:
            self.next_ns = max(self.next_ns + self.load.pace_ns, now)
            self.begin()

    def connect(self):
        self.number = self.new_number()
        self.stage = "login"
        session = Session(socket.socket(socket.AF_INET), self.load.address, self.load.user, self.load.password, "chaos")
        if session.state == "closed":
            self.next_ns = now_ns() + RETRY_MS[1] * MS
            return
        self.session = session
        session.worker = self
        self.load.loop.add(session)

    def drop(self, why):
        session, self.session = self.session, None
        self.lost(session, why)
        self.load.loop.forget(session)
        session.close(why)
        self.stage = ""
        self.next_ns = now_ns() + random.randint(*RETRY_MS) * MS

    def say(self, stage, text):
        self.stage = stage
        self.session.statement(text)
        if self.session.state == "closed":  # it could not even be sent whole; some of it may have been
            self.drop(self.session.why)

    def happened(self, session, result):
        if session is not self.session:
            return
        if result[0] == "closed":
            self.drop(session.why)
        elif result[0] == "ready":
            self.say("calm", CALM)
        elif result[0] == "error":
            self.refused(result[1])
        elif self.stage == "calm":
            self.say("who", WHO)
        elif self.stage == "who":
            self.load.note("S", self.number, now_ns(), result[1][0][0])
            self.idle()
        else:
            self.answered(session, result)

    def idle(self):
        self.stage = "idle"

    def refused(self, error):
        """The server said no. With the session nothing is left of a transaction that was not committed."""
        self.stage = "refused"
        self.drop("error %d" % error)


class Inserter(Worker):
    key = 0

    def begin(self):
        self.key = self.new_number()
        self.say("insert", INSERT % self.key)

    def answered(self, session, result):
        self.load.note("A", self.key, self.number, session.sent_ns, now_ns())
        self.idle()

    def lost(self, session, why):
        if self.stage == "insert":
            self.load.note("U", self.key, self.number, session.sent_ns, why.replace(" ", "_"))

    def refused(self, error):
        # an error is an answer, but one of a commit that failed half-way (1317, 1053, 3100...) is none to rely on
        self.lost(self.session, "error_%d" % error)
        super().refused(error)


class Setter(Worker):
    op = register = old = 0

    def begin(self):
        self.op = self.new_number()
        self.register = random.randrange(REGISTERS)
        self.say("see", SEE % self.register)

    def answered(self, session, result):
        if self.stage == "see":
            self.old = int(result[1][0][0])
            self.say("begin", "BEGIN")
        elif self.stage == "begin":
            self.say("set", SET % (self.old + 1, self.op, self.register, self.old))
        elif self.stage == "set":
            if result[1] == 1:
                self.say("link", LINK % (self.register, self.old + 1, self.op))
            else:
                self.say("rollback", "ROLLBACK")
        elif self.stage == "link":
            self.say("commit", "COMMIT")
        elif self.stage == "commit":
            self.load.note("C", self.op, self.register, self.old, self.number, session.sent_ns, now_ns())
            self.idle()
        else:
            self.idle()

    def lost(self, session, why):
        if self.stage == "commit":
            self.load.note("X", self.op, self.register, self.old, self.number, session.sent_ns, why.replace(" ", "_"))

    def refused(self, error):
        self.lost(self.session, "error_%d" % error)
        super().refused(error)


class Reader(Worker):
    def begin(self):
        self.say("read", SEE_ALL)

    def answered(self, session, result):
        self.load.note("R", self.number, session.sent_ns, now_ns(), *["%s:%s:%s" % tuple(r) for r in result[1]])
        self.idle()

    def lost(self, session, why):
        pass


class Load:
    def __init__(self, address, user, password, path, inserters, setters, readers, pace_ns):
        self.address, self.user, self.password, self.pace_ns = address, user, password, pace_ns
        self.notes = Notes(path)
        self.loop = Loop()
        self.ended = False
        kinds = [Inserter] * inserters + [Setter] * setters + [Reader] * readers
        self.workers = [kind(self, i) for i, kind in enumerate(kinds)]

    def note(self, *words):
        self.notes.add(*words)

    def run(self):
        while not self.ended:
            now = now_ns()
            for worker in self.workers:
                worker.turn(now)
            for session, result in self.loop.wait(0.004):
                session.worker.happened(session, result)
        for worker in self.workers:
            if worker.session:
                worker.drop("end")

    def stop(self, *_):
        self.ended = True


def main():
    host, port, user, password, path, inserters, setters, readers, pace_ms = sys.argv[1:]
    load = Load((host, int(port)), user, password, path, int(inserters), int(setters), int(readers),
                int(float(pace_ms) * MS))
    signal.signal(signal.SIGTERM, load.stop)
    go_first()
    try:
        load.run()
    finally:
        load.notes.close()


if __name__ == "__main__":
    main()
