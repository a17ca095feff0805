"""The database for one user, also when the answer to their request has been sent."""

from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session
from sqlmodel.ext.asyncio.session import AsyncSession

from userscope.connection.scope import Isolation
from userscope.database import AsyncDatabase, Database


@dataclass(frozen=True)
class ActingDatabase:
    """The database for one user, also when the answer has been sent: for background tasks, streams and sockets.

    Each session takes a connection of the pool when it is used, beside the route's own. ``after`` is what its readers
    must not be behind of.
    """

    user_id: Any
    database: Database
    organization_id: Any = None
    after: str | None = None

    def session(self, *, isolation: Isolation | None = None) -> AbstractContextManager[Session]:
        """Act for the user; as ``Database.session``."""
        return self.database.session(self.user_id, organization_id=self.organization_id, isolation=isolation)

    def reader(self) -> AbstractContextManager[Session]:
        """Read as the user; as ``Database.reader``."""
        return self.database.reader(self.user_id, organization_id=self.organization_id, after=self.after)


@dataclass(frozen=True)
class ActingAsyncDatabase:
    """As ``ActingDatabase``, awaited."""

    user_id: Any
    database: AsyncDatabase
    organization_id: Any = None
    after: str | None = None

    def session(self, *, isolation: Isolation | None = None) -> AbstractAsyncContextManager[AsyncSession]:
        """Act for the user; as ``AsyncDatabase.session``."""
        return self.database.session(self.user_id, organization_id=self.organization_id, isolation=isolation)

    def reader(self) -> AbstractAsyncContextManager[AsyncSession]:
        """Read as the user; as ``AsyncDatabase.reader``."""
        return self.database.reader(self.user_id, organization_id=self.organization_id, after=self.after)
