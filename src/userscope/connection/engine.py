"""SQLAlchemy engines whose connections were examined, act for one user at a time, and are replaced when they died."""

import inspect
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import psycopg
import sqlalchemy
from psycopg.abc import AdaptContext, PQGen
from sqlalchemy import URL, Engine, event
from sqlalchemy.engine import ExceptionContext

from userscope.connection.base import ScopedConnectionBase
from userscope.connection.cursor import AsyncScopedConnection, AsyncScopedCursor, ScopedConnection, ScopedCursor
from userscope.connection.dialect import DRIVER
from userscope.connection.lifetime import NOWHERE
from userscope.connection.login_check import LoginCheck
from userscope.connection.options import EngineOptions, told, told_async
from userscope.connection.pool import AsyncScopedPool, ScopedPool, check_out, reset
from userscope.connection.replica import Introduction, Origin, Replica
from userscope.connection.scope import Scope
from userscope.errors import ConfigurationError, MissingExtra, Unavailable
from userscope.postgres.connect import conninfo, worded
from userscope.postgres.sqlstate import READ_ONLY, read_only, to_error
from userscope.postgres.url import ConnectionURL

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

logger = logging.getLogger(__name__)


_QUIET: dict[str, Any] = {"autocommit": True, "prepare_threshold": None}
"""No BEGIN and no prepared statement is the driver's."""


@dataclass(frozen=True)
class Connector:
    """How the connections of one engine are made: where to, judged by whom, how many, how long to wait (seconds)."""

    url: ConnectionURL
    login_check: LoginCheck
    pool_size: int
    pool_timeout: float
    options: EngineOptions = field(default_factory=EngineOptions)
    positions: bool = False
    """Whether what is committed will be looked for on a replica."""
    origin: Origin | None = None
    """Where there are replicas: what is known of the primary."""
    replica: Replica | None = None
    """Where it leads; None to the primary."""
    primary: "Connector | None" = None
    """Of a connector that leads to a replica: the one that leads to the primary."""

    def engine(self) -> Engine:
        """Return an engine; it connects when it is first used."""
        # By its module: instrumentation replaces it there.
        engine = sqlalchemy.create_engine(self._name, connector=self, poolclass=ScopedPool, **self._options)
        self._listen(engine)
        return engine

    def async_engine(self) -> "AsyncEngine":
        """Return an engine for asyncio; it connects when it is first used. Raises MissingExtra."""
        try:
            from sqlalchemy.ext.asyncio import create_async_engine
        except ImportError as error:
            raise MissingExtra("greenlet", "async") from error

        engine = create_async_engine(self._name, connector=self, poolclass=AsyncScopedPool, **self._options)
        self._listen(engine.sync_engine)
        return engine

    @property
    def _name(self) -> URL:
        params = self.url.params
        return URL.create(DRIVER, username=self.url.user or None, database=params["dbname"])

    @property
    def _options(self) -> dict[str, Any]:
        # No value of a statement shows in an error or a log.
        return {
            "pool_size": self.pool_size,
            "pool_timeout": self.pool_timeout,
            "pool_reset_on_return": None,  # see reset
            "hide_parameters": True,
            **self.options.engine,
        }

    @property
    def nobody(self) -> Scope:
        """For questions about the database itself: being judged is a part of connecting, and has as much time."""
        asked = Introduction(self.origin, self.replica) if self.origin else None
        return Scope(None, f"{self.url.connect_timeout}s", autocommit=True, road=asked)

    def _to_be_compared(self) -> "Connector | None":
        """Return what leads to the primary, where this leads to a replica and nobody has met the primary yet.

        It is not waited for long: where it answers later, what leads to a replica is compared then.
        """
        if self.primary is None or (self.origin and self.origin.identity):
            return None
        return replace(self.primary, url=replace(self.primary.url, patience=self.url.patience))

    def connect(self) -> ScopedConnection:
        """Connect, for nobody yet and without a judgement. Raises ConfigurationError or Unavailable."""
        return self._connected({})

    def _connected(self, params: dict[str, Any], context: AdaptContext | None = None) -> ScopedConnection:
        fresh = self.options.password if "password" not in params else None
        with worded(self.url):
            # In no variable of these frames stands the password: tools that report errors look there.
            connection = ScopedConnection.connect(
                conninfo(self.url, **params | (told(fresh) if fresh else {})),
                context=context,
                cursor_factory=ScopedCursor,
                **_QUIET,
            )
        return self._instructed(connection)

    def make(self, context: AdaptContext | None = None, **params: Any) -> ScopedConnection:
        """Connect for a pool: judged, for nobody yet. ``params`` are libpq's, which go before the URL's.

        ``context`` says how values are read and written.
        """
        if primary := self._to_be_compared():
            with suppress(Unavailable):  # readers go on without it
                primary.make().close()
        connection = self._connected(params, context)
        with self._judging(connection) as check:
            connection.wait(check)
            if self.options.on_connect:
                with _plainly(connection, psycopg.Connection) as plain:
                    self.options.on_connect(plain)
        return connection

    async def make_async(self, context: AdaptContext | None = None, **params: Any) -> AsyncScopedConnection:
        """As ``make``."""
        if primary := self._to_be_compared():
            with suppress(Unavailable):
                await (await primary.make_async()).close()
        fresh = self.options.password if "password" not in params else None
        with worded(self.url):
            connection = await AsyncScopedConnection.connect(
                conninfo(self.url, **params | (await told_async(fresh) if fresh else {})),
                context=context,
                cursor_factory=AsyncScopedCursor,
                **_QUIET,
            )
        with self._judging(self._instructed(connection)) as check:
            await connection.wait(check)
            if self.options.on_connect:
                with _plainly(connection, psycopg.AsyncConnection) as plain:
                    done = self.options.on_connect(plain)
                    if inspect.isawaitable(done):
                        await done
        return connection

    def _instructed[C: ScopedConnectionBase](self, connection: C) -> C:
        connection.grace, connection.replica = self.pool_timeout, self.replica
        connection.wants_position = self.positions
        return connection

    @contextmanager
    def _judging(self, connection: ScopedConnection | AsyncScopedConnection) -> Iterator[PQGen[None]]:
        """Yield the login check, to be waited for; close a connection that must not serve."""
        try:
            with worded(self.url):  # it is a part of connecting: nobody's statement may have run
                yield self.login_check.check_gen(connection, self.nobody)
        except BaseException:
            connection.pgconn.finish()
            raise
        info = connection.info
        logger.info('connected to database "%s" as "%s", backend %s', info.dbname, info.user, info.backend_pid)

    def _listen(self, engine: Engine) -> None:
        event.listen(engine, "checkout", check_out)
        event.listen(engine, "reset", reset)
        event.listen(engine, "handle_error", self._handle_error, retval=True)
        _engines.add(engine)

    def _handle_error(self, context: ExceptionContext) -> Exception | None:
        connection = context.connection
        driver: ScopedConnectionBase | None = (
            connection.connection.driver_connection if connection and not connection.invalidated else None
        )
        if driver is not None and driver.closed and not driver.ended:
            # Closed by us as well, where something interrupted it half-way; the pool must not keep it.
            context.is_disconnect = True
        known = to_error(context.original_exception, self.login_check.constraint_messages, context.statement)
        if driver is None or known is None or getattr(known, "sqlstate", None) != READ_ONLY:
            return known
        if driver.scope and driver.scope.read_only:
            return known
        # Not we made this transaction read only: a standby did, or an administrator. Another server may be the one that
        # writes by now, so this connection is given up; the others may be read from.
        context.is_disconnect, context.invalidate_pool_on_disconnect = True, False
        return read_only(known)


@contextmanager
def _plainly(connection: ScopedConnectionBase, kind: type[Any]) -> Iterator[Any]:
    """Lend what libpq holds to a plain connection, and keep the types that are registered on it.

    It acts for nobody, and what it leaves behind goes with the first transaction's DISCARD ALL.
    """
    plain = kind(connection.pgconn)
    plain._autocommit = True  # noqa: SLF001  # to set it as others do would ask the server
    try:
        yield plain
        if connection.idle:
            connection.adapt_as(plain)
            return
    finally:
        plain.pgconn = NOWHERE
    raise ConfigurationError("on_connect left a transaction open", hint="Let it commit, or roll back.")


_engines: WeakSet[Engine] = WeakSet()


def _forked() -> None:
    """In a child process: begin with an empty pool; the parent's connections have ended here (see ``base``)."""
    for engine in _engines:
        engine.dispose(close=False)


os.register_at_fork(after_in_child=_forked)
