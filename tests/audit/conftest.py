"""One migrated database a version; what a test does there is rolled back."""

from collections.abc import Iterator

import pytest

from tests.clusters import Connection, Database, both_ends, cloned


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
