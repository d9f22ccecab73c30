"""Members and their directories: looked at while they are stopped, wiped, replaced; and logs that stay small."""

import glob
import os
import subprocess

import pytest


@pytest.fixture
def cluster(make_cluster):
    return make_cluster()


def directory(node):
    return os.path.join(node.host.dir, "arbiter/shop" if node.arbiter else "agent")


def verify_store(cluster, node):
    program = cluster.run.program("mha4rdb-arbiter" if node.arbiter else "mha4rdb-agent")
    return subprocess.run([program, "--verify-store", directory(node)], text=True, capture_output=True, timeout=20)


def files(node):
    found = {}
    for path in glob.glob(os.path.join(directory(node), "*")):
        if os.path.isfile(path):
            with open(path, "rb") as f:
                found[path] = f.read()
    return found


def test_stores_are_looked_at(cluster):
    """Of a stopped member it tells what is there, of a running one nothing, of a damaged one where; and it changes nothing."""
    cluster.begin(writer=False)
    running = verify_store(cluster, cluster.arbiter)
    assert running.returncode == 2 and "stop it" in running.stderr, running
    cluster.kill_members(cluster.nodes.values())
    for node in cluster.nodes.values():
        before = files(node)
        result = verify_store(cluster, node)
        assert result.returncode == 0, result
        assert files(node) == before
        assert "member      %s of cluster shop" % node.name in result.stdout
        assert result.stdout.endswith("sound\n")
        for other in cluster.nodes.values():
            assert "%s " % other.name in result.stdout.split("membership")[1]
    segment = sorted(glob.glob(os.path.join(directory(cluster.arbiter), "wal-*")))[-1]
    with open(segment, "r+b") as f:
        f.seek(70)
        byte = f.read(1)
        f.seek(70)
        f.write(bytes([byte[0] ^ 4]))
    before = files(cluster.arbiter)
    result = verify_store(cluster, cluster.arbiter)
    assert result.returncode == 1 and os.path.basename(segment) in result.stderr and "byte 64" in result.stderr, result
    assert "remove the directory" in result.stderr
    assert files(cluster.arbiter) == before
