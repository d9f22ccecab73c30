"""Each test has hosts, a bridge and servers of its own; nothing is shared, so they may run side by side."""

import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import scenario  # noqa: E402
from bed import cluster as clusters  # noqa: E402
from bed import host as hosts  # noqa: E402

SCENARIOS = range(1, 36)
VARIANT = os.environ.get("MHA_VARIANT", "san")


@pytest.fixture
def run(request):
    name = request.node.name[:24].translate({ord(c): "-" for c in "[]/ _."})
    with hosts.Run(VARIANT, name) as r:
        yield r
        if os.environ.get("MHA_KEEP_LOGS"):
            r.keep = True


@pytest.fixture
def make_cluster(run):
    """A function that makes the cluster; a sanitizer's report fails the test, whatever else it looked at."""
    made = []

    def make(**options):
        made.append(clusters.Cluster(run, **options))
        return made[-1]

    yield make
    for cluster in made:
        reports = cluster.sanitizer_reports()
        assert not reports, "\n".join(reports)
        if cluster.trace:
            differences = cluster.differences()
            assert not differences, "\n".join(differences)


@pytest.fixture
def cluster(request, make_cluster):
    """The cluster of a scenario's case; other tests make their own, or get one of MariaDB with two data nodes."""
    marker = request.node.get_closest_marker("scenario")
    return make_cluster(**scenario.cluster_options(marker, request.param) if marker else {})


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failed test tells what the cluster looked like."""
    outcome = yield
    report = outcome.get_result()
    if report.when == "call" and report.failed:
        cluster = item.funcargs.get("cluster")
        if cluster is not None:
            try:
                report.sections.append(("cluster", cluster.describe()))
            except Exception as e:  # the description is a help, never a second failure
                report.sections.append(("cluster", "cannot be described: %r" % e))


def pytest_addoption(parser):
    parser.addoption("--scenario-table", action="store_true", help="end with the results by scenario; fail if one was not run")


def scenario_table(terminalreporter):
    table = scenario.Table()
    for outcome in ("passed", "failed", "error", "skipped"):
        for report in terminalreporter.stats.get(outcome, []):
            told = dict(report.user_properties).get("scenario")
            if told and (report.when == "call" or outcome != "passed"):
                table.add(told, outcome == "passed")
    return table


def pytest_terminal_summary(terminalreporter, config):
    if config.getoption("--scenario-table"):
        terminalreporter.section("scenarios")
        for line in scenario_table(terminalreporter).lines():
            terminalreporter.write_line(line)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session):
    """A scenario that was not run counts as one that has failed."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter and session.config.getoption("--scenario-table") and not scenario_table(reporter).complete(SCENARIOS):
        session.exitstatus = session.exitstatus or 1


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """Skipping is for those without root. As root, and so in CI, what cannot run has failed."""
    for item in items:
        told = scenario.properties(item)
        if told:
            item.user_properties.append(("scenario", told))
    if not hosts.single_user():
        return
    for item in items:
        if item.get_closest_marker("separate_users"):
            item.add_marker(pytest.mark.skip(reason="needs separate users; run as root"))


def pytest_configure(config):
    config.addinivalue_line("markers", "separate_users: needs more than one user, which only root can have")
    config.addinivalue_line("markers", "scenario(number, title, without, options): one fault, on several kinds of clusters; see scenario.py")
    config.addinivalue_line("markers", "quick: a scenario's case that `make check` runs")
