"""Behind PgBouncer in transaction mode every transaction may meet another server connection; nothing else changes."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import insert, text
from sqlmodel import Session, select

from tests.clusters import Database
from tests.connection.conftest import make_user, settings_for
from tests.connection.served import AsyncServed, Served, SyncServed, run, whoami
from tests.pooling.pgbouncer import PgBouncer, pgbouncer
from userscope.admin import seals
from userscope.errors import DatabaseError, NotPermitted, Unavailable
from userscope.models import Todo

type MakePooled = Callable[..., Served]


@pytest.fixture
def pooler(database: Database) -> Iterator[PgBouncer]:
    """A pooler with a single connection to the server: everybody meets everybody."""
    with pgbouncer(database, size=1) as made:
        yield made


@pytest.fixture(params=[SyncServed, AsyncServed], ids=["sync", "async"])
def make_pooled(request: pytest.FixtureRequest, pooler: PgBouncer) -> Iterator[MakePooled]:
    """Makes services that connect through the pooler."""
    with ExitStack() as stack:

        def make(**values: object) -> Served:
            served: Served = request.param(settings_for(pooler.url, **values))
            stack.callback(served.close)
            return served

        yield make


def titles(session: Session) -> set[str]:
    return set(session.exec(select(Todo.title)))


def test_everything(make_pooled: MakePooled, database: Database, pooler: PgBouncer) -> None:
    """Each road of a session and of a reader, taken in turn by two services on one server connection."""
    alice, bob = make_user(database, ("alice 1",)), make_user(database, ("bob 1",))
    services = [make_pooled(), make_pooled()]

    def add(session: Session) -> None:
        session.add(Todo(title="added"))
        session.flush()
        with suppress(DatabaseError), session.begin_nested():
            run(session, "select 1 / 0")
        session.exec(insert(Todo), params=[{"title": f"many {n}"} for n in range(3)])
        session.connection().execute(text("update app.todos set completed = :done"), [{"done": True}, {"done": False}])

    def stream(session: Session) -> set[str]:
        statement = text("select title from app.todos")
        return set(session.connection().execute(statement, execution_options={"stream_results": True}).scalars())

    for served in services:
        for user, name in ((alice, "alice"), (bob, "bob")):
            assert served.session(user, whoami) == user
            served.session(user, add)
            mine = {f"{name} 1", "added", "many 0", "many 1", "many 2"}
            assert served.reader(user, titles) == served.session(user, stream) == mine
            isolation = served.session(
                user, lambda session: run(session, "show transaction_isolation"), isolation="serializable"
            )
            assert isolation == ["serializable"]
            with pytest.raises(NotPermitted, match="read-only"):
                served.reader(user, lambda session: run(session, "delete from app.todos"))
            with pytest.raises(ZeroDivisionError):
                served.session(user, _spoil)
            assert served.reader(user, titles) == mine
    assert pooler.server_connections() == 1


def _spoil(session: Session) -> None:
    run(session, "delete from app.todos")
    raise ZeroDivisionError


def test_mixed(make_pooled: MakePooled, database: Database) -> None:
    """Two services in turn, with transactions of many statements: each transaction is its own user's to the end."""
    users = [make_user(database, (f"of {n}",)) for n in range(4)]
    services = [make_pooled(), make_pooled()]
    for turn in range(40):
        user = users[turn % 4]

        def work(session: Session) -> set[UUID | None]:
            seen = {whoami(session) for _ in range(2)}
            session.commit()
            return seen | {whoami(session)}

        assert services[turn % 2].session(user, work) == {user}
        assert services[turn % 2].reader(user, titles) == {f"of {turn % 4}"}


def test_timeout(make_pooled: MakePooled, database: Database) -> None:
    """The statement timeout travels with the identity, and holds for no other service behind the same pooler."""
    alice = make_user(database)
    hasty, patient = make_pooled(database_statement_timeout="50ms"), make_pooled(database_statement_timeout="60s")
    for _ in range(2):
        with pytest.raises(Unavailable, match="statement timeout"):
            hasty.session(alice, lambda session: run(session, "select pg_sleep(30)"))
        assert patient.session(alice, lambda session: run(session, "show statement_timeout")) == ["1min"]


def test_sealed(make_pooled: MakePooled, database: Database) -> None:
    """Sealed, and through the pooler."""
    alice = make_user(database, ("alice 1",))
    key, _ = seals.add(database.url())
    seals.require(database.url())
    served = make_pooled(userscope_seal_key=key.text())
    assert served.reader(alice, titles) == {"alice 1"}
    assert served.session(alice, whoami) == alice


def test_restart(make_pooled: MakePooled, database: Database, pooler: PgBouncer) -> None:
    """A pooler that was restarted is noticed at checkout: the next session is served, and nothing is sent twice."""
    alice = make_user(database)
    served = make_pooled()
    assert served.session(alice, whoami) == alice
    pooler.restart()
    served.session(alice, lambda session: session.add(Todo(title="after")))
    assert served.reader(alice, titles) == {"after"}


def test_pooled_at_once(database: Database) -> None:
    """Six threads on two server connections, each transaction asks for whom it acts, 180 times."""
    users = [make_user(database, (f"of {n}",)) for n in range(6)]
    with pgbouncer(database, size=2) as pooler:
        served = [SyncServed(settings_for(pooler.url, database_pool_size=1)) for _ in users]
        barrier = threading.Barrier(len(users))

        def serve(number: int) -> set[tuple[UUID | None, str]]:
            barrier.wait()
            seen: set[tuple[UUID | None, str]] = set()
            for _ in range(30):
                seen |= served[number].session(
                    users[number], lambda session: {(whoami(session), title) for title in titles(session)}
                )
            return seen

        with ThreadPoolExecutor(len(users)) as pool:
            assert list(pool.map(serve, range(6))) == [{(user, f"of {n}")} for n, user in enumerate(users)]
        assert pooler.server_connections() <= 2
        for each in served:
            each.close()


def test_a_session_setting_would_leak(database: Database) -> None:
    """The control: what plain psycopg sets for its session, another client of the pooler sees."""
    with pgbouncer(database, size=1) as pooler:
        conninfo = pooler.url.conninfo()
        with psycopg.connect(conninfo, autocommit=True) as one, psycopg.connect(conninfo, autocommit=True) as other:
            one.execute("select set_config('app.loot', 'seen', false)")
            assert other.execute("select current_setting('app.loot', true)").fetchone() == ("seen",)
