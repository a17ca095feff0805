"""EngineOptions: passwords that change, types that are registered, and what else SQLAlchemy is told."""

import asyncio
import json
import traceback
from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest
from psycopg.types import TypeInfo
from psycopg.types.datetime import DateLoader
from sqlalchemy import cast, event
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.pool import QueuePool
from sqlmodel import select, text

from tests.clusters import Database as Migrated
from userscope import AsyncDatabase, Database, EngineOptions
from userscope.errors import ConfigurationError, SessionError, Unavailable
from userscope.settings import Settings


@pytest.fixture
def settings(home: Migrated) -> Settings:
    """Of a service whose URL has a password that is no good any more."""
    url = home.url("service")
    stale = type(url)(url.variable, {**url.params, "password": "expired"})
    return Settings(_env_file=None, database_url=stale.text())


@pytest.fixture
def good(home: Migrated) -> str:
    """The password of today."""
    return home.url("service").params["password"]


async def _asked(db: AsyncDatabase, user: UUID, query: str) -> Any:
    async with db.reader(user) as session:
        return await session.scalar(text(query))


def _ask(settings: Settings, options: EngineOptions, query: str = "select 1") -> Any:
    """What a service with these options reads."""
    with Database(settings, options=options) as db, db.reader(uuid4()) as session:
        return session.scalar(text(query))


def _ask_async(settings: Settings, options: EngineOptions, query: str = "select 1") -> Any:
    async def run() -> Any:
        async with AsyncDatabase(settings, options=options) as db:
            return await _asked(db, uuid4(), query)

    return asyncio.run(run())


BOTH = pytest.mark.parametrize("ask", [_ask, _ask_async])


@BOTH
def test_password(settings: Settings, good: str, ask: Callable[..., Any]) -> None:
    """Each new connection has a password of its own; the URL's is not used."""
    with pytest.raises(ConfigurationError, match="password authentication failed"):
        ask(settings, EngineOptions())
    assert ask(settings, EngineOptions(password=lambda: good)) == 1


def test_password_is_awaited(settings: Settings, good: str) -> None:
    """A callable of asyncio's is awaited; the health of the service asks it as well."""

    async def fresh() -> str:
        await asyncio.sleep(0)
        return good

    assert _ask_async(settings, EngineOptions(password=fresh)) == 1

    async def run() -> bool:
        async with AsyncDatabase(settings, options=EngineOptions(password=fresh)) as db:
            return (await db.health()).fit

    assert asyncio.run(run())


@BOTH
def test_password_fails(settings: Settings, ask: Callable[..., Any]) -> None:
    """A callable that fails is told apart from a server that does, and nothing of what it raised is repeated."""

    def fail() -> str:
        raise RuntimeError("token Zx9qWv7k")

    with pytest.raises(Unavailable, match="no password could be had") as failed:
        ask(settings, EngineOptions(password=fail))
    assert "raised RuntimeError" in (failed.value.detail or "")
    assert "Zx9qWv7k" not in "".join(traceback.format_exception(failed.value))
    answers: list[object] = [None, "", 7, b"x"]
    while answers:
        with pytest.raises(ConfigurationError, match="returned no password"):
            ask(settings, EngineOptions(password=answers.pop))


@BOTH
def test_no_password_in_frames(settings: Settings, ask: Callable[..., Any]) -> None:
    """Where the server refuses it, no frame of the error holds it."""
    with pytest.raises(ConfigurationError) as refused:
        ask(settings, EngineOptions(password=f"Zx9q{1}".__str__))
    frames = [frame for frame, _ in traceback.walk_tb(refused.value.__traceback__)]
    ours = [frame for frame in frames if "userscope/connection" in frame.f_code.co_filename]
    assert ours
    assert not [
        frame for frame in ours for value in frame.f_locals.values() if isinstance(value, str) and "Zx9q1" in value
    ]


def test_do_connect(settings: Settings, good: str) -> None:
    """SQLAlchemy's own event gives parameters, too."""

    def listen(_: Any, __: Any, ___: Any, params: dict[str, Any]) -> None:
        params["password"] = good

    with Database(settings) as db:
        event.listen(db.engine, "do_connect", listen)
        with db.reader(uuid4()) as session:
            assert session.scalar(text("select 1")) == 1

    async def run() -> Any:
        async with AsyncDatabase(settings) as made:
            event.listen(made.engine.sync_engine, "do_connect", listen)
            return await _asked(made, uuid4(), "select 1")

    assert asyncio.run(run()) == 1


@pytest.mark.parametrize("registers", ["a cursor", "a transaction"])
def test_connect_event(settings: Settings, good: str, registers: str) -> None:
    """What a listener of SQLAlchemy's cannot do on a new connection names the option that can."""

    def listen(made: Any, _: object) -> None:
        if registers == "a cursor":
            made.cursor().execute("set timezone = 'Europe/Berlin'")
        else:
            TypeInfo.fetch(made, "uuid")

    with Database(settings, options=EngineOptions(password=lambda: good)) as db:
        event.listen(db.engine, "connect", listen)
        with pytest.raises(SessionError) as refused, db.reader(uuid4()) as session:
            session.scalar(text("select 1"))
    assert "EngineOptions(on_connect=" in (refused.value.hint or "")


class _Never(DateLoader):
    def load(self, data: Any) -> date:
        return date.max if bytes(data) == b"infinity" else super().load(data)


@BOTH
def test_types(settings: Settings, good: str, ask: Callable[..., Any]) -> None:
    """What is registered on a new connection holds for every session of it; the catalog can be asked for it."""
    seen: list[object] = []

    def register(connection: Any) -> Any:
        connection.adapters.register_loader("date", _Never)
        found = TypeInfo.fetch(connection, "uuid")
        if asyncio.iscoroutine(found):

            async def wait() -> None:
                seen.append((await found).oid)

            return wait()
        seen.append(found.oid if found else None)
        return None

    options = EngineOptions(password=lambda: good, on_connect=register)
    assert ask(settings, options, "select date 'infinity'") == date.max
    assert seen == [2950]


def test_types_stay(settings: Settings, good: str) -> None:
    """The next session has them as well, and no transaction may be left open."""
    options = EngineOptions(
        password=lambda: good, on_connect=lambda made: made.adapters.register_loader("date", _Never)
    )
    with Database(settings.model_copy(update={"database_pool_size": 1}), options=options) as db:
        for _ in range(3):
            with db.reader(uuid4()) as session:
                assert session.scalar(text("select date 'infinity'")) == date.max
    with pytest.raises(ConfigurationError, match="left a transaction open"):
        _ask(settings, EngineOptions(password=lambda: good, on_connect=lambda made: made.execute("begin")))


def test_engine(settings: Settings, good: str) -> None:
    """JSON is written and read as a service says; a pool grows and renews itself as it says."""
    options = EngineOptions(
        password=lambda: good, pool_recycle=7, max_overflow=2,
        json_serializer=lambda value: json.dumps(value, default=str),
        json_deserializer=lambda found: [json.loads(found)],
    )  # fmt: skip
    someone = uuid4()
    with Database(settings, options=options) as db, db.reader(someone) as session:
        assert session.scalar(select(cast({"id": someone}, JSONB))) == [{"id": str(someone)}]
        assert isinstance(db.engine.pool, QueuePool)
        assert (db.engine.pool._recycle, db.engine.pool._max_overflow, db.connections) == (7, 2, 7)
    for refused in ({"max_overflow": -1}, {"pool_recycle": 0}, {"pool_recycle": float("nan")}):
        with pytest.raises(ConfigurationError):
            EngineOptions(**refused)


def test_url_for_settings() -> None:
    """What SQLAlchemy's engines take is told how to be written here."""
    for kind in (Database, AsyncDatabase):
        with pytest.raises(ConfigurationError, match="takes settings, and no URL") as refused:
            kind("postgresql://me:Zx9q@localhost/app")  # type: ignore[arg-type]  # that is the mistake
        assert "Settings(database_url=" in (refused.value.hint or "")
        assert "Zx9q" not in str(refused.value)
