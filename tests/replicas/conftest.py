"""A primary with its standby, one pair for each module and worker; what counts trips stands before each."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from uuid import UUID

import pytest

from tests.clusters import Database
from tests.connection.conftest import make_user
from tests.connection.served import AsyncServed, Served, SyncServed
from tests.replication import Pair, replicated
from tests.silence import SilentProxy
from tests.versions import MAIN, both_ends
from userscope.settings import Settings

type Serve = Callable[..., Served]


@dataclass
class Wires:
    """The wires to both servers."""

    primary: SilentProxy
    standby: SilentProxy

    def settings(self, **values: object) -> Settings:
        """The settings of a service that reads from the standby."""
        urls = {"database_url": self.primary.url.text(), "database_replica_url": self.standby.url.text()}
        return Settings(_env_file=None, **urls | {"database_pool_size": 2, "database_pool_timeout": 2} | values)


@pytest.fixture(scope="module", params=both_ends(MAIN, 15))
def pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    """A migrated primary and its standby."""
    with replicated(request.param) as made:
        yield made


@pytest.fixture
def home(pair: Pair) -> Database:
    """The database on the primary."""
    return pair.primary


@pytest.fixture
def alice(pair: Pair) -> UUID:
    """A user with three todos, whom the standby knows."""
    made = make_user(pair.primary, ("alice 1", "alice 2", "alice 3"))
    pair.catch_up()
    return made


@pytest.fixture
def bob(pair: Pair) -> UUID:
    """Another user, with two todos."""
    made = make_user(pair.primary, ("bob 1", "bob 2"))
    pair.catch_up()
    return made


@pytest.fixture
def wires(pair: Pair) -> Iterator[Wires]:
    """The wires to both servers."""
    with SilentProxy(pair.primary.url("service")) as primary, SilentProxy(pair.url()) as standby:
        yield Wires(primary, standby)


@pytest.fixture(params=[SyncServed, AsyncServed], ids=["sync", "async"])
def serve(request: pytest.FixtureRequest, wires: Wires) -> Iterator[Serve]:
    """Makes a service that reads from the standby, by Database and by AsyncDatabase in turn."""
    with ExitStack() as stack:

        def make(**values: object) -> Served:
            served: Served = request.param(wires.settings(**values))
            stack.callback(served.close)
            return served

        yield make
