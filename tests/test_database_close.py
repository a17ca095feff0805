"""What ``close()`` of a Database ends: its connections, those at work with their sessions."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from psycopg.pq import ConnStatus
from sqlalchemy.util import await_only

from tests.clusters import Database as Clone
from tests.connection.conftest import make_user, settings_for
from tests.connection.served import whoami
from tests.connection.test_identity_binding import libpq_of
from userscope.database import AsyncDatabase, Database
from userscope.settings import Settings


@pytest.fixture
def settings(database: Clone) -> Settings:
    """The settings of a service of its own database."""
    return settings_for(database.url("service"))


@pytest.fixture
def alice(database: Clone) -> UUID:
    """A user."""
    return make_user(database)


def test_closed_database(settings: Settings, alice: UUID) -> None:
    """close() closes every connection; a later session opens new ones."""
    db = Database(settings)
    with db.session(alice) as session:
        driver: Any = session.connection().connection.driver_connection
        libpq = driver.pgconn
        whoami(session)
    assert libpq.status == ConnStatus.OK
    db.close()
    assert libpq.status == ConnStatus.BAD
    with db.reader(alice) as session:
        assert whoami(session) == alice
    db.close()


def test_closed_meanwhile(settings: Settings, alice: UUID) -> None:
    """A session that is open when close() is called goes on, and its connection ends with it, not at some time."""
    ended: list[Any] = []

    def work(session: Any, close: Callable[[], object]) -> None:
        ended.append(libpq_of(session))
        close()
        assert whoami(session) == alice

    db = Database(settings)
    for opened in (db.session, db.reader):
        with opened(alice) as session:
            work(session, db.close)

    async def asynchronous() -> None:
        db = AsyncDatabase(settings)
        for opened in (db.session, db.reader):
            async with opened(alice) as session:
                await session.run_sync(work, partial(await_only, db.close()))

    asyncio.run(asynchronous())
    assert [libpq.status for libpq in ended] == [ConnStatus.BAD] * 4
