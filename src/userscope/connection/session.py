"""Sessions whose transactions all run in one scope."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.orm import SessionTransaction
from sqlmodel import Session

from userscope.connection.scope import Scope

OPTIONS: dict[str, Any] = {
    # Objects stay as they were after the block: no hidden round trip, no MissingGreenlet.
    "expire_on_commit": False,
    # A closed session stays closed, instead of beginning anew.
    "close_resets_only": False,
}
"""Of every session."""


class ScopedSession(Session):
    """A session whose transactions all run in ``info["scope"]``."""


@event.listens_for(ScopedSession, "after_begin")
def _bind(session: Session, _: SessionTransaction, connection: Connection) -> None:
    """Tell the connection for whom it sends from now on. Its cursors see to the rest; nothing is sent here."""
    driver_connection: Any = connection.connection.driver_connection
    driver_connection.scope = session.info["scope"]


@contextmanager
def open_session(engine: Engine, scope: Scope) -> Iterator[Session]:
    """Open a session; commit on success, roll back on an exception.

    Where every statement is a transaction of its own there is nothing to commit; what is still pending is sent.
    """
    with ScopedSession(engine, info={"scope": scope}, **OPTIONS) as session:
        yield session
        finish = session.flush if scope.single else session.commit
        finish()
