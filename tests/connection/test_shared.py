"""A session belongs to one thread or task: where two use it they are told so, and the pool is whole afterwards."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from tests.clusters import Database, somebody_waits
from tests.connection.served import AsyncServed, SyncServed, run
from tests.connection.test_identity_binding import ALICES, BOBS, assert_serves
from tests.processes import eventually
from tests.silence import SilentProxy
from userscope.errors import SessionInUse, UserscopeError

WAIT = "select pg_advisory_xact_lock(4711)"

either_way = pytest.mark.parametrize("opened", ["session", "reader"])
at_any_time = pytest.mark.parametrize("connected", [False, True], ids=["connecting", "connected"])


@pytest.fixture
def locked(home: Database) -> Iterator[psycopg.Connection]:
    """An administrator, who holds what the statements below wait for."""
    with home.superuser_connection() as admin:
        admin.execute("select pg_advisory_lock(4711)")
        yield admin


@either_way
@at_any_time
def test_tasks(
    make_async: Callable[..., AsyncServed], locked: object, alice: UUID, bob: UUID, connected: bool, opened: str
) -> None:
    """Of tasks that send at once one goes on; the first refusal ends the block, and that one too."""
    del locked
    served = make_async(database_pool_size=1)
    if connected:
        assert_serves(served, alice, ALICES)

    async def work() -> list[object]:
        tasks: list[asyncio.Task[object]] = []
        with pytest.raises(SessionInUse):
            async with getattr(served.db, opened)(alice) as session:
                tasks += [asyncio.create_task(session.scalar(text(WAIT))) for _ in range(3)]
                await asyncio.gather(*tasks)
        return await asyncio.gather(*tasks, return_exceptions=True)

    ended = served.runner.run(work())
    assert [isinstance(error, UserscopeError | SQLAlchemyError) for error in ended] == [True] * 3
    assert sum(isinstance(error, SessionInUse) for error in ended) >= 2  # whoever bears it is told no less
    assert served.pool.checkedout() == 0
    assert_serves(served, bob, BOBS)
    assert_serves(served, alice, ALICES)


@either_way
@at_any_time
def test_threads(
    make_sync: Callable[..., SyncServed], proxy: SilentProxy, locked: psycopg.Connection, alice: UUID, bob: UUID,
    connected: bool, opened: str,
) -> None:  # fmt: skip
    """A thread that goes on when the block ends is stopped, and keeps no connection."""
    served = make_sync(proxy.url, database_pool_size=1)
    stopped = threading.Event()

    def go_on() -> None:
        try:
            run(session, WAIT)
        except (SessionInUse, SQLAlchemyError):
            stopped.set()

    thread = threading.Thread(target=go_on)
    if connected:
        assert_serves(served, alice, ALICES)
    with (
        nullcontext() if connected else proxy.silence(),  # in which nobody gets a connection
        pytest.raises(SessionInUse),
        getattr(served.db, opened)(alice) as session,
    ):
        thread.start()
        eventually(lambda: somebody_waits(locked) if connected else served.pool.checkedout())
    thread.join(30)
    assert stopped.is_set()
    assert served.pool.checkedout() == 0
    assert_serves(served, bob, BOBS)
    assert_serves(served, alice, ALICES)
