"""Disks that fill up, hang or fail: file systems of a test's own, each with the fault really made."""

import contextlib
import fcntl
import os
import shutil
import subprocess
import tempfile
import time

from sql_server import SERVER_UID, give

EXT4_IOC_SHUTDOWN, NO_LOG_FLUSH = 0x8004587D, 2


class Disk:
    """`kind`: "tmpfs", or "ext4" on a loop device. It belongs to the server's user."""

    def __init__(self, kind, megabytes=200):
        self.path = tempfile.mkdtemp(prefix=f"mha-disk-{os.getpid()}-")
        self.image = self.path + ".img" if kind == "ext4" else None
        self.filler = os.path.join(self.path, "filler")
        if self.image:
            subprocess.run(["truncate", "-s", f"{megabytes}M", self.image], check=True)
            subprocess.run(["mkfs.ext4", "-q", "-F", "-m", "0", self.image], check=True)
            subprocess.run(["mount", "-o", "loop,errors=remount-ro", self.image, self.path], check=True)
        else:
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", self.path], check=True)
        give(self.path, SERVER_UID)
        os.chmod(self.path, 0o755)

    def free_bytes(self):
        status = os.statvfs(self.path)
        return status.f_bavail * status.f_frsize

    def fill(self):
        with contextlib.suppress(OSError), open(self.filler, "ab", buffering=0) as f:
            while True:
                f.write(b"x" * 65536)
        with contextlib.suppress(OSError), open(self.filler, "ab", buffering=0) as f:
            while True:
                f.write(b"x" * 512)
        assert self.free_bytes() == 0

    def empty(self):
        os.unlink(self.filler)

    def freeze(self):
        subprocess.run(["fsfreeze", "-f", self.path], check=True)

    def thaw(self):
        subprocess.run(["fsfreeze", "-u", self.path], check=False, stderr=subprocess.DEVNULL)

    def become_read_only(self):
        """As the kernel does after an error that it found in the file system."""
        device = subprocess.check_output(["findmnt", "-no", "SOURCE", self.path], text=True).strip()
        with open(f"/sys/fs/ext4/{os.path.basename(device)}/trigger_fs_error", "w") as f:
            f.write("a test\n")
        assert os.system(f"touch {self.path}/x 2> /dev/null") != 0

    def die(self):
        fd = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.ioctl(fd, EXT4_IOC_SHUTDOWN, NO_LOG_FLUSH.to_bytes(4, "little"))
        finally:
            os.close(fd)
        assert os.system(f"touch {self.path}/x 2> /dev/null") != 0

    def remove(self):
        self.thaw()
        deadline = time.monotonic() + 10
        while subprocess.run(["umount", self.path], check=False, stderr=subprocess.DEVNULL).returncode != 0:
            assert time.monotonic() < deadline, f"{self.path} is still in use"
            time.sleep(0.05)
        if self.image:
            os.unlink(self.image)
        shutil.rmtree(self.path)
