"""Servers for each test, from tests/db, and nodes around them that are rebuilt as an agent has it done."""

import os
import sys

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(ROOT, "tests/db"), os.path.dirname(os.path.abspath(__file__))]

from kinds import BOTH, SERVERS, add_marker, parametrize, templates  # noqa: E402, F401
from node import Node  # noqa: E402


def pytest_configure(config):
    add_marker(config, otherwise=BOTH)


def pytest_generate_tests(metafunc):
    parametrize(metafunc, otherwise=BOTH)


@pytest.fixture
def make_node(templates, kind):
    made = []

    def make(number, **more):
        made.append(Node(kind, SERVERS[kind], templates(kind), number, made, **more))
        return made[-1]

    yield make
    for node in made:
        node.end()
