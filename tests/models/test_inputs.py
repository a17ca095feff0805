"""The limits that inputs are checked against are the constraints': what one accepts, so does the other."""

import sys
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from pydantic import ValidationError
from sqlmodel import Session, select

from tests.clusters import Database
from tests.connection.conftest import make_user, settings_for
from userscope.database import Database as Served
from userscope.errors import DatabaseError
from userscope.models import Account, Todo, TodoCreate, TodoPublic, TodoUpdate, UserPublic, UserUpdate

BLANKS = "".join(filter(str.isspace, map(chr, range(sys.maxunicode + 1))))
"""Every character that Python takes for a blank."""

TITLES = {
    "one character": "x",
    "200 characters": "x" * 200,
    "201 characters": "x" * 201,
    "200 characters of four bytes": "\U0001f95b" * 200,
    "201 characters of four bytes": "\U0001f95b" * 201,
    "empty": "",
    "a blank": " ",
    "every blank there is": BLANKS,
    "blanks around": f"{BLANKS}x",
    "a zero-width space, which is no blank": "\u200b",
    "a NUL": "a\0",
    "an odd backslash": "\\",
}
DESCRIPTIONS = {
    "none": None,
    "empty": "",
    "10,000 characters": "x" * 10_000,
    "10,001 characters": "x" * 10_001,
    "a NUL": "\0",
}


def _stored(session: Session, todo: Todo) -> bool:
    """Whether the database takes it."""
    try:
        with session.begin_nested():
            session.add(todo)
    except DatabaseError:
        return False
    return True


def _valid(kind: type[TodoCreate | TodoUpdate | UserUpdate], **values: Any) -> bool:
    try:
        kind.model_validate(values)
    except ValidationError:
        return False
    return True


def test_limits(database: Database) -> None:
    """Titles and descriptions at every boundary: both sides decide alike."""
    with Served(settings_for(database.url("service"))) as db, db.session(make_user(database)) as session:
        titles = {name: _stored(session, Todo(title=title)) for name, title in TITLES.items()}
        texts = {name: _stored(session, Todo(title="x", description=text)) for name, text in DESCRIPTIONS.items()}
    for kind in (TodoCreate, TodoUpdate):
        assert {name: _valid(kind, title=title) for name, title in TITLES.items()} == titles
        assert {name: _valid(kind, title="x", description=text) for name, text in DESCRIPTIONS.items()} == texts
    assert {name for name, taken in titles.items() if not taken} == {
        "201 characters", "201 characters of four bytes", "empty", "a blank", "every blank there is", "a NUL",
    }  # fmt: skip
    assert {name for name, taken in texts.items() if not taken} == {"10,001 characters", "a NUL"}


def test_every_blank(database: Database) -> None:
    """Each blank of Unicode alone is no title, for Python and for the database."""
    with Served(settings_for(database.url("service"))) as db, db.session(make_user(database)) as session:
        taken = [blank for blank in BLANKS if _stored(session, Todo(title=blank)) or _valid(TodoCreate, title=blank)]
    assert (taken, len(BLANKS) > 20) == ([], True)


@pytest.mark.parametrize("zone", ["UTC", "Etc/GMT-14", "Etc/GMT+12"])
def test_moments(database: Database, zone: str) -> None:
    """What is accepted as a moment can be read again, wherever the server is; what is beyond cannot, and is refused."""
    with database.superuser_connection() as connection:
        connection.execute(f"alter database {database.name} set timezone to '{zone}'")
    accepted = [datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)]
    beyond = [
        datetime.min.replace(tzinfo=timezone(timedelta(hours=14))),
        datetime.max.replace(tzinfo=timezone(-timedelta(hours=14))),
        datetime.min.replace(tzinfo=UTC),
        datetime.max.replace(tzinfo=UTC),
    ]
    assert [_valid(TodoCreate, title="x", due_at=moment) for moment in (*accepted, *beyond)] == [True] * 2 + [False] * 4
    user = make_user(database)
    with Served(settings_for(database.url("service"))) as db:
        with db.session(user) as session:
            session.add_all([Todo(title="x", due_at=moment) for moment in accepted])
        with db.reader(user) as session:
            assert sorted(todo.due_at for todo in session.exec(select(Todo)) if todo.due_at) == accepted
        with db.session(user) as session:
            session.add_all([Todo(title="x", due_at=moment) for moment in beyond[:2]])
        with db.reader(user) as session, pytest.raises((DatabaseError, psycopg.DataError)):
            session.exec(select(Todo)).all()


@pytest.mark.parametrize("field", ["owner_id", "created_at", "updated_at", "id"])
def test_not_for_clients(field: str) -> None:
    """What the database sets cannot be sent along, not even to be ignored."""
    value = uuid4() if field.endswith("id") else datetime.now(UTC)
    assert not _valid(TodoCreate, title="x", **{field: value})
    assert not _valid(TodoUpdate, **{field: value})
    assert _valid(TodoCreate, title="x")


def test_changes(database: Database) -> None:
    """What is left out of a change stays; null only where the column takes it."""
    assert TodoUpdate.model_validate({}).model_dump(exclude_unset=True) == {}
    assert TodoUpdate.model_validate({"due_at": None}).model_dump(exclude_unset=True) == {"due_at": None}
    assert not _valid(TodoUpdate, title=None)
    assert not _valid(TodoUpdate, completed=None)
    assert not _valid(TodoUpdate, due_at="2026-05-01T09:00:00")  # without a zone it is no moment
    assert _valid(TodoUpdate, due_at="2026-05-01T09:00:00+02:00")
    with Served(settings_for(database.url("service"))) as db, db.session(make_user(database)) as session:
        todo = Todo.model_validate(TodoCreate(title="x", description="y"))
        session.add(todo)
        session.flush()
        todo.sqlmodel_update(TodoUpdate(completed=True).model_dump(exclude_unset=True))
        session.flush()
        assert (todo.title, todo.description, todo.completed) == ("x", "y", True)
        assert TodoPublic.model_validate(todo).model_dump() == todo.model_dump(exclude={"owner_id"})


def test_user(database: Database) -> None:
    """A user changes name and image, and sees the whole of their own account."""
    assert not _valid(UserUpdate, email="other@example.org")
    assert not _valid(UserUpdate, name="\0")
    assert _valid(UserUpdate, name="", image=None)
    user = make_user(database)
    with Served(settings_for(database.url("service"))) as db, db.session(user) as session:
        me = session.get(Account, user)
        assert me
        me.sqlmodel_update(UserUpdate(name="Alice", image="https://example.org/a.png").model_dump(exclude_unset=True))
        session.flush()
        assert UserPublic.model_validate(me).model_dump() == me.model_dump()
        assert me.name == "Alice"
