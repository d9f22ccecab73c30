"""Configuration files of the programs, as an operator would write them for these hosts."""

import os
import sys

from . import mysql
from .host import NETWORK, PREFIX, REPOSITORY
from .mysql import prefix as mysql_prefix
from .server import AGENT_PASSWORD, AGENT_USER, REPLICATION_PASSWORD, REPLICATION_USER

VIP = NETWORK + "10"
PORT = 7420
REBUILD_PORT = 7421

NODE = '    {{ name = "{0}"; address = "{1}:%d"; {2}}}' % PORT

AGENT_CONF = """cluster = "{cluster}";
node = "{node}";
key_file = "{dir}/etc/cluster.key";
data_dir = "{dir}/agent";
control_socket = "{dir}/agent-run/agent.sock";
log_level = "{log_level}";
profile = "{profile}";
nodes = (
{nodes}
);
vip = {{ address = "{vip}"; socket = "{dir}/vipd-run/vipd.sock"; }};
{agent_extra}database = {{
    kind = "{kind}";
    socket = "{database_socket}";
    host = "{address}";
    port = 3306;
    user = "{user}";
    password_file = "{dir}/etc/db.password";
    replication_user = "{replication_user}";
    replication_password_file = "{dir}/etc/replication.password";
    replication_tls = false;
    start = "{hostctl} {dir}/ctl start";
    start_to_follow = "{hostctl} {dir}/ctl start-follow";
    stop = "{hostctl} {dir}/ctl stop";
    kill = "{hostctl} {dir}/ctl kill";
{database_extra}}};
"""

ARBITER_CONF = """listen = "{address}:%d";
data_dir = "{dir}/arbiter";
control_socket = "{dir}/arbiter-run/arbiter.sock";
log_level = "{log_level}";
clusters = (
    {{
        cluster = "{cluster}";
        node = "{node}";
        key_file = "{dir}/etc/cluster.key";
        profile = "{profile}";
        nodes = (
{nodes}
        );
    }}
);
""" % PORT

# A MariaDB server's files are its user's: both commands run as that, on the other side of a socket.
REBUILD = """rebuild = {{
    donate = "{rebuild} connect {dir}/rebuild/donate.sock";
    receive = "{rebuild} connect {dir}/rebuild/receive.sock";
    port = %d;
}};
""" % REBUILD_PORT

MYSQL_REBUILD = """rebuild = {{
    mysqlbinlog = "{mysql}/bin/mysqlbinlog";
}};
"""

VIPD_CONF = """socket = "{dir}/vipd-run/vipd.sock";
peer_user = "{agent}";
{run_as}log_level = "{log_level}";
addresses = ( {{ address = "{vip}/{prefix}"; interface = "eth0"; }} );
"""


def node_list(cluster, as_arbiter=None):
    return ",\n".join(NODE.format(n.name, n.host.address, "arbiter = true; " if n.arbiter or n.name == as_arbiter else "")
                      for n in cluster.nodes.values())


def environments(cluster, node, uid):
    """Of the programs, and of the member among them: (env, member_env)."""
    host, run = node.host, cluster.run
    env = {}
    if node.clock:
        env.update(node.clock.environment())
    if run.variant == "san":
        os.chmod(os.path.join(host.dir, "log"), 0o1777)
        env.update(ASAN_OPTIONS="log_path=%s/log/sanitizer:detect_leaks=0:abort_on_error=0%s"
                   % (host.dir, ":verify_asan_link_order=0" * bool(node.clock)),
                   UBSAN_OPTIONS="log_path=%s/log/sanitizer:print_stacktrace=1" % host.dir)
    if cluster.kind == "mysql":  # mysqlbinlog: what a node has alone is saved with it
        env["PATH"] = "%s:/usr/sbin:/usr/bin:/sbin:/bin" % os.path.join(mysql_prefix(), "bin")
    member_env = dict(env)
    if cluster.powercut:
        member_env.update(LD_PRELOAD=run.program("tests/cluster/powercut.so"), POWERCUT_DELAY_US="20000",
                          POWERCUT_DIR=host.directory("undo", uid),
                          ASAN_OPTIONS=env.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0")
    return env, member_env


def trace_setting(cluster, node, uid):
    """The line of its configuration, with a directory of its own: its data directory is looked at by tests."""
    if not cluster.trace:
        return ""
    node.host.directory("trace", uid, 0o700)
    return 'trace = "%s";\n' % cluster.trace_path(node)


def values(cluster, node):
    host, users = node.host, cluster.run.users
    return {"cluster": "shop", "node": node.name, "dir": host.dir, "log_level": cluster.log_level, "profile": cluster.profile,
            "nodes": node_list(cluster), "vip": VIP, "prefix": PREFIX, "address": host.address, "user": AGENT_USER,
            "replication_user": REPLICATION_USER, "database_extra": cluster.database_extra, "agent_extra": cluster.agent_extra,
            "kind": cluster.kind, "database_socket": node.server.socket if node.server else "",
            "hostctl": cluster.run.program("tests/cluster/hostctl"), "agent": users.agent,
            "run_as": 'run_as = "%d";\n' % users.vipd if users.separate else ""}


def configure_rebuild(cluster, node):
    """MariaDB's two commands, as the packages' socket units start them. Returns what goes into agent.conf."""
    host, run = node.host, cluster.run
    program = run.program("mha4rdb-rebuild")
    if cluster.kind != "mariadb":
        return MYSQL_REBUILD.format(mysql=mysql.prefix())
    host.directory("rebuild", run.users.database)
    scripts = os.path.join(REPOSITORY, "packaging", "libexec")
    for name, options in (("donate", ["--user=root", "--socket=" + node.server.socket]), ("receive", ["--datadir=" + node.server.datadir])):
        script = run.copy(os.path.join(scripts, "mariadb-" + name))
        host.service(name, [sys.executable, run.copy(os.path.join(os.path.dirname(os.path.abspath(__file__)), "spawner.py")),
                            os.path.join(host.dir, "rebuild", name + ".sock"), "/bin/sh", script, "--over-socket", *options],
                     run.users.database)
        node.helpers.append(name)
    return REBUILD.format(rebuild=program, dir=host.dir)


def configure(cluster, node):
    """Writes a node's files and says how its programs are started."""
    host, run, users = node.host, cluster.run, cluster.run.users
    uid = users.arbiter if node.arbiter else users.agent
    host.file("etc/cluster.key", cluster.key, uid, 0o600)
    env, member_env = environments(cluster, node, uid)
    if node.arbiter:
        host.directory("arbiter", uid, 0o700)
        host.directory("arbiter-run", uid)
        path = host.file("etc/arbiter.conf", trace_setting(cluster, node, uid) + ARBITER_CONF.format(**values(cluster, node)))
        host.service("arbiter", [run.program("mha4rdb-arbiter"), "-c", path], uid, env=member_env)
        return
    host.directory("agent", uid, 0o700)
    host.directory("agent-run", uid)
    host.directory("vipd-run", users.vipd)
    host.file("etc/db.password", AGENT_PASSWORD + "\n", uid, 0o600)
    host.file("etc/replication.password", REPLICATION_PASSWORD + "\n", uid, 0o600)
    path = host.file("etc/agent.conf", trace_setting(cluster, node, uid) + configure_rebuild(cluster, node) +
                     AGENT_CONF.format(**values(cluster, node)))
    host.service("agent", [run.program("mha4rdb-agent"), "-c", path, "-w", run.program("mha4rdb-dbworker")], uid, env=member_env)
    path = host.file("etc/vipd.conf", VIPD_CONF.format(**values(cluster, node)))
    # started by root, as its unit does; it goes on as its own user with two capabilities
    host.service("vipd", [run.program("mha4rdb-vipd"), "-c", path], env=env)
