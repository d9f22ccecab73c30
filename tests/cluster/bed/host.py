"""Hosts: namespaces with a first process (hostd), joined by a switch that has a namespace of its own."""

import glob
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
NETWORK = "192.0.2."
PREFIX = 24
ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class BedError(Exception):
    """The bed itself failed, not what it tests."""


def single_user():
    """Inside `unshare --user --map-root-user` there is one user only: programs cannot have separate ones."""
    with open("/proc/self/uid_map") as f:
        return all(int(line.split()[2]) == 1 for line in f)


def now_us():
    """CLOCK_BOOTTIME, the programs' own clock."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000


def wait_for(what, condition, timeout_s=30.0, pace_s=0.02):
    """Polls until condition() is true and returns its value; BedError that says what was waited for."""
    end = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise BedError("waited %.0f s in vain: %s" % (timeout_s, what))
        time.sleep(pace_s)


class Users:
    """Numeric users without names; all of them root where there is only one user."""

    def __init__(self):
        base = 0 if single_user() else 742000
        self.separate = base != 0
        self.agent, self.database, self.vipd, self.arbiter, self.client = (
            [base + i for i in range(1, 6)] if self.separate else [0] * 5
        )


class Run:
    """One directory and the hosts in it. Use it as a context manager: everything ends with it, whatever happens."""

    def __init__(self, variant="release", name="bed"):
        self.variant = variant
        self.build = os.path.join(REPOSITORY, "build", variant)
        # /tmp: socket paths must be short, and the hosts' users must get there
        self.dir = tempfile.mkdtemp(prefix="mha4rdb-%s-" % name, dir="/tmp")
        os.chmod(self.dir, 0o755)
        self.users = Users()
        self.hosts = {}
        self.children = []
        self.disks = []
        self.keep = False

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        self.close()

    def program(self, name):
        """A program of the build; see copy."""
        return self.copy(os.path.join(self.build, name))

    def copy(self, source):
        """A copy in the run's directory: the hosts' users need not be able to read the repository."""
        path = os.path.join(self.dir, "bin", os.path.basename(source))
        if not os.path.exists(path):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            shutil.copy(source, path)
        return path

    def spawn(self, args, **options):
        """A helper process outside the hosts, ended with the run."""
        child = subprocess.Popen(args, **options)
        self.children.append(child)
        return child

    def close(self):
        """A second ^C must not leave half of it behind."""
        if threading.current_thread() is threading.main_thread():
            for number in ENDING_SIGNALS:
                signal.signal(number, signal.SIG_IGN)
        try:
            self._end_everything()
        finally:
            if threading.current_thread() is threading.main_thread():
                end_on_signals()

    def _end_everything(self):
        for disk in self.disks:
            disk.thaw()  # or nobody who waits for it ever ends
        for child in self.children:
            if child.poll() is None:
                child.kill()
            child.wait()
        for host in list(self.hosts.values()):
            host.end()
        for disk in self.disks:
            disk.unmount()
        if not self.keep:
            shutil.rmtree(self.dir, ignore_errors=True)


class Host:
    """One machine. `address` is its last octet; the interface is eth0."""

    def __init__(self, run, name, octet=None, switch=None):
        self.run = run
        self.name = name
        self.switch = switch
        self.address = NETWORK + str(octet) if octet else None
        self.address6 = "2001:db8:77::%d" % octet if octet else None
        self.mac = "02:77:00:00:00:%02x" % octet if octet else None
        self.dir = os.path.join(run.dir, name)
        self.parent = None
        self.pid = 0
        for part in ("services", "log", "etc"):
            os.makedirs(os.path.join(self.dir, part), exist_ok=True)
        run.hosts[name] = self
        self.power_on()

    # -- power and cable --

    def power_on(self):
        self.parent = subprocess.Popen(
            [os.path.join(self.run.build, "tests/cluster/hostd"), self.dir, self.name, str(self.run.users.agent)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        line = self.parent.stdout.readline().split()
        if len(line) != 2 or line[0] != "ready":
            raise BedError("host %s did not come up" % self.name)
        self.pid = int(line[1])
        batch = "link set lo up\n"
        if self.switch:
            self.switch.plug(self)
            batch += ("link set eth0 address %s\nlink set eth0 up\naddress add %s/%d dev eth0\n"
                      "address add %s/64 dev eth0 nodad\n"
                      % (self.mac, self.address, PREFIX, self.address6))
        self.ip_batch(batch)

    def power_off(self):
        """The loss of power: the cable is silent first, so that no dying process says goodbye."""
        if self.switch:
            self.cut()
        self.end()
        if self.switch:
            self.switch.unplug(self)
        # What lies below /run is gone. (mysqld takes the lock of an earlier socket for its own, should a thread of the new one
        # have the number that stands in it.)
        for name in glob.glob(os.path.join(self.dir, "mysqld", "*")):
            os.unlink(name)

    def end(self):
        if self.pid:
            try:
                os.kill(self.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self.parent.wait()
            self.parent.stdout.close()
            self.pid = 0

    def cut(self):
        """Off the network without any sign: the link stays up, nothing passes."""
        self.switch.ip_batch("link set %s nomaster\n" % self.name)

    def uncut(self):
        self.switch.ip_batch("link set %s master br0\n" % self.name)

    def link_down(self):
        self.switch.ip_batch("link set %s down\n" % self.name)

    def link_up(self):
        self.switch.ip_batch("link set %s up\n" % self.name)

    # -- commands --

    def enter(self, *args):
        """The command line that runs `args` in this host's network."""
        return ["nsenter", "-t", str(self.pid), "-n", "--", *args]

    def ip_batch(self, commands):
        result = subprocess.run(self.enter("ip", "-batch", "-"), input=commands, text=True, capture_output=True)
        if result.returncode != 0:
            raise BedError("ip on %s: %s (%s)" % (self.name, result.stderr.strip(), commands.strip()))

    def run_command(self, *args, **options):
        return subprocess.run(self.enter(*args), text=True, capture_output=True, **options)

    def ask(self, request, timeout_s=30.0):
        """One request to hostd; returns what stands behind "ok"."""
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(timeout_s)
            s.connect(os.path.join(self.dir, "ctl"))
            s.send(request.encode())
            answer = s.recv(512).decode().strip()
        if not answer.startswith("ok"):
            raise BedError("%s: %s: %s" % (self.name, request, answer))
        return answer[2:].strip()

    # -- services --

    def service(self, name, args, uid=0, caps=None, mode=None, env=None):
        """Writes down how a service is started; start() starts it."""
        command = []
        if uid or caps is not None:
            command += ["setpriv", "--reuid=%d" % uid, "--regid=%d" % uid, "--clear-groups", "--no-new-privs"]
            sets = "-all" + "".join(",+" + c for c in caps or [])
            command += ["--inh-caps=" + sets, "--ambient-caps=" + sets, "--bounding-set=" + sets]
        if not self.run.users.separate:
            command = []
        if env:
            command += ["env"] + ["%s=%s" % item for item in env.items()]
        path = os.path.join(self.dir, "services", name + ("." + mode if mode else ""))
        with open(path, "w") as f:
            f.write("\n".join(command + list(args)) + "\n")

    def start(self, name, mode=None):
        self.ask("start %s %s" % (name, mode or ""))

    def stop(self, name):
        self.ask("stop " + name)

    def kill(self, name):
        self.ask("kill " + name)

    def signal(self, name, number):
        self.ask("signal %s %d" % (name, number))

    def pause(self):
        """Every process of the host stands still at once."""
        self.ask("signal-all %d" % signal.SIGSTOP)

    def resume(self):
        self.ask("signal-all %d" % signal.SIGCONT)

    def running(self, name):
        return self.ask("status " + name).startswith("running")

    def status(self, name):
        return self.ask("status " + name)

    def processes(self, command):
        """Numbers (outside) of this host's processes with that name."""
        mine = os.readlink("/proc/%d/ns/pid" % self.pid)
        found = []
        for entry in os.listdir("/proc"):
            if not entry.isdigit():
                continue
            try:
                if os.readlink("/proc/%s/ns/pid" % entry) != mine:
                    continue
                with open("/proc/%s/cmdline" % entry, "rb") as f:
                    program = f.read().split(b"\0")[0].decode()
            except OSError:
                continue
            if os.path.basename(program) == command:
                found.append(int(entry))
        return found

    def log(self, name):
        try:
            with open(os.path.join(self.dir, "log", name + ".log"), errors="replace") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def directory(self, name, uid, mode=0o755):
        path = os.path.join(self.dir, name)
        os.makedirs(path, exist_ok=True)
        os.chmod(path, mode)
        os.chown(path, uid, uid)
        return path

    def file(self, name, text, uid=0, mode=0o644):
        path = os.path.join(self.dir, name)
        with open(path, "w") as f:
            f.write(text)
        os.chmod(path, mode)
        os.chown(path, uid, uid)
        return path


class Switch(Host):
    """A bridge in a namespace of its own; each port carries its host's name."""

    def __init__(self, run):
        super().__init__(run, "switch")
        self.blocked = set()
        self.blocked_ports = set()

    def power_on(self):
        super().power_on()
        self.ip_batch("link add br0 type bridge stp_state 0 forward_delay 0 mcast_snooping 0\nlink set br0 up\n")

    def plug(self, host):
        self.ip_batch("link add %s type veth peer name eth0 netns %d\nlink set %s master br0\nlink set %s up\n"
                      % (host.name, host.pid, host.name, host.name))

    def unplug(self, host):
        """The port of a host that is off. With the host's end the kernel removes it too, but later."""
        subprocess.run(self.enter("ip", "link", "delete", host.name), capture_output=True)

    def block(self, source, target):
        """One way: frames from host `source` to host `target` are lost."""
        self.blocked.add((source.name, target.name))
        self._apply_blocks()

    def block_port(self, port, nodes):
        """TCP from these nodes to that port of anybody is lost, and the way back with it."""
        self.blocked_ports |= {(n.name, port) for n in nodes}
        self._apply_blocks()

    def unblock(self, source=None, target=None):
        self.blocked_ports = set()
        self.blocked = {b for b in self.blocked if source and b != (source.name, target.name)}
        self._apply_blocks()

    def _apply_blocks(self):
        rules = "".join('iifname "%s" oifname "%s" drop\n' % b for b in sorted(self.blocked))
        rules += "".join('iifname "%s" tcp dport %d drop\n' % b for b in sorted(self.blocked_ports))
        table = ("table bridge cuts {}\nflush table bridge cuts\ntable bridge cuts {\nchain forward {\n"
                 "type filter hook forward priority 0; policy accept;\n%s}\n}\n" % rules)
        result = subprocess.run(self.enter("nft", "-f", "-"), input=table, text=True, capture_output=True)
        if result.returncode != 0:
            raise BedError("nft: " + result.stderr.strip())


def end_on_signals():
    """SIGTERM and SIGHUP end the program as ^C does: through every `with` on the way."""
    def stop(number, _frame):
        raise KeyboardInterrupt("signal %d" % number)
    for number in ENDING_SIGNALS:
        signal.signal(number, stop)
