"""psycopg's connections and cursors, with one rule: nothing reaches the server that does not carry the scope.

Every cursor of psycopg asks before it sends (``_start_query``, psycopg's place for a BEGIN); ours send what
``Scope.preamble`` asks for there, and the connection refuses all others. ``execute`` needs no trip of its own for that:
the first statement of a transaction travels in one pipeline with its preamble. The driver itself is in autocommit and
never begins a transaction.

psycopg keeps its logic in generators that its sync and async classes share, and so does this module. They are not
documented by psycopg: pyproject.toml pins its minor version, an import fails where a name is gone, and
tests/connection/test_roads.py tries every entry point.
"""

from collections.abc import Iterable, Sequence
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
from psycopg.sql import Composable

from userscope.connection.base import ScopedConnectionBase, refused
from userscope.connection.scope import Command, Scope
from userscope.errors import TooManyParameters
from userscope.postgres.sqlstate import Elsewhere

OVERRIDDEN = {
    psycopg.BaseConnection: ("_start_query", "_check_connection_ok", "_commit_gen"),
    BaseCursor: ("_start_query", "_execute_gen", "_execute_send", "_start_copy_gen"),
    ServerCursorMixin: ("_declare_gen",),
}
"""What psycopg must still call by these names: of one that it renamed, nobody would notice that ours is not called."""

for _owner, _names in OVERRIDDEN.items():
    for _name in _names:
        if not hasattr(_owner, _name):
            raise ImportError(
                f"psycopg {psycopg.__version__} has no {_owner.__name__}.{_name}, which carries the identity",
                name="psycopg",
            )

_COPYING = {ExecStatus.COPY_IN, ExecStatus.COPY_OUT}


def _fitting(query: PostgresQuery) -> PostgresQuery:
    """Return it. Raises TooManyParameters where libpq would refuse it, half of a pipeline being sent by then."""
    if query.params and len(query.params) > TooManyParameters.MOST:
        raise TooManyParameters(len(query.params))
    return query


class _Scoped(BaseCursor[Any, Any]):
    """What all cursors share; see psycopg's methods of the same names."""

    def __init__(self, connection: Any, *args: Any, **options: Any) -> None:
        self.scope: Scope | None = connection.scope
        super().__init__(connection, *args, **options)

    def _begin_gen(self, query: Query | None, *, needs_block: bool) -> PQGen[list[Command]]:
        """Start a query as psycopg does; return what has to be sent before it."""
        connection = self._conn
        preamble: list[Command] = connection.preamble(self.scope, needs_block=needs_block)
        connection.authorized = True
        try:
            yield from super()._start_query(query)
        finally:
            connection.authorized = False
        return preamble

    @override
    def _start_query(self, query: Query | None = None) -> PQGen[None]:
        pipeline = self._conn._pipeline  # noqa: SLF001  # our own connection's, made by executemany()
        preamble = yield from self._begin_gen(query, needs_block=pipeline is None)
        if pipeline is not None:
            if self._conn.replica:
                raise Elsewhere("what several statements at once answer is not looked at")
            if self.scope and self.scope.closing(distributed=self._conn.distributed):
                raise psycopg.errors.ReadOnlySqlTransaction("cannot execute several statements at once in a reader")
            for command in preamble:
                pipeline.command_queue.append(partial(command.send, self._pgconn))
                pipeline.result_queue.append(None)
        elif preamble:  # libpq streams and copies outside of pipelines only: a trip more
            yield from self._send_gen(preamble)

    @override
    def _execute_gen(
        self, query: Query, params: Params | None = None, *, prepare: bool | None = None, binary: bool | None = None
    ) -> PQGen[None]:
        if self._conn.idle:
            self._set_results((yield from self._first_gen(query, params, binary=binary)))
        else:
            yield from super()._execute_gen(query, params, prepare=False, binary=binary)

    def _first_gen(
        self, query: Query, params: Params | None, *, binary: bool | None = None, needs_block: bool = False
    ) -> PQGen[list[PGresult]]:
        """Execute the first statement of a transaction in one trip with its preamble; return its results."""
        preamble = yield from self._begin_gen(query, needs_block=needs_block)
        self._query = _fitting(self._convert_query(query, params))
        form = self.format if binary is None else Format(binary)
        closing = self.scope.closing(distributed=self._conn.distributed) if self.scope else ()
        results = yield from self._send_gen(preamble, self._query, form, closing)
        self._last_query = query
        return results

    def _send_gen(
        self,
        preamble: Iterable[Command],
        query: PostgresQuery | None = None,
        form: Format = Format.TEXT,
        closing: Sequence[Command] = (),
    ) -> PQGen[list[PGresult]]:
        """Send a preamble, a statement and its end in one pipeline, one trip; return the results of the statement."""
        pgconn = self._pgconn
        pgconn.enter_pipeline_mode()
        for command in preamble:
            command.send(pgconn)
        if query:
            pgconn.send_query_params(
                query.query, query.params, param_formats=query.formats, param_types=query.types, result_format=form
            )
        pgconn.pipeline_sync()
        for command in closing:  # behind a sync, so that it ends the block of a statement that failed as well
            command.send(pgconn)
            pgconn.pipeline_sync()
        yield from send(pgconn)
        syncs = 1 + len(closing)
        answers: list[list[PGresult]] = []
        answer: list[PGresult] = []
        failure: Exception | None = None
        while True:
            try:
                answer = yield from fetch_many(pgconn)
                if answer[0].status == ExecStatus.PIPELINE_SYNC:
                    if syncs := syncs - 1:
                        continue
                    break
                self._check_results(answer)
                answers.append(answer)
            except psycopg.Error as error:
                failure = failure or error  # the first tells why; the rest only that they were not run
                if pgconn.status == ConnStatus.BAD or any(result.status in _COPYING for result in answer):
                    pgconn.finish()  # libpq cannot copy in a pipeline, nor leave it then
                    raise failure from None
        pgconn.exit_pipeline_mode()
        if failure:
            raise failure
        del answers[len(answers) - len(closing) :]
        if query and self.scope and (road := self.scope.road):
            asked = answers[-2][0]  # with the identity, before the statement
            texts = [asked.get_value(0, asked.nfields + column) for column in range(-road.columns, 0)]
            road.judge(self._conn, [None if text is None else text.decode() for text in texts])
        return answers[-1]

    @override
    def _start_copy_gen(self, statement: Query, params: Params | None = None) -> PQGen[None]:
        if params or not isinstance(statement, str | bytes | Composable):
            raise refused(
                "COPY with parameters", "It has none: psycopg writes the values into the statement, which others read."
            )
        yield from super()._start_copy_gen(statement)

    @override
    def _execute_send(self, query: PostgresQuery, *, force_extended: bool = False, binary: bool | None = None) -> None:
        # One command a statement, in later ones as in the first: only the extended protocol refuses "…; commit; …".
        super()._execute_send(_fitting(query), force_extended=True, binary=binary)


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
        if not self._conn.idle:
            yield from super()._declare_gen(query, params, binary)
            return
        yield from self._first_gen(self._make_declare_statement(query), params, needs_block=True)
        self._iter_rows = None
        self._format = self.format if binary is None else Format(binary)
        yield from self._describe_gen()


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
        if self.to_roll_back:
            super().rollback()

    @override
    def close(self) -> None:
        if not self.forsake():
            super().close()

    @override
    def wait[T](self, gen: PQGen[T], *args: Any, **options: Any) -> T:
        self.refuse_ended()
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
        if self.to_roll_back:
            await super().rollback()

    @override
    async def close(self) -> None:
        if not self.forsake():
            await super().close()

    @override
    async def wait[T](self, gen: PQGen[T], *args: Any, **options: Any) -> T:
        self.refuse_ended()
        bounded = self._bounded(gen)
        try:
            return await super().wait(bounded, *args, **options)
        except BaseException as error:
            self._interrupted(bounded, error)
            raise


def row_gen(connection: ScopedConnection | AsyncScopedConnection, query: str) -> PQGen[Any]:
    """Execute and return the first row, for ``connection.wait``: what sync and async share."""
    cursor = connection.cursor()
    yield from cursor._execute_gen(query)  # noqa: SLF001  # what execute() waits for
    return cursor._tx.load_row(0, cursor._make_row)  # noqa: SLF001  # what fetchone() returns
