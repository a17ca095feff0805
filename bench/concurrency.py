"""8, 32 and 128 clients at once, as threads and as tasks, read todos through ten connections: ours, and by a WHERE."""

import asyncio
import statistics
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from time import perf_counter
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import URL
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import Session, col, create_engine, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bench.measuring import Figures, Times, refuse_other_rows, take_turns
from bench.world import EACH, fill, world
from userscope.database import AsyncDatabase, Database
from userscope.models import Todo
from userscope.postgres.url import ConnectionURL
from userscope.settings import Settings
from userscope.testing.proxy import Proxy

CLIENTS = (8, 32, 128)
CONNECTIONS, PATIENCE = 10, 60
"""Of each way's pool, and the seconds that a client waits for one."""
USERS, TODOS = 50, 20
TRIPS = {"reader": 1, "session": 2, "where": 3}
"""Of each way, counted in each run; a count that differs is an error."""

type Pages = list[tuple[float, set[UUID]]]
"""How long each took, the wait for a connection included, and what was on it."""
type AtOnce = Callable[[int, list[UUID]], Pages]
"""So many clients read a page of each of these people."""
type Ways = Callable[[ConnectionURL, ConnectionURL], AbstractContextManager[dict[str, AtOnce]]]


def main(*, quick: bool = False) -> Figures:
    """Measure in turns: "where/reader" is a reader's throughput beside the WHERE's, "p99" the slowest page of 100."""
    figures = Figures()
    pages, rounds = (160, 3) if quick else (768, 7)
    with world({}) as made:
        admin, service = made.url("admin"), made.url("service")
        people = prepare(admin)
        for kind, ways in KINDS.items():
            figures.take(counted(ways, admin, service, people[0]), kind)
            with ways(admin, service) as by:
                for clients in CLIENTS:
                    figures.take(measured(by, clients, people, pages=pages, rounds=rounds), f"{kind}.{clients}")
    return figures


def prepare(admin: ConnectionURL) -> list[UUID]:
    """Make users with TODOS each; return them."""
    fill(admin, USERS * EACH, users=USERS)
    with psycopg.connect(admin.conninfo()) as connection:
        connection.execute("delete from app.todos where created_at < now() - make_interval(hours => %s)", [TODOS])
        return [row[0] for row in connection.execute("select distinct owner_id from app.todos").fetchall()]


def counted(ways: Ways, admin: ConnectionURL, service: ConnectionURL, person: UUID) -> Figures:
    """Count the trips of a page by each way, on a connection that is there, and compare what was read."""
    trips, rows = {}, {}
    with Proxy(admin) as one, Proxy(service) as other, ways(one.url, other.url) as by:
        for name, read in by.items():
            read(1, [person] * 6)  # statements are prepared, caches filled
            with one.counting() as theirs, other.counting() as ours:
                ((_, rows[name]),) = read(1, [person])
            trips[name] = theirs.trips + ours.trips
    refuse_other_rows(rows)
    if trips != TRIPS:
        raise RuntimeError(f"the round trips are not what was expected: {trips}")
    return Figures(counts={f"trips.{name}": number for name, number in trips.items()})


def measured(by: dict[str, AtOnce], clients: int, people: list[UUID], *, pages: int, rounds: int) -> Figures:
    """Have so many clients read so many pages, in each round by each way."""
    slow: dict[str, list[float]] = {name: [] for name in by}
    asked = (people * (pages // len(people) + 1))[:pages]

    def timed(name: str) -> Callable[[], float]:
        def work() -> float:
            began = perf_counter()
            read = by[name](clients, asked)
            took = perf_counter() - began
            if any(len(rows) != TODOS for _, rows in read):
                raise RuntimeError(f"{name} reads something else")
            slow[name].append(statistics.quantiles((seconds for seconds, _ in read), n=100)[98])
            return took / pages

        return work

    taken = take_turns({name: timed(name) for name in by}, rounds)
    figures = taken.figures(("where", "reader"), ("where", "session"))
    slowest = Times({f"{name}_p99": found[1:] for name, found in slow.items()})  # the first round warmed up
    others = slowest.figures(("reader_p99", "where_p99"), ("session_p99", "where_p99"))
    return Figures(figures.ratios | others.ratios, figures.medians | others.medians)


def _settings(service: ConnectionURL) -> Settings:
    return Settings(
        _env_file=None,
        database_url=service.text(),
        database_pool_size=CONNECTIONS,
        database_pool_timeout=PATIENCE,
    )


def _engine(make: Callable[..., Any], admin: ConnectionURL) -> Any:
    """As one makes it without userscope, its pool as ours."""
    url = URL.create("postgresql+psycopg", query=dict(admin.params))
    return make(url, pool_size=CONNECTIONS, max_overflow=0, pool_timeout=PATIENCE)


@contextmanager
def _threads(admin: ConnectionURL, service: ConnectionURL) -> Iterator[dict[str, AtOnce]]:
    engine = _engine(create_engine, admin)

    def ours(opened: Callable[[UUID], AbstractContextManager[Session]]) -> Callable[[UUID], set[UUID]]:
        def read(person: UUID) -> set[UUID]:
            with opened(person) as session:
                return {todo.id for todo in session.exec(select(Todo))}

        return read

    def where(person: UUID) -> set[UUID]:
        with Session(engine) as session:
            return {todo.id for todo in session.exec(select(Todo).where(col(Todo.owner_id) == person))}

    def at_once(read: Callable[[UUID], set[UUID]]) -> AtOnce:
        def timed(person: UUID) -> tuple[float, set[UUID]]:
            began = perf_counter()
            rows = read(person)
            return perf_counter() - began, rows

        def run(clients: int, people: list[UUID]) -> Pages:
            with ThreadPoolExecutor(clients) as threads:
                return list(threads.map(timed, people))

        return run

    with Database(_settings(service)) as database:
        ways = {"reader": ours(database.reader), "session": ours(database.session), "where": where}
        yield {name: at_once(read) for name, read in ways.items()}
    engine.dispose()


@contextmanager
def _tasks(admin: ConnectionURL, service: ConnectionURL) -> Iterator[dict[str, AtOnce]]:
    engine = _engine(create_async_engine, admin)

    def ours(opened: Callable[[UUID], Any]) -> Callable[[UUID], Awaitable[set[UUID]]]:
        async def read(person: UUID) -> set[UUID]:
            async with opened(person) as session:
                return {todo.id for todo in await session.exec(select(Todo))}

        return read

    async def where(person: UUID) -> set[UUID]:
        async with AsyncSession(engine) as session:
            return {todo.id for todo in await session.exec(select(Todo).where(col(Todo.owner_id) == person))}

    async def served(read: Callable[[UUID], Awaitable[set[UUID]]], clients: int, people: list[UUID]) -> Pages:
        left, pages = iter(people), []

        async def client() -> None:
            for person in left:
                began = perf_counter()
                rows = await read(person)
                pages.append((perf_counter() - began, rows))

        await asyncio.gather(*(client() for _ in range(clients)))
        return pages

    def at_once(read: Callable[[UUID], Awaitable[set[UUID]]]) -> AtOnce:
        return lambda clients, people: runner.run(served(read, clients, people))

    with asyncio.Runner() as runner:
        database = AsyncDatabase(_settings(service))
        ways = {"reader": ours(database.reader), "session": ours(database.session), "where": where}
        yield {name: at_once(read) for name, read in ways.items()}
        runner.run(database.close())
        runner.run(engine.dispose())


KINDS: dict[str, Ways] = {"threads": _threads, "tasks": _tasks}
