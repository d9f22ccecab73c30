"""Rows, compared by key."""

from .server import SCHEMA


def written(server):
    """key -> server id that inserted it, of the writer's table."""
    rows = server.query("SELECT k, server FROM %s.writes" % SCHEMA, timeout_s=60)
    return {row["k"]: row["server"] for row in rows}


def tried(server):
    rows = server.query("SELECT host, n FROM %s.tries" % SCHEMA, timeout_s=60)
    return {(row["host"], row["n"]) for row in rows}


def missing(server, writes, sights=None):
    """Acknowledged rows, the writer's and the watcher's, that this server does not have."""
    lost = ["write %d" % k for k in sorted(writes.keys - written(server).keys())]
    if sights:
        lost += ["try %s/%d" % t for t in sorted(sights.acknowledged_tries() - tried(server))]
    return lost


def changes(server, writes):
    """Changes of the server that acknowledged, in the order of the acknowledgements: [(time, from id, to id)]."""
    by, found, last = written(server), [], None
    for ack in writes.acks:
        server_id = by.get(ack.key)
        if last is not None and server_id is not None and server_id != last:
            found.append((ack.acked, last, server_id))
        last = server_id or last
    return found
