"""An engine for each event loop that runs: what was connected in one can be awaited in no other."""

import asyncio
from typing import TYPE_CHECKING
from weakref import ReferenceType, ref

from userscope.connection.engine import Connector
from userscope.connection.scope import Scope

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from sqlalchemy import Engine
    from sqlalchemy.ext.asyncio import AsyncEngine
    from sqlmodel.ext.asyncio.session import AsyncSession

type _Loop = ReferenceType[asyncio.AbstractEventLoop]


class LoopEngines:
    """The engines of one AsyncDatabase. The engine of a loop that has ended serves the next one, with an empty pool.

    Each loop may be another thread's. No step waits for a lock, which a fork might leave taken for ever.
    """

    def __init__(self, connector: Connector) -> None:
        self._connector = connector
        self._free: list[AsyncEngine] = []
        self._taken: dict[_Loop, AsyncEngine] = {}

    def current(self) -> "AsyncEngine":
        """Return the running loop's engine; where none runs, one that a loop has or will have. Raises MissingExtra."""
        try:
            loop = ref(asyncio.get_running_loop())
        except RuntimeError:
            return self._any()
        if loop not in self._taken:
            self._give_back()
            try:
                engine = self._free.pop(0)
            except IndexError:
                engine = self._connector.async_engine()
            self._taken[loop] = engine
        return self._taken[loop]

    def sync_engine(self) -> "Engine":
        """Return the sync side of ``current``."""
        return self.current().sync_engine

    def _any(self) -> "AsyncEngine":
        for engine in self.all():
            return engine
        self._free.append(self._connector.async_engine())
        return self._free[0]

    def _give_back(self) -> None:
        """Close what loops that have ended had connected: nothing needs to be awaited for it."""
        for known in [*self._taken]:
            loop = known()
            if (loop is None or loop.is_closed()) and (engine := self._taken.pop(known, None)):
                engine.sync_engine.dispose()
                self._free.append(engine)

    def all(self) -> list["AsyncEngine"]:
        """Return those that were made."""
        return [*self._taken.values(), *self._free]

    def open(self, scope: Scope) -> "AbstractAsyncContextManager[AsyncSession]":
        """Open a session of the loop that enters it. Raises MissingExtra."""
        self._any()
        from userscope.connection.asynchronous import AsyncScopedSession

        return AsyncScopedSession(self.current, scope)

    def close(self) -> None:
        """Close the pools' connections; those in use are closed when their session ends."""
        for engine in self.all():
            engine.sync_engine.dispose()
