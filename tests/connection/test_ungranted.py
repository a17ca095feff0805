"""A column without a grant: the error names it and the grant that it lacks, where PostgreSQL names only the table."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from sqlmodel import Session

from tests.clusters import Database
from tests.connection.conftest import settings_for
from tests.connection.served import AsyncServed, Served, SyncServed, run
from userscope.errors import NotPermitted

PRIORITY = 'Nothing is granted on priority of app.todos. A migration lacks: "{}".'
GRANT = "grant select (priority), insert (priority), update (priority) on app.todos to app_user"


@pytest.fixture(params=[SyncServed, AsyncServed])
def served(request: pytest.FixtureRequest, database: Database) -> Iterator[Served]:
    """A service of a table that somebody has added a column to, with "alter table" alone."""
    with database.superuser_connection() as admin:
        admin.execute("alter table app.todos add priority int")
        admin.execute("insert into app.users (id, name, email) values (%s, 'A', 'a@x.io')", [ALICE])
    served: Served = request.param(settings_for(database.url("service"), database_pool_size=1))
    yield served
    served.close()


ALICE = UUID(int=7)


READS = "select priority from app.todos"
WRITES = "insert into app.todos (title, priority) values ('x', 1)"


@pytest.mark.parametrize(("opened", "query"), [("session", READS), ("session", WRITES), ("reader", READS)])
def test_a_forgotten_grant(served: Served, database: Database, opened: str, query: str) -> None:
    """Column and cure stand in the hint, for who reads and for who writes; what it says is true."""
    with pytest.raises(NotPermitted) as raised:
        getattr(served, opened)(ALICE, lambda session: run(session, query))
    assert (raised.value.message, raised.value.hint) == ("permission denied for table todos", PRIORITY.format(GRANT))
    with database.superuser_connection() as admin:
        admin.execute(GRANT.encode())
    getattr(served, opened)(ALICE, lambda session: run(session, query))


def test_what_is_not_granted(served: Served, database: Database) -> None:
    """Of the columns that are written, those that may not be; and of a table that services were never let into, how."""
    with database.superuser_connection() as admin:
        admin.execute("alter table app.todos drop priority")
        admin.execute("create table app.countries (code text); grant insert (created_at) on app.todos to app_user")
    for query, detail, hint in (
        (
            "insert into app.todos (owner_id, created_at, title) values (null, now(), 'x')",
            "this, and owner_id is the",
            "Leave it out. session.merge() of",
        ),
        ("update app.todos set id = id, title = 'x'", "of the columns id;", "Leave it out: the database sets it"),
        ("select code from app.countries", "not granted this;", '"userscope protect app.countries" does it'),
    ):
        with pytest.raises(NotPermitted) as raised:
            served.session(ALICE, lambda session, query=query: run(session, query))  # type: ignore[misc]  # bound now
        assert detail in str(raised.value.detail)
        assert hint in str(raised.value.hint)


def test_granted_in_part(served: Served) -> None:
    """What somebody decided on is no forgotten grant: owner_id is read, and never written by a service."""
    with pytest.raises(NotPermitted) as raised:
        served.session(ALICE, lambda session: run(session, "select id from app.users"))
    assert raised.value.hint is None


def test_nothing_is_written(served: Served) -> None:
    """Asking for the column keeps nothing of the transaction that failed, and the connection serves on."""

    def work(session: Session) -> None:
        run(session, "insert into app.todos (title) values ('lost')")
        run(session, "select priority from app.todos")

    with pytest.raises(NotPermitted, match="Nothing is granted on priority"):
        served.session(ALICE, work)
    assert served.session(ALICE, lambda session: run(session, "select count(*) from app.todos")) == [0]
