"""What services use: sessions and readers that act for one user, and only for that user."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import cached_property
from typing import Any, Self
from uuid import UUID

from sqlalchemy import Connection, Engine, event
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.orm import SessionTransaction
from sqlmodel import Session
from sqlmodel.ext.asyncio.session import AsyncSession

from userscope.connection.engine import Connector
from userscope.connection.guard import Guard
from userscope.connection.scope import Isolation, Scope
from userscope.identity import SealKey
from userscope.settings import Settings

_OPTIONS: dict[str, Any] = {
    # Objects stay as they were after the block: no hidden round trip, no MissingGreenlet.
    "expire_on_commit": False,
    # A closed session stays closed, instead of beginning anew.
    "close_resets_only": False,
}


class _ScopedSession(Session):
    """A session whose transactions all run in its scope, from ``info["scope"]``."""


@event.listens_for(_ScopedSession, "after_begin")
def _bind(session: Session, _: SessionTransaction, connection: Connection) -> None:
    """Tell the connection for whom it sends from now on. Its cursors see to the rest; nothing is sent here."""
    driver_connection: Any = connection.connection.driver_connection
    driver_connection.scope = session.info["scope"]


class _AsyncScopedSession(AsyncSession):
    sync_session_class = _ScopedSession


class _Base:
    """What Database and AsyncDatabase share."""

    def __init__(self, settings: Settings | None = None) -> None:
        """Read ``settings``, or the environment. Raises ConfigurationError; connects when first used."""
        self.settings = settings or Settings()
        key = self.settings.userscope_seal_key
        self._key = SealKey.parse(key.get_secret_value()) if key else None
        self._connector = Connector(
            self.settings.url("service"),
            Guard(self._key is not None, self.settings.userscope_seal_optional),
            self.settings.database_pool_size,
            self.settings.database_pool_timeout,
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._connector.url})"

    def _scope(
        self, user_id: UUID | str | None, *, isolation: Isolation | None = None, single: bool = False
    ) -> dict[str, Scope]:
        timeout = self.settings.database_statement_timeout
        return {
            "scope": Scope.of(user_id, statement_timeout=timeout, key=self._key, isolation=isolation, single=single)
        }


class Database(_Base):
    """The database as services see it: one user at a time.

    >>> db = Database()                             # configured by the environment
    >>> with db.session(user_id) as session:        # commits on success, rolls back on an exception
    ...     session.add(Todo(title="Buy milk"))
    """

    @cached_property
    def engine(self) -> Engine:
        """The engine; what it sends outside of a session is refused."""
        return self._connector.engine()

    @contextmanager
    def session(self, user_id: UUID | str | None, *, isolation: Isolation | None = None) -> Iterator[Session]:
        """Act for ``user_id``; commit on success, roll back on an exception.

        Every transaction of the session carries the identity, also after a commit or a rollback inside of it. Raises
        MissingUserId or InvalidUserId before anything is sent; what PostgreSQL answers is a DatabaseError.
        """
        with self._open(self._scope(user_id, isolation=isolation)) as session:
            yield session

    @contextmanager
    def reader(self, user_id: UUID | str | None) -> Iterator[Session]:
        """Read as ``user_id``: every statement is a transaction of its own, read only, and one round trip."""
        with self._open(self._scope(user_id, single=True)) as session:
            yield session

    @contextmanager
    def _open(self, info: dict[str, Scope]) -> Iterator[Session]:
        with _ScopedSession(self.engine, info=info, **_OPTIONS) as session:
            yield session
            session.commit()

    def close(self) -> None:
        """Close the pool's connections; those in use are closed when their session ends."""
        self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncDatabase(_Base):
    """The database as asyncio services see it: as ``Database``, awaited."""

    @cached_property
    def engine(self) -> AsyncEngine:
        """The engine; what it sends outside of a session is refused."""
        return self._connector.async_engine()

    @asynccontextmanager
    async def session(
        self, user_id: UUID | str | None, *, isolation: Isolation | None = None
    ) -> AsyncIterator[AsyncSession]:
        """Act for ``user_id``; as ``Database.session``."""
        async with self._open(self._scope(user_id, isolation=isolation)) as session:
            yield session

    @asynccontextmanager
    async def reader(self, user_id: UUID | str | None) -> AsyncIterator[AsyncSession]:
        """Read as ``user_id``; as ``Database.reader``."""
        async with self._open(self._scope(user_id, single=True)) as session:
            yield session

    @asynccontextmanager
    async def _open(self, info: dict[str, Scope]) -> AsyncIterator[AsyncSession]:
        async with _AsyncScopedSession(self.engine, info=info, **_OPTIONS) as session:
            yield session
            await session.commit()

    async def close(self) -> None:
        """Close the pool's connections; those in use are closed when their session ends."""
        await self.engine.dispose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
