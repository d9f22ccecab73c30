"""Leases as the network sees them: when the address comes, when it goes, and who may ask."""

import os
import signal
import struct
import time

import pytest

from conftest import LINK, VIP, AddressWatch, ArpWatch, field, now_us

# A removal begins about a millisecond early; the rest is for a busy test machine to notice it.
LATE_US = 30000


def test_address_comes_and_is_announced_at_once(net, vipd):
    agent = vipd.start().agent()
    watch, wire = AddressWatch(net), ArpWatch(net)
    asked = now_us()
    agent.lease_for(1, 2000)
    came = watch.came()
    assert came is not None and came - asked < 50000
    packets = wire.collect(0.6)
    probes = [arp for arp in packets if arp[1] == 1 and arp[2] == "0.0.0.0" and arp[3] == VIP]
    announced = [arp for arp in packets if arp[2] == VIP and arp[3] == VIP]
    assert len(probes) == 1
    assert 4500 <= announced[0][0] - probes[0][0] < 30000, "the probe is given 5 ms"
    assert announced[0][0] - came < 5000, "the first announcement leaves with the address"
    assert [arp[1] for arp in announced[:2]] == [1, 2], "request form, then reply form"
    assert len(announced) == 8, "four pairs within the first 0.6 s"
    state = agent.query()
    assert state.held and state.link_up and state.epoch == 1 and not state.conflict and state.trouble == ""


def test_address_is_marked_and_has_a_lifetime_in_the_kernel(net, vipd):
    agent = vipd.start().agent()
    watch = AddressWatch(net)
    agent.lease_for(1, 1500)
    watch.came()
    preferred, valid = struct.unpack_from("=II", watch.attributes[6])
    assert (preferred, valid) == (2, 2), "the lease in whole seconds, rounded up"
    assert watch.attributes[11] == bytes([0x4d])


@pytest.mark.parametrize("how", ["silent", "closed"])
def test_address_goes_by_the_deadline_without_the_agent(net, vipd, how):
    agent = vipd.start().agent()
    watch = AddressWatch(net)
    deadline = now_us() + 400000
    agent.lease(1, deadline)
    assert watch.came()
    if how == "closed":
        agent.close()
    went = watch.went()
    assert deadline - 150000 < went < deadline + LATE_US


def test_renewals_keep_the_address_without_a_gap(net, vipd):
    agent = vipd.start().agent()
    watch = AddressWatch(net)
    for _ in range(25):
        deadline = now_us() + 300000
        agent.lease(7, deadline)
        assert watch.went(0.08) is None
    went = watch.went()
    assert went is not None and went < deadline + LATE_US


def test_release_is_done_when_it_is_answered(net, vipd):
    agent = vipd.start().agent()
    agent.lease_for(3, 5000)
    agent.until(lambda state: state.held)
    state = agent.release(3)
    assert not net.has_vip()
    assert not state.held and state.deadline_us == 0


def test_lower_epoch_is_refused(net, vipd):
    agent = vipd.start().agent()
    agent.lease_for(5, 5000)
    agent.until(lambda state: state.held)
    assert "epoch 4 is lower than epoch 5" in agent.lease_for(4, 9000).trouble
    assert "epoch 4 is lower than epoch 5" in agent.release(4).trouble
    assert agent.query().held
    assert not agent.release(6).held
    state = agent.lease_for(5, 5000)
    assert "refused" in state.trouble and not state.held and state.deadline_us == 0
    time.sleep(0.05)
    assert not net.has_vip()


def test_bad_deadlines_and_addresses_are_refused(net, vipd):
    agent = vipd.start().agent()
    assert "ago" in agent.lease(1, now_us() - 1000).trouble
    assert "ahead" in agent.lease(1, now_us() + 3600 * 1000000).trouble
    assert "ahead" in agent.lease(1, 2**64 - 1).trouble
    assert "vipd.conf" in agent.lease(1, now_us() + 1000000, "192.0.2.99").trouble
    time.sleep(0.05)
    assert not net.has_vip() and "192.0.2.99" not in net.addresses()


def test_garbage_ends_its_connection_and_nothing_else(net, vipd):
    agent = vipd.start().agent()
    agent.lease_for(1, 5000)
    agent.until(lambda state: state.held)
    for garbage in (b"\xff" * 40, b"\x12\x7f", b"\x00", os.urandom(4096), b"\x08\x01"):
        bad = vipd.agent()
        bad.sock.send(garbage)
        with pytest.raises(ConnectionResetError):
            bad.receive()
    assert agent.query().held
    assert vipd.text().count("no request") == 1, "logged once a minute"


def test_a_client_that_does_not_read_holds_nobody_up(net, vipd):
    agent = vipd.start().agent()
    lazy = vipd.agent()

    def ask_and_not_read(first):
        for number in range(first, first + 2000):
            lazy.sock.send(field(1, number) + field(4, field(1, VIP.encode())))

    # What found no room is made up for by the newest state, as the answer to the last question.
    ask_and_not_read(1)
    assert agent.query().epoch == 0
    assert lazy.until(lambda state: state.id == 2000).epoch == 0
    ask_and_not_read(2001)
    watch = AddressWatch(net)
    deadline = now_us() + 300000
    agent.lease(1, deadline)
    assert watch.came() and watch.went() < deadline + LATE_US
    state = lazy.until(lambda state: state.id == 4000)
    assert state.epoch == 1 and not state.held
    agent.lease_for(2, 5000)
    assert lazy.until(lambda state: state.held).epoch == 2


def test_stopped_vipd_looks_at_the_clock_first(net, vipd):
    agent = vipd.start().agent()
    watch = AddressWatch(net)
    agent.lease_for(1, 300)
    assert watch.came()
    vipd.send_signal(signal.SIGSTOP)
    time.sleep(0.5)
    # What the agent has sent meanwhile is read after the address is gone, and counts from then on.
    agent.sock.send(field(1, 99) + field(2, field(1, VIP.encode()) + field(2, 1) + field(3, now_us() + 500000)))
    woken = now_us()
    vipd.send_signal(signal.SIGCONT)
    went, came = watch.went(), watch.came()
    assert went is not None and went - woken < LATE_US
    assert came is not None and came > went


def test_killed_vipd_leaves_it_to_the_kernel(net, vipd):
    agent = vipd.start().agent()
    watch = AddressWatch(net)
    deadline = now_us() + 900000
    agent.lease(1, deadline)
    assert watch.came()
    vipd.stop(signal.SIGKILL)
    went = watch.went(3)
    assert went is not None and went < deadline + 100000 + 300000, "one second, and what the kernel adds"


def test_sigterm_removes_the_address_and_exits_0(net, vipd):
    agent = vipd.start().agent()
    agent.lease_for(1, 5000)
    agent.until(lambda state: state.held)
    assert vipd.stop() == 0
    assert not net.has_vip()


def test_link_name_in_config_is_the_one_used(net, vipd):
    agent = vipd.start().agent()
    agent.lease_for(1, 5000)
    agent.until(lambda state: state.held)
    assert VIP in net.ip("-4", "address", "show", "dev", LINK).stdout
