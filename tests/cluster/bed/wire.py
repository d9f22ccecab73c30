"""Just enough of the MySQL client protocol for sessions that never block: connect, log in, one statement at a time.

The writer and the watcher hold many sessions in one loop and must see every delay for what it is, so no library that
blocks, retries or waits on its own stands between them and the socket.
"""

import collections
import ctypes
import errno
import os
import select
import socket
import struct
import threading
import time

try:
    from login import NATIVE, encrypted, scramble
except ImportError:
    from .login import NATIVE, encrypted, scramble

CAPABILITIES = 0x00000001 | 0x00000008 | 0x00000200 | 0x00008000 | 0x00080000  # password, database, 4.1, secure, plugin
CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def now_ns():
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def go_first():
    """Who measures must not wait for a processor behind what it measures. Where that is not allowed, it goes without."""
    try:
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(1))
    except PermissionError:
        pass


def socket_in(pid, *arguments):
    """A socket in the network of process `pid`."""
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    try:
        there = os.open("/proc/%d/ns/net" % pid, os.O_RDONLY)
        try:
            if _libc.setns(there, CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")
            try:
                return socket.socket(*arguments)
            finally:
                if _libc.setns(home, CLONE_NEWNET) != 0:
                    os._exit(70)  # never go on in a foreign network
        finally:
            os.close(there)
    finally:
        os.close(home)


class Session:
    """One connection. `state`: connecting, login, ready, busy, closed (then `why` says why)."""

    def __init__(self, sock, address, user, password, database):
        self.sock = sock
        self.user, self.password, self.database = user, password, database
        self.state = "connecting"
        self.why = ""
        self.begun_ns = now_ns()
        self.sent_ns = 0
        self.tag = None  # the caller's note on the statement under way
        self._buffer = b""
        self._salt = b""
        self._columns = 0
        self._rows = None
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        error = sock.connect_ex(address)
        if error not in (0, errno.EINPROGRESS):
            self.close(errno.errorcode.get(error, str(error)))

    def fileno(self):
        return self.sock.fileno()

    def events(self):
        return select.EPOLLOUT if self.state == "connecting" else select.EPOLLIN

    def close(self, why):
        if self.state != "closed":
            self.state = "closed"
            self.why = why
            self.sock.close()

    def statement(self, text, tag=None):
        assert self.state == "ready"
        self.state = "busy"
        self.tag = tag
        self.sent_ns = now_ns()
        self._columns = 0
        self._rows = None
        self._send(0, b"\x03" + text.encode())

    def step(self):
        """Called when the socket is ready. Returns None or what happened: ("ready",), ("ok", rows changed),
        ("rows", [[text or None, ...], ...]), ("error", number, text) or ("closed",)."""
        if self.state == "connecting":
            error = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if error:
                self.close(errno.errorcode.get(error, str(error)))
                return ("closed",)
            self.state = "login"
            return None
        try:
            data = self.sock.recv(65536)
        except BlockingIOError:
            return None
        except OSError as e:
            self.close(errno.errorcode.get(e.errno, str(e)))
            return ("closed",)
        if not data:
            self.close("EOF")
            return ("closed",)
        self._buffer += data
        result = None
        while result is None and self.state != "closed" and len(self._buffer) >= 4:
            end = 4 + int.from_bytes(self._buffer[:3], "little")
            if len(self._buffer) < end:
                break
            sequence, packet, self._buffer = self._buffer[3], self._buffer[4:end], self._buffer[end:]
            result = self._packet(sequence, packet)
        return result

    def _packet(self, sequence, packet):
        if packet[:1] == b"\xff":
            number, text = struct.unpack_from("<H", packet, 1)[0], packet[3:].decode(errors="replace")
            if self.state != "busy":
                self.close("error %d" % number)
                return ("closed",)
            self.state = "ready"
            return ("error", number, text)
        if self.state == "login":
            return self._login(sequence, packet)
        if self.state == "busy":
            return self._answer(packet)
        self.close("unexpected packet")
        return ("closed",)

    def _answer(self, packet):
        if self._columns == 0:
            if packet[:1] == b"\0":
                self.state = "ready"
                return ("ok", lenenc(packet, 1)[0])
            self._columns = lenenc(packet, 0)[0]
            return None
        if packet[:1] == b"\xfe" and len(packet) < 9:  # EOF: behind the columns, and behind the rows
            if self._rows is None:
                self._rows = []
                return None
            self.state = "ready"
            return ("rows", self._rows)
        if self._rows is not None:
            self._rows.append(row(packet, self._columns))
        return None

    def _login(self, sequence, packet):
        if not self._salt:
            return self._greeting(sequence, packet)
        if packet[:1] == b"\xfe":  # it wants another plugin's proof
            name, salt = packet[1:].split(b"\0", 1)
            self._salt = salt.rstrip(b"\0")
            self._send(sequence + 1, scramble(name.decode(), self.password, self._salt))
        elif packet == b"\1\4":  # it has not seen this password since its start: it wants the password itself
            self._send(sequence + 1, b"\2")
        elif packet[:2] == b"\1-":
            self._send(sequence + 1, encrypted(self.password, self._salt, packet[1:]))
        elif packet[:1] == b"\0":
            self.state = "ready"
            return ("ready",)
        return None

    def _greeting(self, sequence, packet):
        end = packet.index(b"\0", 1)
        rest = packet[end + 5:]  # behind the version and the thread's number
        self._salt = rest[:8] + rest[27:39]
        answer = struct.pack("<IIB23x", CAPABILITIES, 1 << 24, 45)
        plugin = rest[40:].split(b"\0")[0].decode() or NATIVE
        proof = scramble(plugin, self.password, self._salt)
        answer += self.user.encode() + b"\0" + bytes([len(proof)]) + proof
        answer += self.database.encode() + b"\0" + plugin.encode() + b"\0"
        self._send(sequence + 1, answer)
        return None

    def _send(self, sequence, payload):
        packet = struct.pack("<I", len(payload))[:3] + bytes([sequence & 255]) + payload
        try:
            if self.sock.send(packet) != len(packet):
                self.close("send buffer full")
        except OSError as e:
            self.close(errno.errorcode.get(e.errno, str(e)))


def lenenc(data, at):
    """(value, what lies behind it); None for NULL."""
    first = data[at]
    if first < 0xfb:
        return first, at + 1
    if first == 0xfb:
        return None, at + 1
    size = {0xfc: 2, 0xfd: 3, 0xfe: 8}[first]
    return int.from_bytes(data[at + 1:at + 1 + size], "little"), at + 1 + size


def row(packet, columns):
    at, values = 0, []
    for _ in range(columns):
        size, at = lenenc(packet, at)
        if size is None:
            values.append(None)
        else:
            values.append(packet[at:at + size].decode())
            at += size
    return values


class Notes:
    """Lines for a file, written by a thread of their own: a disk that is busy must not hold up who looks at the clock."""

    def __init__(self, path):
        self.file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self.lines = collections.deque()
        self.ended = False
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def add(self, *words):
        self.lines.append(" ".join(str(w) for w in words) + "\n")

    def _run(self):
        while True:
            last = self.ended
            text = "".join(self.lines.popleft() for _ in range(len(self.lines))).encode()
            while text:
                text = text[os.write(self.file, text):]
            if last:
                return
            time.sleep(0.01)

    def close(self):
        self.ended = True
        self.thread.join()


class Loop:
    """epoll over sessions and other things that have fileno(), events() and step()."""

    def __init__(self):
        self.poll = select.epoll()
        self.members = {}

    def add(self, member):
        if member.state == "closed":
            return
        self.members[member.fileno()] = (member, member.events())
        self.poll.register(member.fileno(), member.events())

    def forget(self, member):
        for fd, (other, _events) in list(self.members.items()):
            if other is member:
                del self.members[fd]
                try:
                    self.poll.unregister(fd)
                except OSError:
                    pass  # closed: epoll forgot it by itself

    def wait(self, timeout_s):
        """Yields (member, result) for what happened."""
        for fd, _events in self.poll.poll(max(0, timeout_s)):
            if fd not in self.members:
                continue
            member, events = self.members[fd]
            result = member.step()
            if member.state == "closed":
                self.members.pop(fd, None)
            elif member.events() != events:
                self.members[fd] = (member, member.events())
                self.poll.modify(fd, member.events())
            if result:
                yield member, result
            elif member.state == "closed":
                yield member, ("closed",)
