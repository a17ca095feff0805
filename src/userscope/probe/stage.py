"""Acting: as somebody, for a moment, and everything is as it was afterwards."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from userscope.postgres.connect import connect
from userscope.postgres.sql import ident
from userscope.postgres.url import ConnectionURL
from userscope.probe.catalog.read import Connection
from userscope.probe.worlds import ALICE, World

_PATIENCE = 20.0
"""Seconds that a statement of the superuser's may take: it may meet a trigger that hangs."""


@dataclass(frozen=True)
class Actor:
    """Who acts: a role, as whom, and the statements by which the database learns of it."""

    role: str
    world: World | None
    who: str
    session: tuple[str, ...] = ()

    @property
    def login(self) -> tuple[str, ...]:
        """The statements that a session of theirs begins with."""
        return (f"set session authorization {ident(self.role)}", *self.session)

    @property
    def alice(self) -> bool:
        """Whether Alice acts."""
        return self.world is ALICE


@dataclass(frozen=True)
class Outcome:
    """What came of a statement: its rows, or the error, and how many rows it touched."""

    rows: Sequence[tuple[Any, ...]]
    error: psycopg.Error | None
    count: int

    @property
    def state(self) -> str | None:
        """The SQLSTATE, if it failed."""
        return self.error.sqlstate if self.error else None

    @property
    def did(self) -> bool:
        """Whether it succeeded, and touched a row."""
        return self.error is None and self.count > 0


class Stage:
    """A superuser's session in the copy, in which everybody else's statements are tried."""

    def __init__(self, url: ConnectionURL, limit: float) -> None:
        self.url = url
        self.limit = limit
        """Seconds that a statement may take."""
        self.notices: list[str] = []
        self._ready: set[Actor] = set()
        """Who became somebody by settings alone, without an error: they do so again."""
        self._depth = 0
        self.connection = self._open()

    def _open(self) -> Connection:
        connection: Connection = connect(self.url, autocommit=True)
        connection.prepare_threshold = None
        connection.execute(f"set statement_timeout = '{max(_PATIENCE, self.limit):g}s'".encode())
        connection.add_notice_handler(lambda said: self.notices.append(said.message_primary or ""))
        return connection

    @contextmanager
    def anew(self) -> Iterator["Stage"]:
        """A stage of its own: a session in which no setting was ever made."""
        other = Stage(self.url, self.limit)
        try:
            yield other
        finally:
            other.close()

    def close(self) -> None:
        """End the session."""
        self.connection.close()

    def execute(self, statement: str) -> psycopg.Cursor[tuple[Any, ...]]:
        """Run one or more statements as whoever acts."""
        return self.connection.execute(statement.encode())

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Run a statement, and return its rows."""
        return self.execute(statement).fetchall()

    def attempt(self, statement: str) -> Outcome:
        """Try a statement as whoever acts; where it fails, what it did is undone. It is one trip, or two."""
        within = self.connection.info.transaction_status is not TransactionStatus.IDLE
        try:
            cursor = self.execute(f"savepoint tried; {statement}" if within else statement)
            while cursor.nextset():
                pass
            rows = cursor.fetchall() if cursor.description else []
            return Outcome(rows, None, cursor.rowcount)
        except psycopg.Error as error:
            if self.connection.closed:
                raise
            if within:
                self.execute("rollback to savepoint tried")
            return Outcome((), error, 0)

    @contextmanager
    def acting(self, actor: Actor) -> Iterator[None]:
        """Act as somebody; it is undone at the end."""
        limit = f"set local statement_timeout = '{self.limit:g}s'"
        ready = actor in self._ready
        with self.undone("; ".join([limit, _becoming(actor)]) if ready else limit):  # one trip, where it is known to do
            if not ready:
                self.become(actor)
            yield

    def become(self, actor: Actor) -> None:
        """Act as somebody else from here on, within ``acting``. Who cannot sign in acts as nobody knows whom."""
        if self.attempt(_becoming(actor)).error:
            self.execute(_role(actor))
            for statement in actor.session:
                self.attempt(statement)
        elif all(statement.startswith("set ") for statement in actor.session):
            self._ready.add(actor)

    @contextmanager
    def undone(self, first: str = "") -> Iterator[None]:
        """Undo at the end what happens in the block, which begins with ``first``."""
        nested = self.connection.info.transaction_status is not TransactionStatus.IDLE
        self._depth += 1
        name = f"undone_{self._depth}"
        self.execute(f"savepoint {name}; {first}" if nested else f"begin; {first}")
        try:
            yield
        finally:
            self._depth -= 1
            if not self.connection.closed:
                self.execute(f"rollback to savepoint {name}; release savepoint {name}" if nested else "rollback")

    def as_superuser(self, role: str, query: str) -> list[tuple[Any, ...]]:
        """Look as the superuser for a moment, while ``role`` acts."""
        become = "set local session authorization"
        cursor = self.execute(f"{become} default; {query}; {become} {ident(role)}")
        cursor.nextset()
        return cursor.fetchall()

    @contextmanager
    def superuser(self, role: str) -> Iterator[None]:
        """Do something as the superuser, while ``role`` acts."""
        self.execute("set local session authorization default")
        yield
        self.execute(f"set local session authorization {ident(role)}")

    def arrange(self, *statements: str) -> bool:
        """Change rows past triggers and foreign keys, as the superuser; whether each statement worked on a row."""
        self.execute("set local session_replication_role = replica")
        done = [self.attempt(statement) for statement in statements]
        self.execute("set local session_replication_role = origin")
        return all(outcome.did for outcome in done)


def _becoming(actor: Actor) -> str:
    return "; ".join([_role(actor), *actor.session])


def _role(actor: Actor) -> str:
    return f"set local session authorization default; set local session authorization {ident(actor.role)}"
