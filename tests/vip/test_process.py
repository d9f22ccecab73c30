"""The process: who may speak to it, what it may do, what it costs, and how it reads its configuration."""

import os
import re
import signal
import socket
import subprocess

import pytest

from conftest import SANITISED, VIP, VIPD, Agent, AddressWatch, now_us, run

NET_ADMIN, NET_RAW = 12, 13
TWO_CAPABILITIES = 1 << NET_ADMIN | 1 << NET_RAW
SOMEBODY, SOMEBODY_ELSE = 64321, 64322


def status_of(vipd):
    with open(f"/proc/{vipd.process.pid}/status") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)


def others_exist():
    """False in a user namespace that has only its own root."""
    with open("/proc/self/uid_map") as file:
        return sum(int(line.split()[2]) for line in file) > SOMEBODY_ELSE


needs_users = pytest.mark.skipif(not others_exist(), reason="a second user is needed, and this user namespace has none")


def assert_only_two_capabilities(status):
    for kind in ("CapPrm", "CapEff"):
        assert int(status[kind], 16) == TWO_CAPABILITIES, kind
    for kind in ("CapInh", "CapAmb"):
        assert int(status[kind], 16) == 0, kind
    assert status["NoNewPrivs"] == "1"


def test_keeps_two_capabilities_as_root(net, vipd):
    vipd.start()
    status = status_of(vipd)
    assert_only_two_capabilities(status)
    assert int(status["CapBnd"], 16) == 0
    assert int(status["Threads"]) == 1


# What the packaged unit leaves to root.
UNIT = ("setpriv", "--bounding-set=-all,+net_admin,+net_raw,+chown,+setuid,+setgid,+setpcap", "--no-new-privs")


@needs_users
def test_is_scheduled_before_ordinary_processes(net, vipd):
    vipd.start()
    assert os.sched_getscheduler(vipd.process.pid) == os.SCHED_RR | os.SCHED_RESET_ON_FORK


@needs_users
@pytest.mark.parametrize("prefix", [(), UNIT], ids=["root", "unit"])
def test_becomes_another_user_and_still_does_its_work(net, vipd, prefix):
    vipd.start(prefix=prefix, run_as=f'"{SOMEBODY}"')
    status = status_of(vipd)
    assert_only_two_capabilities(status)
    assert set(status["Uid"].split()) == {str(SOMEBODY)} and set(status["Gid"].split()) == {str(SOMEBODY)}
    assert status["Groups"].strip() == ""
    assert int(status["CapBnd"], 16) == 0
    agent = vipd.agent()
    agent.lease_for(1, 5000)
    assert agent.until(lambda state: state.held)
    assert not agent.release(1).held
    assert vipd.stop() == 0


@needs_users
def test_started_as_another_user_with_ambient_capabilities(net, vipd):
    os.chown(vipd.directory, SOMEBODY, SOMEBODY)
    prefix = ("setpriv", f"--reuid={SOMEBODY}", f"--regid={SOMEBODY}", "--clear-groups", "--inh-caps=+net_admin,+net_raw",
              "--ambient-caps=+net_admin,+net_raw")
    vipd.start(prefix=prefix, run_as=None, peer_user=f'"{SOMEBODY}"')
    # The bounding set stays: only CAP_SETPCAP could empty it. With no_new_privs it gives nothing.
    assert_only_two_capabilities(status_of(vipd))
    assert vipd.socket.stat().st_uid == SOMEBODY


@needs_users
def test_without_the_capabilities_it_says_so(net, vipd):
    os.chown(vipd.directory, SOMEBODY, SOMEBODY)
    prefix = ("setpriv", f"--reuid={SOMEBODY}", f"--regid={SOMEBODY}", "--clear-groups")
    vipd.start(prefix=prefix, wait=False, peer_user=f'"{SOMEBODY}"')
    assert vipd.process.wait(5) == 1
    vipd.process = None
    assert "CAP_NET_RAW" in vipd.text()


def ask_as(uid, path):
    """A client of another user: what it reads back, or '' for a closed connection."""
    script = ("import socket, sys\n"
              "s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)\n"
              "s.settimeout(3)\n"
              "try:\n"
              "    s.connect(sys.argv[1])\n"
              f"    s.send(bytes.fromhex('0801220c0a0a') + b'{VIP}')\n"
              "    print(len(s.recv(4096)))\n"
              "except (ConnectionError, PermissionError) as e:\n"
              "    print(type(e).__name__)\n")
    return run("setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "/usr/bin/python3", "-c", script,
               str(path)).stdout.strip()


@needs_users
def test_only_the_peer_user_is_heard(net, vipd):
    vipd.start(peer_user=f'"{SOMEBODY}"')
    mode = vipd.socket.stat()
    assert (mode.st_uid, mode.st_mode & 0o777) == (SOMEBODY, 0o600)
    assert int(ask_as(SOMEBODY, vipd.socket)) > 5
    assert ask_as(SOMEBODY_ELSE, vipd.socket) == "PermissionError"
    vipd.socket.chmod(0o666)  # though the file lets everyone in
    assert ask_as(SOMEBODY_ELSE, vipd.socket) in ("0", "ConnectionResetError", "BrokenPipeError")
    for _ in range(5):  # root is a stranger, too
        stranger = Agent(vipd.socket)
        with pytest.raises(ConnectionError):
            stranger.query()
        stranger.close()
    assert vipd.text().count("a stranger was turned away") == 1, "logged once a minute"
    assert not net.has_vip()


def test_many_connections_of_the_peer_are_served_and_the_oldest_gives_way(net, vipd):
    vipd.start()
    agents = [vipd.agent() for _ in range(9)]
    for agent in agents[1:]:
        assert agent.query().address == VIP
    with pytest.raises(ConnectionError):
        agents[0].query()
    agents[1].lease_for(1, 5000)
    assert agents[8].until(lambda state: state.held).id == 0, "everyone is told"


def test_second_vipd_on_the_same_socket_is_refused(net, vipd):
    vipd.start()
    done = run("ip", "netns", "exec", net.left, str(VIPD), "-c", str(vipd.config), check=False)
    assert done.returncode == 1 and "another mha4rdb-vipd" in done.stderr
    assert vipd.agent().query().address == VIP


def test_stopped_agent_changes_nothing(net, vipd):
    """An agent that is stopped right after its lease: the deadline is kept without it."""
    vipd.start()
    script = ("import sys; sys.path.insert(0, sys.argv[1]); import conftest\n"
              "a = conftest.Agent(sys.argv[2]); print(a.lease_for(1, 400).deadline_us, flush=True); a.receive(); a.receive()\n"
              "import time; time.sleep(60)\n")
    watch = AddressWatch(net)
    child = subprocess.Popen(["/usr/bin/python3", "-c", script, os.path.dirname(__file__), str(vipd.socket)],
                             stdout=subprocess.PIPE, text=True)
    try:
        deadline = int(child.stdout.readline())
        child.send_signal(signal.SIGSTOP)
        assert watch.came() and watch.went() < deadline + 30000
    finally:
        child.kill()
        child.wait()
        child.stdout.close()


@pytest.mark.parametrize("kind", ["pipe", "socket"])
def test_a_log_that_nobody_reads_holds_nothing_up(net, vipd, kind):
    reader, writer = os.pipe() if kind == "pipe" else [end.detach() for end in socket.socketpair()]
    vipd.start(stderr=writer)
    agent = vipd.agent()
    full = os.open(f"/proc/self/fd/{writer}", os.O_WRONLY | os.O_NONBLOCK) if kind == "pipe" else os.dup(writer)
    if kind == "socket":
        os.set_blocking(full, False)
    try:
        while True:
            os.write(full, b"." * 4096)
    except BlockingIOError:
        pass
    watch = AddressWatch(net)
    deadline = now_us() + 300000
    for _ in range(20):
        vipd.agent().query()  # each writes a line at level debug
    agent = vipd.agent()
    agent.lease(1, deadline)
    assert watch.came() and watch.went() < deadline + 30000
    assert vipd.stop() == 0
    for fd in (reader, writer, full):
        os.close(fd)


def test_memory_at_rest(net, vipd):
    if SANITISED:
        pytest.skip("a matter of the release build")
    vipd.start()
    agent = vipd.agent()
    agent.lease_for(1, 5000)
    agent.until(lambda state: state.held)
    agent.release(1)
    resident_kib = int(status_of(vipd)["VmRSS"].split()[0])
    assert resident_kib <= 4096, f"{resident_kib} KiB"


# ---- configuration ----


def check(vipd, *arguments):
    return run(str(VIPD), "-c", str(vipd.config), *arguments, check=False)


def test_good_configuration_passes_the_check(vipd):
    vipd.configure()
    assert check(vipd, "-t").returncode == 0
    vipd.configure(run_as=None, log_level=None, addresses='( { address = "192.0.2.10/24"; interface = "eth9"; }, '
                                                          '{ address = "198.51.100.1/32"; interface = "eth8"; } )')
    assert check(vipd, "-t").returncode == 0


@pytest.mark.parametrize("settings, complaint", [
    ({"addresses": '( { address = "192.0.2.10"; interface = "eth0"; } )'}, "prefix length"),
    ({"addresses": '( { address = "192.0.2.10/33"; interface = "eth0"; } )'}, "1 to 32"),
    ({"addresses": '( { address = "192.0.2.300/24"; interface = "eth0"; } )'}, "not an IPv4 address"),
    ({"addresses": '( { address = "2001:db8::1/64"; interface = "eth0"; } )'}, "IPv6"),
    ({"addresses": '( { address = "224.0.0.1/24"; interface = "eth0"; } )'}, "cannot be a host's"),
    ({"addresses": '( { address = "192.0.2.10/24"; } )'}, '"interface" is missing'),
    ({"addresses": '( { address = "192.0.2.10/24"; interface = "a-name-that-is-too-long"; } )'}, "longer than 15"),
    ({"addresses": '( { address = "192.0.2.10/24"; interface = "eth0"; colour = 1; } )'}, "colour"),
    ({"addresses": '( { address = "192.0.2.10/24"; interface = "a"; }, { address = "192.0.2.10/32"; interface = "b"; } )'}, "twice"),
    ({"addresses": "( )"}, "1 to 16"),
    ({"addresses": None}, '"addresses" is missing'),
    ({"peer_user": '"no-such-user-here"'}, "no user"),
    ({"run_as": '"no-such-user-here"'}, "no user"),
    ({"log_level": '"loud"'}, "one of error, warning"),
    ({"socket": '"relative.sock"'}, "path from the root"),
    ({"adresses": "( )"}, "adresses"),
])
def test_mistakes_are_named_with_file_line_and_remedy(vipd, settings, complaint):
    vipd.configure(**settings)
    done = check(vipd, "-t")
    assert done.returncode == 2
    assert re.search(rf"{vipd.config}:\d+: |{vipd.config}: ", done.stderr) and complaint in done.stderr
    assert ";" in done.stderr, "a remedy follows"


def test_configuration_that_others_may_write_is_refused(vipd):
    vipd.configure()
    for mode in (0o664, 0o646):
        vipd.config.chmod(mode)
        done = check(vipd, "-t")
        assert done.returncode == 2 and "chmod go-w" in done.stderr


@needs_users
def test_configuration_of_another_user_is_refused(vipd):
    vipd.configure()
    os.chown(vipd.config, SOMEBODY, -1)
    done = check(vipd, "-t")
    assert done.returncode == 2 and "chown root" in done.stderr


def test_missing_configuration_and_wrong_options(vipd):
    assert check(vipd, "-t").returncode == 2
    assert run(str(VIPD), "-x", check=False).returncode == 2
    assert run(str(VIPD), "-t", "more", check=False).returncode == 2
    assert run(str(VIPD), "-V").stdout.startswith("mha4rdb-vipd ")
    assert "Usage" in run(str(VIPD), "-h").stdout
