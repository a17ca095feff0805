"""psycopg's connections and cursors, with one rule: nothing reaches the server that does not carry the scope.

The first statement of a transaction travels in one pipeline with what ``Scope.opening`` asks for. The driver itself is
in autocommit and never begins a transaction. What is not written here is refused: every cursor of psycopg asks its
connection before it sends (``_start_query``), and only these cursors have been admitted.

psycopg keeps its logic in generators that its sync and async classes share, and so does this module. They are not
documented by psycopg: pyproject.toml pins its minor version, and tests/connection/test_roads.py tries every road.
Should one be renamed, statements go without BEGIN and without an identity, which shows no rows.
"""

from collections.abc import Iterable
from functools import partial
from typing import Any, override

import psycopg
from psycopg._cursor_base import BaseCursor
from psycopg._queries import PostgresQuery
from psycopg._server_cursor_base import ServerCursorMixin
from psycopg.abc import Params, PQGen, Query
from psycopg.generators import fetch_many, send
from psycopg.pq import ConnStatus, ExecStatus, Format
from psycopg.pq.abc import PGresult

from userscope.connection.base import ScopedConnectionBase, refused
from userscope.connection.scope import Command, Scope

_COPYING = {ExecStatus.COPY_IN, ExecStatus.COPY_OUT}


class _Scoped(BaseCursor[Any, Any]):
    """What all cursors share; see psycopg's methods of the same names."""

    def __init__(self, connection: Any, *args: Any, **options: Any) -> None:
        self.scope: Scope | None = connection.scope
        super().__init__(connection, *args, **options)

    @override
    def _execute_gen(
        self, query: Query, params: Params | None = None, *, prepare: bool | None = None, binary: bool | None = None
    ) -> PQGen[None]:
        with self._conn.admit(self.scope) as opening:
            if not opening:
                yield from super()._execute_gen(query, params, prepare=False, binary=binary)
                return
            yield from self._start_query(query)
            self._query = self._convert_query(query, params)
            form = self.format if binary is None else Format(binary)
            self._set_results((yield from self._open_gen(opening, self._query, form)))
            self._last_query = query

    def _open_gen(
        self, opening: Iterable[Command], query: PostgresQuery | None = None, form: Format = Format.TEXT
    ) -> PQGen[list[PGresult]]:
        """Send the opening and a statement in one pipeline, one trip; return the results of the last."""
        pgconn = self._pgconn
        pgconn.enter_pipeline_mode()
        for command, values in opening:
            pgconn.send_query_params(command, values)
        if query:
            pgconn.send_query_params(
                query.query, query.params, param_formats=query.formats, param_types=query.types, result_format=form
            )
        pgconn.pipeline_sync()
        yield from send(pgconn)
        results: list[PGresult] = []
        answer: list[PGresult] = []
        failure: Exception | None = None
        while True:
            try:
                answer = yield from fetch_many(pgconn)
                if answer[0].status == ExecStatus.PIPELINE_SYNC:
                    break
                self._check_results(answer)
                results = answer
            except psycopg.Error as error:
                failure = failure or error  # the first tells why; the rest only that they were not run
                if pgconn.status == ConnStatus.BAD or any(result.status in _COPYING for result in answer):
                    pgconn.finish()  # libpq cannot copy in a pipeline, nor leave it then
                    raise failure from None
        pgconn.exit_pipeline_mode()
        if failure:
            raise failure
        return results

    @override
    def _executemany_gen_pipeline(self, query: Query, params_seq: Iterable[Params], returning: bool) -> PQGen[None]:
        with self._conn.admit(self.scope) as opening:
            pipeline = self._conn._pipeline  # noqa: SLF001  # our own connection's, made by executemany()
            for command, values in opening:
                pipeline.command_queue.append(partial(self._pgconn.send_query_params, command, values))
                pipeline.result_queue.append(None)
            yield from super()._executemany_gen_pipeline(query, params_seq, returning)

    @override
    def _stream_send_gen(
        self, query: Query, params: Params | None = None, *, binary: bool | None = None, size: int
    ) -> PQGen[None]:
        with self._conn.admit(self.scope, needs_block=True) as opening:
            if opening:  # libpq streams outside of pipelines only: a trip more
                yield from self._open_gen(opening)
            yield from super()._stream_send_gen(query, params, binary=binary, size=size)

    @override
    def _start_copy_gen(self, statement: Query, params: Params | None = None) -> PQGen[None]:
        with self._conn.admit(self.scope, needs_block=True) as opening:
            if opening:  # libpq copies outside of pipelines only: a trip more
                yield from self._open_gen(opening)
            yield from super()._start_copy_gen(statement, params)

    @override
    def _execute_send(self, query: PostgresQuery, *, force_extended: bool = False, binary: bool | None = None) -> None:
        # One command a statement, in later ones as in the first: only the extended protocol refuses "…; commit; …".
        super()._execute_send(query, force_extended=True, binary=binary)


class _ScopedServer(_Scoped, ServerCursorMixin[Any, Any]):
    """What both server-side cursors share."""

    @property
    @override
    def closed(self) -> bool:
        """Whether it is closed, by itself or with its connection: SQLAlchemy forgets those of one that is lost."""
        return self._closed or self._conn.closed

    @override
    def _declare_gen(self, query: Query, params: Params | None = None, binary: bool | None = None) -> PQGen[None]:
        if self._withhold:
            raise refused("WITH HOLD", "Its rows would outlive the identity they were read for.")
        with self._conn.admit(self.scope, needs_block=True) as opening:
            if not opening:
                yield from super()._declare_gen(query, params, binary)
                return
            statement = self._make_declare_statement(query)
            yield from self._start_query(statement)
            self._iter_rows = None
            yield from self._open_gen(opening, self._convert_query(statement, params))
            self._format = self.format if binary is None else Format(binary)
            yield from self._describe_gen()

    @override
    def _fetch_gen(self, num: int | None) -> PQGen[list[Any]]:
        with self._conn.admit(self.scope, needs_block=True):
            return (yield from super()._fetch_gen(num))


class ScopedCursor(_Scoped, psycopg.Cursor[Any]):
    """A cursor whose transactions begin with their identity."""


class AsyncScopedCursor(_Scoped, psycopg.AsyncCursor[Any]):
    """A cursor whose transactions begin with their identity."""


class ScopedServerCursor(_ScopedServer, psycopg.ServerCursor[Any]):
    """A server-side cursor, whose DECLARE begins a transaction with its identity where it is the first."""


class AsyncScopedServerCursor(_ScopedServer, psycopg.AsyncServerCursor[Any]):
    """A server-side cursor, whose DECLARE begins a transaction with its identity where it is the first."""


class ScopedConnection(ScopedConnectionBase, psycopg.Connection[Any]):
    """A connection that sends nothing without a scope."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.cursor_factory, self.server_cursor_factory = ScopedCursor, ScopedServerCursor

    @override
    def commit(self) -> None:
        self.refuse_failed()
        if not self.idle:
            super().commit()

    @override
    def rollback(self) -> None:
        if not self.idle:
            super().rollback()

    @override
    def close(self) -> None:
        if not self.forsake():
            super().close()

    @override
    def wait[T](self, gen: PQGen[T], *args: Any, **options: Any) -> T:
        bounded = self._bounded(gen)
        try:
            return super().wait(bounded, *args, **options)
        except BaseException as error:
            self._interrupted(bounded, error)
            raise


class AsyncScopedConnection(ScopedConnectionBase, psycopg.AsyncConnection[Any]):
    """A connection that sends nothing without a scope."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.cursor_factory, self.server_cursor_factory = AsyncScopedCursor, AsyncScopedServerCursor

    @override
    async def commit(self) -> None:
        self.refuse_failed()
        if not self.idle:
            await super().commit()

    @override
    async def rollback(self) -> None:
        if not self.idle:
            await super().rollback()

    @override
    async def close(self) -> None:
        if not self.forsake():
            await super().close()

    @override
    async def wait[T](self, gen: PQGen[T], *args: Any, **options: Any) -> T:
        bounded = self._bounded(gen)
        try:
            return await super().wait(bounded, *args, **options)
        except BaseException as error:
            self._interrupted(bounded, error)
            raise
