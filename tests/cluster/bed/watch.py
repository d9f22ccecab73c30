"""The watcher: who answers for the VIP, who has it on an interface, who takes writes. It knows nothing of mha4rdb.

    python3 watch.py VIP WATCH_PID WATCH_ADDRESS USER PASSWORD FILE

Runs outside the hosts, and looks into their networks. Commands on standard input, one a line:
    up NAME PID ADDRESS      a host runs (again)
    down NAME                it has lost its power: with its network everything that it had is gone

Notes in FILE, times in CLOCK_BOOTTIME nanoseconds:
    M number sent MAC...     who answered question `number`; only when that differs from the question before, or when it is two
    G time MAC               an announcement (gratuitous ARP) for the VIP
    V time NAME add|del      the VIP on an interface of NAME, as its kernel reports it
    T NAME number sent acked the server of NAME itself acknowledged a write
    R NAME sent why          the first try after an acknowledged one that was not
    S time questions tries   every 250 ms: it is awake, and has asked and tried so often

ARP: every 10 ms a who-has for the VIP, as broadcast over the bridge. Each question names another sender hardware address, which the answer
repeats, so that an answer belongs to its question for certain: two MACs for one question are two hosts that held the address at the same moment.
Tries: every 10 ms ($BED_TRY_EVERY_MS), an INSERT on each server's own address, over a connection made inside that host, so that a host that is cut off is seen too.
"""

import fcntl
import os
import select
import signal
import socket
import struct
import sys
import threading

try:
    from wire import Loop, Notes, Session, go_first, now_ns, socket_in
except ImportError:
    from .wire import Loop, Notes, Session, go_first, now_ns, socket_in

MS = 1_000_000
EVERY = 10 * MS
TRY_EVERY = int(os.environ.get("BED_TRY_EVERY_MS", "10")) * MS
CONNECT_LIMIT = 300 * MS
TRY_LIMIT = 500 * MS
ETH_P_ARP = 0x0806
SOL_PACKET, PACKET_ADD_MEMBERSHIP, PACKET_MR_PROMISC = 263, 1, 1
SIOCGIFINDEX = 0x8933
RTM_NEWADDR, RTM_DELADDR, RTM_GETADDR = 20, 21, 22
RTMGRP_IPV4_IFADDR = 0x10


class Arp:
    """Questions and answers on the bridge."""

    state = "open"

    def __init__(self, watch, pid, address):
        self.watch = watch
        self.sock = socket_in(pid, socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ARP))
        self.sock.bind(("eth0", ETH_P_ARP))
        self.sock.setblocking(False)
        # answers go to the hardware address of the question, which is nobody's: hear everything
        self.sock.setsockopt(SOL_PACKET, PACKET_ADD_MEMBERSHIP,
                             struct.pack("iHH8s", self.interface_index(), PACKET_MR_PROMISC, 0, b""))
        self.mac = self.sock.getsockname()[4]
        self.address = socket.inet_aton(address)
        self.number = 0
        self.open_questions = {}
        self.last = None

    def interface_index(self):
        request = struct.pack("16sI20x", b"eth0", 0)
        return struct.unpack_from("I", fcntl.ioctl(self.sock, SIOCGIFINDEX, request), 16)[0]

    def fileno(self):
        return self.sock.fileno()

    def events(self):
        return select.EPOLLIN

    def ask(self):
        self.number += 1
        sender = b"\x02\x7f" + struct.pack(">I", self.number)
        frame = (b"\xff" * 6 + self.mac + struct.pack(">HHHBBH", ETH_P_ARP, 1, 0x0800, 6, 4, 1) +
                 sender + self.address + b"\0" * 6 + self.watch.vip)
        try:
            self.sock.send(frame)
        except OSError:
            return
        self.open_questions[self.number] = (now_ns(), set())
        self.settle(self.number - 10)

    def settle(self, number):
        """Answers had 100 ms: note what changed."""
        if number not in self.open_questions:
            return
        sent, macs = self.open_questions.pop(number)
        if macs != self.last or len(macs) > 1:
            self.watch.note("M", number, sent, *sorted(macs))
        self.last = macs

    def step(self):
        try:
            frame = self.sock.recv(2048)
        except OSError:
            return None
        if len(frame) < 42:
            return None
        operation, sender, sender_ip, target, target_ip = struct.unpack(">H6s4s6s4s", frame[20:42])
        if sender_ip != self.watch.vip:
            return None
        mac = ":".join("%02x" % b for b in sender)
        if target_ip == sender_ip:
            self.watch.note("G", now_ns(), mac)
        elif operation == 2 and target[:2] == b"\x02\x7f":
            number = struct.unpack(">I", target[2:])[0]
            if number in self.open_questions:
                self.open_questions[number][1].add(mac)
        return None


class Addresses:
    """What one host's kernel says about the VIP on its interfaces."""

    state = "open"

    def __init__(self, watch, name, pid):
        self.watch, self.name = watch, name
        self.held = False
        self.sock = socket_in(pid, socket.AF_NETLINK, socket.SOCK_RAW, 0)
        self.sock.bind((0, RTMGRP_IPV4_IFADDR))
        self.sock.setblocking(False)
        self.sock.send(struct.pack("=IHHII8s", 24, RTM_GETADDR, 0x301, 1, 0, bytes([socket.AF_INET])))

    def fileno(self):
        return self.sock.fileno()

    def events(self):
        return select.EPOLLIN

    def step(self):
        try:
            data = self.sock.recv(65536)
        except OSError:
            return None
        while len(data) >= 16:
            size, kind = struct.unpack_from("=IH", data)
            if kind in (RTM_NEWADDR, RTM_DELADDR) and self.is_vip(data[24:size]):
                self.now(kind == RTM_NEWADDR)
            data = data[(size + 3) & ~3 if size >= 16 else len(data):]
        return None

    def is_vip(self, attributes):
        while len(attributes) >= 4:
            size, kind = struct.unpack_from("=HH", attributes)
            if kind == 2 and attributes[4:8] == self.watch.vip:  # IFA_LOCAL
                return True
            attributes = attributes[max(4, (size + 3) & ~3):]
        return False

    def now(self, held):
        if held != self.held:
            self.held = held
            self.watch.note("V", now_ns(), self.name, "add" if held else "del")


class Tries:
    """Tries to write on one host's server, from inside that host."""

    def __init__(self, watch, name, pid, address):
        self.watch, self.name, self.pid, self.address = watch, name, pid, address
        self.session = None
        self.number = watch.numbers.get(name, 0)
        self.next = 0
        self.acked_before = False

    def turn(self, now):
        session = self.session
        if session and session.state != "closed":
            age = now - (session.sent_ns or session.begun_ns)
            if session.state in ("connecting", "login") and age > CONNECT_LIMIT:
                self.drop("no connection")
            elif session.state == "busy" and now - session.sent_ns > TRY_LIMIT:
                self.drop("no answer")
        if now < self.next:
            return
        self.next = max(self.next + TRY_EVERY, now - TRY_EVERY)
        if self.session is None or self.session.state == "closed":
            if self.session:
                self.refused(self.session.why)
            self.connect()
        elif self.session.state == "ready":
            self.number += 1
            self.watch.numbers[self.name] = self.number
            self.session.statement("INSERT INTO tries (host, n, server) VALUES ('%s', %d, @@server_id)"
                                   % (self.name, self.number), self.number)

    def connect(self):
        try:
            sock = socket_in(self.pid, socket.AF_INET, socket.SOCK_STREAM)
        except OSError:
            return
        self.session = Session(sock, (self.address, 3306), self.watch.user, self.watch.password, "shop")
        self.session.owner = self
        self.watch.loop.add(self.session)

    def drop(self, why):
        self.refused(why)
        self.watch.loop.forget(self.session)
        self.session.close(why)
        self.session = None

    def happened(self, session, result):
        if session is not self.session:
            return
        if result[0] == "ok":
            self.acked_before = True
            self.watch.note("T", self.name, session.tag, session.sent_ns, now_ns())
        elif result[0] == "error":
            self.refused("error %d" % result[1])
        elif result[0] == "closed":
            self.refused(session.why)

    def refused(self, why):
        if self.acked_before:
            self.acked_before = False
            self.watch.note("R", self.name, self.session.sent_ns or self.session.begun_ns, why)


class Watch:
    def __init__(self, vip, pid, address, user, password, path):
        self.vip = socket.inet_aton(vip)
        self.user, self.password = user, password
        self.notes = Notes(path)
        self.loop = Loop()
        self.numbers = {}
        self.hosts = {}
        self.lock = threading.Lock()
        self.commands = []
        self.ended = False
        self.arp = Arp(self, pid, address)
        self.loop.add(self.arp)

    def note(self, *words):
        self.notes.add(*words)

    def read_commands(self):
        for line in sys.stdin:
            with self.lock:
                self.commands.append(line.split())
        self.ended = True

    def obey(self):
        with self.lock:
            commands, self.commands = self.commands, []
        for verb, name, *rest in commands:
            if name in self.hosts:
                addresses, tries = self.hosts.pop(name)
                self.loop.forget(addresses)
                addresses.sock.close()
                addresses.now(False)
                if tries.session:
                    tries.drop("power off")
            if verb == "up":
                addresses = Addresses(self, name, int(rest[0]))
                self.loop.add(addresses)
                self.hosts[name] = (addresses, Tries(self, name, int(rest[0]), rest[1]))
            self.note("C", now_ns(), verb, name)

    def run(self):
        next_question = next_sign = now_ns()
        while not self.ended:
            self.obey()
            now = now_ns()
            if now >= next_question:
                next_question = max(next_question + EVERY, now - EVERY)
                self.arp.ask()
            if now >= next_sign:
                next_sign = now + 250 * MS
                self.note("S", now, self.arp.number, sum(self.numbers.values()))
            for _addresses, tries in self.hosts.values():
                tries.turn(now)
            for member, result in self.loop.wait((min(next_question, now + 5 * MS) - now) / 1e9):
                if isinstance(member, Session):
                    member.owner.happened(member, result)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    watch = Watch(sys.argv[1], int(sys.argv[2]), *sys.argv[3:])
    threading.Thread(target=watch.read_commands, daemon=True).start()
    go_first()
    try:
        watch.run()
    finally:
        watch.notes.close()
