"""One migrated database a version, and one of another platform's; what a test does there is rolled back."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clusters import Cluster, Connection, Database, both_ends, cloned


@pytest.fixture(scope="session", params=both_ends("cluster", "cluster15"))
def audited(request: pytest.FixtureRequest) -> Iterator[Database]:
    """A migrated database of each version in turn, for tests that leave it as they found it."""
    with cloned(request.getfixturevalue(request.param)) as made:
        yield made


@pytest.fixture(scope="session")
def superuser(audited: Database) -> Iterator[Connection]:
    """The superuser's connection to it."""
    with audited.superuser_connection() as connection:
        yield connection


@pytest.fixture(autouse=True)
def alone(request: pytest.FixtureRequest) -> Iterator[None]:
    """What another test left on the server is no finding here."""
    name = next((name for name in ("audited", "any_database", "database") if name in request.fixturenames), None)
    if name is None:
        yield
    else:
        with request.getfixturevalue(name).alone():
            yield


@pytest.fixture
def undone(superuser: Connection) -> Iterator[Connection]:
    """The superuser in a transaction that is rolled back."""
    with superuser.transaction(force_rollback=True):
        yield superuser


@pytest.fixture(scope="module")
def bare(cluster: Cluster) -> Iterator[Database]:
    """An empty database."""
    name = "judged"
    cluster.create_database(name)
    yield Database(cluster, name, "postgres")
    cluster.drop_database(name)


@pytest.fixture(scope="module")
def standing(bare: Database) -> Iterator[Connection]:
    """The prelude in a transaction that is rolled back."""
    with bare.superuser_connection() as connection, connection.transaction(force_rollback=True):
        connection.execute((Path(__file__).parent / "shapes" / "prelude.sql").read_text(encoding="utf-8").encode())
        yield connection


@pytest.fixture
def project(standing: Connection) -> Iterator[Connection]:
    """The same as its owner; what a test does there is undone."""
    with standing.transaction(force_rollback=True):
        yield standing
