"""SQLAlchemy's psycopg dialect without the questions it asks of a first connection: nobody's name, four round trips."""

from collections.abc import Callable
from functools import partial
from typing import Any, NoReturn, override

import psycopg
from sqlalchemy import Connection
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg, PGDialectAsync_psycopg
from sqlalchemy.engine import URL

from userscope.connection.road import Road
from userscope.errors import OperationRefused

DRIVER = "postgresql+userscope"

registry.register("postgresql.userscope", __name__, "ScopedDialect")


class _Quiet(PGDialect_psycopg):
    """Knows from the handshake, or from what this package promises, what its parent would ask for."""

    driver = "userscope"

    def __init__(self, connector: Any = None, **options: Any) -> None:
        self._connector = connector
        super().__init__(use_native_hstore=False, **options)  # type: ignore[no-untyped-call]  # SQLAlchemy's

    @override
    def create_connect_args(self, url: URL) -> Any:
        """Nothing: the connector knows all, and listeners of ``do_connect`` may add parameters of libpq's."""
        return (), {}

    @override
    def _get_server_version_info(self, connection: Connection) -> tuple[int, ...]:
        driver_connection: Any = connection.connection.driver_connection
        version: int = driver_connection.info.server_version
        return divmod(version, 10000)

    @override
    def _get_default_schema_name(self, connection: Connection) -> str:
        return "public"

    @override
    def get_default_isolation_level(self, dbapi_conn: Any) -> NoReturn:
        raise NotImplementedError  # which SQLAlchemy takes for "unknown": it is chosen when a session is opened

    @override
    def _set_backslash_escapes(self, connection: Connection) -> None:
        self._backslash_escapes = False

    @override
    def do_execute(self, cursor: Any, statement: Any, parameters: Any, context: Any = None) -> None:
        if self._connector.primary is None:
            super().do_execute(cursor, statement, parameters, context)  # type: ignore[no-untyped-call]  # SQLAlchemy's
        else:
            self._carry(super().do_execute, cursor, statement, parameters, context)

    @override
    def do_execute_no_params(self, cursor: Any, statement: Any, context: Any = None) -> None:
        self.do_execute(cursor, statement, None, context)  # psycopg reads no "%" where there are no parameters

    @override
    def do_executemany(self, cursor: Any, statement: Any, parameters: Any, context: Any = None) -> None:
        self._carry(super().do_executemany, cursor, statement, parameters, context)

    def _carry(self, execute: Callable[..., None], cursor: Any, statement: Any, parameters: Any, context: Any) -> None:
        """Execute; where a replica cannot answer a reader rightly, the next server does, on a cursor of its own."""
        connection: Any = context and context.root_connection.connection.driver_connection
        road = connection.scope.road if connection and connection.replica and connection.scope else None
        while isinstance(road, Road) and connection.replica:
            if road.leads_by(connection):
                try:
                    execute(cursor, statement, parameters, context)
                    return
                except psycopg.Error as error:
                    if not road.gives_up(connection, error):
                        raise
            cursor.close()
            onward = road.session.onward().connection
            connection = onward.driver_connection
            context.cursor = cursor = onward.cursor()
        execute(cursor, statement, parameters, context)

    @override
    def do_savepoint(self, connection: Connection, name: str) -> None:
        driver_connection: Any = connection.connection.driver_connection
        if driver_connection.scope and driver_connection.scope.autocommit:
            raise OperationRefused(
                "a savepoint",
                "Every statement of a reader is a transaction of its own.",
                "Use Database.session(user_id).",
            )
        super().do_savepoint(connection, name)  # type: ignore[no-untyped-call]  # SQLAlchemy's


class ScopedDialect(_Quiet):
    """For Engine."""

    supports_statement_cache = True

    @override
    def connect(self, *_: Any, **params: Any) -> Any:
        return self._connector.make(self._psycopg_adapters_map, **params)

    @classmethod
    @override
    def get_async_dialect_cls(cls, url: URL) -> type["AsyncScopedDialect"]:
        return AsyncScopedDialect


class AsyncScopedDialect(_Quiet, PGDialectAsync_psycopg):
    """For AsyncEngine."""

    supports_statement_cache = True

    @override
    def connect(self, *_: Any, **params: Any) -> Any:
        make = partial(self._connector.make_async, self._psycopg_adapters_map, **params)
        return self.loaded_dbapi.connect(async_creator_fn=make)

    @override
    def do_rollback(self, dbapi_connection: Any) -> None:
        """Roll back, where there is anything: awaiting nothing costs as much as awaiting something."""
        if dbapi_connection.driver_connection.to_roll_back:
            super().do_rollback(dbapi_connection)  # type: ignore[no-untyped-call]  # SQLAlchemy's

    @override
    def do_close(self, dbapi_connection: Any) -> None:
        """Close as psycopg does, which awaits nothing; so what an event loop connected can be closed after its end."""
        dbapi_connection.driver_connection.pgconn.finish()
