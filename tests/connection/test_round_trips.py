"""A reader's statement is one round trip; a session of n statements n + 1; a new connection's examination one."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.pq import TransactionStatus
from sqlalchemy import event, insert, text, update
from sqlmodel import Session, select

from tests.clusters import Database
from tests.connection.conftest import MakeServed, make_user
from tests.connection.served import Served, run
from tests.connection.test_identity_binding import libpq_of
from userscope.errors import DatabaseError, NotPermitted
from userscope.models import Todo
from userscope.testing.proxy import Proxy


@pytest.fixture
def home(any_shared: Database) -> Database:
    """Each version in turn."""
    return any_shared


type Case = tuple[int, Callable[[Session], object]]


def _each(*statements: str) -> Callable[[Session], object]:
    return lambda session: [run(session, statement) for statement in statements]


def _add_all(session: Session) -> None:
    session.add_all([Todo(title=f"todo {number}") for number in range(50)])


def _nested(session: Session) -> None:
    with session.begin_nested():
        session.add(Todo(title="nested"))


def _nested_failure(session: Session) -> None:
    with suppress(DatabaseError), session.begin_nested():
        run(session, "select 1/0")


def _twice(ending: Callable[[Session], None]) -> Callable[[Session], object]:
    def work(session: Session) -> None:
        run(session, "select 1")
        ending(session)
        run(session, "select 2")

    return work


def _edit(session: Session) -> None:
    todo = session.exec(select(Todo)).first()
    assert todo
    todo.completed = True


def _stream(session: Session) -> int:
    statement = text("select title from app.todos")
    return len(session.connection().execute(statement, execution_options={"stream_results": True}).all())


READERS: dict[str, Case] = {
    "nothing": (0, _each()),
    "one statement": (1, _each("select 1")),
    "three statements": (3, _each("select 1", "select 2", "select 3")),
    "get": (1, lambda session: session.get(Todo, uuid4())),
    "select": (1, lambda session: session.exec(select(Todo)).all()),
    "failing": (1, _each("select 1/0")),
    "failing later": (2, _each("select 1", "select 1/0")),
    "writing": (1, _each("delete from app.todos")),
    "commit": (2, _twice(Session.commit)),
}
SESSIONS: dict[str, Case] = {
    "nothing": (0, _each()),
    "one statement": (2, _each("select 1")),
    "three statements": (4, _each("select 1", "select 2", "select 3")),
    "select and update": (3, _edit),
    "insert": (2, lambda session: session.add(Todo(title="one"))),
    "insert 50": (2, _add_all),
    "insert 50 by core": (2, lambda session: session.exec(insert(Todo), params=[{"title": "x"}] * 50)),
    "executemany": (2, lambda session: session.connection().execute(
        text("insert into app.todos (title) values (:title)"), [{"title": "x"}] * 50)),
    "update many": (2, lambda session: session.exec(update(Todo).values(completed=True))),
    "failing": (2, _each("select 1/0")),
    "failing later": (3, _each("select 1", "select 1/0")),
    "commit in between": (4, _twice(Session.commit)),
    "rollback in between": (4, _twice(Session.rollback)),
    "savepoint": (4, _nested),  # SAVEPOINT, INSERT, RELEASE, COMMIT
    "savepoint rolled back": (4, _nested_failure),
}  # fmt: skip


def _counted(served: Served, proxy: Proxy, database: Database, opened: str, cases: dict[str, Case]) -> dict[str, int]:
    """Run each case for a user of its own, on a connection that has been examined, and count."""
    counted = {}
    proxy.delay = 0.02  # what a busy client sends in two pieces must not be answered in between
    for name, (_, work) in cases.items():
        user = make_user(database, ("one", "two", "three"))
        with proxy.counting() as count, suppress(DatabaseError):
            getattr(served, opened)(user, work)
        counted[name] = count.trips
    return counted


@pytest.mark.parametrize(("opened", "cases"), [("reader", READERS), ("session", SESSIONS)])
def test_round_trips(
    make_served: MakeServed, proxy: Proxy, home: Database, alice: UUID, opened: str, cases: dict[str, Case]
) -> None:
    """Every statement is one round trip, also one that fails; a session takes one more to commit or to roll back."""
    served = make_served(proxy.url, database_pool_size=1)
    served.reader(alice, lambda session: run(session, "select 1"))
    counted = _counted(served, proxy, home, opened, cases)
    assert counted == {name: trips for name, (trips, _) in cases.items()}


def test_readers_in_blocks(make_served: MakeServed, proxy: Proxy, home: Database, alice: UUID) -> None:
    """Where Citus is, which tells workers who acts only in a block, a reader's statement is one, in as many trips."""
    served, plain = (make_served(proxy.url, database_pool_size=1) for _ in range(2))

    def distribute(connection: Any, _: object) -> None:
        getattr(connection, "driver_connection", connection).distributed = True

    event.listen(served.engine, "connect", distribute)
    libpq = served.reader(alice, libpq_of)
    counted = _counted(served, proxy, home, "reader", READERS)
    assert counted == {name: trips for name, (trips, _) in READERS.items()}
    assert served.reader(alice, lambda session: [run(session, "select title from app.todos"), libpq_of(session)]) == [
        ["alice 1", "alice 2", "alice 3"],
        libpq,
    ]
    for statement in ("savepoint one", "commit and chain", "begin"):
        served.reader(alice, _each(statement))
        assert libpq.transaction_status == TransactionStatus.IDLE
    with pytest.raises(DatabaseError, match="SAVEPOINT can only be used in transaction blocks"):
        plain.reader(alice, _each("savepoint one"))
    many = text("insert into app.todos (title) values (:title)"), [{"title": "one"}] * 2
    with pytest.raises(NotPermitted, match="several statements at once"):
        served.reader(alice, lambda session: session.connection().execute(*many))


@pytest.mark.parametrize("ending", [Session.commit, Session.rollback])
def test_ended_early(
    served: Served, make_served: MakeServed, proxy: Proxy, alice: UUID, ending: Callable[[Session], None]
) -> None:
    """A session whose last transaction was ended by hand ends in peace; only a COMMIT has a position, for a replica."""

    def work(session: Session) -> Session:
        session.add(Todo(title="one"))
        session.flush()
        ending(session)
        return session

    assert served.session(alice, work).info["position"] is None
    beside_a_replica = make_served(proxy.url, database_replica_url=proxy.url.text())
    assert (beside_a_replica.session(alice, work).info["position"] is None) == (ending is Session.rollback)


def test_stream(make_served: MakeServed, proxy: Proxy, alice: UUID) -> None:
    """The DECLARE of a stream brings the identity along as any first statement does."""
    served = make_served(proxy.url, database_pool_size=1)
    with proxy.counting() as later:
        served.session(alice, lambda session: [run(session, "select 1"), _stream(session)])
    with proxy.counting() as first:
        served.session(alice, _stream)
    login_check, select_1 = 1, 1
    assert first.trips == later.trips - login_check - select_1


def test_examination(make_served: MakeServed, proxy: Proxy, alice: UUID) -> None:
    """A new connection is examined in one round trip; one of the pool is not examined again."""
    served = make_served(proxy.url)
    with proxy.counting() as first:
        served.reader(alice, lambda session: run(session, "select 1"))
    assert (first.connections, first.trips) == (1, 2)
    with proxy.counting() as second:
        served.reader(alice, lambda session: run(session, "select 1"))
    assert (second.connections, second.trips) == (0, 1)


def test_counting(home: Database, proxy: Proxy) -> None:
    """The proxy counts what it should: plain psycopg takes three trips for one statement and its transaction."""
    user = make_user(home)
    with psycopg.connect(proxy.url.conninfo()) as connection, proxy.counting() as count:
        connection.execute("select app.set_user_id(%s)", [str(user)])
        connection.commit()
    assert count.trips == 3
