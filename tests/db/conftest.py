"""Servers and workers for each test, ended and removed after it."""

import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from clients import create_orders  # noqa: E402
from dbworker import Worker  # noqa: E402
from disks import Disk  # noqa: E402
from kinds import SERVERS, add_marker, parametrize, templates  # noqa: E402, F401
from sql_server import SINGLE_USER  # noqa: E402


def pytest_configure(config):
    add_marker(config, otherwise=("mariadb",))


def pytest_generate_tests(metafunc):
    parametrize(metafunc, otherwise=("mariadb",))


@pytest.fixture
def make_server(templates, kind):
    made = []

    def make(server_id=1, *options, start=True, **more):
        server = SERVERS[kind].Server(templates(kind), server_id, options=options, **more)
        made.append(server)
        if start:
            server.start()
        return server

    make.made = made
    yield make
    for server in made:
        server.kill()
        server.remove()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failure shows what the workers logged."""
    outcome = yield
    report = outcome.get_result()
    if report.when == "call" and report.failed:
        for worker in getattr(item, "workers", []):
            report.sections.append((f"log of the worker of server {worker.server.server_id}", worker.tail()))


@pytest.fixture
def make_worker(request, make_server):  # ended before the servers are removed
    made = request.node.workers = []

    def make(server, **more):
        worker = Worker(server, **more)
        made.append(worker)
        return worker

    yield make
    for worker in made:
        worker.end()


@pytest.fixture
def server(make_server):
    return make_server(1)


@pytest.fixture
def worker(make_worker, server):
    return make_worker(server)


@pytest.fixture
def apart(make_server, make_worker):
    """Workers of a primary with a table, and of an empty server that is up."""
    first, second = make_worker(make_server(1)), make_worker(make_server(2))
    first.open(3)
    create_orders(first.server)
    second.up()
    return first, second


@pytest.fixture
def pair(apart):
    """Workers of a primary with a table, and of a replica that follows it."""
    first, second = apart
    second.follow(first.server, 3)
    return first, second


@pytest.fixture
def make_disk(make_server):
    """Removed after the servers on it are gone."""
    made = []

    def make(filesystem, **more):
        if SINGLE_USER:
            pytest.skip("mounts need root")
        disk = Disk(filesystem, **more)
        made.append(disk)
        return disk

    yield make
    for disk in made:
        disk.thaw()
    for server in make_server.made:
        server.kill()
    for disk in made:
        disk.remove()
