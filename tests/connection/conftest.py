"""Two people with todos, and the two ways to serve them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from uuid import UUID, uuid4

import pytest

from tests.clusters import Cluster, Database, both_ends, cloned
from tests.connection.served import AsyncServed, Served, SyncServed
from tests.silence import SilentProxy
from userscope.postgres.url import ConnectionURL
from userscope.settings import Settings

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


@pytest.fixture(scope="session")
def shared18(cluster: Cluster) -> Iterator[Database]:
    """One migrated database for all tests of this folder that only add users."""
    with cloned(cluster) as made:
        yield made


@pytest.fixture(scope="session")
def shared15(cluster15: Cluster) -> Iterator[Database]:
    """The same of PostgreSQL 15."""
    with cloned(cluster15) as made:
        yield made


@pytest.fixture(params=both_ends("shared18", "shared15"))
def any_shared(request: pytest.FixtureRequest) -> Database:
    """Each of the two in turn."""
    made: Database = request.getfixturevalue(request.param)
    return made


@pytest.fixture
def home(shared18: Database) -> Database:
    """The database of a test; a module that depends on the server's version asks for ``any_shared`` instead."""
    return shared18


@pytest.fixture
def alice(home: Database) -> UUID:
    """A user with three todos."""
    return make_user(home, ("alice 1", "alice 2", "alice 3"))


@pytest.fixture
def bob(home: Database) -> UUID:
    """Another user, with two todos."""
    return make_user(home, ("bob 1", "bob 2"))


@contextmanager
def _making[S: Served](kind: type[S], database: Database) -> Iterator[Callable[..., S]]:
    with ExitStack() as stack:

        def make(url: ConnectionURL | None = None, **values: object) -> S:
            served = kind(settings_for(url or database.url("service"), **values))
            stack.callback(served.close)
            return served

        yield make


@pytest.fixture
def make_sync(home: Database) -> Iterator[Callable[..., SyncServed]]:
    """Makes a service by Database, for the service's login unless ``url`` says otherwise; the rest are settings."""
    with _making(SyncServed, home) as make:
        yield make


@pytest.fixture
def make_async(home: Database) -> Iterator[Callable[..., AsyncServed]]:
    """Makes a service by AsyncDatabase."""
    with _making(AsyncServed, home) as make:
        yield make


@pytest.fixture(params=["make_sync", "make_async"], ids=["sync", "async"])
def make_served(request: pytest.FixtureRequest) -> MakeServed:
    """Makes a service by each of them in turn."""
    made: MakeServed = request.getfixturevalue(request.param)
    return made


@pytest.fixture
def served(make_served: MakeServed) -> Served:
    """A service with the settings everybody has."""
    return make_served()


@pytest.fixture
def proxy(home: Database) -> Iterator[SilentProxy]:
    """The wire between a service and the database."""
    with SilentProxy(home.url("service")) as made:
        yield made
