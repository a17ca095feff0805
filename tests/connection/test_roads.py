"""Every road to the server carries the identity or is refused; what this table does not name is refused."""

import runpy
from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
import pytest
import sqlalchemy
from psycopg.types import TypeInfo
from sqlalchemy import insert, text
from sqlalchemy.util import await_only
from sqlmodel import Session, select

from tests.clusters import Database
from tests.connection.served import Served, run, whoami
from userscope.connection import cursor
from userscope.connection.cursor import OVERRIDDEN
from userscope.errors import NotPermitted, OperationRefused, SessionError
from userscope.models import Todo


@pytest.fixture
def home(any_shared: Database) -> Database:
    """Each version in turn."""
    return any_shared


WHO = "select app.current_user_id()"
OWNER = text("select distinct owner_id from app.todos where title = 'road'")
ADD = "insert into app.todos (title) values ('road') returning owner_id"

CARRIES, CLOSED = "carries the identity", "carries none, so nothing is seen"
REFUSED, READ_ONLY = "refused", "cannot write"


class Road(NamedTuple):
    """What happens on it in a session and in a reader, and the way itself, which returns whom the server saw."""

    session: str
    reader: str
    go: Callable[[Session], object]


def _driver(session: Session) -> Any:
    return session.connection().connection.driver_connection


def _engine(session: Session) -> Any:
    with session.connection().engine.connect() as connection:
        return connection.execute(text(WHO)).scalar()


def _core_many(session: Session) -> Any:
    session.connection().execute(text("insert into app.todos (title) values (:title)"), [{"title": "road"}] * 2)
    return session.connection().execute(OWNER).scalar()


def _insertmanyvalues(session: Session) -> Any:
    return set(session.scalars(insert(Todo).returning(Todo.owner_id), [{"title": "road"}] * 2)).pop()  # type: ignore[call-overload]  # SQLModel types a column by its value


def _flush(session: Session) -> Any:
    todo = Todo(title="road")
    session.add(todo)
    session.flush()
    return todo.owner_id


def _streamed(session: Session) -> Any:
    return session.connection().execute(text(WHO), execution_options={"stream_results": True}).scalar()


def _nested(session: Session) -> Any:
    with session.begin_nested():
        return whoami(session)


def _dbapi(session: Session) -> Any:
    cursor = session.connection().connection.cursor()
    cursor.execute(WHO)
    row = cursor.fetchone()
    cursor.close()
    return row and row[0]


def _reflect(session: Session) -> Any:
    assert "todos" in sqlalchemy.inspect(session.connection()).get_table_names(schema="app")
    return whoami(session)


SQLALCHEMY = {
    "select of models": Road(CARRIES, CARRIES, lambda s: s.exec(select(Todo.owner_id)).first()),
    "get": Road(CARRIES, CARRIES, lambda s: s.get(Todo, run(s, "select id from app.todos limit 1")[0]).owner_id),  # type: ignore[union-attr]  # found
    "text": Road(CARRIES, CARRIES, whoami),
    "scalar": Road(CARRIES, CARRIES, lambda s: s.scalar(text(WHO))),
    "exec_driver_sql": Road(CARRIES, CARRIES, lambda s: s.connection().exec_driver_sql(WHO).scalar()),
    "flush": Road(CARRIES, READ_ONLY, _flush),
    "executemany": Road(CARRIES, READ_ONLY, _core_many),
    "insertmanyvalues": Road(CARRIES, READ_ONLY, _insertmanyvalues),
    "stream_results": Road(CARRIES, REFUSED, _streamed),
    "savepoint": Road(CARRIES, REFUSED, _nested),
    "DBAPI cursor": Road(CARRIES, CARRIES, _dbapi),
    "reflection": Road(CARRIES, CARRIES, _reflect),
    "the engine": Road(REFUSED, REFUSED, _engine),
    "two-phase transaction": Road(REFUSED, REFUSED, lambda s: _driver(s).tpc_begin("x")),
}


def _stream(session: Session) -> Any:
    return next(iter(_driver(session).cursor().stream(WHO)))[0]


def _copy(session: Session) -> Any:
    with _driver(session).cursor().copy(f"copy ({WHO}) to stdout") as copy:
        return UUID(b"".join(bytes(part) for part in copy).decode().strip())


def _copy_with_values(session: Session) -> Any:
    with _driver(session).cursor().copy("copy (select %s::text) to stdout", ["a value"]) as copy:
        return list(copy)


def _many(session: Session) -> Any:
    cursor = _driver(session).cursor()
    cursor.executemany(ADD, [(), ()], returning=True)
    return cursor.fetchone()[0]


def _named(session: Session, **options: Any) -> Any:
    with _driver(session).cursor("road", **options) as cursor:
        cursor.execute(WHO)
        return cursor.fetchone()[0]


def _pgconn(session: Session) -> Any:
    value = _driver(session).pgconn.exec_(WHO.encode()).get_value(0, 0)
    return value and UUID(value.decode())


def _set(name: str, value: object) -> Callable[[Session], object]:
    return lambda session: setattr(_driver(session), name, value)


SYNC_DRIVER = {
    "execute": Road(CARRIES, CARRIES, lambda s: _driver(s).execute(WHO).fetchone()[0]),
    "execute in binary": Road(CARRIES, CARRIES, lambda s: _driver(s).execute(WHO, binary=True).fetchone()[0]),
    "execute, prepared": Road(CARRIES, CARRIES, lambda s: _driver(s).execute(WHO, prepare=True).fetchone()[0]),
    "cursor": Road(CARRIES, CARRIES, lambda s: _driver(s).cursor().execute(WHO).fetchone()[0]),
    "executemany": Road(CARRIES, READ_ONLY, _many),
    "stream": Road(CARRIES, REFUSED, _stream),
    "copy": Road(CARRIES, REFUSED, _copy),
    "copy with parameters": Road(REFUSED, REFUSED, _copy_with_values),
    "named cursor": Road(CARRIES, REFUSED, _named),
    "WITH HOLD": Road(REFUSED, REFUSED, lambda s: _named(s, withhold=True)),
    "psycopg.Cursor": Road(REFUSED, REFUSED, lambda s: psycopg.Cursor(_driver(s)).execute(WHO)),
    "psycopg.ClientCursor": Road(REFUSED, REFUSED, lambda s: psycopg.ClientCursor(_driver(s)).execute(WHO)),
    "psycopg.RawCursor": Road(REFUSED, REFUSED, lambda s: psycopg.RawCursor(_driver(s)).execute(WHO)),
    "TypeInfo.fetch": Road(REFUSED, REFUSED, lambda s: TypeInfo.fetch(_driver(s), "uuid")),
    "transaction": Road(REFUSED, REFUSED, lambda s: _driver(s).transaction()),
    "pipeline": Road(REFUSED, REFUSED, lambda s: _driver(s).pipeline()),
    "notifies": Road(REFUSED, REFUSED, lambda s: _driver(s).notifies()),
    "tpc_begin": Road(REFUSED, REFUSED, lambda s: _driver(s).tpc_begin("x")),
    "tpc_recover": Road(REFUSED, REFUSED, lambda s: _driver(s).tpc_recover()),
    "autocommit": Road(REFUSED, REFUSED, _set("autocommit", False)),
    "isolation level": Road(REFUSED, REFUSED, _set("isolation_level", psycopg.IsolationLevel.SERIALIZABLE)),
    "read only": Road(REFUSED, REFUSED, _set("read_only", True)),
    "prepare_threshold": Road(REFUSED, REFUSED, _set("prepare_threshold", 0)),
    "libpq": Road(CLOSED, CLOSED, _pgconn),
}


async def _async_execute(session: Session, **options: Any) -> Any:
    cursor = await _driver(session).execute(WHO, **options)
    return (await cursor.fetchone())[0]


async def _async_stream(session: Session) -> Any:
    async for row in _driver(session).cursor().stream(WHO):
        found = row[0]
    return found


async def _async_copy(session: Session) -> Any:
    async with _driver(session).cursor().copy(f"copy ({WHO}) to stdout") as copy:
        return UUID(b"".join([bytes(part) async for part in copy]).decode().strip())


async def _async_copy_with_values(session: Session) -> Any:
    async with _driver(session).cursor().copy("copy (select %s::text) to stdout", ["a value"]) as copy:
        return [row async for row in copy]


async def _async_many(session: Session) -> Any:
    cursor = _driver(session).cursor()
    await cursor.executemany(ADD, [(), ()], returning=True)
    return (await cursor.fetchone())[0]


async def _async_named(session: Session, **options: Any) -> Any:
    async with _driver(session).cursor("road", **options) as cursor:
        await cursor.execute(WHO)
        return (await cursor.fetchone())[0]


def _awaited(go: Callable[..., Coroutine[Any, Any, object]], **options: Any) -> Callable[[Session], object]:
    return lambda session: await_only(go(session, **options))


ASYNC_DRIVER = SYNC_DRIVER | {
    "execute": Road(CARRIES, CARRIES, _awaited(_async_execute)),
    "execute in binary": Road(CARRIES, CARRIES, _awaited(_async_execute, binary=True)),
    "execute, prepared": Road(CARRIES, CARRIES, _awaited(_async_execute, prepare=True)),
    "cursor": Road(CARRIES, CARRIES, _awaited(_async_execute)),
    "executemany": Road(CARRIES, READ_ONLY, _awaited(_async_many)),
    "stream": Road(CARRIES, REFUSED, _awaited(_async_stream)),
    "copy": Road(CARRIES, REFUSED, _awaited(_async_copy)),
    "copy with parameters": Road(REFUSED, REFUSED, _awaited(_async_copy_with_values)),
    "named cursor": Road(CARRIES, REFUSED, _awaited(_async_named)),
    "WITH HOLD": Road(REFUSED, REFUSED, _awaited(_async_named, withhold=True)),
    "psycopg.Cursor": Road(
        REFUSED, REFUSED, lambda s: await_only(psycopg.AsyncCursor(_driver(s)).execute(WHO))
    ),
    "psycopg.ClientCursor": Road(
        REFUSED, REFUSED, lambda s: await_only(psycopg.AsyncClientCursor(_driver(s)).execute(WHO))
    ),
    "psycopg.RawCursor": Road(
        REFUSED, REFUSED, lambda s: await_only(psycopg.AsyncRawCursor(_driver(s)).execute(WHO))
    ),
    "TypeInfo.fetch": Road(REFUSED, REFUSED, lambda s: await_only(TypeInfo.fetch(_driver(s), "uuid"))),
    "autocommit": Road(REFUSED, REFUSED, lambda s: _driver(s).set_autocommit(False)),
    "isolation level": Road(REFUSED, REFUSED, lambda s: _driver(s).set_isolation_level(None)),
    "read only": Road(REFUSED, REFUSED, lambda s: _driver(s).set_read_only(True)),
}  # fmt: skip


def _outcome(served: Served, opened: str, user: UUID, go: Callable[[Session], object], *, later: bool) -> str:
    def work(session: Session) -> object:
        if later:
            run(session, "select 1")
        return go(session)

    try:
        seen = getattr(served, opened)(user, work)
    except SessionError:
        return REFUSED
    except psycopg.errors.ReadOnlySqlTransaction:
        return READ_ONLY
    except NotPermitted as error:
        return READ_ONLY if error.sqlstate == "25006" else str(error)
    assert seen in (user, None), f"{seen} is neither {user} nor nobody"
    return CARRIES if seen else CLOSED


@pytest.mark.parametrize("later", [False, True], ids=["first", "later"])
@pytest.mark.parametrize("opened", ["session", "reader"])
def test_roads(served: Served, alice: UUID, bob: UUID, opened: str, later: bool) -> None:
    """Each road does what the table says, as the first statement of a transaction and as a later one."""
    del bob  # somebody else's rows exist
    roads = {f"SQLAlchemy: {name}": road for name, road in SQLALCHEMY.items()}
    driver = SYNC_DRIVER if served.engine.dialect.is_async is False else ASYNC_DRIVER
    roads |= {f"psycopg: {name}": road for name, road in driver.items()}
    expected = {name: getattr(road, opened) for name, road in roads.items()}
    if later and opened == "session":
        expected["psycopg: libpq"] = CARRIES  # inside a transaction everything acts for its user
    assert {name: _outcome(served, opened, alice, road.go, later=later) for name, road in roads.items()} == expected
    assert served.reader(alice, whoami) == alice


@pytest.mark.parametrize("level", ["SERIALIZABLE", "AUTOCOMMIT"])
def test_isolation_option(served: Served, alice: UUID, level: str) -> None:
    """A level asked for behind the session's back would be lost by an autocommitting driver: it is refused."""
    with pytest.raises(OperationRefused, match="how transactions begin"):
        served.session(alice, lambda session: session.connection(execution_options={"isolation_level": level}))


SENDS_NOTHING = {
    "add_notice_handler", "add_notify_handler", "adapters", "autocommit", "broken", "cancel", "cancel_safe", "close",
    "closed", "commit", "connect", "connection", "cursor_factory", "deferrable", "description", "fileno",
    "format", "info", "isolation_level", "lock", "nextset", "pgconn", "prepare_threshold", "prepared_max", "read_only",
    "remove_notice_handler", "remove_notify_handler", "rollback", "row_factory", "server_cursor_factory", "wait", "xid",
    "arraysize", "binary", "fetchall", "fetchmany", "fetchone", "itersize", "name", "pgresult", "results", "rowcount",
    "rownumber", "scroll", "scrollable", "set_result", "setinputsizes", "setoutputsize", "statusmessage", "withhold",
}  # fmt: skip
"""Public names of psycopg's classes that begin no transaction: they read, they end one, or they only describe."""

TRIED = {
    "copy", "cursor", "execute", "executemany", "notifies", "pipeline", "set_autocommit", "set_deferrable",
    "set_isolation_level", "set_read_only", "stream", "tpc_begin", "tpc_recover", "transaction",
}  # fmt: skip
"""Those that the tables try."""

AFTER_TPC_BEGIN = {"tpc_commit", "tpc_prepare", "tpc_rollback"}
"""Those that raise unless ``tpc_begin`` came before."""


@pytest.mark.parametrize(
    "kind",
    [
        psycopg.Connection, psycopg.Cursor, psycopg.ServerCursor,
        psycopg.AsyncConnection, psycopg.AsyncCursor, psycopg.AsyncServerCursor,
    ],
)  # fmt: skip
def test_no_road_is_forgotten(kind: type) -> None:
    """Whatever psycopg offers is tried above or known to send nothing; a new version's new method fails here first."""
    public = {name for name in dir(kind) if name[0].islower()}  # a capital names an exception
    assert public - SENDS_NOTHING - TRIED - AFTER_TPC_BEGIN == set()


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, names in OVERRIDDEN.items() for name in names])
def test_renamed_hook(monkeypatch: pytest.MonkeyPatch, kind: type, name: str) -> None:
    """A method that psycopg renamed, so that it would not call ours any more, fails the import, by name."""
    monkeypatch.delattr(kind, name)
    with pytest.raises(ImportError, match=rf"has no {kind.__name__}\.{name}, which carries the identity"):
        runpy.run_path(cursor.__file__)
