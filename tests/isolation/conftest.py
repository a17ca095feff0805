"""The isolation suite: psycopg alone, fast enough for mutation testing to run it hundreds of times.

With ADMIN_DATABASE_URL, DATABASE_URL and AUTH_DATABASE_URL set it works in that database, which it empties; so all
three must be local. Otherwise it gets a migrated clone on the embedded server.
"""

import os
from collections.abc import Iterator

import psycopg
import pytest

from tests.isolation.sealing import add_key, as_found
from tests.isolation.teams import Teams
from tests.isolation.world import World
from userscope.postgres.url import ConnectionURL

PURPOSES = {"admin": "ADMIN_DATABASE_URL", "service": "DATABASE_URL", "auth": "AUTH_DATABASE_URL"}


@pytest.fixture(scope="session")
def isolation_urls(request: pytest.FixtureRequest) -> dict[str, ConnectionURL]:
    """Where to work, as admin, service and identity provider."""
    if any(variable in os.environ for variable in PURPOSES.values()):
        urls = {purpose: ConnectionURL.parse(os.environ[name], name) for purpose, name in PURPOSES.items()}
        assert all(url.local for url in urls.values()), "the isolation suite empties the database: it must be local"
        return urls
    migrated: dict[str, ConnectionURL] = request.getfixturevalue("migrated_urls")
    return migrated


@pytest.fixture(scope="session")
def connections(isolation_urls: dict[str, ConnectionURL]) -> Iterator[World]:
    """The three connections; the admin's commits by itself."""
    with (
        psycopg.connect(isolation_urls["admin"].conninfo(), autocommit=True, prepare_threshold=None) as admin,
        psycopg.connect(isolation_urls["service"].conninfo(), autocommit=True, prepare_threshold=None) as service,
        psycopg.connect(isolation_urls["auth"].conninfo(), autocommit=True, prepare_threshold=None) as auth,
    ):
        yield World(admin, service, auth)


@pytest.fixture
def world(connections: World) -> Iterator[World]:
    """Alice and Bob, with rows in every table and todos in every state."""
    connections.empty()
    connections.users.clear()
    connections.add_user("alice")
    connections.add_user("bob")
    yield connections
    connections.empty()


@pytest.fixture
def teams(world: World) -> Teams:
    """Two organizations, and everybody who may have to do with one."""
    return Teams(world)


@pytest.fixture
def keys(world: World) -> Iterator[World]:
    """A world with one active key, where a seal is not required yet; left as it was."""
    add_key(world, "k1")
    with as_found(world):
        yield world
    world.admin.execute("delete from app_private.seal_keys")
