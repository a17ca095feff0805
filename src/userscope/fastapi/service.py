"""What a FastAPI service holds while it runs."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, TypedDict

from starlette.requests import HTTPConnection

from userscope.auth import TokenVerifier
from userscope.connection.health import ReplicaHealth
from userscope.connection.options import EngineOptions
from userscope.database import AsyncDatabase, Database
from userscope.errors import ConfigurationError, Unavailable, UserscopeError
from userscope.fastapi.turns import Turns
from userscope.settings import Settings

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
    verifier: TokenVerifier | None
    turns: Turns = field(init=False, repr=False)
    async_turns: Turns = field(init=False, repr=False)
    app: Any = field(default=None, repr=False)
    """Whose lifespan opened it."""
    _judged: bool = field(default=False, repr=False)
    _asked: float = field(default=-_ASKED_EVERY, repr=False)
    _ready: bool = field(default=False, repr=False)
    found: dict[str, str] = field(default_factory=dict, repr=False)
    """What was found when it was asked last."""
    _asking: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)

    def __post_init__(self) -> None:
        """Make as many turns as there are connections."""
        both = (self.database, self.async_database)
        self.turns, self.async_turns = (Turns(made.connections, made.settings.database_pool_timeout) for made in both)

    @classmethod
    @asynccontextmanager
    async def opened(
        cls,
        settings: Settings | None = None,
        verifier: TokenVerifier | Literal["configured"] | None = "configured",
        options: EngineOptions | None = None,
    ) -> AsyncIterator["Service"]:
        """Open a service, and close it at the end. Raises ConfigurationError where it could serve nobody rightly.

        A database that is away is waited for: requests are answered with 503 until it is there.
        """
        given = settings or Settings()
        database = Database(given, options=options)
        service = cls(
            database,
            AsyncDatabase(given, options=options, beside=database),
            TokenVerifier(given) if verifier == "configured" else verifier,
        )
        with service.database:
            async with service.async_database:  # inside: however this one ends, the other is closed as well
                await service._refuse_to_start_unfit()
                yield service

    @classmethod
    def of(cls, connection: HTTPConnection) -> "Service":
        """Return the service that a request is served by. Raises ConfigurationError without its lifespan.

        A mounted application's own, where it has one, before that of the application around it.
        """
        app = connection.scope.get("app")
        found = [getattr(state, "userscope", None) for state in (connection.state, getattr(app, "state", None))]
        services = [service for service in found if isinstance(service, Service)]
        if services:
            return min(services, key=lambda service: service.app is not app)
        raise ConfigurationError(
            "the service has not been started",
            detail="Its databases are opened by the application's lifespan.",
            hint="Make the application by FastAPI(lifespan=lifespan()). A test whose client runs no lifespan, as "
            "httpx's ASGITransport, does its work in: async with app.router.lifespan_context(app).",
        )

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
            return isinstance(error, Unavailable) and await self._reads()
        for found in health.problems:
            logger.warning("not ready: %s", found)
        self.found = {"status": "ready"}
        if health.replicas:
            self.found |= {"primary": "ready", "replica": _how_far(health.replicas)}
        return health.fit

    async def _reads(self) -> bool:
        """Whether readers can be served while the primary is away."""
        replicas = await self.async_database.replica_health()
        if all(each.problem for each in replicas):
            return False
        self.found = {"status": "reading", "primary": "away", "replica": _how_far(replicas)}
        return True


def _how_far(replicas: Sequence[ReplicaHealth]) -> str:
    """One word of each, in the order of DATABASE_REPLICA_URL; hosts are nobody's business who may ask here."""
    return "; ".join(
        "away" if each.problem else "ready" if each.late is None else f"ready, {each.late:.1f} seconds behind"
        for each in replicas
    )


def lifespan(
    settings: Settings | None = None,
    *,
    verifier: TokenVerifier | Literal["configured"] | None = "configured",
    options: EngineOptions | None = None,
) -> Callable[[Any], AbstractAsyncContextManager[State]]:
    """Return a lifespan that opens and closes a service: ``FastAPI(lifespan=lifespan())``.

    ``verifier`` judges the tokens: the one that AUTH_* configure, one of your own, or None for a service whose login is
    its own business (``sessions(user_id=…)``). In a lifespan of your own:
    ``async with lifespan()(app) as state: yield {**state, …}``.
    """

    @asynccontextmanager
    async def run(app: Any) -> AsyncIterator[State]:
        async with Service.opened(settings, verifier, options) as service:
            service.app, state = app, getattr(app, "state", None)
            if state is not None:  # where a test's client hands on no state of the lifespan
                state.userscope = service
            try:
                yield {"userscope": service}
            finally:
                if state is not None and getattr(state, "userscope", None) is service:  # not of a later start
                    del state.userscope

    return run
