"""What a run does, from its seed: step `number` of a seed is always the same, whatever came before it. Pure.

A step is one fault or two that overlap, each begun and ended at times of its own, then the wait until the cluster serves, then calm. A fault
names the role of its target ("primary", "replica", "arbiter"); who has that role is seen when it begins.
"""

import collections
import random

Kind = collections.namedtuple("Kind", "weight roles lengths")
# begins and lasts: milliseconds, from the step's begin and from its own begin; draw: a number in [0, 1) for what else is to be chosen
Fault = collections.namedtuple("Fault", "kind role begins_ms lasts_ms draw")
Step = collections.namedtuple("Step", "number faults calm_ms wait_sync")

DATA, ANY, ALL = ("primary", "primary", "replica"), ("primary", "primary", "replica", "arbiter"), ("all",)

# lengths: "short" is less than the election timeout, "long" is more, "both" is either, "outage" is seconds
KINDS = {
    "database_killed": Kind(6, DATA, "outage"),
    "agent_killed": Kind(3, DATA, "both"),
    "vipd_killed": Kind(3, DATA, "both"),
    "dbworker_killed": Kind(3, DATA, "both"),
    "arbiter_killed": Kind(2, ("arbiter",), "both"),
    "agent_and_vipd_killed": Kind(2, DATA, "both"),
    "database_stopped": Kind(4, DATA, "both"),
    "agent_stopped": Kind(4, DATA, "both"),
    "vipd_stopped": Kind(3, DATA, "both"),
    "dbworker_stopped": Kind(3, DATA, "both"),
    "arbiter_stopped": Kind(2, ("arbiter",), "both"),
    "host_paused": Kind(5, ANY, "both"),
    "host_cut": Kind(5, ANY, "both"),
    "one_way_cut": Kind(5, ANY, "both"),
    "partial_cut": Kind(5, DATA, "both"),
    "replication_cut": Kind(3, DATA, "both"),
    "cluster_port_cut": Kind(3, DATA, "both"),
    "lossy_network": Kind(3, ANY, "outage"),
    "link_flap": Kind(3, ANY, "both"),
    "power_off": Kind(5, ANY, "outage"),
    "power_off_all": Kind(1, ALL, "outage"),
    "power_cut": Kind(4, DATA, "outage"),
    "power_cut_all": Kind(1, ALL, "outage"),
    "disk_full": Kind(4, DATA, "outage"),
    "disk_frozen": Kind(4, DATA, "both"),
    "disk_read_only": Kind(2, DATA, "outage"),
    "address_removed": Kind(2, ("primary",), "short"),
    "clock_jump": Kind(2, DATA, "outage"),
    "applier_stopped": Kind(3, ("replica",), "outage"),
    "switchover": Kind(7, ("replica",), "short"),
}

# Only where they are asked for by name. A MariaDB whose file system is made read-only rolls a transaction back whose event stays in its binary
# log ("Error writing file 'binlog' (errno: 5)"; tried on 10.11): from then on its rows and its log differ, and nobody can see it.
# Such a disk ends with a rebuild, not with a reboot.
ASIDE = ("disk_read_only",)

PAIRS = 0.45       # of the steps
SOON = 0.25        # of the steps: the next one does not wait until everybody is in sync again


def length_ms(random_, lengths, election_ms):
    if lengths == "both":
        lengths = random_.choice(("short", "long"))
    if lengths == "short":
        return random_.uniform(0.2, 0.85) * election_ms
    if lengths == "long":
        return random_.uniform(1.2, 5.0) * election_ms
    return random_.uniform(500, 6000)


def step(seed, number, election_ms, kinds=tuple(KINDS)):
    """The step with that number; `kinds` are those that can be made here, or were asked for."""
    random_ = random.Random("%d/%d" % (seed, number))
    # every draw is made from all kinds, and again if it is not wanted: leaving kinds out changes only the steps that had them
    def draw_kind():
        while True:
            kind = random_.choices(list(KINDS), [k.weight for k in KINDS.values()])[0]
            if kind in kinds:
                return kind
    faults = []
    begins = 0.0
    for _ in range(2 if random_.random() < PAIRS else 1):
        name = draw_kind()
        kind = KINDS[name]
        fault = Fault(name, random_.choice(kind.roles), round(begins), round(length_ms(random_, kind.lengths, election_ms)),
                      random_.random())
        faults.append(fault)
        begins = random_.choice((0.0, 30.0, random_.uniform(0, fault.lasts_ms), random_.uniform(0, 2 * election_ms)))
    return Step(number, faults, round(random_.uniform(300, 2500)), random_.random() >= SOON)


def describe(fault):
    return "%s of %s at %d ms for %d ms" % (fault.kind, fault.role, fault.begins_ms, fault.lasts_ms)
