"""Faults of disks, paths and clocks, and how each is seen to have happened. Deaths and cables are host.py's.

Everything here needs root on the machine itself, not only in a user namespace: mark such tests `separate_users`.
"""

import contextlib
import ctypes
import errno
import os
import shutil
import socket
import struct
import subprocess

from . import host as hosts
from . import wire

CLONE_NEWNS = 0x00020000


def own_mounts():
    """What this process mounts from now on is gone with it, however it ends; hosts that it makes see its mounts come and go."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    _command("mount", "--make-rprivate", "/")
    _command("mount", "--make-rshared", "/")


def _command(*words):
    result = subprocess.run(words, text=True, capture_output=True)
    if result.returncode != 0:
        raise hosts.BedError("%s: %s" % (" ".join(words), result.stderr.strip()))
    return result.stdout.strip()


class Disk:
    """A file system of its own, on a loop device, for one directory. Make it before the host whose directory it is."""

    def __init__(self, run, name, size_mb):
        self.path = os.path.join(run.dir, name, "data")
        self.image = os.path.join(run.dir, name.replace("/", "-") + ".img")
        os.makedirs(self.path, exist_ok=True)
        with open(self.image, "wb") as f:
            f.truncate(size_mb << 20)
        _command("mkfs.ext4", "-q", "-m", "0", "-J", "size=4", "-E", "lazy_itable_init=1", self.image)
        self.mount()
        os.rmdir(os.path.join(self.path, "lost+found"))
        os.chown(self.path, run.users.database, run.users.database)
        self.filler = os.path.join(self.path, "filler")
        self.frozen = self.full = False
        run.disks.append(self)

    def mount(self):
        _command("mount", "-o", "loop,errors=remount-ro", self.image, self.path)
        self.device = os.path.basename(_command("findmnt", "-n", "-o", "SOURCE", "-T", self.path))

    def unmount(self):
        _command("umount", "--lazy", self.path)

    def fill(self):
        """Until nothing more goes in."""
        self.full = True
        with open(self.filler, "wb", buffering=0) as f:
            with contextlib.suppress(OSError):
                os.posix_fallocate(f.fileno(), 0, self.free())
            with contextlib.suppress(OSError):
                f.seek(0, os.SEEK_END)
                while True:
                    f.write(b"\0" * 4096)
        if self.free() > 0:
            raise hosts.BedError("the disk is not full")

    def free(self):
        found = os.statvfs(self.path)
        return found.f_bavail * found.f_frsize

    def make_room(self):
        """Of a disk that has failed meanwhile: once it is repaired."""
        self.full = False
        try:
            os.unlink(self.filler)
        except OSError as e:
            if e.errno not in (errno.ENOENT, errno.EIO, errno.EROFS):
                raise

    def freeze(self):
        """A disk that hangs: who writes or syncs stands still."""
        _command("fsfreeze", "-f", self.path)
        self.frozen = True

    def thaw(self):
        if self.frozen:
            _command("fsfreeze", "-u", self.path)
            self.frozen = False

    def hangs(self):
        """Seen from outside: a write does not end. (It ends once the disk is thawed.)"""
        probe = subprocess.Popen(["touch", os.path.join(self.path, "probe")])
        try:
            probe.wait(0.3)
            return False
        except subprocess.TimeoutExpired:
            return True

    def fail(self):
        """As the kernel answers to a damaged file system: read-only from now on."""
        with open("/sys/fs/ext4/%s/trigger_fs_error" % self.device, "w") as f:
            f.write("bed")
        try:
            with open(os.path.join(self.path, "probe"), "w"):
                raise hosts.BedError("the file system still takes writes")
        except OSError as e:
            if e.errno != errno.EROFS:
                raise

    def repair(self):
        """While its host is off: what has it mounted must be gone, or the kernel goes on with what it has."""
        self.unmount()
        hosts.wait_for("nobody has %s" % self.image, lambda: not _command("losetup", "-j", self.image), 10)
        subprocess.run(["fsck.ext4", "-fy", self.image], capture_output=True)  # 1: errors were corrected
        self.mount()
        shutil.rmtree(os.path.join(self.path, "lost+found"), ignore_errors=True)  # mariabackup ends where it may not look into a folder
        if not self.full:
            self.make_room()


def hears(target, source, timeout_s=0.3):
    """Whether a datagram from host `source` reaches host `target`."""
    with contextlib.closing(wire.socket_in(target.pid, socket.AF_INET, socket.SOCK_DGRAM)) as receiver, \
            contextlib.closing(wire.socket_in(source.pid, socket.AF_INET, socket.SOCK_DGRAM)) as sender:
        receiver.bind((target.address, 0))
        receiver.settimeout(timeout_s)
        with contextlib.suppress(OSError):
            sender.sendto(b"?", receiver.getsockname())
            return receiver.recv(1) == b"?"
        return False


def stands_still(pid):
    """Whether a process is stopped by a signal."""
    with open("/proc/%d/stat" % pid) as f:
        return f.read().rsplit(")", 1)[1].split()[0] == "T"


class Clock:
    """The wall clock of one host, as its programs see it; the monotonic clocks stay what they are."""

    def __init__(self, run, name):
        self.library = run.program("tests/cluster/clockjump.so")
        self.path = os.path.join(run.dir, name + ".clock")
        with open(self.path, "wb") as f:
            f.write(struct.pack("=q", 0))

    def jump(self, seconds):
        """Wrong by so many seconds from now on, against this machine's."""
        with open(self.path, "r+b") as f:
            f.write(struct.pack("=q", seconds))

    def environment(self):
        return {"LD_PRELOAD": self.library, "CLOCKJUMP_FILE": self.path}
