"""A replica's database made anew, and what it had alone set aside; on real servers, from outside."""

import contextlib
import os
import socket
import subprocess
import threading
import time

import pytest

from node import BUILD, Load, fill, values


@pytest.fixture
def pair(make_node):
    """A primary with data, and a replica of it that has stopped to follow."""
    primary, replica = make_node(1), make_node(2)
    primary.open()
    fill(primary)
    replica.follow(primary)
    replica.caught_up(primary)
    replica.stop_following()
    return primary, replica


def diverge(node):
    """Three transactions that nobody else has."""
    node.open()
    with node.server.app() as connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO shop.orders (v) VALUES (777001), (777002)")
        cursor.execute("UPDATE shop.orders SET v = 777003 WHERE v = 3")
        cursor.execute("DELETE FROM shop.orders WHERE v = 4")
    node.close()


def check_set_aside(node, job):
    (folder,) = node.set_aside()
    assert job.saved()["path"] == folder and job.saved()["transactions"] == "3"
    readme = open(os.path.join(folder, "README")).read()
    for name in ("", "README", "transactions.sql"):  # rows of the database's: for nobody else
        assert os.stat(os.path.join(folder, name)).st_mode & 0o077 == 0
    assert "3 transactions" in readme and "n2" in readme and "a test" in readme
    lines = open(os.path.join(folder, "transactions.sql"), errors="replace").read().splitlines()
    rows = [line for line in lines if line.startswith("###")]
    text = "\n".join(rows)
    for what in ("INSERT INTO `shop`.`orders`", "@2=777001", "@2=777002", "UPDATE `shop`.`orders`", "@2=777003", "DELETE FROM `shop`.`orders`", "@2=4"):
        assert what in text, (what, text)
    # nothing but what it had alone: no row of the common history
    assert "@2=5" not in text and "`big`" not in text
    return readme


def test_a_diverged_node_under_load(pair):
    primary, replica = pair
    diverge(replica)
    load = Load(primary)
    job = replica.receive(primary).done()
    while len(load.told) < 100:
        time.sleep(0.01)
    told = load.stop()
    check_set_aside(replica, job)
    assert [words["name"] for _, verb, words in job.lines if verb == "phase"][0] == "saving"
    assert not replica.unfinished()
    assert replica.server.value("@@read_only") == 1
    assert not values(replica) & {777001, 777002, 777003}
    replica.follow(primary)
    replica.caught_up(primary)
    assert values(replica) == values(primary) >= set(told)


def test_two_within_the_same_second(pair):
    primary, replica = pair
    diverge(replica)
    now = time.time()
    top = os.path.join(replica.dir, "set-aside")
    taken = [os.path.join(top, time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now + i)) + "-n2") for i in range(60)]
    for path in taken:
        os.makedirs(path)
        open(os.path.join(path, "README"), "w").close()
    os.chown(top, os.stat(replica.dir).st_uid, -1)
    job = replica.receive(primary).done()
    (path,) = set(replica.set_aside()) - set(taken)
    assert job.saved()["path"] == path and path.endswith("-n2-2")


def test_nothing_alone(pair):
    primary, replica = pair
    job = replica.receive(primary).done()
    assert job.saved() == {} and replica.set_aside() == []
    replica.follow(primary)
    replica.caught_up(primary)
    assert values(replica) == values(primary)


def test_what_the_cluster_has_is_not_alone(make_node):
    """The donor lags; what the primary has, by its position in the order, is no reason to set anything aside."""
    primary, replica, donor = make_node(1), make_node(2), make_node(3)
    primary.open()
    fill(primary, 2)
    for node in (donor, replica):
        node.follow(primary)
        node.caught_up(primary)
    donor.stop_following()
    with primary.server.app() as connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO shop.orders (v) VALUES (888)")
    replica.caught_up(primary)
    replica.stop_following()
    job = replica.receive(donor, known=primary.position()).done()
    assert job.saved() == {}
    replica.follow(primary)
    replica.caught_up(primary)
    assert 888 in values(replica)


def test_cancel(pair):
    primary, replica = pair
    diverge(replica)
    before = values(replica)
    job = replica.receive(primary, rate_mb=1)
    job.copying().cancel()
    assert job.failed() == "cancelled"
    assert len(replica.set_aside()) == 1
    if replica.kind == "mariadb":
        assert not replica.unfinished() and values(replica) == before
    else:
        # what it says is what it has: nothing
        assert replica.unfinished() and replica.position() == ""
        assert replica.server.value("@@super_read_only") == 1 and replica.server.value("@@offline_mode") == 0
    replica.receive(primary).done()
    assert not replica.unfinished()
    replica.follow(primary)
    replica.caught_up(primary)
    assert values(replica) == values(primary)


def test_the_donor_dies_in_the_middle(pair):
    primary, replica = pair
    diverge(replica)
    before = values(replica)
    job = replica.receive(primary, rate_mb=1).copying()
    primary.server.kill()
    for other in primary.jobs:  # its agent's child goes on by itself
        other.cancel()
    why = job.failed()
    assert "donor" in why or "127.0.0.1" in why
    if replica.kind == "mariadb":
        assert not replica.unfinished() and values(replica) == before
    else:
        assert replica.unfinished() and replica.position() == ""
    primary.server.start()
    replica.receive(primary).done()
    assert not replica.unfinished()
    replica.follow(primary)
    replica.caught_up(primary)
    assert values(replica) == values(primary)


def test_killed_in_the_middle(pair):
    """Nothing is cleaned up: what there is does not count, and the next one begins from the start."""
    primary, replica = pair
    diverge(replica)
    job = replica.receive(primary, rate_mb=1).copying()
    job.process.kill()
    job.process.wait()
    assert replica.unfinished() and len(replica.set_aside()) == 1
    if replica.kind == "mysql":
        assert replica.position() == "" and replica.server.value("@@read_only") == 1
    else:
        assert not replica.server.alive()
    replica.receive(primary).done()
    assert not replica.unfinished() and len(replica.set_aside()) == 1
    replica.follow(primary)
    replica.caught_up(primary)
    assert values(replica) == values(primary)


def copied(replica, job):
    """Megabytes as the copy's receiver counts them, and the seconds that the copying took."""
    begin = next(at for at, verb, words in job.lines if verb == "phase" and words["name"] == "copying")
    end = next(at for at, verb, words in job.lines if verb == "phase" and words["name"] in ("preparing", "starting"))
    if replica.kind == "mysql":  # told by the server itself, which has come back with it
        return int(replica.server.query("SELECT SUM(NETWORK) AS n FROM performance_schema.clone_progress")[0]["n"]) / 1e6, end - begin
    return max(int(words["done_bytes"]) for _, verb, words in job.lines if verb == "progress") / 1e6, end - begin


def cloned_from(node):
    """The port that the server itself dialled for its copy."""
    return int(node.server.query("SELECT SOURCE AS s FROM performance_schema.clone_status")[0]["s"].rpartition(":")[2])


def test_throttle(pair):
    primary, replica = pair
    rate_mb = {"mariadb": 2, "mysql": 4}[replica.kind]  # some 9 and 88 MB are copied: for many seconds
    job = replica.receive(primary, order_rate_mb=rate_mb).done()
    megabytes, seconds = copied(replica, job)
    assert megabytes > 3 * rate_mb
    assert megabytes / seconds < 1.1 * rate_mb, (megabytes, seconds)
    told = [int(words["done_bytes"]) for _, verb, words in job.lines if verb == "progress"]
    assert len(told) > 3 and told == sorted(told)
    assert told[-1] > 0.8e6 * megabytes, (told, megabytes)
    if replica.kind == "mysql":
        assert cloned_from(replica) != primary.server.port


@pytest.mark.kinds("mysql")
def test_the_orders_rate_counts(pair):
    """Not the configured one: that would take a minute and a half."""
    primary, replica = pair
    job = replica.receive(primary, rate_mb=1, order_rate_mb=20).done()
    megabytes, seconds = copied(replica, job)
    assert 1.2 < megabytes / seconds < 1.1 * 20, (megabytes, seconds)


@pytest.mark.kinds("mysql")
def test_without_a_rate_it_goes_directly(pair):
    primary, replica = pair
    replica.receive(primary, rate_mb=0).done()
    assert cloned_from(replica) == primary.server.port


@pytest.mark.kinds("mysql")
def test_rights_for_a_copy(pair):
    """Asked for before anything is given up: at the donor of the account of those who stand by, and of no other; here of the agent's."""
    primary, replica = pair

    def alter(node, statement):
        with node.server.unlocked() as c:
            c.execute("SET sql_log_bin = 0")
            c.execute(statement)

    before = values(replica)
    alter(primary, "REVOKE BACKUP_ADMIN ON *.* FROM mha4rdb_standby@'%'")
    assert "GRANT BACKUP_ADMIN ON *.* TO 'mha4rdb_standby'" in replica.receive(primary).failed()
    alter(primary, "GRANT BACKUP_ADMIN ON *.* TO mha4rdb_standby@'%'")
    alter(primary, "REVOKE BACKUP_ADMIN ON *.* FROM mha4rdb_n1@'%', mha4rdb_n2@'%'")
    alter(replica, "REVOKE CLONE_ADMIN ON *.* FROM mha4rdb@localhost")
    assert "GRANT CLONE_ADMIN ON *.* TO 'mha4rdb'@'localhost'" in replica.receive(primary).failed()
    assert values(replica) == before and not replica.unfinished()
    alter(replica, "GRANT CLONE_ADMIN ON *.* TO mha4rdb@localhost")
    replica.receive(primary).done()
    assert values(replica) == before


def test_purged_logs_stop_it(pair):
    primary, replica = pair
    diverge(replica)
    with replica.server.root() as c:
        c.execute("FLUSH BINARY LOGS")
        while len(logs := replica.server.query("SHOW BINARY LOGS")) > 1:  # InnoDB may need the older one a moment more
            c.execute(f"PURGE BINARY LOGS TO '{logs[-1]['Log_name']}'")
    before = values(replica)
    assert "cannot be set aside" in replica.receive(primary).failed()
    assert values(replica) == before and not replica.unfinished() and replica.set_aside() == []


def lagging_donor(make_node):
    """A primary; the node that was it before; and a donor that lacks the last transaction of that time, 555."""
    first, node, donor = make_node(1), make_node(2), make_node(3)
    node.open()
    fill(node, 1)
    for other in (first, donor):
        other.follow(node)
        other.caught_up(node)
    donor.stop_following()
    with node.server.app() as connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO shop.orders (v) VALUES (555)")
    first.caught_up(node)
    first.stop_following()
    node.close()
    first.open()
    return first, node, donor


def test_a_donor_that_lacks_what_the_node_wrote_itself(make_node):
    """A replica's receiver drops events of its own server: what the node wrote as an earlier primary must come with the copy."""
    first, node, donor = lagging_donor(make_node)
    job = node.receive(donor, known=first.position())
    deadline = time.monotonic() + 120
    while "waits for the donor" not in open(job.log).read() and job.process.poll() is None:
        assert time.monotonic() < deadline, job.tail()
        time.sleep(0.02)
    donor.follow(first)
    job.done()
    node.follow(first)
    node.caught_up(first)
    assert 555 in values(node) and values(node) == values(first)


@pytest.mark.kinds("mysql")
def test_what_the_node_wrote_itself_comes_back_by_replication(make_node):
    """The donor lags, and the cluster's position is not known: a transaction of the node's own is then with the primary alone."""
    first, node, donor = lagging_donor(make_node)
    node.receive(donor).done()
    assert 555 not in values(node)
    node.follow(first)
    node.caught_up(first)
    assert values(node) == values(first)
    with first.server.app() as connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO shop.orders (v) VALUES (556)")
    node.caught_up(first)
    assert {555, 556} <= values(node)


@pytest.mark.kinds("mariadb")
def test_what_no_log_holds_stops_it(pair):
    """A position that its own log does not confirm, as after a copy by hand: nobody can say what that was."""
    primary, replica = pair
    with replica.server.root() as c:
        c.execute("SET GLOBAL gtid_slave_pos = '0-9-99'")
    before = values(replica)
    assert "cannot be set aside" in replica.receive(primary).failed()
    assert values(replica) == before and not replica.unfinished() and replica.set_aside() == []


def test_only_the_right_account_saves(pair):
    """mysqlbinlog refused: nothing is given up."""
    primary, replica = pair
    diverge(replica)
    before = values(replica)
    with replica.server.root() as c:
        if replica.kind == "mysql":
            c.execute("SET GLOBAL super_read_only = 0")
        c.execute("SET sql_log_bin = 0")
        for row in replica.server.query("SELECT user AS u FROM mysql.user WHERE user LIKE 'mha4rdb\\_%'"):
            c.execute(f"REVOKE REPLICATION SLAVE ON *.* FROM {row['u']}@'%'")
        if replica.kind == "mysql":
            c.execute("SET GLOBAL super_read_only = 1")
    assert "cannot be set aside" in replica.receive(primary).failed()
    assert values(replica) == before and not replica.unfinished() and replica.set_aside() == []


def test_no_such_program(pair):
    primary, replica = pair
    diverge(replica)
    why = replica.receive(primary, mysqlbinlog="/nowhere/mysqlbinlog").failed()
    assert "rebuild.mysqlbinlog" in why and "/nowhere/mysqlbinlog" in why
    assert not replica.unfinished() and replica.set_aside() == []


def test_a_server_that_is_down_is_started(pair):
    primary, replica = pair
    diverge(replica)
    replica.server.stop()
    job = replica.receive(primary).done()
    check_set_aside(replica, job)


def test_it_waits_for_the_worker(pair):
    """The lock file is the dbworker's while that still fences."""
    import fcntl
    primary, replica = pair
    with open(os.path.join(replica.dir, "dbworker.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        job = replica.receive(primary)
        time.sleep(0.5)
        assert job.lines == [] and job.process.poll() is None
        fcntl.flock(lock, fcntl.LOCK_UN)
        job.done()


def test_a_donor_of_the_same_identity(pair):
    primary, _ = pair
    assert "own identity" in primary.receive(primary, offer={}).failed()


# ---- MariaDB's stream ----

@pytest.mark.kinds("mariadb")
def test_wrong_token(pair):
    primary, replica = pair
    donation = primary.donate(replica)
    offer = donation.wait("offer")
    wrong = {**offer, "token": "0" * 64}
    assert "token" in replica.receive(primary, offer=wrong).failed()
    assert "refused" in donation.tail()
    # the offer still stands for who knows it, once
    replica.receive(primary, offer=offer).done()
    donation.done()
    assert "cannot be reached" in replica.receive(primary, offer=offer).failed()


@pytest.mark.kinds("mariadb")
def test_a_server_that_is_slow_to_stop(pair):
    """The donor begins once there is somebody to read: a backup that is held up for long fails, or the connection does."""
    primary, replica = pair
    replica.receive(primary, stop_s=33).done()


@pytest.mark.kinds("mariadb")
def test_wrong_key(make_node):
    primary, stranger = make_node(1), make_node(2, key="77" * 32)
    primary.open()
    fill(primary, 1)
    donation = primary.donate(stranger)
    assert "another key" in stranger.receive(primary, offer=donation.wait("offer")).failed()
    assert "refused" in donation.tail() and stranger.server.alive()


@pytest.mark.kinds("mariadb")
def test_a_donor_that_fails_says_so(pair):
    primary, replica = pair
    donation = primary.donate(replica, donate="echo some bytes; echo the reason >&2; exit 3")
    before = values(replica)
    assert "the reason" in replica.receive(primary, offer=donation.wait("offer")).failed()
    assert "the reason" in donation.failed()
    assert values(replica) == before and not replica.unfinished()


@pytest.mark.kinds("mariadb")
def test_no_room_beforehand(make_node):
    primary, replica = make_node(1), make_node(2, mount_mb=90)
    primary.open()
    fill(primary, 4)
    assert "MB free" in replica.receive(primary).failed()
    assert replica.server.alive() and not replica.unfinished() and "stop" not in replica.orders


@pytest.mark.kinds("mariadb")
def test_disk_full_in_the_middle(make_node):
    """What the donor could not foresee: it counts InnoDB's files alone."""
    primary, replica = make_node(1), make_node(2, mount_mb=150)
    primary.open()
    fill(primary, 1)
    replica.follow(primary)
    replica.caught_up(primary)
    replica.stop_following()
    diverge(replica)
    with primary.server.app() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE shop.plain (v LONGBLOB) ENGINE = MyISAM")
        for _ in range(140):
            cursor.execute("INSERT INTO shop.plain VALUES (%s)", (os.urandom(1000000),))
    before = values(replica)
    assert "disk full" in replica.receive(primary).failed()
    assert values(replica) == before and not replica.unfinished()
    assert not os.path.exists(os.path.join(replica.server.data, ".mha4rdb-new"))
    with primary.server.app() as connection, connection.cursor() as cursor:
        cursor.execute("DROP TABLE shop.plain")
    replica.receive(primary).done()
    replica.follow(primary)
    replica.caught_up(primary)


@pytest.mark.kinds("mariadb")
def test_begun_and_not_ended(pair):
    """Killed while it puts the new files in place: marked, and the next one begins from the start."""
    primary, replica = pair
    diverge(replica)
    job = replica.receive(primary, receive="cat >/dev/null; echo swapping; rm -rf " + os.path.join(replica.server.data, "ib*") + "; exit 1")
    job.failed()
    assert replica.unfinished() and not replica.server.alive()
    replica.receive(primary).done()
    assert not replica.unfinished() and len(replica.set_aside()) == 1
    replica.follow(primary)
    replica.caught_up(primary)
    assert values(replica) == values(primary)


@pytest.mark.kinds("mariadb")
def test_a_writer_that_lost_it_and_went_on(pair):
    """What this node has of the primary's, and the primary lost, hides behind what that wrote later: it is not dropped."""
    primary, replica = pair
    last = int(primary.position().split("-")[-1])
    replica.open()
    with replica.server.root() as c:
        c.execute(f"SET SESSION server_id = {primary.server.value('@@server_id')}")
        c.execute("INSERT INTO shop.orders (v) VALUES (777001)")
        c.execute("SET GLOBAL gtid_slave_pos = @@global.gtid_binlog_pos")
        c.execute("SET GLOBAL gtid_strict_mode = 1")
    replica.close()
    with primary.server.root() as c:
        c.execute(f"SET SESSION gtid_seq_no = {last + 10}")
        c.execute("INSERT INTO shop.orders (v) VALUES (888)")
    replica.follow(primary)
    deadline = time.monotonic() + 30
    while replica.server.query("SHOW SLAVE STATUS")[0]["Last_IO_Errno"] != 1236:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    why = replica.receive(primary).failed()
    assert replica.position() in why and "set aside" in why
    assert 777001 in values(replica) and not replica.unfinished()


@pytest.mark.kinds("mariadb")
def test_cancelled_while_a_service_puts_the_copy_in_place(pair, tmp_path):
    """A service goes on though nobody is connected to it any more: the server is not started on what it moves."""
    primary, replica = pair
    diverge(replica)
    begun, on = tmp_path / "begun", tmp_path / "on"
    script = f"cat >/dev/null; echo swapping; touch {begun}; while [ ! -e {on} ]; do sleep 0.05; done; rm -rf {replica.server.data}/ib*"
    with service(tmp_path, script) as path:
        job = replica.receive(primary, receive=f"{BUILD}/mha4rdb-rebuild connect {path}")
        while not begun.exists():
            assert job.process.poll() is None, job.tail()
            time.sleep(0.01)
        job.cancel()
        assert job.failed() == "cancelled"
        assert replica.unfinished() and not replica.server.alive()
        on.touch()
    replica.receive(primary).done()
    assert not replica.unfinished() and len(replica.set_aside()) == 1
    replica.follow(primary)
    replica.caught_up(primary)
    assert values(replica) == values(primary)


@pytest.mark.kinds("mariadb")
def test_the_state_of_each_writer_comes_along(make_node):
    """Two servers have written in one domain: the copy knows the newest of each, and compares as equal."""
    first, second, third = make_node(1), make_node(2), make_node(3)
    first.open()
    fill(first, 1)
    second.follow(first)
    second.caught_up(first)
    second.stop_following()
    first.close()
    second.open()
    fill(second, 1)
    third.receive(second).done()
    assert sorted(third.position().split(",")) == sorted(second.position().split(","))


# ---- behind a socket of the service manager's ----

@contextlib.contextmanager
def service(tmp_path, script):
    """The path of a socket behind which the script answers one connection, as the service manager would have it."""
    path = str(tmp_path / "sock")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(1)

    started = []

    def serve():
        connection, _ = listener.accept()
        with connection:
            started.append(subprocess.Popen(["sh", "-c", script], stdin=connection, stdout=connection, stderr=subprocess.DEVNULL))
            started[0].wait()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield path
        thread.join(10)
    finally:
        for process in started:
            process.kill()
        listener.close()


def connect(tmp_path, script, given=b""):
    with service(tmp_path, script) as path:
        return subprocess.run([os.path.join(BUILD, "mha4rdb-rebuild"), "connect", path], input=given, capture_output=True, timeout=60)


def test_connect(tmp_path):
    big = os.urandom(3000000)
    done = connect(tmp_path, "cat; printf '\\nmha4rdb: done\\n'", big)
    assert done.returncode == 0 and done.stdout == big


def test_connect_to_what_fails(tmp_path):
    done = connect(tmp_path, "cat; exit 1", b"some")
    assert done.returncode == 1 and done.stdout == b"some" and b"failed" in done.stderr


def test_connect_to_what_ends_early(tmp_path):
    done = connect(tmp_path, "head -c 10 >/dev/null; echo failed for want of room", os.urandom(3000000))
    assert done.returncode == 1 and done.stdout == b"failed for want of room\n"
