"""Sessions for asyncio: a module of their own, since nothing of it can be imported without the extra "async"."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel.ext.asyncio.session import AsyncSession

from userscope.connection.scope import Scope
from userscope.connection.session import OPTIONS, ScopedSession, name_columns
from userscope.errors import NotPermitted


class AsyncScopedSession(AsyncSession):
    """A session whose transactions all run in ``info["scope"]``."""

    sync_session_class = ScopedSession
    sync_session: ScopedSession


@asynccontextmanager
async def open_async_session(engine: Callable[[], AsyncEngine], scope: Scope) -> AsyncIterator[AsyncSession]:
    """Open a session on the event loop's engine; as ``open_session``."""
    async with AsyncScopedSession(engine(), info={"scope": scope, "position": None}, **OPTIONS) as session:
        with session.sync_session.own_words():
            try:
                yield session
                await (session.flush() if scope.autocommit else session.commit())
            except NotPermitted as error:
                await session.run_sync(name_columns, error)
                raise
