"""Two hosts, `left` with vipd and `right` as the network around it: network namespaces joined by a veth pair.

Everything is watched from outside: the addresses through a netlink socket of our own in the left namespace, the ARP
packets through a packet socket in the right one, both with their times. The driver plays the agent: it speaks
proto/vipd.proto with a protobuf codec of a few lines, so that vipd's own is checked against another hand's.
MHA_BUILD names the build to test (default build/san).
"""

import contextlib
import ctypes
import fcntl
import os
import pathlib
import select
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("MHA_BUILD", "build/san"))
VIPD = (BUILD if BUILD.is_absolute() else ROOT / BUILD) / "mha4rdb-vipd"
SANITISED = b"__asan_init" in VIPD.read_bytes() if VIPD.exists() else False

VIP = "192.0.2.10"
HOST_LEFT, HOST_RIGHT = "192.0.2.11", "192.0.2.12"
LINK = "vip0"


def now_us():
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000


def run(*command, check=True):
    done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    if check and done.returncode:
        raise AssertionError(f"{' '.join(command)}: {done.stderr}")
    return done


# ---- namespaces ----

libc = ctypes.CDLL(None, use_errno=True)


@contextlib.contextmanager
def inside(namespace):
    """Sockets opened in here belong to the namespace for good."""
    with open("/proc/self/ns/net") as home, open(f"/run/netns/{namespace}") as there:
        assert libc.setns(there.fileno(), 0) == 0, os.strerror(ctypes.get_errno())
        try:
            yield
        finally:
            assert libc.setns(home.fileno(), 0) == 0


def own_run_directory():
    """In a user namespace /run belongs to nobody; `ip netns` needs one of our own. Once for all processes of a parallel run."""
    with open(__file__) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.access("/run", os.W_OK):
            run("mount", "-t", "tmpfs", "tmpfs", "/run")


class Network:
    def __init__(self):
        self.left, self.right = (f"mhavip{os.getpid()}{side}" for side in "lr")

    def create(self):
        for name in (self.left, self.right):
            run("ip", "netns", "add", name)
        self.join()

    def join(self):
        run("ip", "link", "add", LINK, "netns", self.left, "type", "veth", "peer", "name", LINK, "netns", self.right)
        for name, address in ((self.left, HOST_LEFT), (self.right, HOST_RIGHT)):
            run("ip", "-n", name, "link", "set", "lo", "up")
            run("ip", "-n", name, "address", "add", f"{address}/24", "dev", LINK)
            run("ip", "-n", name, "link", "set", LINK, "up")

    def destroy(self):
        for name in (self.left, self.right):
            run("ip", "netns", "del", name, check=False)

    def ip(self, *arguments, check=True):
        return run("ip", "-n", self.left, *arguments, check=check)

    def ip_right(self, *arguments, check=True):
        return run("ip", "-n", self.right, *arguments, check=check)

    def addresses(self):
        return self.ip("-4", "-d", "address", "show").stdout

    def has_vip(self):
        return f" {VIP}/" in self.addresses()


@pytest.fixture(scope="session", autouse=True)
def punctual_observer():
    """Times are taken here: on a busy machine it must not be the observer who is late. Children do not inherit it."""
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(1))
    # The kernel begins to stamp packets some time after the first socket has asked for it; until then they get the time of reading.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as keeps_stamps_on:
        keeps_stamps_on.setsockopt(socket.SOL_SOCKET, ArpWatch.SO_TIMESTAMPNS, 1)
        yield


@pytest.fixture(scope="session")
def network():
    if os.geteuid() != 0:
        pytest.skip("needs root, or: unshare --user --map-root-user --net --mount")
    if not VIPD.exists():
        pytest.fail(f"{VIPD} is not there: make VARIANT=san, or name another build in MHA_BUILD")
    own_run_directory()
    net = Network()
    try:
        net.create()
        yield net
    finally:
        net.destroy()


@pytest.fixture
def net(network):
    """The network in its first state: links up, own addresses only."""
    yield network
    if run("ip", "-n", network.left, "link", "show", LINK, check=False).returncode:
        network.join()
    for ip in (network.ip, network.ip_right):
        ip("link", "set", LINK, "up")
    for side in (network.ip, network.ip_right):
        for prefix in ("24", "32"):
            side("address", "del", f"{VIP}/{prefix}", "dev", LINK, check=False)
    network.ip("address", "del", f"{VIP}/32", "dev", "lo", check=False)


# ---- what is seen from outside ----


class AddressWatch:
    """The times at which the VIP came and went on the left host, by its kernel's own word."""

    NEW, DEL = 20, 21

    def __init__(self, net):
        with inside(net.left):
            self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
        self.sock.bind((0, 1 << 4))  # RTMGRP_IPV4_IFADDR

    def wait(self, kind, timeout, address=VIP):
        """The instant of the next event of this kind for the address, or None."""
        until = time.monotonic() + timeout
        while select.select([self.sock], [], [], max(0, until - time.monotonic()))[0]:
            packet, seen = self.sock.recv(65536), now_us()
            while packet:
                size, message = struct.unpack_from("=IH", packet)
                if message == kind and socket.inet_aton(address) in packet[24:size]:
                    self.attributes = self.parse(packet[24:size])
                    return seen
                packet = packet[(size + 3) & ~3:]
        return None

    @staticmethod
    def parse(data):
        """if_addr.h: IFA_CACHEINFO is 6, IFA_PROTO is 11."""
        found = {}
        while data:
            size, kind = struct.unpack_from("=HH", data)
            found[kind] = data[4:size]
            data = data[(size + 3) & ~3:]
        return found

    def came(self, timeout=1.0):
        return self.wait(self.NEW, timeout)

    def went(self, timeout=1.0):
        return self.wait(self.DEL, timeout)


class ArpWatch:
    """ARP packets on the right host's side of the wire, with the kernel's time stamps."""

    SO_TIMESTAMPNS = 35

    def __init__(self, net):
        with inside(net.right):
            self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0806))
            self.sock.bind((LINK, 0x0806))
        self.sock.setsockopt(socket.SOL_SOCKET, self.SO_TIMESTAMPNS, 1)
        self.offset_us = self.wall_clock_offset_us()

    @staticmethod
    def wall_clock_offset_us():
        """From CLOCK_BOOTTIME, by the sample that was least disturbed."""
        samples = []
        for _ in range(10):
            before, wall, after = now_us(), time.time_ns() // 1000, now_us()
            samples.append((after - before, wall - before))
        return min(samples)[1]

    def next(self, timeout):
        """(time_us, operation, sender address, target address, sender MAC) or None."""
        if not select.select([self.sock], [], [], max(0, timeout))[0]:
            return None
        try:
            packet, extra, _, _ = self.sock.recvmsg(2048, 256)
        except OSError:  # the link went down: told once
            return self.next(timeout)
        seconds, nanoseconds = struct.unpack("=qq", extra[0][2])
        operation, = struct.unpack_from("!H", packet, 20)
        return (seconds * 1000000 + nanoseconds // 1000 - self.offset_us, operation, socket.inet_ntoa(packet[28:32]),
                socket.inet_ntoa(packet[38:42]), packet[22:28])

    def collect(self, seconds, wanted=lambda arp: True):
        until = time.monotonic() + seconds
        found = []
        while (arp := self.next(until - time.monotonic())) is not None:
            if wanted(arp):
                found.append(arp)
        return found

    def gratuitous(self, seconds):
        return self.collect(seconds, lambda arp: arp[2] == VIP and arp[3] == VIP)


# ---- the driver: the agent's side of the socket ----


def varint(value):
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def fields(data):
    def number():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    at, found = 0, {}
    while at < len(data):
        key = number()
        if key & 7 == 0:
            found[key >> 3] = number()
        else:
            size = number()
            found[key >> 3] = data[at:at + size]
            at += size
    return found


class State:
    def __init__(self, data):
        found = fields(data)
        self.id = found.get(1, 0)
        self.address = found.get(2, b"").decode()
        self.held = bool(found.get(3, 0))
        self.epoch = found.get(4, 0)
        self.deadline_us = found.get(5, 0)
        self.link_up = bool(found.get(6, 0))
        self.trouble = found.get(7, b"").decode()
        self.conflict = bool(found.get(8, 0))

    def __repr__(self):
        return str(vars(self))


class Agent:
    LEASE, RELEASE, QUERY = 2, 3, 4

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.sock.settimeout(3)
        self.sock.connect(str(path))
        self.last_id = 0

    def close(self):
        self.sock.close()

    def receive(self):
        data = self.sock.recv(4096)
        if not data:
            raise ConnectionResetError
        return State(data)

    def ask(self, kind, body):
        self.last_id += 1
        self.sock.send(field(1, self.last_id) + field(kind, body))
        while (state := self.receive()).id != self.last_id:
            pass
        return state

    def lease(self, epoch, deadline_us, address=VIP):
        return self.ask(self.LEASE, field(1, address.encode()) + field(2, epoch) + field(3, deadline_us))

    def lease_for(self, epoch, milliseconds):
        return self.lease(epoch, now_us() + milliseconds * 1000)

    def release(self, epoch, address=VIP):
        return self.ask(self.RELEASE, field(1, address.encode()) + field(2, epoch))

    def query(self, address=VIP):
        return self.ask(self.QUERY, field(1, address.encode()))

    def until(self, wanted, timeout=2.0):
        """Waits for a state, told without being asked, that satisfies `wanted`."""
        self.sock.settimeout(timeout)
        try:
            while not wanted(state := self.receive()):
                pass
            return state
        finally:
            self.sock.settimeout(3)


# ---- vipd itself ----


class Vipd:
    def __init__(self, net, directory):
        self.net = net
        self.directory = directory
        self.config = directory / "vipd.conf"
        self.socket = directory / "vipd.sock"
        self.log = directory / "log"
        self.process = None
        self.agents = []

    def configure(self, **settings):
        settings = {"socket": f'"{self.socket}"', "peer_user": '"0"', "run_as": '"0"', "log_level": '"debug"',
                    "addresses": f'( {{ address = "{VIP}/24"; interface = "{LINK}"; }} )', **settings}
        self.config.write_text("".join(f"{key} = {value};\n" for key, value in settings.items() if value is not None))
        self.config.chmod(0o644)

    def start(self, prefix=(), wait=True, stderr=None, **settings):
        self.configure(**settings)
        # A process that has changed its user cannot be traced, which the leak checker wants to do to itself.
        environment = dict(os.environ, ASAN_OPTIONS="detect_leaks=" + ("1" if settings.get("run_as") is None else "0"))
        environment.pop("NOTIFY_SOCKET", None)
        notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        notify_path = self.directory / "notify"
        notify_path.unlink(missing_ok=True)
        notify.bind(str(notify_path))
        notify_path.chmod(0o777)  # as systemd's
        notify.settimeout(5)
        environment["NOTIFY_SOCKET"] = str(notify_path)
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(["ip", "netns", "exec", self.net.left, *prefix, str(VIPD), "-c", str(self.config)],
                                            stderr=stderr or log, env=environment)
        if wait:
            try:
                assert notify.recv(64) == b"READY=1"
            except TimeoutError:
                pytest.fail(f"vipd does not start: {self.log.read_text()}")
        notify.close()
        return self

    def agent(self):
        self.agents.append(Agent(self.socket))
        return self.agents[-1]

    def send_signal(self, number):
        self.process.send_signal(number)

    def stop(self, number=signal.SIGTERM):
        """Ends it and returns its exit status."""
        if self.process is None:
            return None
        self.process.send_signal(signal.SIGCONT)
        self.process.send_signal(number)
        status = self.process.wait(10)
        self.process = None
        return status

    def text(self):
        return self.log.read_text() if self.log.exists() else ""


@pytest.fixture
def vipd(net):
    # Not pytest's own directory: other users have to come in, too.
    directory = pathlib.Path(tempfile.mkdtemp(prefix="mhavip-"))
    directory.chmod(0o755)
    daemon = Vipd(net, directory)
    yield daemon
    for agent in daemon.agents:
        agent.close()
    status = daemon.stop()
    assert status in (None, 0), daemon.text()
    assert "Sanitizer" not in daemon.text(), daemon.text()
    shutil.rmtree(directory)
