"""One user's todos read by a reader, a session and what one would take instead, near and far from the server."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Sequence
from time import perf_counter
from typing import Any
from unittest.mock import patch
from uuid import UUID

import psycopg
from sqlalchemy import Connection, event
from sqlmodel import Session, col, select

from bench import peers
from bench.distance import distant
from bench.measuring import Figures, refuse_other_rows, take_turns
from bench.peers import COLUMNS, Read, engine_of
from bench.ways import ASYNC, DISTANCES, ISOLATING, LIMITS, TRIPS, UNSAFE
from bench.world import EACH, fill, world
from userscope.connection.scope import Command, Scope
from userscope.database import AsyncDatabase, Database
from userscope.models import Todo
from userscope.postgres.url import ConnectionURL
from userscope.settings import Settings
from userscope.testing.proxy import Proxy

USERS, TODOS = 50, 20
"""Few: the policies of one peer cannot use an index, and this is about the way to the server."""


def main(*, quick: bool = False) -> Figures:
    """Count the trips, compare the rows, then measure at every distance."""
    figures = Figures()
    with world({}) as made:
        admin, service = made.url("admin"), made.url("service")
        user = _prepare(admin)
        with Proxy(admin) as one, Proxy(service) as other, contextlib.ExitStack() as stack:
            figures.counts |= _counted(_kinds(stack, one.url, other.url, user), (one, other))
            stack.close()  # before the proxies
        for distance in DISTANCES[:: 2 if quick else 1]:
            with distant(distance, admin, service) as (one_url, other_url), contextlib.ExitStack() as stack:
                found = _measured(_kinds(stack, one_url, other_url, user), distance, quick=quick)
            figures.take(found, f"{distance}ms")
    return figures


def _prepare(admin: ConnectionURL) -> UUID:
    """Make users with todos, also for the peers; return one who has TODOS."""
    fill(admin, USERS * EACH, users=USERS)
    with psycopg.connect(admin.conninfo()) as connection:
        connection.execute("delete from app.todos where created_at < now() - make_interval(hours => %s)", [TODOS])
        row = connection.execute(
            "select owner_id from app.todos group by 1 having count(*) = %s limit 1", [TODOS]
        ).fetchone()
    peers.prepare(admin)
    if row is None:
        raise RuntimeError(f"nobody has {TODOS} todos")
    found: UUID = row[0]
    return found


def _counted(kinds: dict[str, Read], proxies: Sequence[Proxy]) -> dict[str, int]:
    """Count the trips of one read each, on a connection that is there, and compare what was read."""
    trips, rows = {}, {}
    for name, read in kinds.items():
        read(6)  # statements are prepared, caches filled
        with contextlib.ExitStack() as stack:
            counts = [stack.enter_context(proxy.counting()) for proxy in proxies]
            rows[name] = _values(read(1))
        trips[f"trips.{name}"] = sum(count.trips for count in counts)
    refuse_other_rows({"where": rows.pop("where"), **rows})
    if trips != {f"trips.{name}": number for name, number in TRIPS.items()}:
        raise RuntimeError(f"the round trips are not what was expected: {trips}")
    if not all(3 * TRIPS["reader"] <= TRIPS[name] <= 7 * TRIPS["reader"] for name in ISOLATING):
        raise RuntimeError("a reader's trips are not a third to a seventh of each peer's")
    return trips


def _values(rows: Any) -> set[tuple[object, ...]]:
    """Return what is in the columns: objects, records and tuples have them in different places."""
    if isinstance(rows[0], tuple):
        return {tuple(row) for row in rows}
    if hasattr(rows[0], "keys"):
        return {tuple(row[name] for name in COLUMNS) for row in rows}
    return {tuple(getattr(row, name) for name in COLUMNS) for row in rows}


def _measured(kinds: dict[str, Read], distance: int, *, quick: bool) -> Figures:
    times = 8 if distance == 0 else 1
    rounds = 5 if quick else {0: 81, 1: 81, 5: 41, 20: 21}[distance]

    def timed(read: Read) -> Callable[[], float]:
        def work() -> float:
            began = perf_counter()
            read(times)
            return (perf_counter() - began) / times

        return work

    taken = take_turns({name: timed(read) for name, read in kinds.items()}, rounds)
    pairs = [(other, ours) for ours in ("reader", "session") for other in (*UNSAFE, *ISOLATING)]
    pairs += [(other, "async_reader") for other in ASYNC]
    pairs += [("reader", limit) for limit in LIMITS]
    pairs += [(ours, f"autocommit{kind}") for ours in ("reader", "reader_unwiped") for kind in ("", "_unprepared")]
    pairs += [("reader", "reader_unwiped"), ("session", "session_unwiped")]
    return taken.figures(*pairs)


def _kinds(stack: contextlib.ExitStack, admin: ConnectionURL, service: ConnectionURL, user: UUID) -> dict[str, Read]:
    """Every way to read, ready; the stack closes what they opened."""
    enter = stack.enter_context
    settings = Settings(_env_file=None, database_url=service.text())
    database = enter(Database(settings))
    runner = enter(asyncio.Runner())
    parallel = AsyncDatabase(settings)
    stack.callback(lambda: runner.run(parallel.close()))
    ours = {
        "reader": _ours(database.reader, user),
        "session": _ours(database.session, user),
        "async_reader": _ours_async(runner, parallel.reader, user),
        "async_session": _ours_async(runner, parallel.session, user),
    }
    kinds = ours | {
        "psycopg": enter(_psycopg(admin, user)),
        "psycopg_pipeline": enter(_psycopg_pipeline(service, user)),
        "autocommit": enter(_where(admin, user, isolation_level="AUTOCOMMIT")),
        "autocommit_unprepared": enter(
            _where(admin, user, isolation_level="AUTOCOMMIT", connect_args={"prepare_threshold": None})
        ),
        "where": enter(_where(admin, user)),
        "event": enter(_event(service, user)),
        "rls": enter(peers.rls(service, user)),
        "fastapi_rls": enter(peers.fastapi_rls_sync(service, user)),
        "fastapi_rls_async": enter(peers.fastapi_rls_async(service, user)),
        "pgcommon": enter(peers.pgcommon_pool(service, user)),
        "pgcommon_transaction": enter(peers.pgcommon_pool(service, user, transaction=True)),
        "pgcommon_pooled": enter(peers.pgcommon_pool(service, user, pooled=True)),
        "django_rls": enter(peers.django_rls(service, user)),
        "reader_unwiped": _unwiped(ours["reader"]),
        "session_unwiped": _unwiped(ours["session"]),
    }
    return {name: kinds[name] for name in TRIPS}


def _ours(opened: Callable[[UUID], Any], user: UUID) -> Read:
    def read(times: int) -> object:
        for _ in range(times):
            with opened(user) as session:
                found = session.exec(select(Todo)).all()
        return found

    return read


def _ours_async(runner: asyncio.Runner, opened: Callable[[UUID], Any], user: UUID) -> Read:
    async def read(times: int) -> object:
        for _ in range(times):
            async with opened(user) as session:
                found = (await session.exec(select(Todo))).all()
        return found

    return lambda times: runner.run(read(times))


def _unwiped(read: Read, whole: Callable[..., list[Command]] = Scope.preamble) -> Read:
    """Read without the clean slate: only what opens the transaction and says for whom."""

    def preamble(scope: Scope, *, distributed: bool = False) -> list[Command]:
        return [command for command in whole(scope, distributed=distributed) if command.statement != b"discard all"]

    def run(times: int) -> object:
        with patch.object(Scope, "preamble", preamble):
            return read(times)

    return run


@contextlib.contextmanager
def _where(url: ConnectionURL, user: UUID, **options: object) -> Iterator[Read]:
    engine = engine_of(url, **options)

    def read(times: int) -> object:
        for _ in range(times):
            with Session(engine) as session:
                found = session.exec(select(Todo).where(col(Todo.owner_id) == user)).all()
        return found

    yield read
    engine.dispose()


@contextlib.contextmanager
def _event(url: ConnectionURL, user: UUID) -> Iterator[Read]:
    """The recipe of many a blog: an event that sets the identity where SQLAlchemy begins a transaction."""
    engine = engine_of(url)

    def set_user(connection: Connection) -> None:
        connection.exec_driver_sql("select set_config('app.user_id', %s, true)", (str(user),))

    event.listen(engine, "begin", set_user)

    def read(times: int) -> object:
        for _ in range(times):
            with Session(engine) as session:
                found = session.exec(select(Todo)).all()
        return found

    yield read
    engine.dispose()


@contextlib.contextmanager
def _psycopg(url: ConnectionURL, user: UUID) -> Iterator[Read]:
    query = f"select {', '.join(COLUMNS)} from app.todos where owner_id = %s".encode()
    with psycopg.connect(url.conninfo(), autocommit=True) as connection:

        def read(times: int) -> object:
            for _ in range(times):
                found = connection.execute(query, [user]).fetchall()
            return found

        yield read


@contextlib.contextmanager
def _psycopg_pipeline(url: ConnectionURL, user: UUID) -> Iterator[Read]:
    """The least that carries an identity: it and the query, in one pipeline."""
    query = f"select {', '.join(COLUMNS)} from app.todos".encode()
    with psycopg.connect(url.conninfo(), autocommit=True) as connection:

        def read(times: int) -> object:
            for _ in range(times):
                with connection.pipeline():
                    connection.execute("select app.set_user_id(%s)", [str(user)])
                    cursor = connection.execute(query)
                found = cursor.fetchall()
            return found

        yield read
