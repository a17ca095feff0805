"""Whatever happens to one borrower of a connection, the next one acts for their own user or for nobody."""

import asyncio
import inspect
import runpy
import signal
from collections.abc import Callable, Coroutine, Generator, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from uuid import UUID

import pytest
from psycopg.pq.abc import PGconn
from sqlalchemy import Connection, event, orm, text
from sqlmodel import Session, select

from tests.clusters import Database
from tests.connection.conftest import MakeServed
from tests.connection.served import AsyncServed, Served, SyncServed, run, whoami
from userscope.connection.scope import Scope
from userscope.connection.session import ScopedSession
from userscope.errors import DatabaseError, InvalidValue, SessionError, Unavailable
from userscope.models import Todo
from userscope.testing.proxy import Proxy

ALICES, BOBS = {"alice 1", "alice 2", "alice 3"}, {"bob 1", "bob 2"}


def titles(session: Session) -> set[str]:
    """The titles that the user of this session sees."""
    return set(session.exec(select(Todo.title)))


def assert_serves(served: Served, user: UUID, expected: set[str]) -> None:
    """The next borrower is who they are, in a session and in a reader."""
    assert served.session(user, lambda session: (whoami(session), titles(session))) == (user, expected)
    assert served.reader(user, lambda session: (whoami(session), titles(session))) == (user, expected)


def driver_of(session: Session) -> Any:
    """The psycopg connection of a session."""
    return session.connection().connection.driver_connection


def libpq_of(session: Session) -> PGconn:
    """What libpq holds of a session's connection; it stays in the pool when all that was lent has ended."""
    held: PGconn = driver_of(session).pgconn
    return held


def left_behind(libpq: PGconn) -> tuple[str, int]:
    """What an idle connection holds of an identity, asked behind its back: app.user_id, and how many todos it sees."""
    asked = libpq.exec_(b"select current_setting('app.user_id', true), count(*) from app.todos")
    return (asked.get_value(0, 0) or b"").decode(), int(asked.get_value(0, 1) or 0)


def _fail(session: Session) -> None:
    titles(session)
    raise ZeroDivisionError


def _nested_failure(session: Session) -> UUID | None:
    with suppress(InvalidValue), session.begin_nested():
        run(session, "select set_config('app.user_id', '', true)")
        run(session, "select 1/0")
    return whoami(session)


def _swallowed(session: Session) -> None:
    """An error leaves the transaction aborted, and the block ends as if nothing had happened."""
    with suppress(DatabaseError):
        run(session, "select 1/0")


MISHAPS: dict[str, Callable[[Session], object]] = {
    "nothing": lambda session: session.info,
    "a statement": titles,
    "an exception": _fail,
    "an error of PostgreSQL's": lambda session: run(session, "select 1/0"),
    "a swallowed error": _swallowed,
    "a savepoint rolled back": _nested_failure,
    "a statement timeout": lambda session: run(session, "select pg_sleep(10)"),
    "a killed backend": lambda session: run(session, "select pg_terminate_backend(pg_backend_pid())"),
    "an injected commit": lambda session: run(session, "commit"),
    "an injected commit and chain": lambda session: run(session, "commit and chain"),
    "an injected session-wide identity": lambda session: run(
        session, "select set_config('app.user_id', app.current_user_id()::text, false)"
    ),
    "an injected role": lambda session: run(session, "set role app_user"),
    "a raw connection left in a transaction": lambda session: driver_of(session).pgconn.exec_(b"begin") and None,
}  # fmt: skip


@pytest.mark.parametrize("opened", ["session", "reader"])
def test_next_borrower(make_served: MakeServed, alice: UUID, bob: UUID, opened: str) -> None:
    """After any mishap of alice's, the same pooled connection serves bob, and alice again."""
    served = make_served(database_pool_size=1, database_statement_timeout="50ms")
    for mishap in MISHAPS.values():
        with suppress(DatabaseError, SessionError, ZeroDivisionError):
            getattr(served, opened)(alice, mishap)
        assert_serves(served, bob, BOBS)
        assert_serves(served, alice, ALICES)


def test_gone_at_check_in(make_served: MakeServed, alice: UUID) -> None:
    """Nothing of an identity is left on a connection that went back to the pool."""
    served = make_served(database_pool_size=1)
    libpq = served.session(alice, libpq_of)
    assert left_behind(libpq) == ("", 0)
    served.session(alice, lambda session: [left_behind(libpq_of(session)), titles(session)])
    served.reader(alice, titles)
    assert left_behind(libpq) == ("", 0)
    assert served.reader(alice, libpq_of) is libpq


def test_kept_within(served: Served, alice: UUID) -> None:
    """The identity holds through savepoints, and is bound again after a commit and after a rollback."""

    def work(session: Session) -> list[UUID | None]:
        seen = [_nested_failure(session)]
        with session.begin_nested():
            seen.append(whoami(session))
        session.commit()
        seen.append(whoami(session))
        session.rollback()
        return [*seen, whoami(session)]

    assert served.session(alice, work) == [alice] * 4


def test_isolation(served: Served, alice: UUID) -> None:
    """A session has the level that was asked for, in every one of its transactions; without asking, the default."""

    def work(session: Session) -> list[Any]:
        first = run(session, "show transaction_isolation")
        session.commit()
        return first + run(session, "show transaction_isolation")

    for level in ("read committed", "repeatable read", "serializable"):
        assert served.session(alice, work, isolation=level) == [level] * 2
    assert served.session(alice, work) == ["read committed"] * 2


def test_chained_transaction_shows_nothing(served: Served, alice: UUID) -> None:
    """A transaction that was begun behind the session's back has no identity: it sees nothing, not somebody else's."""

    def work(session: Session) -> tuple[set[str], UUID | None, set[str]]:
        before = titles(session)
        run(session, "commit and chain")
        return before, whoami(session), titles(session)

    assert served.session(alice, work) == (ALICES, None, set())


def test_pool_under_pressure(make_served: MakeServed, alice: UUID, bob: UUID) -> None:
    """Many users in turn on few connections: each sees their own."""
    served = make_served(database_pool_size=2)
    for _ in range(10):
        assert served.reader(alice, titles) == ALICES
        assert served.session(bob, titles) == BOBS


def test_listener(make_sync: Callable[..., SyncServed], alice: UUID) -> None:
    """What a service's own listener sends where a transaction begins acts for its user, however early it listens."""
    seen: list[UUID | None] = []

    @event.listens_for(orm.Session, "after_begin")
    def ask(_: object, __: object, connection: Connection) -> None:
        seen.append(connection.scalar(text("select app.current_user_id()")))

    anew = runpy.run_path(inspect.getfile(ScopedSession), run_name=f"{ScopedSession.__module__}_anew")
    try:
        for kind in (ScopedSession, anew["ScopedSession"]):
            with kind(make_sync().engine, scope=Scope.of(alice, statement_timeout="5s")) as session:
                run(session, "select 1")
    finally:
        event.remove(orm.Session, "after_begin", ask)
    assert seen == [alice, alice]


class _CancelAt:
    """Awaits a coroutine, and cancels the task when it comes to wait for the ``at``-th time."""

    def __init__(self, work: Coroutine[Any, Any, object], at: int) -> None:
        self.work, self.at = work, at

    def __await__(self) -> Generator[Any, Any, object]:
        steps = self.work.__await__()
        waited = 0
        resume: Callable[[], Any] = lambda: next(steps)  # noqa: E731  # what to do with the coroutine next
        while True:
            try:
                future = resume()
            except StopIteration as done:
                return done.value
            if waited == self.at:
                task = asyncio.current_task()
                assert task
                task.cancel()
            waited += 1
            try:
                yield future
            except BaseException as error:  # handed on to the coroutine
                caught = error
                resume = lambda: steps.throw(caught)  # noqa: E731, B023  # called before the next turn
            else:
                resume = lambda: next(steps)  # noqa: E731


def test_cancelled_anywhere(make_async: Callable[..., AsyncServed], alice: UUID, bob: UUID) -> None:
    """A task may be cancelled at every await: the pool stays whole, the next one is served, nothing is half done."""
    served = make_async(database_pool_size=1)

    async def add_two() -> None:
        async with served.db.session(alice) as session:
            session.add(Todo(title="first"))
            await session.flush()
            session.add(Todo(title="second"))

    async def cancelled(at: int) -> bool:
        try:
            await asyncio.create_task(_await(_CancelAt(add_two(), at)))
        except asyncio.CancelledError:
            return True
        return False

    async def _await(what: _CancelAt) -> None:
        await what

    at, expected = 0, set(ALICES)
    while served.runner.run(cancelled(at)):
        at += 1
        assert_serves(served, bob, BOBS)
        seen = served.reader(alice, titles)
        assert seen in (ALICES, ALICES | {"first", "second"})  # a COMMIT may have arrived before it was cancelled
    assert at >= 3, "two statements and a commit wait for the network"
    assert served.reader(alice, titles) == expected | {"first", "second"}


class _TimeIsUp(Exception):
    """What a worker's time limit raises: an ordinary exception, out of a signal handler."""


@contextmanager
def _interrupted(after: float, error: type[BaseException]) -> Iterator[None]:
    def handler(*_: object) -> None:
        raise error

    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, after)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("error", [KeyboardInterrupt, _TimeIsUp])
def test_interrupted(
    make_sync: Callable[..., SyncServed], proxy: Proxy, alice: UUID, bob: UUID, error: type[BaseException]
) -> None:
    """A thread may be interrupted in the middle of every round trip, of a rollback too, the same holds."""
    served = make_sync(proxy.url, database_pool_size=1)
    served.reader(alice, titles)
    succeed: Callable[[Session], object] = lambda session: [titles(session), titles(session)]  # noqa: E731  # as _fail
    for work, trip in ((succeed, 0), (succeed, 1), (succeed, 2), (_fail, 1)):
        proxy.delay = 0.03
        with suppress(DatabaseError), pytest.raises(error), _interrupted(0.06 * trip + 0.03, error):
            served.session(alice, work)
        proxy.delay = 0.001
        assert_serves(served, bob, BOBS)
        assert_serves(served, alice, ALICES)
        assert served.pool.checkedout() == 0


def test_killed_in_between(make_served: MakeServed, home: Database, alice: UUID) -> None:
    """A backend that dies within a transaction is an error; what was sent is not sent again behind one's back."""
    served = make_served(database_pool_size=1)

    def work(session: Session) -> None:
        session.add(Todo(title="lost"))
        session.flush()
        backend = run(session, "select pg_backend_pid()")[0]
        with home.superuser_connection() as superuser:
            superuser.execute("select pg_terminate_backend(%s, 5000)", [backend])
        session.add(Todo(title="lost as well"))

    with pytest.raises(Unavailable):
        served.session(alice, work)
    assert served.reader(alice, titles) == ALICES
