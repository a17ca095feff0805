"""What the tests of the core alone share: databases that were never migrated, on a server of their own."""

from collections.abc import Iterator

import pytest

from tests.clusters import Cluster, Database, cluster_of


@pytest.fixture(scope="module")
def server(any_cluster: Cluster) -> Iterator[Cluster]:
    """A server of each version in turn, for these tests alone: an audit sees the roles of every test beside it."""
    with cluster_of(version=any_cluster.version) as made:
        yield made


@pytest.fixture
def fresh(server: Cluster) -> Iterator[Database]:
    """An empty database."""
    made = server.database()
    yield made
    made.drop()
