"""A session that also reads answers with rows: wire.Session knows only OK and errors."""

import errno
import struct

from bed import wire


class QuerySession(wire.Session):
    """Results of step() while a statement is under way: ("ok", rows changed), ("rows", [[text or None, ...], ...]),
    ("error", number, text) or ("closed",)."""

    def statement(self, text, tag=None):
        self._columns = 0
        self._rows = None
        super().statement(text, tag)

    def step(self):
        if self.state != "busy":
            return super().step()
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
        while len(self._buffer) >= 4 and self.state == "busy":
            size = int.from_bytes(self._buffer[:3], "little")
            if len(self._buffer) < 4 + size:
                break
            packet, self._buffer = self._buffer[4:4 + size], self._buffer[4 + size:]
            result = self._answer(packet)
            if result:
                return result
        return None

    def _answer(self, packet):
        if packet[:1] == b"\xff":
            self.state = "ready"
            return ("error", struct.unpack_from("<H", packet, 1)[0], packet[3:].decode(errors="replace"))
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
