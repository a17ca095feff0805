"""What services use: sessions and readers that act for one user, and only for that user."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import replace
from functools import partial
from random import sample
from typing import TYPE_CHECKING, Self, override

from sqlalchemy import URL, Engine
from sqlmodel import Session

from userscope.connection.engine import Connector
from userscope.connection.health import Health, ReplicaHealth, examine, examine_replica
from userscope.connection.login_check import LoginCheck
from userscope.connection.loops import LoopEngines
from userscope.connection.options import EngineOptions
from userscope.connection.position import Kept, Position
from userscope.connection.replica import Origin, Replica
from userscope.connection.road import Road, Way
from userscope.connection.scope import Isolation, Scope
from userscope.connection.session import ScopedSession
from userscope.errors import ConfigurationError
from userscope.identity import OrganizationId, UserId
from userscope.postgres.url import ConnectionURL
from userscope.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine
    from sqlmodel.ext.asyncio.session import AsyncSession


class _Base:
    """What Database and AsyncDatabase share."""

    replicas: tuple[Replica, ...]
    """What is known of each host of DATABASE_REPLICA_URL."""

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        options: EngineOptions | None = None,
        beside: "Database | AsyncDatabase | None" = None,
    ) -> None:
        """Read ``settings``, or the environment. Raises ConfigurationError; connects when first used.

        ``beside``: another one of the same settings, with which it knows together how the replicas are.
        """
        if isinstance(settings, str | URL | ConnectionURL):
            raise ConfigurationError(
                f"{type(self).__name__} takes settings, and no URL",
                hint=f"Write {type(self).__name__}(Settings(database_url=…)), or set DATABASE_URL.",
            )
        self.settings = settings or Settings()
        self._scope = partial(
            Scope.of,
            kind=self.settings.userscope_user_id,
            statement_timeout=self.settings.database_statement_timeout,
            key=self.settings.seal_key,
        )
        self._options = options or EngineOptions()
        urls = self.settings.replica_urls
        self.replicas = beside.replicas if beside else self._to_replicas(urls)
        self._in_order = any(url.params.get("load_balance_hosts") == "disable" for url in urls)
        self._connector = self._connecting(self._check, self.replicas[0].origin if urls else None)
        self._reading = tuple(
            replace(self._connector, url=url, login_check=self._check, replica=replica, primary=self._connector)
            for url, replica in zip(urls, self.replicas, strict=True)
        )
        self._open()

    def _open(self) -> None:
        """Make what connects when it is first used."""
        raise NotImplementedError

    def _to_replicas(self, urls: Sequence[ConnectionURL]) -> tuple[Replica, ...]:
        origin, several = Origin(), len(urls) > 1
        return tuple(
            Replica(
                url.place if several else url.host,
                origin,
                max_lag=self.settings.database_replica_max_lag,
                patience=self.settings.database_pool_timeout,
                one_of_several=several,
            )
            for url in urls
        )

    @property
    def _check(self) -> LoginCheck:
        return LoginCheck(self.settings.seal_key is not None, self.settings.userscope_seal_optional)

    def _connecting(self, check: LoginCheck, origin: Origin | None = None) -> Connector:
        given = self.settings
        return Connector(
            given.url("service"),
            check,
            given.database_pool_size,
            given.database_pool_timeout,
            self._options,
            positions=given.database_replica_url is not None,
            origin=origin,
        )

    @property
    def _own(self) -> Connector:
        """Connects as whoever the login is: no identity is sent, so it need not be able to carry one."""
        return self._connecting(LoginCheck(None))

    @property
    def _nobody(self) -> Scope:
        return Scope(None, self.settings.database_statement_timeout)

    @property
    def connections(self) -> int:
        """How many there may be at once."""
        return self._connector.pool_size + self._connector.options.max_overflow

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._connector.url})"

    def _road(
        self, after: str | None, replicas: Sequence[Callable[[], Engine]], primary: Callable[[], Engine]
    ) -> Road | None:
        """Return the way of a reader; None where there is only one, and nothing to be asked on it."""
        position = None if after is None else Position.parse(after)
        if not replicas and position is None:
            return None
        ways = [Way(replica, engine) for replica, engine in zip(self.replicas, replicas, strict=True)]
        in_turn = ways if self._in_order else sample(ways, len(ways))
        return Road(in_turn, primary, position, lenient=isinstance(after, Kept))


def _always(engine: Engine) -> Callable[[], Engine]:
    return lambda: engine


class Database(_Base):
    """The database as services see it: one user at a time.

    It may be made and used before a process forks: parent and children each have connections of their own.

    >>> db = Database()                             # configured by the environment
    >>> with db.session(user_id) as session:        # commits on success, rolls back on an exception
    ...     session.add(Todo(title="Buy milk"))
    """

    engine: Engine
    """The engine; what it sends outside of a session is refused."""

    @override
    def _open(self) -> None:
        # At once: of two threads that come first, each would make a pool.
        self.engine, self._login_engine = self._connector.engine(), self._own.engine()
        self._replica_engines = [to.engine() for to in self._reading]

    def session(
        self,
        user_id: UserId | None,
        *,
        organization_id: OrganizationId | None = None,
        isolation: Isolation | None = None,
    ) -> AbstractContextManager[Session]:
        """Act for ``user_id``; commit on success, roll back on an exception.

        Every transaction of the session carries the identity, also after a commit or a rollback inside of it. With
        ``organization_id`` it acts in that organization as well, in the same round trips: the database asks at every
        statement whether the user is a member, and answers NotMember. Raises MissingUserId, InvalidUserId or
        InvalidOrganizationId before anything is sent; what PostgreSQL answers is a DatabaseError.
        """
        return ScopedSession(
            self.engine, scope=self._scope(user_id, organization_id=organization_id, isolation=isolation)
        )

    def reader(
        self, user_id: UserId | None, *, organization_id: OrganizationId | None = None, after: str | None = None
    ) -> AbstractContextManager[Session]:
        """Read as ``user_id``: every statement is a transaction of its own, read only, and one round trip.

        It goes to DATABASE_REPLICA_URL, where that is set. ``after`` is ``session.info["position"]`` of a session that
        has committed: nothing older is shown; a replica that is not as far yet leaves the answer to the primary, which
        is a round trip more. Raises InvalidPosition for what is no position, or one of another timeline.
        """
        road = self._road(after, [_always(each) for each in self._replica_engines], lambda: self.engine)
        scope = self._scope(user_id, organization_id=organization_id, autocommit=True, road=road)
        return ScopedSession(self.engine, scope=scope)

    def login(self) -> AbstractContextManager[Session]:
        """Act for nobody, as the login itself: what its own role may, such as app_auth, or a role of administrators.

        For what comes before an identity (sign-in, sign-up), and for jobs across all users. Whoever the login is, it
        must not be above policies: RoleBypassesRLS. It has connections of its own, as many as ``session`` has.
        """
        return ScopedSession(self._login_engine, scope=self._nobody)

    def health(self) -> Health:
        """Tell whether this login may and can serve users now. Raises Unavailable or ConfigurationError."""
        return examine(self._connector, self._reading)

    def replica_health(self) -> tuple[ReplicaHealth, ...]:
        """Tell of each host of DATABASE_REPLICA_URL whether it can serve readers, also while the primary is away."""
        return tuple(examine_replica(each) for each in self._reading)

    def close(self) -> None:
        """Close the pool's connections; those in use are closed when their session ends."""
        for engine in (self.engine, *self._replica_engines, self._login_engine):
            engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncDatabase(_Base):
    """The database as asyncio services see it: as ``Database``, awaited.

    It may be used in several event loops, also in threads at once: each has connections of its own, as many as
    DATABASE_POOL_SIZE says. What a loop that has ended leaves is closed when the next one begins.
    """

    @override
    def _open(self) -> None:
        self._engines, self._login_engines = LoopEngines(self._connector), LoopEngines(self._own)
        self._replica_engines = [LoopEngines(to) for to in self._reading]

    @property
    def engine(self) -> "AsyncEngine":
        """The running event loop's engine; what it sends outside of a session is refused.

        Outside of a loop: the one that the first loop gets. Raises MissingExtra without "async".
        """
        return self._engines.current()

    def session(
        self,
        user_id: UserId | None,
        *,
        organization_id: OrganizationId | None = None,
        isolation: Isolation | None = None,
    ) -> "AbstractAsyncContextManager[AsyncSession]":
        """Act for ``user_id``; as ``Database.session``."""
        return self._engines.open(self._scope(user_id, organization_id=organization_id, isolation=isolation))

    def reader(
        self, user_id: UserId | None, *, organization_id: OrganizationId | None = None, after: str | None = None
    ) -> "AbstractAsyncContextManager[AsyncSession]":
        """Read as ``user_id``; as ``Database.reader``."""
        road = self._road(after, [each.sync_engine for each in self._replica_engines], self._engines.sync_engine)
        scope = self._scope(user_id, organization_id=organization_id, autocommit=True, road=road)
        return self._engines.open(scope)

    def login(self) -> "AbstractAsyncContextManager[AsyncSession]":
        """Act for nobody, as the login itself; as ``Database.login``."""
        return self._login_engines.open(self._nobody)

    async def health(self) -> Health:
        """Tell whether this login may and can serve users now; as ``Database.health``."""
        return await asyncio.to_thread(examine, self._connector, self._reading)

    async def replica_health(self) -> tuple[ReplicaHealth, ...]:
        """Tell of each host of DATABASE_REPLICA_URL whether it can serve readers; as ``Database.replica_health``."""
        return await asyncio.to_thread(lambda: tuple(examine_replica(each) for each in self._reading))

    async def close(self) -> None:
        """Close the pool's connections; those in use are closed when their session ends."""
        for engines in (self._engines, *self._replica_engines, self._login_engines):
            engines.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
