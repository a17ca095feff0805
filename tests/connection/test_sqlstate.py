"""What PostgreSQL answers becomes one tree of errors: told apart, in the constraint's words, without values."""

import logging
import re
import secrets
import select as select_module
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.pq import TransactionStatus
from sqlalchemy.exc import ProgrammingError
from sqlmodel import Session, select

from tests.clusters import Database
from tests.connection.conftest import MakeServed, make_user
from tests.connection.served import Served, run
from tests.connection.test_identity_binding import libpq_of
from userscope.errors import (
    BrokenConstraint,
    Conflict,
    DatabaseError,
    InvalidValue,
    NotPermitted,
    Retryable,
    SealRejected,
    Unavailable,
    UnknownReference,
)
from userscope.identity import SealKey
from userscope.models import Account, Todo


class Answer(NamedTuple):
    """An error's class, SQLSTATE, message and detail; what brings it about."""

    kind: type[DatabaseError]
    sqlstate: str | None
    message: str
    detail: str | None
    work: Callable[[Session], object]


def _run(statement: str, **values: object) -> Callable[[Session], object]:
    return lambda session: run(session, statement, **values)


def _add(**values: Any) -> Callable[[Session], object]:
    return lambda session: session.add(Todo(**values))


def _twice(session: Session) -> None:
    todo = uuid4()
    run(session, "insert into app.todos (id, title) values (:id, 'x')", id=todo)
    run(session, "insert into app.todos (id, title) values (:id, 'x')", id=todo)


ANSWERS = {
    "a constraint": Answer(
        BrokenConstraint, "23514", 'new row for relation "todos" violates check constraint "todos_title_check"',
        "A title has 1 to 200 characters and is not blank.", _add(title=" ")),
    "another": Answer(
        BrokenConstraint, "23514", 'new row for relation "todos" violates check constraint "todos_description_check"',
        "A description has at most 10000 characters.", _add(title="x", description="x" * 10_001)),
    "a key": Answer(
        Conflict, "23505", 'duplicate key value violates unique constraint "todos_pkey"',
        "You already have a todo with this id.", _twice),
    "nothing where something must be": Answer(
        BrokenConstraint, "23502", 'null value in column "title" of relation "todos" violates not-null constraint',
        '"title" of "todos" cannot be empty.', _run("insert into app.todos (title) values (null)")),
    "a row that others need, as PostgreSQL 18 says it": Answer(
        UnknownReference, "23001", "needed", None,
        _run("do $$ begin raise exception 'needed' using errcode = '23001'; end $$")),
    "a malformed value": Answer(
        InvalidValue, "22P02", "invalid text representation", None,
        _run("select cast(cast(:v as text) as int)", v="x")),
    "a number too big": Answer(
        InvalidValue, "22003", "numeric value out of range", None,
        _run("select cast(cast(:v as text) as int)", v="9" * 20)),
    "a division": Answer(InvalidValue, "22012", "division by zero", None, _run("select 1/0")),
    "a NUL": Answer(
        InvalidValue, None, "a text cannot be sent to PostgreSQL",
        "PostgreSQL text fields cannot contain NUL (0x00) bytes.", _add(title="a\0b")),
    "a surrogate": Answer(
        InvalidValue, None, "a text cannot be sent to PostgreSQL",
        "It holds a lone surrogate, which is no character.", _add(title="a\ud800b")),
    "another's row": Answer(
        NotPermitted, "42501", "permission denied for table todos",
        "The service's role was not granted this, and owner_id is the database's to set; rights are given column by "
        "column.",
        lambda session: session.add(Todo(title="x", owner_id=uuid4()))),
    "columns that are the database's": Answer(
        NotPermitted, "42501", "permission denied for table todos",
        "The service's role was not granted this, and created_at, updated_at are the database's to set; rights are "
        "given column by column.",
        _run("update app.todos set created_at = now(), updated_at = now()")),
    "an upsert of one": Answer(
        NotPermitted, "42501", "permission denied for table todos",
        "The service's role was not granted this, and updated_at is the database's to set; rights are given column by "
        "column.",
        _run("insert into app.todos (title) values ('x') on conflict (owner_id, id) do update set updated_at = now()")),
    "no identity": Answer(
        NotPermitted, "42501", 'new row violates row-level security policy for table "todos"',
        "The row as it would be is not this user's to write, or to see afterwards: a SELECT policy that hides what is "
        "marked as deleted refuses the marking too. So it is as well where no identity reached the statement.",
        lambda session: [run(session, "commit and chain"), run(session, "insert into app.todos (title) values ('x')")]),
    "a table that is closed": Answer(
        NotPermitted, "42501", "permission denied for table sessions",
        "The service's role was not granted this; rights are given column by column.",
        _run("select id from app.sessions")),
    "a timeout": Answer(
        Unavailable, "57014", "canceling statement due to statement timeout", None, _run("select pg_sleep(5)")),
    "a killed backend": Answer(
        Unavailable, "57P01", "terminating connection due to administrator command", None,
        _run("select pg_terminate_backend(pg_backend_pid())")),
    "a mistake in SQL": Answer(
        DatabaseError, "42P01", 'relation "app.todo" does not exist', None, _run("select 1 from app.todo")),
}  # fmt: skip


@pytest.mark.parametrize("later", [False, True], ids=["first", "later"])
def test_answers(make_served: MakeServed, alice: UUID, later: bool) -> None:
    """Each answer has its class, message and sentence, in a first statement as in a later one."""
    served = make_served(database_statement_timeout="1s")

    def fail(answer: Answer) -> tuple[object, ...]:
        def work(session: Session) -> None:
            if later:
                run(session, "select 1")
            answer.work(session)
            session.flush()

        with pytest.raises(DatabaseError) as raised:
            served.session(alice, work)
        error = raised.value
        assert isinstance(error.__cause__, psycopg.Error | UnicodeEncodeError)
        return type(error), error.sqlstate, error.message, error.detail

    expected = {name: answer[:4] for name, answer in ANSWERS.items()}
    assert {name: fail(answer) for name, answer in ANSWERS.items()} == expected


def test_reader_cannot_write(served: Served, alice: UUID) -> None:
    """A reader that writes is told what to use instead, also when nothing was sent before the block's end."""
    with pytest.raises(NotPermitted, match=re.escape("Use Database.session(user_id): a reader cannot write.")):
        served.reader(alice, _add(title="lost otherwise"))


def test_upsert(served: Served, alice: UUID) -> None:
    """An id is one owner's, so it is the pair that conflicts; who names the id alone is told so."""
    todo = uuid4()
    upsert = (
        "insert into app.todos (id, title) values (:id, :title) on conflict ({}) do update set title = excluded.title"
    )
    served.session(alice, lambda session: run(session, upsert.format("owner_id, id"), id=todo, title="one"))
    served.session(alice, lambda session: run(session, upsert.format("owner_id, id"), id=todo, title="two"))
    with pytest.raises(DatabaseError) as raised:
        served.session(alice, lambda session: run(session, upsert.format("id"), id=todo, title="three"))
    assert (raised.value.sqlstate, "(owner_id, id)" in (raised.value.hint or "")) == ("42P10", True)
    kept = "select title from app.todos where id = :id"
    assert served.session(alice, lambda session: run(session, kept, id=todo)) == ["two"]


def test_deleted_user(served: Served, home: Database) -> None:
    """A user whose account is gone owns nothing, and can add nothing."""
    with pytest.raises(UnknownReference) as raised:
        served.session(uuid4(), _add(title="x"))
    assert raised.value.detail == "The user who owns this todo does not exist."
    assert served.reader(uuid4(), lambda session: session.exec(select(Account)).all()) == []
    del home


@pytest.mark.parametrize(
    "fail", [_run("select 1/0"), lambda session: [session.add(Todo(title=" ")), session.flush()]], ids=["run", "flush"]
)
def test_swallowed_error(make_served: MakeServed, alice: UUID, fail: Callable[[Session], object]) -> None:
    """A transaction that a swallowed error has lost is never taken for committed, nor left open in the pool."""
    served = make_served(database_pool_size=1)
    libpq = served.session(alice, libpq_of)

    def swallow(session: Session) -> None:
        session.add(Todo(title="lost"))
        session.flush()
        with suppress(InvalidValue):
            fail(session)

    with pytest.raises(DatabaseError, match="an earlier statement of the transaction failed") as raised:
        served.session(alice, swallow)
    assert (raised.value.sqlstate, (raised.value.hint or "")[:20]) == ("25P02", "Nothing was written.")
    assert libpq.transaction_status == TransactionStatus.IDLE
    titles = "select title from app.todos where title in ('lost', 'kept')"
    served.session(alice, lambda session: run(session, "insert into app.todos (title) values ('kept')"))
    assert served.reader(alice, lambda session: [run(session, titles), libpq_of(session)]) == [["kept"], libpq]


def test_idle_for_too_long(served: Served, alice: UUID) -> None:
    """A transaction that the server ended because nothing came is gone, and the next one is served."""

    def dawdle(session: Session) -> None:
        run(session, "set local idle_in_transaction_session_timeout = '50ms'")
        driver = session.connection().connection.driver_connection
        assert driver is not None
        while driver.pgconn.socket and not select_module.select([driver.pgconn.socket], [], [], 10)[0]:
            pass
        run(session, "select 1")

    with pytest.raises(Unavailable):
        served.session(alice, dawdle)
    assert served.reader(alice, lambda session: run(session, "select 1")) == [1]


def test_serialization_failure(served: Served, alice: UUID) -> None:
    """The one who comes second is told to run the transaction again; that works."""

    def edit(session: Session) -> None:
        run(session, "select count(*) from app.todos")
        run(session, "update app.todos set completed = true")

    def overtaken(session: Session) -> None:
        run(session, "select count(*) from app.todos")
        other = threading.Thread(target=lambda: second.session(alice, edit, isolation="serializable"))
        other.start()
        other.join()
        run(session, "update app.todos set completed = true")

    second = type(served)(served.settings)
    with pytest.raises(Retryable, match="Run the whole transaction again"):
        served.session(alice, overtaken, isolation="serializable")
    second.close()
    served.session(alice, edit, isolation="serializable")


def test_locked(served: Served, home: Database, alice: UUID) -> None:
    """A lock that is not to be had is a reason to try again as well."""
    with home.superuser_connection() as superuser, superuser.transaction():
        superuser.execute("select from app.todos where owner_id = %s for update", [alice])
        with pytest.raises(Retryable) as raised:
            served.session(alice, lambda session: run(session, "select id from app.todos for update nowait"))
    assert raised.value.sqlstate == "55P03"


def test_wrong_seal(make_served: MakeServed, database: Database) -> None:
    """A service whose key was retired is told where to look."""
    key = SealKey.generate()
    user = make_user(database)
    with database.superuser_connection() as superuser:
        superuser.execute("update app_private.sealing set required = true")
    served = make_served(database.url("service"), userscope_seal_key=key.text())
    with pytest.raises(SealRejected, match="names no active key") as raised:
        served.session(user, lambda session: run(session, "select * from app.todos"))
    assert "userscope seal-key list" in (raised.value.hint or "")


def test_no_values(make_served: MakeServed, alice: UUID, caplog: pytest.LogCaptureFixture) -> None:
    """Neither an error with its causes nor a log, at the most talkative, repeats a value of a statement or of a row."""
    secret = f"swordfish-{secrets.token_hex(8)}"
    for logger in ("", "sqlalchemy", "psycopg", "userscope"):
        caplog.set_level(logging.DEBUG, logger)
    served = make_served()
    failures: list[Callable[[Session], object]] = [
        _add(title=secret, description=secret * 1000),
        _run("select cast(cast(:v as text) as uuid)", v=secret),
        _run("insert into app.todos (title) values (null) returning :v", v=secret),
        _run("select title from app.todos where title = :v and nothing", v=secret),
        _run("insert into app.users (name, email) values (:v, :v)", v=secret),
        _add(title=secret + "\0"),
        _run("select :v, :w", v=secret, w=object()),  # the driver's own refusal, which is no answer of the server
    ]
    shown = []
    for failure in failures:
        with pytest.raises((DatabaseError, ProgrammingError)) as raised:
            served.session(alice, failure)
        shown.append("".join(traceback.format_exception(raised.value)))
    assert [secret in text for text in shown] == [False] * len(failures)
    assert secret not in caplog.text
    assert str(alice) not in caplog.text
    assert "connected to database" in caplog.text  # something was logged
    assert "SELECT" in caplog.text.upper()
