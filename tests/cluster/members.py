"""Members of the group as an operator handles them: listed, wiped, replaced."""

import glob
import json
import os

from bed.host import wait_for


def directory(node):
    return os.path.join(node.host.dir, "arbiter/shop" if node.arbiter else "agent")


def member(cluster, *arguments, node=None):
    return cluster.mhactl("member", *arguments, node=node or cluster.primary() or cluster.data[0], timeout_s=90)


def listed(cluster, node):
    return json.loads(cluster.mhactl("-o", "json", "member", "list", node=node).stdout)


def wipe(node):
    """Its member loses all that it knew; the database of its host, if there is one, stays."""
    daemon = node.daemons[-1]
    if node.host.running(daemon):
        node.host.kill(daemon)
    for path in glob.glob(os.path.join(directory(node), "*")):
        if os.path.isfile(path):
            os.unlink(path)
    node.host.start(daemon)


def wait_stranger(cluster, node, name):
    wait_for("%s presents itself to %s" % (name, node.name),
             lambda: [s for s in listed(cluster, node)["strangers"] if s["name"] == name and s["let_in_by"] == "replace"], 20)
