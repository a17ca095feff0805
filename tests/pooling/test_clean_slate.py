"""Nothing that one borrower leaves on a connection, by accident or by injected SQL, reaches the next: by any road."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pytest
from sqlmodel import Session

from tests.clusters import Cluster, Database, deploy, make_logins
from tests.connection.conftest import make_user, settings_for
from tests.connection.served import AsyncServed, Served, SyncServed, run
from tests.connection.test_identity_binding import libpq_of
from tests.pooling.pgbouncer import PgBouncer, pgbouncer
from tests.pooling.plants import HARVEST, OBSERVATIONS, PLANTS, Plant
from userscope.connection import scope
from userscope.errors import DatabaseError, RoleBypassesRLS
from userscope.identity import SealKey
from userscope.settings import Settings

ROADS: dict[str, Callable[[Settings], Served]] = {
    "pool": SyncServed,
    "PgBouncer": AsyncServed,
    "pool, async": AsyncServed,
    "PgBouncer, sync": SyncServed,
}


@pytest.fixture(scope="module")
def shared(any_cluster: Cluster) -> Iterator[Database]:
    """A database for the whole module, where temporary objects are allowed: an attacker's best case."""
    database = any_cluster.database("plain")
    deploy(database.url())
    make_logins(database)
    with database.superuser_connection() as superuser:
        superuser.execute(f"grant temporary on database {database.name} to public")
    yield database
    database.drop()


@pytest.fixture(scope="module")
def key(shared: Database) -> SealKey:
    """A key whose seals the database requires."""
    made = SealKey("k1", bytes(32))
    with shared.superuser_connection() as superuser:
        superuser.execute("insert into app_private.seal_keys values (%s, %s, %s)", [made.id, *made.pads()])
        superuser.execute("update app_private.sealing set required = true")
    return made


@pytest.fixture(scope="module")
def people(shared: Database) -> tuple[str, str]:
    """Alice with a todo, and Bob with a secret."""
    return str(make_user(shared, ("alice 1",))), str(make_user(shared, ("bob secret",)))


@pytest.fixture(scope="module")
def pooler(shared: Database) -> Iterator[PgBouncer]:
    """A pooler with one connection to the server."""
    with pgbouncer(shared, size=1) as made:
        yield made


@dataclass(frozen=True)
class Road:
    """A service whose borrowers share one connection to the server, and one on a fresh connection to compare with."""

    served: Served
    fresh: Served
    pooled: bool


@pytest.fixture(
    params=[pytest.param(road, marks=[pytest.mark.breadth] if "," in road else []) for road in ROADS],
)
def road(request: pytest.FixtureRequest, shared: Database, key: SealKey) -> Iterator[Road]:
    """The pool of Database or AsyncDatabase, on the server or behind PgBouncer."""
    pooled = request.param.startswith("pool")
    url = shared.url("service") if pooled else request.getfixturevalue("pooler").url
    values = {"database_pool_size": 1, "userscope_seal_key": key.text()}
    with (
        closing(ROADS[request.param](settings_for(url, **values))) as served,
        closing(SyncServed(settings_for(shared.url("service"), **values))) as fresh,
    ):
        yield Road(served, fresh, pooled)


def left(session: Session, plant: Plant, user: str) -> Any:
    """Leave something, and return libpq's connection."""
    for step in plant.steps:
        if step == "commit":
            session.commit()
        else:
            run(session, step.replace("{alice}", user))
    return libpq_of(session)


def noticed(opened: Callable[..., Any], user: str, before: Plant | None = None) -> list[str]:
    """What a user's session or reader notices; with ``before`` the same session leaves that first, and commits."""
    found: list[str] = []

    def look(session: Session) -> None:
        if before:
            left(session, before, user)
            session.commit()
        found.extend(str(run(session, query)) for query in OBSERVATIONS)

    try:
        opened(user, look)
    except DatabaseError as error:
        found.append(error.message)
    return [word for answer in found for word in answer.split()]


def on_the_wire(libpq: Any) -> list[object]:
    """What a connection holds, asked behind the library's back."""
    answers = [libpq.exec_(query.encode()) for query in OBSERVATIONS]
    return [
        (one.error_message, [one.get_value(row, n) for row in range(one.ntuples) for n in range(one.nfields)])
        for one in answers
    ]


def taken(served: Served, user: str) -> str:
    """What a user finds in the setting that plants steal to."""
    return str(served.session(user, lambda session: run(session, HARVEST)))


def _later(road: str, number: int) -> bool:
    """Whether it is breadth: the pool meets every plant in every run, PgBouncer every fourth."""
    return "," in road or (road == "PgBouncer" and number % 4 > 0)


@pytest.mark.parametrize(
    ("road", "plant"),
    [
        pytest.param(
            road, plant, id=f"{road}-{plant.name}", marks=[pytest.mark.breadth] if _later(road, number) else []
        )
        for road in ROADS
        for number, plant in enumerate(PLANTS)
    ],
    indirect=["road"],
)
def test_clean_slate(road: Road, people: tuple[str, str], plant: Plant) -> None:
    """What Alice leaves outlives its transaction; Bob's session, his reader and her next transaction see nothing."""
    alice, bob = people
    served, fresh = road.served, road.fresh
    for opened, other in ((served.session, fresh.session), (served.reader, fresh.reader)):
        libpq = served.session(alice, lambda session: left(session, plant, alice))
        untouched = fresh.session(alice, libpq_of)
        if road.pooled:  # PgBouncer's connection to the server cannot be asked without being the next borrower
            assert on_the_wire(libpq) != on_the_wire(untouched)
        assert noticed(opened, bob) == noticed(other, bob)
        if road.pooled:
            assert on_the_wire(libpq) == on_the_wire(untouched)
        assert "bob secret" not in taken(served, alice)
    assert noticed(served.session, alice, before=plant) == noticed(fresh.session, alice)


def test_without_clean_slate(road: Road, people: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: with DISCARD ALL left out, Bob's title and his seal are in Alice's hands."""
    monkeypatch.setattr(scope, "_DISCARD", scope.Command(b"select 1"))
    alice, bob = people
    (hijack,) = (plant for plant in PLANTS if plant.name == "the next borrower's prepared statement")
    road.served.session(alice, lambda session: left(session, hijack, alice))
    assert noticed(road.served.session, bob) != noticed(road.fresh.session, bob)
    assert "bob secretk1." in taken(road.served, alice)


def test_names_of_the_driver(road: Road, people: tuple[str, str]) -> None:
    """A statement re-defined under the driver's names is never executed: statements have no names here."""
    alice, bob = people
    prepare = "prepare \"_pg3_' || i || '\" as select ''hijacked''"
    hijack = f"do $$ begin for i in 0 .. 20 loop execute '{prepare}'; end loop; end $$"
    road.served.session(alice, lambda session: run(session, hijack))
    titles = road.served.session(bob, lambda session: [run(session, "select title from app.todos") for _ in range(10)])
    assert titles == [["bob secret"]] * 10


def test_settings_of_the_login(shared: Database, people: tuple[str, str], key: SealKey) -> None:
    """What an attacker gives the login itself survives DISCARD ALL; so a connection that carries it does not serve."""
    alice, bob = people
    settings = settings_for(shared.url("service"), database_pool_size=1, userscope_seal_key=key.text())
    with closing(SyncServed(settings)) as served:
        try:
            served.session(alice, lambda session: run(session, "alter role current_user set timezone = 'Asia/Tokyo'"))
            served.close()
            with pytest.raises(RoleBypassesRLS, match="carries settings of its own: TimeZone"):
                served.session(bob, lambda session: run(session, "select 1"))
        finally:
            with shared.superuser_connection() as superuser:
                superuser.execute("alter role app_service reset all")
        assert served.session(bob, lambda session: run(session, "select 1")) == [1]
