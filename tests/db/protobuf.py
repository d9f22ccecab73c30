"""Just enough of proto3 to talk to the worker: messages as dicts, the schema read from the .proto file itself."""

import re
import struct


class Schema:
    def __init__(self, path):
        text = re.sub(r"//[^\n]*", "", open(path).read())
        self.enums, self.messages = {}, {}
        for name, body in re.findall(r"enum (\w+) \{(.*?)\}", text, re.S):
            self.enums[name] = {int(v): k for k, v in re.findall(r"(\w+) = (\d+);", body)}
        text = re.sub(r"oneof \w+ \{(.*?)\}", r"\1", text, flags=re.S)
        for name, body in re.findall(r"message (\w+) \{(.*?)\}", text, re.S):
            fields = re.findall(r"(repeated )?(\w+) (\w+) = (\d+);", body)
            self.messages[name] = {int(n): (f, t, bool(r)) for r, t, f, n in fields}

    def encode(self, message, values):
        out = b""
        for number, (field, kind, repeated) in self.messages[message].items():
            if field not in values:
                continue
            for value in values[field] if repeated else [values[field]]:
                out += self._encode_field(number, kind, value)
        return out

    def _encode_field(self, number, kind, value):
        if kind in self.messages or kind in ("string", "bytes"):
            data = self.encode(kind, value) if kind in self.messages else value.encode() if kind == "string" else value
            return _varint(number << 3 | 2) + _varint(len(data)) + data
        return _varint(number << 3) + _varint(int(value))

    def decode(self, message, data):
        fields, values, at = self.messages[message], {}, 0
        for field, kind, repeated in fields.values():
            values[field] = [] if repeated else None if kind in self.messages else "" if kind == "string" else self._default(kind)
        while at < len(data):
            tag, at = _read_varint(data, at)
            if tag & 7 == 2:
                size, at = _read_varint(data, at)
                value, at = data[at:at + size], at + size
            elif tag & 7 == 0:
                value, at = _read_varint(data, at)
            else:
                value, at = struct.unpack_from("<Q" if tag & 7 == 1 else "<I", data, at)[0], at + (8 if tag & 7 == 1 else 4)
            if tag >> 3 not in fields:
                continue
            field, kind, repeated = fields[tag >> 3]
            if kind in self.messages:
                value = self.decode(kind, value)
            elif kind == "string":
                value = value.decode()
            elif kind == "bool":
                value = bool(value)
            elif kind in self.enums:
                value = self.enums[kind][value]
            if repeated:
                values[field].append(value)
            else:
                values[field] = value
        return values

    def _default(self, kind):
        return False if kind == "bool" else self.enums[kind][0] if kind in self.enums else 0


def _varint(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def _read_varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at
