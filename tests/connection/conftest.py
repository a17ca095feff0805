"""Two people with todos, and the two ways to serve them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from uuid import UUID, uuid4

import pytest

from tests.clusters import Database
from tests.connection.served import AsyncServed, Served, SyncServed
from userscope.settings import Settings
from userscope.testing.proxy import Proxy
from userscope.urls import ConnectionURL

type MakeServed = Callable[..., Served]


def make_user(database: Database, titles: tuple[str, ...] = ()) -> UUID:
    """Make a user with todos, as the superuser."""
    user = uuid4()
    with database.superuser_connection() as connection:
        connection.execute("insert into app.users (id, name, email) values (%s, '', %s)", [user, f"{user}@example.org"])
        for title in titles:
            connection.execute("insert into app.todos (owner_id, title) values (%s, %s)", [user, title])
    return user


def settings_for(url: ConnectionURL, **values: object) -> Settings:
    """The settings of a service that connects to ``url``, and of nothing else."""
    return Settings(_env_file=None, database_url=url.text(), **values)


@pytest.fixture
def alice(any_database: Database) -> UUID:
    """A user with three todos."""
    return make_user(any_database, ("alice 1", "alice 2", "alice 3"))


@pytest.fixture
def bob(any_database: Database) -> UUID:
    """Another user, with two todos."""
    return make_user(any_database, ("bob 1", "bob 2"))


@pytest.fixture(params=[SyncServed, AsyncServed], ids=["sync", "async"])
def make_served(request: pytest.FixtureRequest, any_database: Database) -> Iterator[MakeServed]:
    """Makes a service with the settings given, for the service's login unless ``url`` says otherwise."""
    kind: type[Served] = request.param
    with ExitStack() as stack:

        def make(url: ConnectionURL | None = None, **values: object) -> Served:
            served = kind(settings_for(url or any_database.url("service"), **values))
            stack.callback(served.close)
            return served

        yield make


@pytest.fixture
def served(make_served: MakeServed) -> Served:
    """A service with the settings everybody has."""
    return make_served()


@pytest.fixture
def proxy(any_database: Database) -> Iterator[Proxy]:
    """The wire between a service and the database."""
    with Proxy(any_database.url("service")) as made:
        yield made
