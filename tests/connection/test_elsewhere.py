"""Errors that SQLAlchemy or Python would raise: ours when they leave the session, and still SQLAlchemy's to catch."""

import re
from functools import partial
from uuid import UUID, uuid4

import pytest
from sqlalchemy import exc
from sqlalchemy.orm.exc import ObjectDeletedError, StaleDataError
from sqlmodel import Session, col, select

from tests.clusters import Database
from tests.connection.conftest import MakeServed
from tests.connection.served import Served, run
from tests.connection.test_identity_binding import titles
from userscope.errors import (
    BrokenConstraint,
    Conflict,
    DatabaseError,
    NotPermitted,
    RowGone,
    StaleRow,
    Unavailable,
)
from userscope.models import Todo
from userscope.postgres.url import ConnectionURL


def _first(session: Session) -> Todo:
    return session.exec(select(Todo).order_by(col(Todo.title))).all()[0]


def _read_and_deleted(home: Database, session: Session) -> Todo:
    """A todo that somebody deletes once it was read."""
    todo = _first(session)
    session.commit()
    with home.superuser_connection() as superuser:
        superuser.execute("delete from app.todos where id = %s", [todo.id])
    return todo


def test_caught_as_sqlalchemys(served: Served, alice: UUID) -> None:
    """What a library of a service catches is caught: a key that is taken, a value, a right."""

    def twice(session: Session) -> None:
        todo = Todo(title="x")
        session.add(todo)
        session.flush()
        session.expunge(todo)
        session.add(Todo(id=todo.id, title="y"))

    with pytest.raises(exc.IntegrityError) as taken:
        served.session(alice, twice)
    assert isinstance(taken.value, Conflict)
    assert taken.value.orig is taken.value.__cause__
    with pytest.raises(exc.IntegrityError):
        served.session(alice, lambda session: session.add(Todo(title=" ")))
    with pytest.raises(exc.DataError):
        served.session(alice, lambda session: run(session, "select 1/0"))
    with pytest.raises(exc.ProgrammingError):
        served.session(alice, lambda session: run(session, "select id from app.sessions"))


@pytest.mark.parametrize("opened", ["session", "reader"])
def test_autoflush(served: Served, alice: UUID, opened: str) -> None:
    """What a query flushed is told as a flush is, and SQLAlchemy's own remark stands beneath the traceback."""

    def flushed(session: Session) -> None:
        session.add(Todo(title=" "))
        _first(session)

    with pytest.raises(BrokenConstraint if opened == "session" else NotPermitted) as raised:
        getattr(served, opened)(alice, flushed)
    assert "autoflush" not in str(raised.value)
    assert ["autoflush" in note for note in raised.value.__notes__] == [True]


def test_closed_early(served: Served, alice: UUID) -> None:
    """Closed by its own block, a session has ended well where it was committed, and is told where it was not."""

    def closed(session: Session, *, committed: bool) -> None:
        session.add(Todo(title="early"))
        session.flush()
        if committed:
            session.commit()
        session.close()

    with pytest.raises(exc.InvalidRequestError, match="permanently closed"):
        served.session(alice, partial(closed, committed=False))
    assert "early" not in served.reader(alice, titles)
    served.session(alice, partial(closed, committed=True))
    assert "early" in served.reader(alice, titles)


def test_stale(served: Served, home: Database, alice: UUID) -> None:
    """A row that was deleted meanwhile cannot be changed: a conflict."""

    def overtaken(session: Session) -> None:
        _read_and_deleted(home, session).title = "changed"

    with pytest.raises(StaleRow, match="was changed or deleted since it was read") as stale:
        served.session(alice, overtaken)
    assert isinstance(stale.value, Conflict)
    assert isinstance(stale.value, StaleDataError)


def test_gone(served: Served, home: Database, alice: UUID) -> None:
    """A row that is read anew and is gone: ours, whichever way SQLAlchemy notices."""

    def refreshed(session: Session) -> None:
        session.refresh(_read_and_deleted(home, session))

    def expired(session: Session) -> str:
        todo = _read_and_deleted(home, session)
        session.expire(todo)
        return todo.title

    for work in (refreshed, expired):
        with pytest.raises(RowGone, match="is gone") as gone:
            served.session(alice, work)
        assert isinstance(gone.value, ObjectDeletedError)


def test_merged(served: Served, alice: UUID) -> None:
    """An object that was made anew and merged would write what is the database's: the column is named, and the cure."""
    todo = served.reader(alice, _first)
    with pytest.raises(NotPermitted) as refused:
        served.session(alice, lambda session: session.merge(Todo(id=todo.id, title="a part")))
    assert "owner_id" in (refused.value.detail or "")
    assert "get the row, and set what changes" in (refused.value.hint or "")


def test_hidden_afterwards(served: Served, home: Database, alice: UUID) -> None:
    """A soft delete whose SELECT policy hides the row: the words fit."""
    with home.superuser_connection() as superuser:
        superuser.execute("create policy hide on app.todos as restrictive for select to app_user using (not completed)")
        try:
            with pytest.raises(NotPermitted) as refused:
                served.session(
                    alice, lambda session: run(session, "update app.todos set completed = true where not completed")
                )
        finally:
            superuser.execute("drop policy hide on app.todos")
    assert "marked as deleted" in (refused.value.detail or "")


def test_unreadable(served: Served, alice: UUID) -> None:
    """A time that Python cannot hold is no mistake of who reads it, and is not repeated; as text it can be read."""
    for value in ("infinity", "-infinity", "0044-03-15 BC", "12000-01-01"):
        for read in (served.session, served.reader):
            with pytest.raises(DatabaseError, match="cannot be read into Python") as unread:
                read(alice, lambda session: run(session, f"select timestamptz '{value}'"))  # noqa: B023  # called now
            assert (type(unread.value), unread.value.sqlstate) == (DatabaseError, None)
            assert f"'{value}'" not in f"{unread.value} {unread.value.__cause__}"
    served.reader(alice, lambda session: run(session, "select timestamptz 'infinity'::text"))


def test_connecting(make_served: MakeServed, home: Database) -> None:
    """Nothing was sent where nobody could connect, so nobody wonders whether it ran."""
    url = home.url("service")
    nowhere = ConnectionURL(url.variable, {**url.params, "host": "127.0.0.1", "port": "1"})
    with pytest.raises(Unavailable) as refused:
        make_served(nowhere).reader(uuid4(), lambda session: run(session, "select 1"))
    assert isinstance(refused.value, exc.OperationalError)
    assert not re.search("last statement|not committed", str(refused.value))
    assert "is DATABASE_URL right?" in (refused.value.hint or "")
