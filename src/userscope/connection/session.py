"""Sessions whose transactions all run in one scope."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.orm import SessionTransaction
from sqlmodel import Session
from sqlmodel.ext.asyncio.session import AsyncSession

from userscope.connection.scope import Scope

_OPTIONS: dict[str, Any] = {
    # Objects stay as they were after the block: no hidden round trip, no MissingGreenlet.
    "expire_on_commit": False,
    # A closed session stays closed, instead of beginning anew.
    "close_resets_only": False,
}


class ScopedSession(Session):
    """A session whose transactions all run in ``info["scope"]``."""


@event.listens_for(ScopedSession, "after_begin")
def _bind(session: Session, _: SessionTransaction, connection: Connection) -> None:
    """Tell the connection for whom it sends from now on. Its cursors see to the rest; nothing is sent here."""
    driver_connection: Any = connection.connection.driver_connection
    driver_connection.scope = session.info["scope"]


class AsyncScopedSession(AsyncSession):
    """The same for asyncio."""

    sync_session_class = ScopedSession


@contextmanager
def open_session(engine: Engine, scope: Scope) -> Iterator[Session]:
    """Open a session; commit on success, roll back on an exception."""
    with ScopedSession(engine, info={"scope": scope}, **_OPTIONS) as session:
        yield session
        session.commit()


@asynccontextmanager
async def open_async_session(engine: AsyncEngine, scope: Scope) -> AsyncIterator[AsyncSession]:
    """Open a session; commit on success, roll back on an exception."""
    async with AsyncScopedSession(engine, info={"scope": scope}, **_OPTIONS) as session:
        yield session
        await session.commit()
