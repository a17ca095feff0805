"""Turns at a pool: who waits for connections holds none, and no thread either."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.requests import HTTPConnection

from userscope.errors import ConfigurationError, PoolExhausted

SHARE = "__userscope_pool__"
"""What marks a dependency that takes a connection; its value names the pool."""


class Turns:
    """As many as a pool has connections. Of one request all are taken at once, or it would wait for itself.

    Threads that waited for connections would keep those that have one from ending: their answers are written by the
    same threads.
    """

    def __init__(self, size: int, timeout: float) -> None:
        self._size, self._timeout = size, timeout
        self._free = asyncio.Semaphore(size)
        self._entrance = asyncio.Lock()

    @asynccontextmanager
    async def take(self, number: int) -> AsyncIterator[None]:
        """Wait for so many, one request after the other. Raises PoolExhausted, or ConfigurationError for too many."""
        if number > self._size:
            raise ConfigurationError(
                f"a route asks for {number} sessions at once, and the pool has {self._size} connections",
                hint="Ask for one session, which reads as well, or raise DATABASE_POOL_SIZE.",
            )
        taken = 0
        try:
            try:
                async with asyncio.timeout(self._timeout), self._entrance:
                    while taken < number:
                        await self._free.acquire()
                        taken += 1
            except TimeoutError:
                raise PoolExhausted from None
            yield
        finally:
            for _ in range(taken):
                self._free.release()


def wanted(connection: HTTPConnection, pool: str) -> int:
    """Return how many connections of a pool the route's dependencies take; at least one."""
    found: set[object] = set()

    def look(dependant: Any) -> None:
        if getattr(dependant.call, SHARE, None) == pool:
            found.add(dependant.call if dependant.use_cache else id(dependant))
        for each in dependant.dependencies:
            look(each)

    if (dependant := getattr(connection.scope.get("route"), "dependant", None)) is not None:
        look(dependant)
    return max(1, len(found))
