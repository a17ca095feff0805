"""The example's auth server, installed once and run on a migrated database for each file of tests."""

from collections.abc import Iterator

import pytest

from tests.better_auth.node import node as node
from tests.better_auth.people import Browser, Running, auth_server
from tests.clusters import Cluster, Database, cloned


@pytest.fixture(scope="module")
def auth_database(cluster: Cluster) -> Iterator[Database]:
    """A migrated database for all tests of a file."""
    with cloned(cluster) as made:
        yield made


@pytest.fixture(scope="module")
def auth(node: None, auth_database: Database) -> Iterator[Running]:  # noqa: ARG001  # node is installed by then
    """An auth server for all tests of a file."""
    with auth_server(auth_database) as running:
        yield running


@pytest.fixture
def browser(auth: Running) -> Iterator[Browser]:
    """A browser that nobody has signed in with yet."""
    with auth.browser() as made:
        yield made


@pytest.fixture
def phone(auth: Running) -> Iterator[Browser]:
    """Another browser."""
    with auth.browser() as made:
        yield made
