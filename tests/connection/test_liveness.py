"""A connection that the server has closed is noticed without asking the server, and replaced."""

import asyncio
import select
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from uuid import UUID

import pytest
from sqlmodel import Session

from tests.clusters import Database
from tests.connection.conftest import MakeServed
from tests.connection.served import AsyncServed, Served, run
from tests.connection.test_identity_binding import ALICES, libpq_of, titles
from tests.silence import SilentProxy
from userscope.errors import Unavailable
from userscope.models import Todo
from userscope.testing.proxy import Proxy


@pytest.fixture
def served(make_served: MakeServed, proxy: Proxy) -> Served:
    """A service behind the proxy, with one connection."""
    return make_served(proxy.url, database_pool_size=1)


def _backend(session: Session) -> int:
    pid: int = run(session, "select pg_backend_pid()")[0]
    return pid


def _await_farewell(libpq: Any) -> None:
    """Wait until the client could know: what is still on its way nobody can have heard."""
    assert select.select([libpq.socket], [], [], 5) != ([], [], [])


def _terminate(home: Database, backend: int) -> None:
    with home.superuser_connection() as superuser:
        assert superuser.execute("select pg_terminate_backend(%s, 5000)", [backend]).fetchone() == (True,)


def test_terminated_while_idle(served: Served, proxy: Proxy, home: Database, alice: UUID) -> None:
    """Nobody sees that a server was restarted in between: the next session has a new connection."""
    backend, libpq = served.reader(alice, lambda session: (_backend(session), libpq_of(session)))
    _terminate(home, backend)
    _await_farewell(libpq)
    with proxy.counting() as count:
        assert served.session(alice, titles) == ALICES
    assert (count.connections, count.trips) == (1, 3)  # examined, read, committed: none to find out
    assert served.reader(alice, _backend) != backend


def test_cut_while_idle(served: Served, proxy: Proxy, alice: UUID) -> None:
    """The same holds for a wire that was cut, which says nothing."""
    libpq = served.reader(alice, libpq_of)
    proxy.cut()
    _await_farewell(libpq)
    assert served.reader(alice, titles) == ALICES


def test_alive_costs_nothing(served: Served, proxy: Proxy, alice: UUID) -> None:
    """A living connection is not asked."""
    served.reader(alice, titles)
    with proxy.counting() as count:
        served.reader(alice, titles)
    assert (count.connections, count.trips) == (0, 1)


def _in_a_statement(session: Session, _: Database) -> None:
    run(session, "select pg_terminate_backend(pg_backend_pid())")


def _in_a_flush(session: Session, home: Database) -> None:
    _terminate(home, _backend(session))
    session.add(Todo(title="lost as well"))
    session.flush()


def _in_a_commit(session: Session, home: Database) -> None:
    _terminate(home, _backend(session))
    session.commit()


THEN: dict[str, Callable[[Session], object]] = {
    "a statement": lambda session: run(session, "select 1"),
    "a statement past SQLAlchemy's": lambda session: session.connection().exec_driver_sql("select 1"),
    "a savepoint": lambda session: session.begin_nested(),
    "a new row": lambda session: session.add(Todo(title="x")),
    "a commit": lambda session: session.commit(),
    "nothing": lambda _: None,
}


@pytest.mark.parametrize("lose", [_in_a_statement, _in_a_flush, _in_a_commit])
def test_swallowed(served: Served, home: Database, alice: UUID, lose: Callable[[Session, Database], None]) -> None:
    """A loss that was swallowed is told again, whatever comes next, and nothing is taken for committed."""
    for then in THEN.values():

        def swallow(session: Session, then: Callable[[Session], object] = then) -> None:
            session.add(Todo(title="lost"))
            session.flush()
            with suppress(Unavailable):
                lose(session, home)
            then(session)

        with pytest.raises(Unavailable, match="lost earlier in this transaction"):
            served.session(alice, swallow)
        assert served.reader(alice, titles) == ALICES


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
def test_own_error(served: Served, home: Database, alice: UUID, error: type[BaseException]) -> None:
    """Who leaves with an error of their own is told that: a connection that died has nothing to be rolled back."""

    def work(session: Session) -> None:
        session.add(Todo(title="lost"))
        session.flush()
        _terminate(home, _backend(session))
        raise error

    with pytest.raises(error):
        served.session(alice, work)
    assert served.pool.checkedout() == 0
    assert served.reader(alice, titles) == ALICES


def test_time_is_up(make_async: Callable[..., AsyncServed], home: Database, alice: UUID) -> None:
    """A task whose connection died meanwhile can be cancelled all the same."""
    served = make_async(database_pool_size=1)

    async def work() -> None:
        async with asyncio.timeout(None) as limit, served.db.session(alice) as session:
            _terminate(home, await session.run_sync(lambda _: _backend(session.sync_session)))
            limit.reschedule(0)
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        served.runner.run(work())
    assert served.reader(alice, titles) == ALICES


@pytest.mark.parametrize("stored", [set(), {"once"}], ids=["before it ran", "after it ran"])
def test_never_sent_twice(served: Served, proxy: SilentProxy, alice: UUID, stored: set[str]) -> None:
    """A COMMIT that is lost on its way is an error, and so is one whose answer is lost; neither is sent again."""

    def add(session: Session) -> None:
        session.add(Todo(title="once"))
        session.flush()
        if stored:
            proxy.lost = b"C\0\0\0\x0bCOMMIT\0"  # the server's tag of what was done
        else:
            proxy.cut()

    with proxy.counting() as count, pytest.raises(Unavailable):
        served.session(alice, add)
    assert (count.sent.count(b"COMMIT"), count.sent.count(b"INSERT INTO")) == (len(stored), 1)
    proxy.lost = None
    assert served.reader(alice, titles) == ALICES | stored


def test_no_entry(served: Served, home: Database, alice: UUID) -> None:
    """A server that takes no connections is an error that says so, and the service recovers by itself."""
    with home.cluster.superuser_connection() as superuser:
        superuser.execute(f"alter database {home.name} allow_connections false".encode())
        try:
            with pytest.raises(Unavailable, match="not currently accepting connections"):
                served.reader(alice, titles)
        finally:
            superuser.execute(f"alter database {home.name} allow_connections true".encode())
    assert served.reader(alice, titles) == ALICES


def test_no_server(make_served: MakeServed, home: Database, alice: UUID) -> None:
    """No server at the address: Unavailable, without the password."""
    url = home.url("service")
    gone = type(url)(url.variable, {**url.params, "port": "1"})
    with pytest.raises(Unavailable, match="cannot be reached") as error:
        make_served(gone).reader(alice, titles)
    assert url.params["password"] not in str(error.value)
