"""Databases of the owners who may have them."""

from collections.abc import Iterator

import pytest

from tests.clusters import Cluster, Database


@pytest.fixture
def owned(any_cluster: Cluster, request: pytest.FixtureRequest) -> Iterator[Database]:
    """An empty database of the owner kind that the test names."""
    made = any_cluster.database(request.param)
    yield made
    made.drop()
