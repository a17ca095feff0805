"""One AsyncDatabase serves any number of event loops, each by connections of its own, one after another or at once."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from uuid import UUID

import pytest
from sqlmodel import col, select, text

from tests.clusters import Database as Migrated
from tests.connection.conftest import settings_for
from tests.connection.test_identity_binding import ALICES, BOBS
from tests.processes import eventually
from userscope import AsyncDatabase, Todo


@pytest.fixture
def db(home: Migrated, request: pytest.FixtureRequest) -> Iterator[AsyncDatabase]:
    """A service with one connection a loop, named after its test."""
    url = home.url("service").with_defaults(application_name=request.node.name)
    made = AsyncDatabase(settings_for(url, database_pool_size=1))
    yield made
    asyncio.run(made.close())


async def _titles(db: AsyncDatabase, user: UUID) -> set[str]:
    async with db.session(user) as session:
        await session.scalar(text("select pg_sleep(0.02)"))
        return set(await session.exec(select(col(Todo.title))))


async def _three(db: AsyncDatabase, user: UUID) -> list[set[str]]:
    """At once, so that two wait for the pool."""
    return await asyncio.gather(*(_titles(db, user) for _ in range(3)))


def _backends(home: Migrated, name: str) -> int:
    with home.superuser_connection() as superuser:
        return len(superuser.execute("select from pg_stat_activity where application_name = %s", [name]).fetchall())


def test_one_after_another(home: Migrated, db: AsyncDatabase, alice: UUID, bob: UUID) -> None:
    """Each asyncio.run() is served, waiting for the pool included; what an ended loop had connected is closed."""
    engines = set()
    for user, expected in [(alice, ALICES), (bob, BOBS)] * 2:
        assert asyncio.run(_three(db, user)) == [expected] * 3
        engines.add(db.engine)
        eventually(lambda: _backends(home, "test_one_after_another") == 1)
    assert len(engines) == 1  # so what listens to the engine goes on to


def test_no_task_starves(db: AsyncDatabase, alice: UUID) -> None:
    """Tasks that ask for the only connection again and again get it by turns: none waits until another has done."""
    order = []

    async def client(name: str) -> None:
        for _ in range(10):
            async with db.reader(alice) as session:
                await session.exec(select(Todo))
            order.append(name)

    async def three() -> None:
        await asyncio.gather(*map(client, "abc"))

    asyncio.run(three())
    turns = [set(order[at : at + 3]) for at in range(0, 30, 3)]
    assert turns == [{"a", "b", "c"}] * 10


def test_at_once(home: Migrated, db: AsyncDatabase, alice: UUID, bob: UUID) -> None:
    """Threads with a loop each are served at the same time, and nobody by another's connection."""
    met = threading.Barrier(4)

    async def together(user: UUID) -> list[set[str]]:
        async with db.session(user) as session:
            await session.scalar(text("select 1"))
            await asyncio.to_thread(met.wait, 30)  # each holds its loop's only connection
        return await _three(db, user)

    with ThreadPoolExecutor() as pool:
        served = list(pool.map(asyncio.run, [together(user) for user in (alice, bob, alice, bob)]))
    assert served == [[titles] * 3 for titles in (ALICES, BOBS, ALICES, BOBS)]
    assert _backends(home, "test_at_once") == 4
    assert asyncio.run(_titles(db, alice)) == ALICES
    eventually(lambda: _backends(home, "test_at_once") == 1)


def test_by_turns(db: AsyncDatabase, alice: UUID, bob: UUID) -> None:
    """Two loops that both live take turns; a session is the loop's that enters it."""
    with closing(asyncio.new_event_loop()) as one, closing(asyncio.new_event_loop()) as other:
        for _ in range(2):
            assert one.run_until_complete(_three(db, alice)) == [ALICES] * 3
            assert other.run_until_complete(_three(db, bob)) == [BOBS] * 3
        opened = db.reader(alice)

        async def enter() -> set[str]:
            async with opened as session:
                return set(await session.exec(select(col(Todo.title))))

        assert other.run_until_complete(enter()) == ALICES


def test_login(home: Migrated, db: AsyncDatabase) -> None:
    """Sessions of the login itself as well; closing closes every loop's."""

    async def whoami() -> object:
        async with db.login() as session:
            return await session.scalar(text("select session_user::text"))

    with closing(asyncio.new_event_loop()) as one:
        assert one.run_until_complete(whoami()) == asyncio.run(whoami()) == home.url("service").user
        assert _backends(home, "test_login") == 2
        asyncio.run(db.close())
        eventually(lambda: _backends(home, "test_login") == 0)
