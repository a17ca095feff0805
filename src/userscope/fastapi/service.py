"""What a FastAPI service holds while it runs, and how it is attached to its application."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypedDict

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from userscope.auth import TokenVerifier
from userscope.database import AsyncDatabase, Database
from userscope.errors import ConfigurationError, PoolExhausted, Unavailable, UserscopeError
from userscope.fastapi.problems import handle_errors, refusals
from userscope.settings import Settings

MAX_BODY = 256 * 1024
"""Bytes of a request's body."""
_ASKED_EVERY = 2.0

logger = logging.getLogger(__name__)


class State(TypedDict):
    """What the lifespan adds to ``request.state``."""

    userscope: "Service"


@dataclass
class Service:
    """The databases and the verifier of one process. Both databases connect when first used, by a pool each."""

    database: Database
    async_database: AsyncDatabase
    verifier: TokenVerifier
    _slots: asyncio.Semaphore = field(init=False, repr=False)
    _judged: bool = field(default=False, repr=False)
    _asked: float = field(default=-_ASKED_EVERY, repr=False)
    _ready: bool = field(default=False, repr=False)
    _asking: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)

    def __post_init__(self) -> None:
        """Make as many slots as there are connections."""
        self._slots = asyncio.Semaphore(self.database.settings.database_pool_size)

    @classmethod
    @asynccontextmanager
    async def opened(cls, settings: Settings | None = None) -> AsyncIterator["Service"]:
        """Open a service, and close it at the end. Raises ConfigurationError where it could serve nobody rightly.

        A database that is away is waited for: requests are answered with 503 until it is there.
        """
        given = settings or Settings()
        service = cls(Database(given), AsyncDatabase(given), TokenVerifier(given))
        with service.database:
            async with service.async_database:  # inside: however this one ends, the other is closed as well
                await service._refuse_to_start_unfit()
                yield service

    @classmethod
    def of(cls, request: Request) -> "Service":
        """Return the service that a request is served by. Raises ConfigurationError without its lifespan."""
        service = getattr(request.state, "userscope", None)
        if not isinstance(service, Service):
            raise ConfigurationError(
                "the service has not been started",
                detail="Its databases are opened by the application's lifespan.",
                hint="Make the application by FastAPI(lifespan=lifespan()).",
            )
        return service

    async def _refuse_to_start_unfit(self) -> None:
        try:
            health = await self.async_database.health()
        except Unavailable as error:
            logger.warning("the database cannot be reached yet: %s", error.summary)
            return
        self._judged = health.fit
        if not health.fit:
            raise ConfigurationError(
                f'database "{health.database}" cannot serve users as "{health.role}"',
                detail=f"{'; '.join(health.problems)}.",
                hint='Run "userscope health" with this configuration until it finds nothing.',
            )

    async def judged(self) -> None:
        """Raise Unavailable until the database was there and found fit: it may have been away at the start."""
        if not self._judged:
            self._judged = await self.ready()
        if not self._judged:
            raise Unavailable(
                "the database was not found fit to serve users yet",
                detail="It was away when the service started, or its policies bind not everybody.",
                hint='Ask "userscope health" with this configuration.',
            )

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Wait for one of the pool's connections without holding a thread. Raises PoolExhausted where none gets free.

        Threads that wait for connections would keep those that have one from ending: their answers are written by the
        same threads.
        """
        try:
            await asyncio.wait_for(self._slots.acquire(), self.database.settings.database_pool_timeout)
        except TimeoutError:
            raise PoolExhausted from None
        try:
            yield
        finally:
            self._slots.release()

    async def ready(self) -> bool:
        """Whether users can be served now; asked of the database once in 2 seconds, however often it is called."""
        async with self._asking:
            if time.monotonic() - self._asked >= _ASKED_EVERY:
                self._ready = await self._examine()
                self._asked = time.monotonic()
            return self._ready

    async def _examine(self) -> bool:
        try:
            health = await self.async_database.health()
        except UserscopeError as error:
            logger.warning("not ready: %s", error.summary)
            return False
        for found in health.problems:
            logger.warning("not ready: %s", found)
        return health.fit


def lifespan(settings: Settings | None = None) -> Callable[[Any], AbstractAsyncContextManager[State]]:
    """Return a lifespan that opens and closes a service: ``FastAPI(lifespan=lifespan())``.

    In a lifespan of your own: ``async with lifespan()(app) as state: yield {**state, …}``.
    """

    @asynccontextmanager
    async def run(_: object) -> AsyncIterator[State]:
        async with Service.opened(settings) as service:
            yield {"userscope": service}

    return run


def install(app: FastAPI, *, max_body: int = MAX_BODY) -> None:
    """Give ``app`` problems for errors, ``/healthz``, ``/readyz``, and a limit to the bytes of a request's body."""
    handle_errors(app)
    app.add_middleware(_BodyLimit, limit=max_body)

    @app.get("/healthz", tags=["health"])
    async def healthz() -> dict[str, str]:
        """Tell that the process answers."""
        return {"status": "alive"}

    @app.get("/readyz", tags=["health"], responses={503: refusals()[503]})
    async def readyz(request: Request) -> dict[str, str]:
        """Tell whether the database can be reached, and whether this login may serve users."""
        if not await Service.of(request).ready():
            raise HTTPException(503, headers={"Retry-After": "5"})
        return {"status": "ready"}


class _BodyLimit:
    """Answers 413 instead of reading on. FastAPI's own limit can only say so in plain text."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        read = 0

        async def counting() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > self._limit:
                # The rest is not read: nothing can follow on this connection.
                raise HTTPException(413, headers={"Connection": "close"})
            return message

        await self._app(scope, counting, send)
