"""How long a connection may be used: what a session was given ends with it, and what a process made is its own.

A pool keeps what libpq holds, and each borrower gets a new psycopg connection around it. One that was kept beyond its
session, with its cursors, handlers and loaders, is dead. After a fork parent and child would share the socket, and read
each other's answers: the child's are dead at once, and it begins with an empty pool (see ``engine``).
"""

import os
from collections import deque
from functools import partial
from typing import Any, Self, override
from weakref import ReferenceType, WeakSet, ref

import psycopg
from psycopg.adapt import AdaptersMap
from psycopg.pq import PGconn

from userscope.errors import BeforeFork, OutsideSession, SessionError

NOWHERE = PGconn.connect_start(b"nowhere")
NOWHERE.finish()


class _Link:
    """Goes with what libpq holds, from one borrower's connection to the next."""

    holder: ReferenceType[Any]


class MortalConnection(psycopg.BaseConnection[Any]):
    """A connection that can end while what it was connected to goes on."""

    lock: Any

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.grace = 10.0
        self.ended: type[SessionError] | None = None
        self._autocommit, self._prepared.prepare_threshold = True, None
        self._made_with: dict[str, Any] | None = None
        self._link = _Link()
        self._link.holder = ref(self)
        _living.add(self._link)

    def lend(self) -> None:
        """Note what listeners set on a new connection: each borrower begins with that, whatever one of them adds."""
        if self._made_with is None:
            kept = AdaptersMap(self.adapters), (*self._notice_handlers,), (*self._notify_handlers,)
            self._made_with = {**vars(self)}
            self._made_with |= zip(("_adapters", "_notice_handlers", "_notify_handlers"), kept, strict=True)

    def successor(self) -> Self:
        """Hand what libpq holds to a new connection, and end this one.

        Raises SessionInUse where another thread or task goes on with it.
        """
        with self.lock:
            self.lend()  # nobody had it yet, if it was not
            heir = type(self).__new__(type(self))
            heir.begin_as(self)
            self.end(OutsideSession)
        return heir

    def begin_as(self, other: Self) -> None:
        """Begin as ``other`` did. What psycopg's own beginning would make anew, at three times the price, is copied.

        Shared is what nobody may change: the note of how both began, and psycopg's of statements that are prepared,
        which none ever is.
        """
        made_with, pgconn = other._made_with or {}, other.pgconn
        vars(self).update(made_with)
        self._made_with, self.pgconn, self.lock = made_with, pgconn, type(other.lock)()
        self._adapters = AdaptersMap(self._adapters)
        self._notice_handlers, self._notify_handlers = [*self._notice_handlers], [*self._notify_handlers]
        self._notifies_backlog = deque()
        me: ReferenceType[psycopg.BaseConnection[Any]] = ref(self)
        self._link.holder = me
        pgconn.notice_handler = partial(self._notice_handler, me)
        pgconn.notify_handler = partial(self._notify_handler, me)

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


_living: WeakSet[_Link] = WeakSet()


def _forked() -> None:
    """End everything in a child process, without a word to the server.

    The socket gives way to one that leads nowhere: the server is to notice when the parent dies, and libpq's own object
    may still be held by somebody.
    """
    nowhere = os.open(os.devnull, os.O_RDWR)
    for link in _living:
        if connection := link.holder():
            if not connection.closed:
                os.dup2(nowhere, connection.fileno())
            connection.end(BeforeFork)
    os.close(nowhere)


os.register_at_fork(after_in_child=_forked)
