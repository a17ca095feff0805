"""One connection: sends a trip of messages at once, shows notices, stops cleanly on a signal."""

import select
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from types import FrameType
from typing import Self

import psycopg
from psycopg import pq
from psycopg.errors import Diagnostic

from userscope.errors import Unavailable
from userscope.migrations.registry.write import LOCK, ROLLBACK, SYNC, Statement
from userscope.postgres.connect import connect
from userscope.postgres.url import ConnectionURL

type Rows = list[dict[str, str | None]]

_FIELD = pq.DiagnosticField
_PART = 1 << 18
"""How much of a script is sent before its answers are read, in characters or bytes."""
_MESSAGES = 5_000
_IN_LINE = """
select coalesce(bool_or(pid = %s), false), coalesce(bool_or(pid <> %s), false)
from pg_catalog.pg_locks
where not granted and locktype = 'advisory' and (classid, objid, objsubid) = (0, %s, 1)
    and database = (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database())
"""
_AGAIN = "Run the command again: what was not recorded was rolled back, and it continues from there."


class Failed(Exception):  # a carrier between client and runner, which words the error
    """The server refused a message; ``failures.wording`` words it."""

    def __init__(self, message: Statement, result: pq.abc.PGresult) -> None:
        super().__init__(message.sql)
        self.message = message
        self.sqlstate = _field(result, _FIELD.SQLSTATE)
        self.primary = _field(result, _FIELD.MESSAGE_PRIMARY)
        self.detail = _field(result, _FIELD.MESSAGE_DETAIL)
        self.hint = _field(result, _FIELD.MESSAGE_HINT)
        self.context = _field(result, _FIELD.CONTEXT)
        position = _field(result, _FIELD.STATEMENT_POSITION)
        # The line in the script: PostgreSQL counts characters from the statement's beginning.
        self.line = message.line + message.sql.count("\n", 0, int(position) - 1) if position else message.line


class Client:
    """A connection in autocommit, used through ``run``."""

    def __init__(
        self,
        connection: psycopg.Connection,
        notice: Callable[[str, str], None],
        again: Callable[[], psycopg.Connection] | None = None,
    ) -> None:
        self.stopped = False
        self._notice = notice
        self._again = again
        self._use(connection)

    def _use(self, connection: psycopg.Connection) -> None:
        self.connection = connection
        self._pgconn = connection.pgconn
        connection.add_notice_handler(self._on_notice)

    @classmethod
    def connect(cls, url: ConnectionURL, notice: Callable[[str, str], None]) -> Self:
        """Connect; ``notice`` gets the severity and text of what the server remarks.

        Raises Unavailable or ConfigurationError.
        """
        again = partial(connect, url, autocommit=True)
        return cls(again(), notice, again)

    def renew(self) -> bool:
        """Go on in a new session, which Sqitch's lock is handed on to: it stands in line before the lock is let go.

        Returns whether somebody else stood there as well, who may have had the lock meanwhile. Raises Unavailable or
        ConfigurationError.
        """
        if self._again is None:
            return False
        before, fresh = self.connection, self._again()
        in_line, others = False, False
        try:
            fresh.pgconn.send_query(f"select pg_catalog.pg_advisory_lock({LOCK})".encode())
            while not _answered(fresh.pgconn) and not in_line:
                time.sleep(0.002)
                pid = fresh.info.backend_pid
                in_line, others = before.execute(_IN_LINE, [pid, pid, LOCK]).fetchone() or (False, False)
            before.close()
            while fresh.pgconn.is_busy():
                _wait(fresh.pgconn)
            while (result := fresh.pgconn.get_result()) is not None:
                if result.status != pq.ExecStatus.TUPLES_OK:
                    raise psycopg.OperationalError(fresh.pgconn.get_error_message())
        except psycopg.OperationalError as error:
            fresh.close()
            raise _lost(error) from None
        self._use(fresh)
        return others

    @property
    def variables(self) -> dict[str, str]:
        """What psql would set of its connection."""
        pgconn = self._pgconn
        version = (pgconn.parameter_status(b"server_version") or b"").decode()
        return {
            "DBNAME": pgconn.db.decode(),
            "USER": pgconn.user.decode(),
            "HOST": pgconn.host.decode(),
            "PORT": pgconn.port.decode(),
            "SERVER_VERSION_NAME": version.partition(" ")[0],
            "SERVER_VERSION_NUM": str(pgconn.server_version),
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def run(self, trip: Sequence[Statement]) -> list[Rows]:
        """Send the messages at once and return the rows of each, ``SYNC`` not counted, nor those of scripts.

        Data of COPY goes by itself, and a long trip in parts. Raises Failed for the first that the server refuses,
        Unavailable where the connection is lost.
        """
        answers: list[Rows] = []
        nothing: Rows = []  # one for all: a script may have ever so many statements
        for part in _parts(trip):
            sent = [message for message in part if message is not SYNC]
            try:
                results = self._exchange(part) if part[0].data is None else [self._copy(part[0], part[0].data)]
            except psycopg.OperationalError as error:
                raise _lost(error) from None
            for message, result in zip(sent, results, strict=True):
                if result.status == pq.ExecStatus.FATAL_ERROR:
                    raise Failed(message, result)
                answers.append(nothing if message.path else _rows(result))
        return answers

    def _copy(self, message: Statement, data: bytes) -> pq.abc.PGresult:
        """Run a COPY and send its data. Return the last answer, or the first that is an error."""
        pgconn = self._pgconn
        pgconn.nonblocking = 1
        pgconn.send_query(message.sql.encode())
        final = self._answer()
        while final is not None and final.status == pq.ExecStatus.COPY_IN:
            for start in range(0, len(data), _PART):
                while pgconn.put_copy_data(data[start : start + _PART]) == 0:
                    _wait(pgconn)
                while pgconn.flush():
                    _wait(pgconn)
            while pgconn.put_copy_end() == 0:
                _wait(pgconn)
            final = self._answer()
        if final is None:
            raise psycopg.OperationalError(pgconn.get_error_message())
        while self._answer() is not None:
            pass
        if pgconn.status != pq.ConnStatus.OK:
            raise psycopg.OperationalError(pgconn.get_error_message())
        return final

    def _answer(self) -> pq.abc.PGresult | None:
        while self._pgconn.is_busy():
            _wait(self._pgconn)
        return self._pgconn.get_result()

    def _exchange(self, trip: Sequence[Statement]) -> list[pq.abc.PGresult]:
        pgconn = self._pgconn
        pgconn.nonblocking = 1
        pgconn.enter_pipeline_mode()
        for message in trip:
            if message is SYNC:
                pgconn.pipeline_sync()
            else:
                params = [None if param is None else param.encode() for param in message.params]
                pgconn.send_query_params(message.sql.encode(), params)
        pgconn.pipeline_sync()
        results = []
        syncs = 1 + sum(message is SYNC for message in trip)
        while syncs:
            while pgconn.is_busy():
                _wait(pgconn)
            result = pgconn.get_result()
            if result is None:
                if pgconn.status != pq.ConnStatus.OK:
                    raise psycopg.OperationalError(pgconn.get_error_message())
                continue
            if result.status == pq.ExecStatus.PIPELINE_SYNC:
                syncs -= 1
            else:
                results.append(result)
        pgconn.exit_pipeline_mode()
        return results

    def roll_back(self) -> None:
        """End an open or failed transaction, if the connection still stands."""
        open_ = self._pgconn.transaction_status != pq.TransactionStatus.IDLE
        if open_ and self._pgconn.status == pq.ConnStatus.OK:
            self.run([ROLLBACK])

    def pause(self, seconds: float) -> None:
        """Wait. Raises KeyboardInterrupt once a signal has asked to stop, as ``heed`` does."""
        until = time.monotonic() + seconds
        while (rest := until - time.monotonic()) > 0:
            self.heed()
            time.sleep(min(rest, 0.05))
        self.heed()

    def heed(self) -> None:
        """Raise KeyboardInterrupt if a signal has asked to stop."""
        if self.stopped:
            raise KeyboardInterrupt

    @contextmanager
    def stoppable(self) -> Iterator[None]:
        """Let SIGINT and SIGTERM cancel the running statement and set ``stopped``; a second one ends at once."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def stop(_number: int, _frame: FrameType | None) -> None:
            if self.stopped:
                raise KeyboardInterrupt
            self.stopped = True
            with suppress(psycopg.Error):
                self.connection.cancel_safe(timeout=5)

        before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_notice(self, diagnostic: Diagnostic) -> None:
        self._notice(diagnostic.severity_nonlocalized or "", diagnostic.message_primary or "")


def _parts(trip: Sequence[Statement]) -> Iterator[Sequence[Statement]]:
    """Cut a trip where COPY sends data, and where much of a script was sent: an open transaction stays open."""
    start = size = 0
    for index, message in enumerate(trip):
        if message.data is not None:
            if index > start:
                yield trip[start:index]
            yield trip[index : index + 1]
        elif message.path is None or (size + len(message.sql) < _PART and index - start < _MESSAGES):
            size += len(message.sql)
            continue
        else:
            yield trip[start : index + 1]
        start, size = index + 1, 0
    if start < len(trip):
        yield trip[start:]


def _wait(pgconn: pq.abc.PGconn) -> None:
    poll = select.poll()  # select() itself fails where this process has a thousand files open
    poll.register(pgconn.socket, select.POLLIN | (select.POLLOUT if pgconn.flush() else 0))
    poll.poll()
    pgconn.consume_input()


def _answered(pgconn: pq.abc.PGconn) -> bool:
    """Whether what was sent has its answer; does not wait."""
    pgconn.flush()
    pgconn.consume_input()
    return not pgconn.is_busy()


def _lost(error: psycopg.Error) -> Unavailable:
    said = next(iter(str(error).splitlines()), "")
    return Unavailable("the connection to the server was lost", detail=f"libpq said: {said}.", hint=_AGAIN)


def _field(result: pq.abc.PGresult, field: pq.DiagnosticField) -> str:
    return (result.error_field(field) or b"").decode(errors="replace")


def _rows(result: pq.abc.PGresult) -> Rows:
    names = [(result.fname(column) or b"").decode() for column in range(result.nfields)]
    return [
        {
            name: None if (value := result.get_value(row, column)) is None else value.decode()
            for column, name in enumerate(names)
        }
        for row in range(result.ntuples)
    ]
