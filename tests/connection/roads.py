"""Every road to the server that there is, and what is to happen on it."""

from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
import sqlalchemy
from psycopg.types import TypeInfo
from sqlalchemy import insert, text
from sqlalchemy.util import await_only
from sqlmodel import Session, select

from tests.connection.served import run, whoami
from userscope.models import Todo

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
