"""Sessions for asyncio: a module of their own, since nothing of it can be imported without the extra "async"."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self, override

import sqlalchemy.ext.asyncio
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel.ext.asyncio.session import AsyncSession

from userscope.connection.scope import Scope
from userscope.connection.session import ScopedSession


class AsyncScopedSession(AsyncSession):
    """A session whose transactions all run in one scope, on the engine of the event loop that enters it."""

    sync_session_class = ScopedSession
    sync_session: ScopedSession

    if not TYPE_CHECKING:
        execute = sqlalchemy.ext.asyncio.AsyncSession.execute  # as ScopedSession's

    def __init__(self, engine: Callable[[], AsyncEngine], scope: Scope) -> None:
        super().__init__(scope=scope)
        self._engine = engine

    @override
    async def __aenter__(self) -> Self:
        self.bind = self._engine()
        self.sync_session.bind = self.bind.sync_engine
        return self

    @override
    async def __aexit__(self, kind: Any, error: Any, traceback: Any) -> None:
        """As ``ScopedSession.__exit__``."""
        session = self.sync_session
        if error is None:
            # Behind a COMMIT closing waits for nothing that could be cancelled, so it needs no task of its own.
            await self.run_sync(lambda _: session.__exit__(kind, error, traceback))
            await asyncio.sleep(0)  # whoever waits for a connection gets this one, before this task asks again
            return
        try:
            if isinstance(error, SQLAlchemyError):
                await self.run_sync(lambda _: session.reword(error))
        finally:
            await super().__aexit__(kind, error, traceback)
