"""Sessions whose transactions all run in one scope."""

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any, override

import psycopg
import sqlalchemy.orm
from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import IllegalStateChangeError, InvalidRequestError, PendingRollbackError, SQLAlchemyError
from sqlalchemy.orm import SessionTransaction
from sqlalchemy.orm.exc import ObjectDeletedError, StaleDataError
from sqlmodel import Session

from userscope.connection.road import Road
from userscope.connection.scope import Scope
from userscope.errors import NotPermitted, RowGone, SessionInUse, StaleRow, Unavailable, UserscopeError
from userscope.postgres.sql import named
from userscope.postgres.sqlstate import failed, lost, name_refused

if not hasattr(Session, "_connection_for_bind"):
    raise ImportError("this SQLAlchemy has no Session._connection_for_bind, which readers leave a replica by")

_UNGRANTED = named(__package__, "ungranted.sql")
_NOT_GRANTED = "42501"
_ALREADY_CONNECTING = "isce"
"""What SQLAlchemy calls it where another thread or task has the session connect, or end."""
_NOT_REFRESHED = "Could not refresh instance"
"""How SQLAlchemy begins to say that a row is gone."""


class ScopedSession(Session):
    """A session whose transactions all run in one scope."""

    runs_on: Connection | None = None
    """What its last transaction began on."""
    ran_on: frozenset[Connection] = frozenset()
    """All that they have begun on: of a reader that left the replica, two."""
    over = False
    """Whether it was closed, though another thread or task may go on with it."""
    cut_short = False
    """Whether it was closed with a transaction open: what that had written is not to be taken for committed."""

    if not TYPE_CHECKING:
        # SQLModel has these warn in favour of exec(); an application of SQLAlchemy's own calls them everywhere.
        execute, query = sqlalchemy.orm.Session.execute, sqlalchemy.orm.Session.query

    def __init__(self, bind: Engine | None = None, *, scope: Scope, **options: Any) -> None:
        super().__init__(
            bind,
            # Objects stay as they were after the block: no hidden round trip, no MissingGreenlet.
            expire_on_commit=False,
            # A closed session stays closed, instead of beginning anew.
            close_resets_only=False,
            info={"position": None},
            **options,
        )
        self.scope = scope
        self._road = scope.road if isinstance(scope.road, Road) else None

    @override
    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        """Commit on success, roll back on an exception; close."""
        try:
            if error is None and (self.cut_short or not self.over):
                # Where every statement is a transaction of its own, only what is still pending is sent.
                (self.flush if self.scope.autocommit else self.commit)()
        except SQLAlchemyError as own:
            self.reword(own)
            raise
        else:
            if isinstance(error, SQLAlchemyError):
                self.reword(error)
        finally:
            self.close()

    def reword(self, error: SQLAlchemyError) -> None:
        """Raise in our words what SQLAlchemy says of its own states: two at once, or an error that was swallowed."""
        if isinstance(error, NotPermitted):
            name_columns(self, error)
        if isinstance(error, UserscopeError):
            return
        if isinstance(error, StaleDataError | ObjectDeletedError):
            raise (StaleRow if isinstance(error, StaleDataError) else RowGone) from error
        if not isinstance(error, InvalidRequestError):
            return
        if error.code == _ALREADY_CONNECTING:
            raise SessionInUse from error
        if self.runs_on is not None and self.runs_on.invalidated:
            raise lost() from error
        if str(error).startswith(_NOT_REFRESHED):
            raise RowGone from error
        if isinstance(error, PendingRollbackError):
            raise failed() from error

    @override
    def close(self) -> None:
        """Close. Raises SessionInUse where another thread or task goes on with it; what it does ends soon, in an error.

        A loss that shows only here is no error: the server rolls back by itself, and what led here is what to tell.
        """
        self.over, self.cut_short = True, self.cut_short or self.in_transaction()
        try:
            super().close()
        except Unavailable:
            pass
        except IllegalStateChangeError as error:
            raise SessionInUse from error
        finally:
            # SQLAlchemy keeps it out of the pool where the rollback was refused.
            for connection in self.ran_on:
                connection.close()

    @override
    def get_bind(self, *args: Any, **options: Any) -> Engine | Connection:
        """Return the engine: a reader's leads to the replica, until that cannot answer."""
        return self._road.engine if self._road else super().get_bind(*args, **options)

    @override
    def _connection_for_bind(self, engine: Any, *args: Any, **options: Any) -> Connection:
        try:
            return super()._connection_for_bind(engine, *args, **options)
        except UserscopeError as error:
            if not ((road := self._road) and road.unreachable(error)):
                raise
        except InvalidRequestError as error:
            if error.code != _ALREADY_CONNECTING:
                raise
            raise SessionInUse from error
        return self._connection_for_bind(road.engine, *args, **options)

    def onward(self) -> Connection:
        """Return a reader's connection to the next server, the primary at last; from now on it has no other."""
        return self.connection(bind_arguments={"bind": self.get_bind()})


@event.listens_for(ScopedSession, "after_begin", insert=True)  # a service's own listener may send something
def _bind(session: ScopedSession, _: SessionTransaction, connection: Connection) -> None:
    """Tell the connection for whom it sends from now on. Its cursors see to the rest; nothing is sent here."""
    if session.over:  # closed while another thread or task had it connect
        connection.close()
        raise SessionInUse
    driver_connection: Any = connection.connection.driver_connection
    driver_connection.scope = session.scope
    session.runs_on = connection
    session.ran_on |= {connection}
    if road := session._road:  # noqa: SLF001  # our own
        road.session = session


@event.listens_for(ScopedSession, "after_commit", insert=True)
def _keep_position(session: ScopedSession) -> None:
    """Tell how far the primary's log was behind the COMMIT; none was sent where the last one was rolled back."""
    if session.runs_on is not None and not session.runs_on.closed and not session.runs_on.invalidated:
        driver_connection: Any = session.runs_on.connection.driver_connection  # None: it was taken out of the pool
        if position := getattr(driver_connection, "position", None):
            session.info["position"] = position
            if tell := session.info.get("committed"):
                tell(position)


def name_columns(session: ScopedSession, error: NotPermitted) -> None:
    """Say what is not granted, and the cure: a column, or all of a relation that services were never let into.

    PostgreSQL names only the relation, in a message in the server's language; so the catalog is asked about whatever
    has a name among its words. The session's transaction is rolled back for it.
    """
    runs_on = session.runs_on
    if error.sqlstate != _NOT_GRANTED or runs_on is None or (error.hint and not error.written):
        return
    words = re.findall(r"[\w$]+", error.message)
    commands, columns = (list(each) for each in zip(*error.written, strict=True)) if error.written else ([], [])
    with suppress(psycopg.Error, SQLAlchemyError, UserscopeError):  # this is no more than advice
        connection = runs_on.connection
        connection.rollback()
        cursor = connection.cursor()
        cursor.execute(_UNGRANTED, {"words": words, "commands": commands, "columns": columns})
        found = cursor.fetchall()
        cursor.close()
        connection.rollback()  # what closes the session then has nothing to wait for
        name_refused(error, found)
