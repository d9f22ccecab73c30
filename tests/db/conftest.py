"""Servers and workers for each test, ended and removed after it."""

import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from dbworker import Worker  # noqa: E402
from mariadb_server import Server, Template  # noqa: E402


@pytest.fixture(scope="session")
def template():
    made = Template()
    yield made
    made.remove()


@pytest.fixture
def make_server(template):
    made = []

    def make(server_id=1, *options, start=True, **more):
        server = Server(template, server_id, options=options, **more)
        made.append(server)
        if start:
            server.start()
        return server

    yield make
    for server in made:
        server.kill()
        server.remove()


@pytest.fixture
def make_worker(make_server):  # ended before the servers are removed
    made = []

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
