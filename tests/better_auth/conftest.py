"""The example's auth server, installed once and run on a migrated database for each file of tests."""

import secrets
from collections.abc import Iterator

import pytest
from pytest_postgresql.executors import NoopExecutor

from tests.better_auth.node import node as node
from tests.better_auth.people import Browser, Running, auth_server
from tests.clusters import Cluster, Database, give_back_acl, make_logins


@pytest.fixture(scope="module")
def auth_database(cluster: Cluster, template18: NoopExecutor) -> Iterator[Database]:
    """A migrated database for all tests of a file."""
    database = Database(cluster, f"auth_{secrets.token_hex(4)}")
    assert template18.template_dbname
    cluster.create_database(database.name, template=template18.template_dbname)
    give_back_acl(cluster, database.name, template18.template_dbname)
    make_logins(database)
    yield database
    database.drop()


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
