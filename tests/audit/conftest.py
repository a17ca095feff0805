"""One migrated database a version; what a test does there is rolled back."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.clusters import BOTH_ENDS, Cluster, Connection, Database, give_back_acl


@pytest.fixture(scope="session", params=BOTH_ENDS)
def audited(request: pytest.FixtureRequest) -> Iterator[Database]:
    """A migrated database of each version in turn, for tests that leave it as they found it."""
    first = request.param == BOTH_ENDS[0]
    cluster: Cluster = request.getfixturevalue("cluster" if first else "cluster15")
    template: Any = request.getfixturevalue("template18" if first else "template15")
    cluster.create_database("audited", template=template.template_dbname)
    give_back_acl(cluster, "audited", template.template_dbname)
    yield Database(cluster, "audited")
    cluster.drop_database("audited")


@pytest.fixture(scope="session")
def superuser(audited: Database) -> Iterator[Connection]:
    """The superuser's connection to it."""
    with audited.superuser_connection() as connection:
        yield connection


@pytest.fixture
def undone(superuser: Connection) -> Iterator[Connection]:
    """The superuser in a transaction that is rolled back."""
    with superuser.transaction(force_rollback=True):
        yield superuser
