"""What the host, its kernel and other hands do to the address: taken away, put there, left behind, claimed by somebody else."""

import signal
import socket
import struct
import time

from conftest import LINK, VIP, AddressWatch, ArpWatch, inside, now_us

STRANGER = bytes.fromhex("02005e000001")


def hold(vipd, milliseconds=20000, epoch=1):
    agent = vipd.agent()
    agent.lease_for(epoch, milliseconds)
    agent.until(lambda state: state.held)
    return agent


def test_address_taken_away_is_put_back(net, vipd):
    vipd.start()
    hold(vipd)
    time.sleep(0.1)
    watch, wire = AddressWatch(net), ArpWatch(net)
    wire.collect(0.4)  # the first burst passes
    net.ip("address", "del", f"{VIP}/24", "dev", LINK)
    went, came = watch.went(), watch.came()
    assert came - went < 20000
    announced = wire.gratuitous(0.05)
    assert announced and announced[0][0] - came < 5000


def test_address_taken_away_again_and_again_is_put_back_at_a_bounded_rate(net, vipd):
    vipd.start()
    agent = hold(vipd)
    watch = AddressWatch(net)
    for _ in range(5):
        net.ip("address", "del", f"{VIP}/24", "dev", LINK)
        assert watch.came(0.2)
    assert agent.query().held


def test_whole_lifetime_is_restored_after_an_outside_change(net, vipd):
    vipd.start()
    hold(vipd)
    watch = AddressWatch(net)
    net.ip("address", "replace", f"{VIP}/24", "dev", LINK)  # now without an end
    assert watch.came() and watch.came()
    valid, = struct.unpack_from("=I", watch.attributes[6], 4)
    assert valid <= 20


def test_leftovers_of_an_earlier_run_are_removed_at_the_start(net, vipd):
    net.ip("address", "add", f"{VIP}/24", "dev", LINK)
    net.ip("address", "add", f"{VIP}/32", "dev", LINK)  # another prefix length counts as another address
    net.ip("address", "add", f"{VIP}/32", "dev", "lo")
    before = net.addresses()
    assert before.count(f" {VIP}/") == 3
    vipd.start()
    assert not net.has_vip()


def test_a_killed_run_is_cleaned_up_by_the_next(net, vipd):
    vipd.start()
    hold(vipd)
    vipd.stop(signal.SIGKILL)
    assert net.has_vip()
    vipd.start()
    assert not net.has_vip()


def test_address_that_appears_without_a_lease_is_removed(net, vipd):
    vipd.start()
    watch = AddressWatch(net)
    net.ip("address", "add", f"{VIP}/24", "dev", LINK)
    assert watch.went()
    net.ip("address", "add", f"{VIP}/32", "dev", "lo")
    assert watch.went()
    assert vipd.stop() == 0


def test_other_addresses_are_never_touched(net, vipd):
    others = ("192.0.2.100/24", "192.0.2.101/32", "198.51.100.7/24")
    for other in others:
        net.ip("address", "add", other, "dev", LINK)
    watch = AddressWatch(net)
    before = net.addresses()
    vipd.start()
    agent = hold(vipd)
    agent.release(1)
    agent.lease_for(2, 100)
    time.sleep(0.2)
    assert vipd.stop() == 0
    assert net.addresses() == before
    for other in (*others, "192.0.2.11/24"):
        assert watch.wait(watch.DEL, 0, other.split("/")[0]) is None
    for other in others:
        net.ip("address", "del", other, "dev", LINK)


def test_removal_of_the_first_address_of_a_subnet_is_warned_about(net, vipd):
    with inside(net.left):
        def sysctl(value):
            for name in ("all", LINK):
                with open(f"/proc/sys/net/ipv4/conf/{name}/promote_secondaries", "w") as file:
                    file.write(value)
        sysctl("0")
        try:
            vipd.start()
            assert "promote_secondaries" in vipd.text()
        finally:
            sysctl("1")


def test_conflict_is_reported_and_not_fought_over(net, vipd):
    agent = vipd.start().agent()
    net.ip_right("address", "add", f"{VIP}/32", "dev", LINK)
    watch, wire = AddressWatch(net), ArpWatch(net)
    agent.lease_for(1, 5000)
    state = agent.until(lambda state: state.conflict)
    assert not state.held and state.deadline_us == 0 and "another host" in state.trouble
    for _ in range(10):  # an agent that keeps asking
        time.sleep(0.02)
        assert agent.lease_for(1, 5000).conflict
    assert watch.came(0) is None and not wire.gratuitous(0.05)
    net.ip_right("address", "del", f"{VIP}/32", "dev", LINK)
    time.sleep(0.06)
    agent.lease_for(1, 5000)
    state = agent.until(lambda state: state.held)
    assert not state.conflict and state.trouble == ""


def test_later_answers_are_reported_while_the_address_stays(net, vipd):
    vipd.start()
    agent = hold(vipd)
    with inside(net.right):
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        sock.bind((LINK, 0x0806))
    broadcast, vip = b"\xff" * 6, socket.inet_aton(VIP)
    sock.send(broadcast + STRANGER + b"\x08\x06" + struct.pack("!HHBBH", 1, 0x0800, 6, 4, 2) + STRANGER + vip + broadcast + vip)
    state = agent.until(lambda state: state.conflict)
    assert state.held and STRANGER.hex(":") in state.trouble
    assert net.has_vip()


def test_link_down_is_reported_and_its_return_announced(net, vipd):
    vipd.start()
    agent = hold(vipd)
    net.ip_right("link", "set", LINK, "down")
    state = agent.until(lambda state: not state.link_up)
    assert "down" in state.trouble
    wire = ArpWatch(net)
    net.ip_right("link", "set", LINK, "up")
    state = agent.until(lambda state: state.link_up)
    assert state.held and wire.gratuitous(0.3)
    assert agent.query().trouble == ""


def test_address_is_taken_though_the_link_is_down(net, vipd):
    vipd.start()
    net.ip_right("link", "set", LINK, "down")
    agent = vipd.agent()
    while agent.query().link_up:  # the kernel may take a second to tell
        agent.until(lambda state: not state.link_up)
    state = agent.lease_for(1, 5000)
    assert state.held and not state.link_up and "no carrier" in state.trouble


def test_interface_may_vanish_and_come_back(net, vipd):
    vipd.start()
    agent = hold(vipd)
    net.ip("link", "del", LINK)
    assert agent.until(lambda state: "no interface" in state.trouble and not state.held)
    watch = AddressWatch(net)
    net.join()
    assert agent.until(lambda state: state.held and state.link_up)
    assert watch.came() and net.has_vip()
    assert not agent.release(1).held


def test_lease_may_end_while_the_interface_is_away(net, vipd):
    vipd.start()
    agent = hold(vipd, 500)
    net.ip("link", "del", LINK)
    time.sleep(0.6)
    watch = AddressWatch(net)
    net.join()
    assert watch.wait(watch.NEW, 0.2) is None
    assert not agent.query().held


def test_missing_interface_is_waited_for(net, vipd):
    net.ip("link", "set", LINK, "down")
    net.ip("link", "set", LINK, "name", "other0")
    vipd.start()
    agent = vipd.agent()
    state = agent.lease_for(1, 5000)
    assert not state.held and not state.link_up and f"no interface {LINK}" in state.trouble
    net.ip("link", "set", "other0", "name", LINK)
    net.ip("link", "set", LINK, "up")
    assert agent.until(lambda state: state.held and state.link_up)


def test_lost_events_are_made_up_for(net, vipd):
    """More events than the socket holds while vipd is stopped: it looks at everything again."""
    vipd.start()
    agent = hold(vipd)
    vipd.send_signal(signal.SIGSTOP)
    batch = vipd.directory / "batch"
    batch.write_text("".join(f"address {verb} 198.51.100.{n}/32 dev {LINK}\n" for _ in range(4) for verb in ("add", "del")
                             for n in range(1, 250)) + f"address del {VIP}/24 dev {LINK}\n")
    net.ip("-batch", str(batch))
    watch = AddressWatch(net)
    vipd.send_signal(signal.SIGCONT)
    assert watch.came()
    assert "events of the kernel were lost" in vipd.text()
    assert agent.query().held and now_us() < agent.query().deadline_us
