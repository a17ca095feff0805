"""A session acts for its user and nobody else: beside other sessions, after its end, across threads and tasks."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, exc
from sqlmodel import Session, select

from tests.clusters import Connection, somebody_waits
from tests.clusters import Database as Clone
from tests.connection.conftest import make_user, settings_for
from tests.connection.served import run, whoami
from tests.processes import eventually
from userscope.connection.engine import Connector
from userscope.database import AsyncDatabase, Database
from userscope.errors import NotPermitted, SessionError, SessionInUse, Unavailable
from userscope.models import Account, Todo
from userscope.settings import Settings


@pytest.fixture
def settings(database: Clone) -> Settings:
    """The settings of a service of its own database."""
    return settings_for(database.url("service"), database_pool_size=2)


@pytest.fixture
def alice(database: Clone) -> UUID:
    """A user with one todo."""
    return make_user(database, ("alice 1",))


@pytest.fixture
def bob(database: Clone) -> UUID:
    """Another user."""
    return make_user(database, ("bob 1",))


def titles(session: Session) -> set[str]:
    """What this session's user sees."""
    return set(session.exec(select(Todo.title)))


def test_spellings(settings: Settings, alice: UUID) -> None:
    """A user's id may be a UUID or its text, in either case."""
    with Database(settings) as db:
        for user in (alice, str(alice), str(alice).upper()):
            with db.reader(user) as session:
                assert whoami(session) == alice


def test_plain_sqlalchemy(settings: Settings, alice: UUID) -> None:
    """An application that is written for SQLAlchemy goes on without a warning, which would be an error here."""

    async def asynchronous() -> None:
        async with AsyncDatabase(settings) as db, db.reader(alice) as session:
            assert (await session.execute(select(Todo.title))).all() == [("alice 1",)]

    with Database(settings) as db, db.session(alice) as session:
        assert session.execute(select(Todo.title)).all() == [("alice 1",)]
        assert [todo.title for todo in session.query(Todo)] == ["alice 1"]
    asyncio.run(asynchronous())


def test_commit_and_rollback(settings: Settings, alice: UUID, database: Clone) -> None:
    """The block commits at its end, and rolls back on an exception; both are seen by others, not only by itself."""
    with Database(settings) as db:
        with db.session(alice) as session:
            session.add(Todo(title="kept"))
        with pytest.raises(ZeroDivisionError), db.session(alice) as session:
            session.add(Todo(title="lost"))
            session.flush()
            raise ZeroDivisionError
    with database.superuser_connection() as connection:
        stored = {title for (title,) in connection.execute("select title from app.todos")}
    assert stored == {"alice 1", "kept"}


def test_objects_stay_usable(settings: Settings, alice: UUID) -> None:
    """After the block an object is what the database made of it, without another round trip."""
    with Database(settings) as db:
        with db.session(alice) as session:
            todo = Todo(title="Buy milk")
            session.add(todo)
            me = session.get(Account, alice)
        assert (todo.owner_id, todo.completed, todo.created_at == todo.updated_at) == (alice, False, True)
        with db.session(alice) as session:
            session.add(todo)
            todo.completed = True
        assert todo.updated_at > todo.created_at
        assert me
        assert me.id == alice


def test_another_users_id(settings: Settings, alice: UUID, bob: UUID, database: Clone) -> None:
    """Another user's id looks like an unknown one, to get and to merge; it can be used for one's own row as well."""
    with database.superuser_connection() as connection:
        row = connection.execute("select id from app.todos where owner_id = %s", [bob]).fetchone()
    assert row
    with Database(settings) as db:
        with db.session(alice) as session:
            assert [session.get(Todo, row[0]), session.get(Todo, uuid4())] == [None, None]
            session.add(Todo(id=row[0], title="mine"))
        with db.reader(bob) as session:
            assert titles(session) == {"bob 1"}
        with db.reader(alice) as session:
            assert titles(session) == {"alice 1", "mine"}


def test_nested_users(settings: Settings, alice: UUID, bob: UUID) -> None:
    """Sessions of two users side by side each act for their own; their objects cannot be mixed."""
    with Database(settings) as db:
        with db.session(alice) as hers, db.session(bob) as his:
            assert [whoami(hers), whoami(his), whoami(hers)] == [alice, bob, alice]
            todo = hers.exec(select(Todo)).one()
            with pytest.raises(exc.InvalidRequestError, match="already attached to session"):
                his.add(todo)
            assert (titles(hers), titles(his)) == ({"alice 1"}, {"bob 1"})
        with pytest.raises(NotPermitted), db.session(bob) as his:
            his.merge(todo)  # a copy, but with alice as its owner
        with db.reader(bob) as his:
            assert titles(his) == {"bob 1"}


def test_pool_exhausted(settings: Settings, alice: UUID, bob: UUID) -> None:
    """A pool whose connections are all in use is an error that says so, and the pool stays whole."""
    with Database(settings.model_copy(update={"database_pool_timeout": 2})) as db:
        with db.session(alice) as first, db.session(bob) as second:
            assert [whoami(first), whoami(second)] == [alice, bob]
            no_connection = pytest.raises(Unavailable, match="no connection of the pool became free in time")
            with no_connection, db.session(alice) as third:
                whoami(third)
            assert [whoami(first), whoami(second)] == [alice, bob]
        with db.reader(bob) as again:
            assert whoami(again) == bob


def test_used_after_close(settings: Settings, alice: UUID, bob: UUID) -> None:
    """A closed session stays closed, also while somebody else has its connection."""
    with Database(settings) as db:
        with db.session(alice) as session:
            cursor = session.connection().connection.cursor()
            whoami(session)
        with pytest.raises(exc.InvalidRequestError, match="permanently closed"):
            run(session, "select 1")
        with db.session(bob) as other:
            assert whoami(other) == bob
            with pytest.raises(SessionError):
                cursor.execute("select 1")
            assert whoami(other) == bob


def test_ended_beneath(settings: Settings, alice: UUID) -> None:
    """Of a transaction that the session's own connection has committed nobody is told that nothing was written."""
    with Database(settings) as db:
        with pytest.raises(exc.InvalidRequestError, match="transaction is inactive"), db.session(alice) as session:
            session.connection().commit()
        with db.session(alice) as session:
            assert whoami(session) == alice


def test_two_threads(settings: Settings, alice: UUID, database: Clone) -> None:
    """A second thread is told that the session is in use, instead of sending in between; the first one goes on."""
    failures: list[BaseException] = []

    def intrude(session: Session, admin: Connection) -> None:
        eventually(lambda: somebody_waits(admin))
        try:
            session.connection().connection.cursor().execute("select 1")
        except SessionInUse as error:
            failures.append(error)
        finally:
            admin.execute("select pg_advisory_unlock_all()")

    with database.superuser_connection() as admin, Database(settings) as db, db.session(alice) as session:
        admin.execute("select pg_advisory_lock(4711)")
        whoami(session)
        intruder = threading.Thread(target=intrude, args=[session, admin])
        intruder.start()
        run(session, "select pg_advisory_xact_lock(4711)")
        intruder.join()
        assert whoami(session) == alice
    assert [type(failure) for failure in failures] == [SessionInUse]


def test_one_pool(settings: Settings, alice: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads that come first, all at one moment, share one pool from the beginning."""
    make = Connector.engine

    def slowly(connector: Connector) -> Engine:
        time.sleep(0.05)  # so that whoever else wants to make one has begun, too
        return make(connector)

    monkeypatch.setattr(Connector, "engine", slowly)
    roomy = {"database_pool_size": 1, "database_pool_timeout": 60}
    with Database(settings.model_copy(update=roomy)) as db, ThreadPoolExecutor(4) as threads:
        barrier = threading.Barrier(4)

        def serve(_: int) -> list[Any]:
            barrier.wait()
            with db.session(alice) as session:
                return run(session, "select pg_backend_pid()")

        assert len({backend for (backend,) in threads.map(serve, range(4))}) == 1


def test_two_tasks(settings: Settings, alice: UUID) -> None:
    """A second task is told so as well."""

    async def work() -> list[object]:
        async with AsyncDatabase(settings) as db, db.session(alice) as session:
            connection = await session.connection()
            raw = await connection.get_raw_connection()
            driver: Any = raw.driver_connection
            await driver.execute("select 1")
            slow, quick = driver.execute("select pg_sleep(0.2)"), driver.execute("select 1")
            results: list[object] = await asyncio.gather(slow, quick, return_exceptions=True)
            return results

    assert [type(result).__name__ for result in asyncio.run(work())] == ["AsyncScopedCursor", "SessionInUse"]


def test_repr(settings: Settings) -> None:
    """Neither the database nor its engine shows a password."""
    password = settings.url("service").params["password"]
    db, other = Database(settings), AsyncDatabase(settings)
    assert password not in f"{db!r} {db.engine!r} {other!r} {other.engine!r} {db.engine.url}"
    assert "app_service:***@" in repr(db)


def test_health(database: Clone) -> None:
    """A fit login is told so; each thing that is wrong is named; a server that is away is an error."""
    service = settings_for(database.url("service"))
    found = Database(service).health()
    assert (found.fit, found.role, found.database, found.sealing, found.problems) == (
        True, "app_service", database.name, False, (),
    )  # fmt: skip
    assert found.latency > 0
    assert asyncio.run(AsyncDatabase(service).health()).problems == ()
    with database.superuser_connection() as connection:
        connection.execute("alter table app.todos no force row level security")
        connection.execute("create table app_fenced.notes (); alter table app_fenced.notes enable row level security")
        connection.execute("create table public.item (); create policy p on public.item to app_user")
        connection.execute("create table public.lookup (); grant select on public.lookup to app_user")
    assert Database(service).health().problems == (
        'table "app.todos" is not under forced row-level security',
        'table "app_fenced.notes" is not under forced row-level security',
        'table "public.item" is not under forced row-level security',
    )
    with database.superuser_connection() as connection:
        connection.execute(f"alter database {database.name} set userscope.audit_schemas = 'app, public'".encode())
        connection.execute("alter table public.item enable row level security")
    assert Database(service).health().problems[-2:] == (
        'table "public.item" is not under forced row-level security',
        'table "public.lookup" is not under forced row-level security',
    )
    admin = Database(settings_for(database.url("admin"))).health()
    assert not admin.fit
    assert 'Role "postgres" is a superuser.' in admin.problems[0]
    gone = type(url := database.url("service"))(url.variable, {**url.params, "port": "1"})
    with pytest.raises(Unavailable):
        Database(settings_for(gone)).health()


def test_never_used(settings: Settings) -> None:
    """What was never used has no engine, and is closed without one."""

    async def work() -> AsyncDatabase:
        async with AsyncDatabase(settings) as db:
            return db

    assert "engine" not in vars(asyncio.run(work()))
