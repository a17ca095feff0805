"""What a session was given is dead once it ends: nothing that it does reaches the server or the next borrower."""

from collections.abc import Callable
from functools import partial
from types import FunctionType
from typing import Any
from uuid import UUID

import pytest
from psycopg.adapt import Dumper, Loader
from psycopg.generators import execute
from psycopg.rows import dict_row
from sqlalchemy import event, text
from sqlalchemy.util import await_only
from sqlmodel import Session

from tests.connection.conftest import MakeServed
from tests.connection.served import Served, run, whoami
from tests.connection.test_identity_binding import BOBS, driver_of, libpq_of, titles
from userscope.errors import OutsideSession
from userscope.testing.proxy import Proxy

ASK = "select title from app.todos"
SPOIL = "update app.todos set title = 'spoilt'"

type Kept = Callable[[], Any]


def _later(keep: Callable[[Session], Any], use: Callable[[Any], Any]) -> Callable[[Session], Kept]:
    return lambda session: partial(use, keep(session))


def _named(session: Session, name: str) -> Any:
    cursor = driver_of(session).cursor(name)
    session.info.setdefault("cursors", []).append(cursor)
    return cursor


def _declared(session: Session) -> Any:
    cursor = _named(session, "kept")
    opened = cursor.execute(ASK)
    if session.connection().dialect.is_async:
        await_only(opened)
    return cursor


def _copy(session: Session) -> Kept:
    cursor = driver_of(session).cursor()

    def sync() -> list[Any]:
        with cursor.copy(f"copy ({ASK}) to stdout") as copy:
            return list(copy)

    async def asynchronous() -> list[Any]:
        async with cursor.copy(f"copy ({ASK}) to stdout") as copy:
            return [row async for row in copy]

    return asynchronous if session.connection().dialect.is_async else sync


def _stream(session: Session) -> Kept:
    cursor = driver_of(session).cursor()

    async def asynchronous() -> list[Any]:
        return [row async for row in cursor.stream(ASK)]

    return asynchronous if session.connection().dialect.is_async else lambda: list(cursor.stream(ASK))


def _wait(session: Session) -> Kept:
    driver = driver_of(session)

    def wait() -> Any:
        driver.pgconn.send_query(SPOIL.encode())
        return driver.wait(execute(driver.pgconn))

    return wait


KEPT: dict[str, Callable[[Session], Kept]] = {
    "the connection's execute": lambda session: partial(driver_of(session).execute, SPOIL),
    "a cursor": lambda session: partial(driver_of(session).cursor().execute, SPOIL),
    "a new cursor": _later(driver_of, lambda driver: driver.cursor().execute(SPOIL)),
    "many at once": lambda session: partial(driver_of(session).cursor().executemany, SPOIL, [(), ()]),
    "a server-side cursor": lambda session: partial(_named(session, "new").execute, ASK),
    "a server-side cursor's rows": lambda session: _declared(session).fetchone,
    "a server-side cursor's position": lambda session: partial(_declared(session).scroll, 1),
    "COPY": _copy,
    "a stream": _stream,
    "libpq, by the connection": _wait,
    "the pool's proxy": _later(lambda session: session.connection().connection, lambda it: it.cursor().execute(SPOIL)),
    "SQLAlchemy's connection": _later(lambda session: session.connection(), lambda it: it.execute(text(SPOIL))),
}  # fmt: skip
"""Made in alice's session, and what it does then: each works as long as the session lasts."""


ENDINGS: dict[str, Callable[[Session], Kept]] = {
    "commit": lambda session: driver_of(session).commit,
    "rollback": lambda session: driver_of(session).rollback,
    "close": lambda session: driver_of(session).close,
    "cancel": lambda session: driver_of(session).cancel,
    "cancel_safe": lambda session: driver_of(session).cancel_safe,
    "the closing of a server-side cursor": lambda session: _declared(session).close,
}
"""What ends something, which must not be the next borrower's."""


def _tried(kept: Kept) -> str:
    try:
        done = kept()
        if hasattr(done, "__await__"):
            await_only(done)
    except Exception as error:  # whatever it is called: what counts is what was sent
        return type(error).__name__
    return "done"


@pytest.mark.parametrize("name", KEPT)
def test_kept(make_served: MakeServed, proxy: Proxy, alice: UUID, bob: UUID, name: str) -> None:
    """Kept beyond its session it sends nothing, neither while the connection is idle nor while another has it."""
    served = make_served(proxy.url, database_pool_size=1)

    def at_once(session: Session) -> tuple[str, set[str]]:
        tried = _tried(KEPT[name](session))
        return tried, {_tried(cursor.close) for cursor in session.info.get("cursors", [])} - {"done"}

    assert served.session(alice, at_once) == ("done", set())
    kept, libpq = served.session(alice, lambda session: (KEPT[name](session), libpq_of(session)))

    def work(session: Session) -> None:
        with proxy.counting() as idle:
            assert _tried(kept) != "done"
        assert (libpq_of(session), whoami(session)) == (libpq, bob)
        with proxy.counting() as busy:
            assert _tried(kept) != "done"
        assert (idle.trips, busy.trips) == (0, 0)
        assert (whoami(session), titles(session)) == (bob, BOBS)

    served.session(bob, work)
    assert served.reader(bob, titles) == BOBS


@pytest.mark.parametrize("name", ENDINGS)
def test_kept_ending(make_served: MakeServed, proxy: Proxy, alice: UUID, bob: UUID, name: str) -> None:
    """A kept connection ends neither the next one's transaction nor its connection, nor a statement of it."""
    served = make_served(proxy.url, database_pool_size=1)
    kept, libpq = served.session(alice, lambda session: (ENDINGS[name](session), libpq_of(session)))

    def work(session: Session) -> tuple[list[Any], set[str]]:
        run(session, "insert into app.todos (title) values ('bob 3')")
        with proxy.counting() as count:
            _tried(kept)
        assert (count.trips, count.connections, libpq_of(session)) == (0, 0, libpq)
        return run(session, "select pg_current_xact_id_if_assigned() is not null"), titles(session)

    assert served.session(bob, work) == ([True], BOBS | {"bob 3"})


def test_said(served: Served, alice: UUID) -> None:
    """Who uses the driver's connection too late is told so in our words."""
    driver = served.session(alice, driver_of)

    def late(_: Session) -> None:
        done = driver.execute("select 1")
        if hasattr(done, "__await__"):
            await_only(done)

    with pytest.raises(OutsideSession):
        served.session(alice, late)


def test_nothing_shared(make_served: MakeServed, alice: UUID, bob: UUID) -> None:
    """The next borrower's connection is as a new one, and has no object that the one before may have changed."""
    served = make_served(database_pool_size=1)
    kept: Any = served.session(alice, driver_of)

    def shared(session: Session) -> tuple[set[str], set[str]]:
        before, now = vars(kept), vars(driver_of(session))
        same = {name for name in before.keys() & now.keys() if before[name] is now[name]}
        constant = (int, float, bytes, type, FunctionType, type(None))
        return before.keys() ^ now.keys(), {name for name in same if not isinstance(now[name], constant)}

    assert served.session(bob, shared) == (set(), {"_link", "_made_with", "_prepared"})
    assert kept._prepared.prepare_threshold is None


def test_libpq(served: Served, alice: UUID, bob: UUID) -> None:
    """What the page says of libpq's own object is so: it is the pool's, and works for whoever kept it."""
    libpq = served.session(alice, libpq_of)

    def work(session: Session) -> Any:
        assert whoami(session) == bob
        return libpq.exec_(b"select app.current_user_id()").get_value(0, 0)

    assert served.session(bob, work) == str(bob).encode()


NOTICE = "do $$ begin raise notice 'of %', (select min(title) from app.todos); end $$"


class _Shout(Loader):
    def load(self, data: Any) -> str:
        return f"ALICE READ {bytes(data).decode()}"


class _Forge(Dumper):
    def dump(self, obj: Any) -> bytes:
        return f"{obj} of alice's making".encode()


def test_handlers(make_served: MakeServed, alice: UUID, bob: UUID) -> None:
    """A handler of notices or notifications hears its own session, and not the next one."""
    served = make_served(database_pool_size=1)
    heard: list[str] = []

    def listen(session: Session) -> Any:
        driver_of(session).add_notice_handler(lambda notice: heard.append(notice.message_primary))
        driver_of(session).add_notify_handler(lambda notification: heard.append(notification.payload))
        run(session, NOTICE)
        return libpq_of(session)

    libpq = served.session(alice, listen)
    assert heard == ["of alice 1"]

    def tell(session: Session) -> Any:
        run(session, NOTICE)
        run(session, "listen ours")
        run(session, "select pg_notify('ours', min(title)) from app.todos")
        return libpq_of(session)

    assert served.session(bob, tell) is served.reader(bob, libpq_of) is libpq
    assert heard == ["of alice 1"]


def test_adapters(make_served: MakeServed, alice: UUID, bob: UUID) -> None:
    """What is registered with a session's connection reads and writes its values, and nobody else's."""
    served = make_served(database_pool_size=1)

    def register(session: Session) -> tuple[Any, Any]:
        driver = driver_of(session)
        driver.adapters.register_loader("text", _Shout)
        driver.adapters.register_dumper(str, _Forge)
        read = session.connection().exec_driver_sql("select %s::text", ("hers",)).scalar()
        driver.row_factory = dict_row
        return read, libpq_of(session)

    read, libpq = served.session(alice, register)
    assert read == "ALICE READ hers of alice's making"

    def next_one(session: Session) -> tuple[Any, Any]:
        return session.connection().exec_driver_sql("select %s::text", ("his",)).all(), libpq_of(session)

    assert served.session(bob, next_one) == ([("his",)], libpq)
    assert served.reader(bob, next_one) == ([("his",)], libpq)


def test_listeners_stay(make_served: MakeServed, alice: UUID, bob: UUID) -> None:
    """What a listener sets on each new connection holds for every borrower: it was nobody's session."""
    served = make_served(database_pool_size=1)
    heard: list[str] = []

    @event.listens_for(served.engine, "connect")
    def _(connection: Any, _: object) -> None:
        driver = getattr(connection, "driver_connection", connection)
        driver.adapters.register_loader("text", _Shout)
        driver.add_notice_handler(lambda notice: heard.append(notice.message_primary))

    def work(session: Session) -> list[Any]:
        run(session, NOTICE)
        return run(session, "select 'x'::text")

    assert [served.session(user, work) for user in (alice, bob, alice)] == [["ALICE READ x"]] * 3
    assert heard == ["of alice 1", "of bob 1", "of alice 1"]


def test_detached(make_served: MakeServed, alice: UUID, bob: UUID) -> None:
    """A connection that was taken out of the pool is closed with its session."""
    served = make_served(database_pool_size=1)

    def detach(session: Session) -> Any:
        whoami(session)
        session.connection().detach()
        return session.connection().connection.dbapi_connection

    detached: Any = served.session(alice, detach)
    assert getattr(detached, "driver_connection", detached).closed
    assert served.reader(bob, titles) == BOBS
