"""What is written through a fence: nothing over what others wrote meanwhile, and refusals in the table's words."""

import threading
from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest
from sqlmodel import Session, select

from tests.clusters import MAIN, Database
from tests.connection.conftest import make_user, settings_for
from tests.connection.served import run
from tests.processes import eventually
from userscope.database import Database as Service
from userscope.errors import BrokenConstraint, Conflict, DatabaseError, NotPermitted, Retryable
from userscope.models import Account, Todo


@pytest.fixture
def alice(database: Database) -> UUID:
    """A user with two todos."""
    return make_user(database, ("one", "two"))


@pytest.fixture
def service(database: Database) -> Iterator[Service]:
    """A service on the twin."""
    with Service(settings_for(database.url("service"))) as made:
        yield made


def todo(session: Session, title: str) -> Todo:
    return session.exec(select(Todo).where(Todo.title == title)).one()


def test_objects(service: Service, alice: UUID, database: Database) -> None:
    """Fifty in one flush, defaults of the database's, a change, a deletion and a lock, as of a table."""
    with service.session(alice) as session:
        session.add_all(Todo(title=f"new {number}") for number in range(50))
        session.flush()
        made = todo(session, "new 7")
        assert (made.owner_id, made.completed, made.created_at == made.updated_at) == (alice, False, True)
        session.delete(todo(session, "two"))
        locked = session.exec(select(Todo).where(Todo.title == "one").with_for_update()).one()
        locked.completed = True
    with database.superuser_connection() as superuser:
        stored = superuser.execute("select count(*), count(*) filter (where completed) from app.todos").fetchone()
    assert stored == (51, 1)


@pytest.mark.parametrize("change", ["update", "delete"])
@pytest.mark.parametrize("kind", [Todo, Account])
def test_no_lost_update(
    service: Service, alice: UUID, database: Database, kind: type[Todo | Account], change: str
) -> None:
    """A row that another transaction changes meanwhile is to be tried again, and what that one wrote stays."""
    if kind is Account and change == "delete":
        change = "update again"  # nobody deletes an account through the view
    table, column = ("app_fenced.fenced_todos", "title") if kind is Todo else ("app.users", "name")
    refused: list[Exception] = []

    def write() -> None:
        verb = "delete from" if change == "delete" else "update"
        relation = "app.fenced_todos" if kind is Todo else "app.account"
        values = "" if change == "delete" else f" set {'completed = true' if kind is Todo else 'image = null'}"
        where = " where title = 'one'" if kind is Todo else ""
        try:
            with service.session(alice) as session:
                run(session, f"{verb} {relation}{values}{where}")
        except Retryable as error:
            refused.append(error)

    with database.superuser_connection() as first, database.superuser_connection() as watcher:
        waits = "select from pg_locks where not granted"
        with first.transaction():
            first.execute(
                f"update {table} set {column} = 'first' where {column} = %s".encode(),
                ["one" if kind is Todo else ""],
            )
            thread = threading.Thread(target=write)
            thread.start()
            eventually(lambda: watcher.execute(waits).fetchone() is not None)
        thread.join()
        kept = watcher.execute(f"select count(*) from {table} where {column} = 'first'".encode()).fetchone()
    assert ([error.sqlstate for error in refused if isinstance(error, Retryable)], kept) == (["40001"], (1,))


def test_refusals(service: Service, alice: UUID) -> None:
    """Constraints speak for the table; what a view cannot do names the way out."""
    taken = uuid4()
    with service.session(alice) as session:
        session.add(Todo(id=taken, title="taken"))

    def refusal(statement: str) -> DatabaseError:
        with pytest.raises(DatabaseError) as raised, service.session(alice) as session:
            run(session, statement)
        return raised.value

    insert = "insert into app.fenced_todos (id, title) values"
    blank = refusal(f"{insert} (gen_random_uuid(), ' ')")
    assert (type(blank), blank.detail) == (BrokenConstraint, "A title has 1 to 200 characters and is not blank.")
    twice = refusal(f"{insert} ('{taken}', 'again') on conflict do nothing")
    assert (type(twice), twice.detail) == (Conflict, "You already have a todo with this id.")
    upsert = refusal(f"{insert} ('{taken}', 'again') on conflict (owner_id, id) do update set title = 'again'")
    assert "INSERT there, and where that is a Conflict, UPDATE" in (upsert.hint or "")
    assert isinstance(refusal("select title from app_fenced.fenced_todos"), NotPermitted)
    met_twice = refusal("update app.fenced_todos set completed = true from (values (1), (2)) as v")
    assert (type(met_twice), met_twice.sqlstate) == (Retryable, "40001")
    if MAIN < 17:
        merge = "merge into app.fenced_todos as t using (values (1)) as v on false when matched then delete"
        assert "MERGE reaches a fenced table from PostgreSQL 17 on" in (refusal(merge).hint or "")
