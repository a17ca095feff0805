"""After a failover a service goes on as it is: positions of before are told apart, readers find the new standby."""

from collections.abc import Iterator
from contextlib import ExitStack
from uuid import UUID

import pytest

from tests.clusters import Database
from tests.connection.conftest import make_user
from tests.connection.served import AsyncServed, Served, SyncServed, run
from tests.processes import eventually
from tests.replicas.test_outages import THERE, where
from tests.replicas.test_readers import WHERE, add, titles
from tests.replication import Pair, follow, follow_on, following, replicated
from tests.silence import SilentProxy
from tests.versions import MAIN, both_ends
from userscope.connection.position import Kept
from userscope.errors import InvalidPosition, Unavailable
from userscope.postgres.url import ConnectionURL
from userscope.settings import Settings


@pytest.fixture(params=both_ends(MAIN, 15))
def before(request: pytest.FixtureRequest) -> Iterator[Pair]:
    """A primary and its standby, of which the first will be lost."""
    with replicated(request.param) as made:
        yield made


def _both(*wires: SilentProxy) -> Settings:
    """The settings of a service that knows two servers, whichever of them follows."""
    both = {name: ",".join(wire.url.params[name] for wire in wires) for name in ("host", "port")}
    url = ConnectionURL("DATABASE_URL", {**wires[0].url.params, **both})
    return Settings(
        _env_file=None,
        database_url=url.with_defaults(target_session_attrs="read-write").text(),
        database_replica_url=url.text(),
        database_pool_size=2,
        database_pool_timeout=0.5,
    )


def _write(served: Served, user: UUID, title: str) -> None:
    """Write as soon as there is a primary."""

    def written() -> bool:
        try:
            return bool(add(served, user, title))
        except Unavailable:
            return False

    eventually(written)


def _come_back(served: Served, user: UUID) -> None:
    """Wait until readers are answered by the standby."""
    eventually(lambda: where(served, user) == THERE)


@pytest.mark.breadth
def test_roles_change(before: Pair) -> None:
    """The primary is lost, its standby takes over, and what was the primary comes back as its standby."""
    alice = make_user(before.primary, ("alice 1",))
    before.catch_up()
    with ExitStack() as stack:
        wires = [stack.enter_context(SilentProxy(each.url("service"))) for each in (before.primary, before.standby)]
        services = [made(_both(*wires)) for made in (SyncServed, AsyncServed)]
        for served in services:
            stack.callback(served.close)
            _come_back(served, alice)
        olds = [add(served, alice, f"old {number}") for number, served in enumerate(services)]
        before.catch_up()
        before.primary.cluster.server.stop(immediately=True)
        for served in services:
            assert "old 1" in served.reader(alice, titles)  # readers do without a primary
        before.promote()
        follow(before.standby.cluster, before.primary.cluster)
        after = Pair(before.standby, before.primary)
        for served, old in zip(services, olds, strict=True):
            _write(served, alice, "new")
            after.catch_up()
            _come_back(served, alice)
            with pytest.raises(InvalidPosition, match="of timeline 1, and the primary writes timeline 2"):
                served.reader(alice, titles, after=old)
            assert served.reader(alice, titles, after=Kept(old)) >= {"alice 1", "old 0", "old 1", "new"}
            position = add(served, alice, "newest")
            assert "newest" in served.reader(alice, titles, after=position)
            after.catch_up()
            where_after = served.reader(alice, lambda session: run(session, WHERE), after=position)
            assert where_after == THERE


@pytest.mark.breadth
def test_follows_on(before: Pair) -> None:
    """A second standby goes on with the new primary; once it tells its timeline who comes after may ask it again."""
    alice = make_user(before.primary, ("alice 1",))
    with following(before.primary.cluster) as cluster, ExitStack() as stack:
        after = Pair(before.standby, Database(cluster, "app"))
        before.catch_up()
        before.primary.cluster.server.stop(immediately=True)
        before.promote()
        follow_on(after.primary.cluster, cluster)
        settings = Settings(
            _env_file=None,
            database_url=after.primary.url("service").text(),
            database_replica_url=after.url().text(),
            database_pool_timeout=0.5,
        )
        services = [made(settings) for made in (SyncServed, AsyncServed)]
        for served in services:
            stack.callback(served.close)
        positions = [add(served, alice, f"new {number}") for number, served in enumerate(services)]
        after.catch_up()
        for number, (served, position) in enumerate(zip(services, positions, strict=True)):
            assert f"new {number}" in served.reader(alice, titles, after=position)
            _come_back(served, alice)
        with after.primary.superuser_connection() as superuser:
            superuser.execute("checkpoint")
        after.catch_up()
        after.tell("checkpoint")  # docs/replicas.md says so
        for served, position in zip(services, positions, strict=True):
            assert served.reader(alice, lambda session: run(session, WHERE), after=position) == THERE
