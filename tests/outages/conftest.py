"""A server to be killed, and the fixtures of tests/connection for those that only need silence."""

from collections.abc import Iterator

import pytest

from tests.clusters import Cluster
from tests.connection.conftest import alice as alice
from tests.connection.conftest import home as home
from tests.connection.conftest import make_async as make_async
from tests.connection.conftest import make_served as make_served
from tests.connection.conftest import make_sync as make_sync
from tests.connection.conftest import proxy as proxy
from tests.connection.conftest import shared18 as shared18
from tests.outages.rig import lasting


@pytest.fixture(scope="module")
def own_cluster() -> Iterator[Cluster]:
    """A server that may be killed, and acknowledges only what it has written."""
    with lasting() as made:
        yield made
