"""How long a connection may be used: what a session was given ends with it, and what a process made is its own.

A pool keeps what libpq holds, and each borrower gets a new psycopg connection around it. One that was kept beyond its
session, with its cursors, handlers and loaders, is dead. After a fork parent and child would share the socket, and read
each other's answers: the child's are dead at once, and it begins with an empty pool (see ``engine``).
"""

import os
from typing import Any, Self, override
from weakref import WeakSet

import psycopg
from psycopg.adapt import AdaptersMap
from psycopg.pq import PGconn

from userscope.errors import BeforeFork, OutsideSession, SessionError

NOWHERE = PGconn.connect_start(b"nowhere")
NOWHERE.finish()


class MortalConnection(psycopg.BaseConnection[Any]):
    """A connection that can end while what it was connected to goes on."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.grace = 10.0
        self.ended: type[SessionError] | None = None
        self.made_with: tuple[AdaptersMap, list[Any], list[Any], Any] | None = None
        self._autocommit, self._prepared.prepare_threshold = True, None
        _living.add(self)

    def lend(self) -> None:
        """Note what listeners set on a new connection: each borrower begins with that, whatever one of them adds."""
        if self.made_with is None:
            # Instrumentation of psycopg gives a new connection a subclass of our cursor.
            factory: Any = getattr(self, "cursor_factory")  # noqa: B009  # of the subclasses, as psycopg has it
            self.made_with = AdaptersMap(self.adapters), [*self._notice_handlers], [*self._notify_handlers], factory

    def successor(self) -> Self:
        """Hand what libpq holds to a new connection, and end this one.

        Raises SessionInUse where another thread or task goes on with it.
        """
        with self.lock:  # type: ignore[attr-defined]  # of the subclasses, as psycopg has it
            heir = type(self)(self.pgconn)
            heir.begin_as(self)
            self.end(OutsideSession)
        return heir

    def begin_as(self, other: Self) -> None:
        """Begin with what ``other`` began with."""
        self.grace, self.made_with = other.grace, other.made_with
        if self.made_with:
            adapters, notice_handlers, notify_handlers, self.cursor_factory = self.made_with
            self._adapters = AdaptersMap(adapters)
            self._notice_handlers, self._notify_handlers = [*notice_handlers], [*notify_handlers]

    def adapt_as(self, plain: psycopg.BaseConnection[Any]) -> None:
        """Read and write values as ``plain`` does."""
        self._adapters = plain.adapters

    def end(self, why: type[SessionError]) -> None:
        """Send nothing any more, and close nothing."""
        self.pgconn, self.ended = NOWHERE, why

    def refuse_ended(self) -> None:
        """Raise OutsideSession or BeforeFork where it has ended."""
        if self.ended:
            raise self.ended

    @override
    def _check_connection_ok(self) -> None:
        if not self.ended:  # what is sent is refused, in words of ours
            super()._check_connection_ok()


_living: WeakSet[MortalConnection] = WeakSet()


def _forked() -> None:
    """End everything in a child process, without a word to the server.

    The socket gives way to one that leads nowhere: the server is to notice when the parent dies, and libpq's own object
    may still be held by somebody.
    """
    nowhere = os.open(os.devnull, os.O_RDWR)
    for connection in _living:
        if not connection.closed:
            os.dup2(nowhere, connection.fileno())
        connection.end(BeforeFork)
    os.close(nowhere)


os.register_at_fork(after_in_child=_forked)
