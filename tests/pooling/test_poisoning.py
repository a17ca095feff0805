"""Through the library, direct and pooled, the next borrower notices nothing that an attacker left."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress

import pytest
from sqlmodel import Session

from tests.attacks.poisoning import HARVEST, OBSERVATIONS, PLANTS, Plant
from tests.clusters import Database
from tests.connection.conftest import settings_for
from tests.connection.served import AsyncServed, Served, SyncServed, run
from tests.pooling.pgbouncer import PgBouncer
from userscope.connection import scope
from userscope.errors import DatabaseError, RoleBypassesRLS
from userscope.settings import Settings

type Attempt = Callable[[Plant], tuple[list[str], list[str], str]]

ROADS: dict[str, Callable[[Settings], Served]] = {
    "direct-sync": SyncServed,
    "direct-async": AsyncServed,
    "pooled-sync": SyncServed,
    "pooled-async": AsyncServed,
}


@pytest.fixture(params=ROADS)
def attempt(
    request: pytest.FixtureRequest, shared: Database, shared_pooler: PgBouncer, people: tuple[str, str]
) -> Iterator[Attempt]:
    """Let Alice leave something and Bob borrow after her: what he noticed, what he should have, what she took."""
    url = shared_pooler.url if request.param.startswith("pooled") else shared.url("service")
    alice, bob = people
    with ExitStack() as stack:

        def serve(kind: Callable[[Settings], Served]) -> Served:
            served = kind(settings_for(url, database_pool_size=1))
            stack.callback(served.close)
            return served

        def carry_out(plant: Plant) -> tuple[list[str], list[str], str]:
            served = serve(ROADS[request.param])
            fresh = SyncServed(settings_for(shared.url("service"), database_pool_size=1))
            expected = _notice(fresh, bob)
            fresh.close()
            with suppress(DatabaseError):
                served.session(alice, lambda session: _leave(session, plant, alice))
            noticed = _notice(served, bob)
            return noticed, expected, str(served.session(alice, lambda session: run(session, HARVEST)))

        yield carry_out


def _leave(session: Session, plant: Plant, alice: str) -> None:
    for step in plant.steps:
        if step == "commit":
            session.commit()
        else:
            run(session, step.replace("{alice}", alice))


def _notice(served: Served, bob: str) -> list[str]:
    noticed: list[str] = []

    def look(session: Session) -> None:
        noticed.extend(str(run(session, query)) for query in OBSERVATIONS)

    try:
        served.session(bob, look)
    except DatabaseError as error:
        noticed.append(error.message)
    return [word for answer in noticed for word in answer.split()]


@pytest.mark.parametrize("plant", PLANTS, ids=[plant.name for plant in PLANTS])
def test_clean_slate(attempt: Attempt, plant: Plant) -> None:
    """Bob notices nothing, and Alice takes nothing."""
    noticed, expected, taken = attempt(plant)
    assert noticed == expected
    assert "bob secret" not in taken


def test_without_clean_slate(attempt: Attempt, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: with DISCARD ALL left out the same tests see Bob's title in Alice's hands."""
    monkeypatch.setattr(scope, "_DISCARD", (b"select 1", None))
    hijack = next(plant for plant in PLANTS if plant.name == "the next borrower's prepared statement")
    noticed, expected, taken = attempt(hijack)
    assert noticed != expected
    assert "bob secret" in taken


def test_settings_of_the_login(shared: Database, people: tuple[str, str]) -> None:
    """What an attacker gives the login itself survives DISCARD ALL; so a connection that carries it does not serve."""
    alice, bob = people
    served = SyncServed(settings_for(shared.url("service"), database_pool_size=1))
    try:
        served.session(alice, lambda session: run(session, "alter role current_user set timezone = 'Asia/Tokyo'"))
        served.close()
        with pytest.raises(RoleBypassesRLS, match="carries settings of its own: TimeZone"):
            served.session(bob, lambda session: run(session, "select 1"))
    finally:
        with shared.superuser_connection() as superuser:
            superuser.execute("alter role app_service reset all")
    assert served.session(bob, lambda session: run(session, "select 1")) == [1]
    served.close()
