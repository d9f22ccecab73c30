"""How a client proves its password: mysql_native_password (MariaDB) and caching_sha2_password (MySQL), without TLS.

https://dev.mysql.com/doc/dev/mysql-server/latest/page_caching_sha2_authentication_exchanges.html
"""

import base64
import hashlib
import os

NATIVE, SHA2 = "mysql_native_password", "caching_sha2_password"


def _xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b))


def scramble(plugin, password, salt):
    if not password:
        return b""
    if plugin == SHA2:
        first = hashlib.sha256(password.encode()).digest()
        return _xor(first, hashlib.sha256(hashlib.sha256(first).digest() + salt).digest())
    first = hashlib.sha1(password.encode()).digest()
    return _xor(first, hashlib.sha1(salt + hashlib.sha1(first).digest()).digest())


def _der(data, at):
    """(tag, contents, end) of the element at `at`."""
    size, start = data[at + 1], at + 2
    if size & 0x80:
        start += size & 0x7f
        size = int.from_bytes(data[at + 2:start], "big")
    return data[at], data[start:start + size], start + size


def public_key(pem):
    """(modulus, exponent) of "BEGIN PUBLIC KEY"."""
    lines = [line for line in pem.decode().splitlines() if line and not line.startswith("-")]
    _tag, whole, _end = _der(base64.b64decode("".join(lines)), 0)
    _tag, _algorithm, end = _der(whole, 0)
    _tag, bits, _end = _der(whole, end)
    _tag, key, _end = _der(bits[1:], 0)
    _tag, modulus, end = _der(key, 0)
    _tag, exponent, _end = _der(key, end)
    return int.from_bytes(modulus, "big"), int.from_bytes(exponent, "big")


def _mask(seed, size):
    text = b"".join(hashlib.sha1(seed + i.to_bytes(4, "big")).digest() for i in range(size // 20 + 1))
    return text[:size]


def encrypted(password, salt, pem):
    """The password as the server's key alone can read it: RSA with OAEP padding (RFC 8017, 7.1)."""
    modulus, exponent = public_key(pem)
    size = (modulus.bit_length() + 7) // 8
    plain = password.encode() + b"\0"
    message = _xor(plain, salt * (len(plain) // len(salt) + 1))
    block = hashlib.sha1(b"").digest() + b"\0" * (size - len(message) - 42) + b"\1" + message
    seed = os.urandom(20)
    masked = _xor(block, _mask(seed, len(block)))
    padded = b"\0" + _xor(seed, _mask(masked, 20)) + masked
    return pow(int.from_bytes(padded, "big"), exponent, modulus).to_bytes(size, "big")
