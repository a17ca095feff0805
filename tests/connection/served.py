"""One way to run the same work through Database and through AsyncDatabase."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, override
from uuid import UUID

from sqlalchemy import Engine, text
from sqlalchemy.pool import QueuePool
from sqlmodel import Session
from sqlmodel.ext.asyncio.session import AsyncSession

from userscope.connection.scope import Isolation
from userscope.database import AsyncDatabase, Database
from userscope.settings import Settings

type Work[T] = Callable[[Session], T]


def run(session: Session, statement: str, **values: object) -> list[Any]:
    """Run SQL in a session and return its rows; a single column comes without its tuple."""
    result = session.connection().execute(text(statement), values)
    if not result.returns_rows:
        return []
    return [row[0] if len(row) == 1 else tuple(row) for row in result]


def whoami(session: Session) -> UUID | None:
    """For whom the database acts."""
    found: UUID | None = run(session, "select app.current_user_id()")[0]
    return found


class Served(ABC):
    """Runs a function of a session as a user."""

    settings: Settings

    @abstractmethod
    def __init__(self, settings: Settings) -> None:
        """Serve with these settings."""

    @abstractmethod
    def session[T](
        self, user: UUID | str | None, work: Work[T], *, isolation: Isolation | None = None, **claim: Any
    ) -> T:
        """Run ``work`` in ``session(user)``; ``claim`` is the organization's."""

    @abstractmethod
    def reader[T](self, user: UUID | str | None, work: Work[T], **claim: Any) -> T:
        """Run ``work`` in ``reader(user)``."""

    @property
    @abstractmethod
    def engine(self) -> Engine:
        """The engine, of an AsyncEngine its sync side."""

    @abstractmethod
    def close(self) -> None:
        """Close the pool, and what runs it."""

    @property
    def pool(self) -> QueuePool:
        """The engine's pool."""
        assert isinstance(self.engine.pool, QueuePool)
        return self.engine.pool


class SyncServed(Served):
    """By Database."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.db = Database(settings)

    @override
    def session[T](
        self, user: UUID | str | None, work: Work[T], *, isolation: Isolation | None = None, **claim: Any
    ) -> T:
        with self.db.session(user, isolation=isolation, **claim) as session:
            return work(session)

    @override
    def reader[T](self, user: UUID | str | None, work: Work[T], **claim: Any) -> T:
        with self.db.reader(user, **claim) as session:
            return work(session)

    @property
    @override
    def engine(self) -> Engine:
        return self.db.engine

    @override
    def close(self) -> None:
        self.db.close()


class AsyncServed(Served):
    """By AsyncDatabase, on an event loop of its own."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.db = AsyncDatabase(settings)
        self.runner = asyncio.Runner()

    @override
    def session[T](
        self, user: UUID | str | None, work: Work[T], *, isolation: Isolation | None = None, **claim: Any
    ) -> T:
        return self.runner.run(self._run(self.db.session(user, isolation=isolation, **claim), work))

    @override
    def reader[T](self, user: UUID | str | None, work: Work[T], **claim: Any) -> T:
        return self.runner.run(self._run(self.db.reader(user, **claim), work))

    async def _run[T](self, opened: AbstractAsyncContextManager[AsyncSession], work: Work[T]) -> T:
        async with opened as session:
            return await session.run_sync(lambda _: work(session.sync_session))

    @property
    @override
    def engine(self) -> Engine:
        return self.db.engine.sync_engine

    @override
    def close(self) -> None:
        self.runner.run(self.db.close())
        self.runner.close()
