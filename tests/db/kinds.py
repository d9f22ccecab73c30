"""The kinds of servers, for conftest files: which of them a test is run on, and the data directory that each test's servers copy."""

import mariadb_server
import mysql_server
import pytest

SERVERS = {"mariadb": mariadb_server, "mysql": mysql_server}
BOTH = tuple(SERVERS)


def add_marker(config, otherwise):
    config.addinivalue_line("markers", f"kinds(*names): the kinds of servers that the test is for; otherwise {' and '.join(otherwise)}")


def parametrize(metafunc, otherwise):
    if "kind" in metafunc.fixturenames and not any("kind" in m.args[0] for m in metafunc.definition.iter_markers("parametrize")):
        marker = metafunc.definition.get_closest_marker("kinds")
        metafunc.parametrize("kind", marker.args if marker else otherwise)


@pytest.fixture(scope="session")
def templates():
    """By kind, each made when it is first needed."""
    made = {}

    def get(kind):
        if kind not in made:
            made[kind] = SERVERS[kind].Template()
        return made[kind]

    yield get
    for template in made.values():
        template.remove()
