"""Servers for each test, from tests/db, and nodes around them that are rebuilt as an agent has it done."""

import os
import sys

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(ROOT, "tests/db"), os.path.dirname(os.path.abspath(__file__))]

import mariadb_server  # noqa: E402
import mysql_server  # noqa: E402
from node import Node  # noqa: E402

SERVERS = {"mariadb": mariadb_server, "mysql": mysql_server}
BOTH = tuple(SERVERS)


def pytest_configure(config):
    config.addinivalue_line("markers", "kinds(*names): the kinds of servers that the test is for; both if it is not there")


def pytest_generate_tests(metafunc):
    if "kind" in metafunc.fixturenames:
        marker = metafunc.definition.get_closest_marker("kinds")
        metafunc.parametrize("kind", marker.args if marker else BOTH)


@pytest.fixture(scope="session")
def templates():
    made = {}

    def get(kind):
        if kind not in made:
            made[kind] = SERVERS[kind].Template()
        return made[kind]

    yield get
    for template in made.values():
        template.remove()


@pytest.fixture
def make_node(templates, kind):
    made = []

    def make(number, **more):
        made.append(Node(kind, SERVERS[kind], templates(kind), number, made, **more))
        return made[-1]

    yield make
    for node in made:
        node.end()
