"""The PostgreSQL servers and databases that the whole suite works on."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from pytest_postgresql import factories
from pytest_postgresql.executors import NoopExecutor

from tests.clusters import (
    Cluster,
    Connection,
    Database,
    both_ends,
    cloned,
    cluster_of,
    deploy,
    give_back_acl,
    make_logins,
    short_folder,
)
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


def _deploy(*, host: str, port: int, user: str, dbname: str, password: str, **_: object) -> None:
    url = {"host": host, "port": str(port), "user": user, "dbname": dbname, "password": password}
    deploy(ConnectionURL("template", url))


# Migrated once into a template for each version; a test that asks for a clone gets a database of its own.
template18 = factories.postgresql_noproc(depends_on="cluster", dbname="migrated", load=[_deploy])
template15 = factories.postgresql_noproc(depends_on="cluster15", dbname="migrated", load=[_deploy])
clone18 = factories.postgresql("template18")
clone15 = factories.postgresql("template15")


@pytest.fixture
def database(cluster: Cluster, clone18: Connection, template18: NoopExecutor) -> Database:
    """A migrated database for this test alone; what the test commits is gone afterwards."""
    return _as_migrated(cluster, clone18, template18)


@pytest.fixture
def empty(cluster: Cluster) -> Iterator[Database]:
    """An empty database."""
    made = cluster.database()
    yield made
    made.drop()


@pytest.fixture
def database15(cluster15: Cluster, clone15: Connection, template15: NoopExecutor) -> Database:
    """A migrated database of PostgreSQL 15 for this test alone."""
    return _as_migrated(cluster15, clone15, template15)


@pytest.fixture(params=both_ends("database", "database15"))
def any_database(request: pytest.FixtureRequest) -> Database:
    """A migrated database of each version in turn."""
    made: Database = request.getfixturevalue(request.param)
    return made


@pytest.fixture(scope="session")
def migrated_urls(cluster: Cluster, template18: NoopExecutor) -> Iterator[dict[str, ConnectionURL]]:
    """One migrated database for tests that leave it as they found it: its URLs by purpose."""
    with cloned(cluster, template18.template_dbname) as made:
        yield made.urls


def _as_migrated(cluster: Cluster, clone: Connection, template: NoopExecutor) -> Database:
    made = Database(cluster, clone.info.dbname)
    assert template.template_dbname  # with pytest-xdist, each worker's has a name of its own
    give_back_acl(cluster, made.name, template.template_dbname)
    if not cluster.logins_made:
        make_logins(made)
        cluster.logins_made = True
    return made


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder with a short path, which the user whom root runs servers as can pass through."""
    with short_folder() as made:
        yield made


def pytest_xdist_auto_num_workers() -> int:
    """How many tests run at once with ``-n auto``: three a core, since most of them wait, if each has a GB."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**30
    return max(1, min(3 * (os.process_cpu_count() or 1), memory))
