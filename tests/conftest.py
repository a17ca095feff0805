"""The PostgreSQL servers and databases that the whole suite works on."""

import gc
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from tests.clusters import Cluster, Database, both_ends, cloned, cluster_of, short_folder
from tests.folders import sweep
from userscope.postgres.url import ConnectionURL
from userscope.testing import Target

pytest_plugins = ["userscope.testing"]

# Under nohup, or as a shell's background job, Ctrl-C would be ignored here, and so in what the tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

# A busy machine is no failure, and a run leaves nothing behind in the checkout.
hypothesis.settings.register_profile("userscope", deadline=None, database=None)
hypothesis.settings.load_profile("userscope")


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A throw-away cluster of PostgreSQL 18, or of the version that PG chooses."""
    with cluster_of() as made:
        yield made


@pytest.fixture(scope="session")
def userscope_server(cluster: Cluster) -> Target:
    """Where the plugin for adopters works: on the same cluster, instead of one of its own."""
    return Target(cluster.url("admin"), cluster.url("service"), cluster.url("auth"))


@pytest.fixture(scope="session")
def cluster15() -> Iterator[Cluster]:
    """A throw-away cluster of PostgreSQL 15, the oldest version that is supported."""
    with cluster_of(version=15) as made:
        yield made


@pytest.fixture(scope="session", params=both_ends("cluster", "cluster15"))
def any_cluster(request: pytest.FixtureRequest) -> Cluster:
    """Each of the two clusters in turn; only the first where PG chooses a version, as everywhere."""
    made: Cluster = request.getfixturevalue(request.param)
    return made


@pytest.fixture
def database(cluster: Cluster) -> Iterator[Database]:
    """A migrated database for this test alone; what the test commits is gone afterwards."""
    with cloned(cluster) as made:
        yield made


@pytest.fixture
def empty(cluster: Cluster) -> Iterator[Database]:
    """An empty database."""
    made = cluster.database()
    yield made
    made.drop()


@pytest.fixture
def database15(cluster15: Cluster) -> Iterator[Database]:
    """A migrated database of PostgreSQL 15 for this test alone."""
    with cloned(cluster15) as made:
        yield made


@pytest.fixture(params=both_ends("database", "database15"))
def any_database(request: pytest.FixtureRequest) -> Database:
    """A migrated database of each version in turn."""
    made: Database = request.getfixturevalue(request.param)
    return made


@pytest.fixture(scope="session")
def migrated_urls(cluster: Cluster) -> Iterator[dict[str, ConnectionURL]]:
    """One migrated database for tests that leave it as they found it: its URLs by purpose."""
    with cloned(cluster) as made:
        yield made.urls


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder with a short path, which the user whom root runs servers as can pass through."""
    with short_folder() as made:
        yield made


def pytest_sessionstart(session: pytest.Session) -> None:
    """Clean up after runs that were killed, and say so; once, and not in each worker."""
    if not hasattr(session.config, "workerinput") and (found := sweep()):
        print(f"Removed what runs that were killed had left: {', '.join(map(str, found))}")


def pytest_report_header() -> str | None:
    """Say what is left out; see tests/citus/conftest.py."""
    return None if os.environ.get("CITUS_BIN") else "Citus: left out, as CITUS_BIN names no PostgreSQL that has it"


def pytest_collection_finish() -> None:
    """What was collected stays to the end, so nobody has to look through it for garbage again and again."""
    gc.freeze()


@pytest.hookimpl(optionalhook=True)  # pytest-xdist may be switched off
def pytest_xdist_auto_num_workers() -> int:
    """How many tests run at once with ``-n auto``: two a core, since many of them wait, if each has a GB."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**30
    return max(1, min(2 * (os.process_cpu_count() or 1), memory))
