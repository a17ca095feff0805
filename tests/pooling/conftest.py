"""One poisoned and much used database for the tests that leave no row behind, and a pooler before it."""

from collections.abc import Iterator

import pytest

from tests.clusters import Cluster, Database, deploy, make_logins
from tests.connection.conftest import make_user
from tests.pooling.pgbouncer import PgBouncer, pgbouncer


@pytest.fixture(scope="module")
def shared(cluster: Cluster) -> Iterator[Database]:
    """A database for all tests of a module, where temporary objects are allowed: an attacker's best case."""
    database = cluster.database("plain")
    deploy(database.url())
    make_logins(database)
    with database.superuser_connection() as superuser:
        superuser.execute(f"grant temporary on database {database.name} to public")
    yield database
    database.drop()


@pytest.fixture(scope="module")
def shared_pooler(shared: Database) -> Iterator[PgBouncer]:
    """A pooler with one connection to the server."""
    with pgbouncer(shared, size=1) as made:
        yield made


@pytest.fixture(scope="module")
def people(shared: Database) -> tuple[str, str]:
    """Alice with a todo, and Bob with a secret."""
    return str(make_user(shared, ("alice 1",))), str(make_user(shared, ("bob secret",)))
