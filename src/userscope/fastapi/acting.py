"""The database for one user, also when the answer to their request has been sent."""

from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from sqlmodel import Session
from sqlmodel.ext.asyncio.session import AsyncSession

from userscope.connection.scope import Isolation
from userscope.database import AsyncDatabase, Database
from userscope.fastapi.positions import Written


@dataclass(frozen=True)
class ActingDatabase:
    """The database for one user, also when the answer has been sent: for background tasks, streams and sockets.

    Each session takes a connection of the pool when it is used, beside the route's own. Readers show what the user has
    ``written``, also by sessions of this object.
    """

    user_id: Any
    database: Database
    organization_id: Any = None
    written: Written = field(default_factory=Written, repr=False)

    def session(self, *, isolation: Isolation | None = None) -> AbstractContextManager[Session]:
        """Act for the user; as ``Database.session``."""
        opened = self.database.session(self.user_id, organization_id=self.organization_id, isolation=isolation)
        return _noted(opened, self.written)

    def reader(self) -> AbstractContextManager[Session]:
        """Read as the user; as ``Database.reader``."""
        return self.database.reader(self.user_id, organization_id=self.organization_id, after=self.written.after)


@dataclass(frozen=True)
class ActingAsyncDatabase:
    """As ``ActingDatabase``, awaited."""

    user_id: Any
    database: AsyncDatabase
    organization_id: Any = None
    written: Written = field(default_factory=Written, repr=False)

    def session(self, *, isolation: Isolation | None = None) -> AbstractAsyncContextManager[AsyncSession]:
        """Act for the user; as ``AsyncDatabase.session``."""
        opened = self.database.session(self.user_id, organization_id=self.organization_id, isolation=isolation)
        return _noted(opened, self.written)

    def reader(self) -> AbstractAsyncContextManager[AsyncSession]:
        """Read as the user; as ``AsyncDatabase.reader``."""
        return self.database.reader(self.user_id, organization_id=self.organization_id, after=self.written.after)


def _noted[Opened](opened: Opened, written: Written) -> Opened:
    """Let a session tell of each of its COMMITs."""
    session: Any = opened
    session.info["committed"] = written.commit
    return opened
