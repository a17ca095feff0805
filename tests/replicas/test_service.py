"""A FastAPI service with a replica: pages after a change show it, and /readyz and the health tell of both servers."""

import asyncio
import base64
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI, HTTPException
from sqlmodel import Session, select
from sqlmodel.ext.asyncio.session import AsyncSession

from tests.processes import eventually
from tests.replicas.conftest import Wires
from tests.replicas.test_outages import NOWHERE, lines
from tests.replication import Pair
from tests.service.served import served
from userscope.database import Database
from userscope.errors import ConfigurationError
from userscope.fastapi import (
    ActingAsyncDatabase,
    ActingDatabase,
    async_databases,
    async_readers,
    async_sessions,
    databases,
    install,
    install_positions,
    lifespan,
    readers,
    sessions,
)
from userscope.models import Todo

SECRET = "a secret of the tests, 32 bytes or more"  # it keeps none

type Client = Callable[[UUID], httpx.Client]


def _who(user: str) -> UUID:
    return UUID(user)


def _app(wires: Wires, secret: str = SECRET) -> FastAPI:
    app = FastAPI(lifespan=lifespan(wires.settings(database_pool_timeout=0.5), verifier=None))
    install(app)
    install_positions(app, secret=secret, secure=False)

    @app.post("/todos")
    def add(session: Annotated[Session, sessions(user_id=_who)], title: str) -> None:
        session.add(Todo(title=title))

    @app.post("/async")
    async def add_async(session: Annotated[AsyncSession, async_sessions(user_id=_who)], title: str) -> None:
        session.add(Todo(title=title))

    @app.get("/todos")
    def titles(session: Annotated[Session, readers(user_id=_who)]) -> list[str]:
        return sorted(session.exec(select(Todo.title)))

    @app.get("/async")
    async def titles_async(session: Annotated[AsyncSession, async_readers(user_id=_who)]) -> list[str]:
        return sorted(await session.exec(select(Todo.title)))

    @app.post("/acting")
    def add_acting(database: Annotated[ActingDatabase, databases(user_id=_who)], title: str) -> list[str]:
        with database.session() as session:
            session.add(Todo(title=title))
        with database.reader() as session:
            return sorted(session.exec(select(Todo.title)))

    @app.post("/async-acting")
    async def add_async_acting(
        database: Annotated[ActingAsyncDatabase, async_databases(user_id=_who)], title: str
    ) -> list[str]:
        async with database.session() as session:
            session.add(Todo(title=title))
        async with database.reader() as session:
            return sorted(await session.exec(select(Todo.title)))

    @app.post("/refused")
    def add_and_refuse(session: Annotated[Session, sessions(user_id=_who)], title: str) -> None:
        session.add(Todo(title=title))
        session.commit()
        raise HTTPException(409)

    @app.get("/acting")
    def acting(database: Annotated[ActingDatabase, databases(user_id=_who)]) -> list[str]:
        with database.reader() as session:
            return sorted(session.exec(select(Todo.title)))

    return app


@contextmanager
def _clients(wires: Wires, secret: str = SECRET) -> Iterator[Client]:
    with served(_app(wires, secret)) as first:
        yield lambda user: httpx.Client(base_url=first.base_url, params={"user": str(user)}, trust_env=False)


@pytest.fixture
def client(wires: Wires, pair: Pair) -> Iterator[Client]:
    """A browser for each user: it keeps cookies."""
    pair.catch_up()
    with _clients(wires) as made:
        yield made


def test_pages_after_a_change(client: Client, pair: Pair, alice: UUID) -> None:
    """The browser that made a change sees it, whatever the replica has; another browser does not have to."""
    pair.pause()
    try:
        with client(alice) as hers, client(alice) as another:
            for road in ("/todos", "/async", "/acting", "/async-acting"):
                answer = hers.post(road, params={"title": f"by {road}"})
                assert answer.status_code == 200
                assert "httponly" in answer.headers["set-cookie"].lower()
                for page in ("/todos", "/async", "/acting"):
                    assert f"by {road}" in hers.get(page).json()
                    assert f"by {road}" not in another.get(page).json()
            sent = {"Userscope-Position": answer.headers["userscope-position"]}
            assert "by /async-acting" in another.get("/todos", headers=sent).json()
    finally:
        pair.resume()


@pytest.mark.parametrize("road", ["/acting", "/async-acting"])
def test_within_a_request(client: Client, pair: Pair, alice: UUID, road: str) -> None:
    """What a request has written itself its readers show, without anything that came along."""
    pair.pause()
    try:
        with client(alice) as hers:
            assert "here" in hers.post(road, params={"title": "here"}).json()
    finally:
        pair.resume()


def test_refused_after_a_commit(client: Client, pair: Pair, alice: UUID) -> None:
    """What was committed before the route failed is seen as well."""
    pair.pause()
    try:
        with client(alice) as hers:
            assert hers.post("/refused", params={"title": "kept"}).status_code == 409
            assert "kept" in hers.get("/todos").json()
    finally:
        pair.resume()


def test_forged(client: Client, wires: Wires, pair: Pair, alice: UUID, bob: UUID) -> None:
    """What was changed, is another user's or of another secret counts for nothing, and is no error; nobody reads it."""
    pair.pause()
    try:
        with client(alice) as hers, client(alice) as another, client(bob) as his, _clients(wires, "b" * 32) as others:
            hers.post("/todos", params={"title": "hidden"})
            token = hers.post("/todos", params={"title": "hers"}).headers["userscope-position"]
            assert his.get("/todos", headers={"Userscope-Position": token}).json() == ["bob 1", "bob 2"]
            with others(alice) as of_other_secret:
                assert "hers" not in of_other_secret.get("/todos", headers={"Userscope-Position": token}).json()
            changed = [
                token[:at] + ("B" if token[at] == "A" else "A") + token[at + 1 :] for at in range(len(token) - 1)
            ]
            for forged in ("", "x", "%", "\xe9", "00000001:F/0", "A" * 4000, token[:-3], *changed):
                sent = another.get("/todos", headers=[(b"userscope-position", forged.encode("latin-1"))])
                assert (sent.status_code, "hers" in sent.json()) == (200, False)
            # How much all others write would show in it.
            assert "/" not in token
            assert b"0/" not in base64.urlsafe_b64decode(token + "==")
            assert "hers" in another.get("/todos", headers={"Userscope-Position": token}).json()
            with pair.primary.superuser_connection() as superuser:
                (count,) = superuser.execute("select count(*) from app.todos where title = 'hers'").fetchone() or (0,)
            assert count == 1
    finally:
        pair.resume()


def test_one_line(client: Client, wires: Wires, alice: UUID, caplog: pytest.LogCaptureFixture) -> None:
    """What befalls the replica is said once, though routes of both kinds find it out."""
    roads = ("/todos", "/async") * 2
    with client(alice) as browser:
        for road in roads:
            assert browser.get(road).json() == ["alice 1", "alice 2", "alice 3"]
        wires.standby.target = NOWHERE
        wires.standby.cut()
        for road in roads:
            assert browser.get(road).json() == ["alice 1", "alice 2", "alice 3"]
    assert len(lines(caplog)) == 1


def test_ready(client: Client, wires: Wires, alice: UUID) -> None:
    """/readyz tells of both; without the replica the service is ready, without the primary it reads."""

    def told() -> object:
        answer = browser.get("/readyz")
        return answer.json() if answer.status_code == 200 else answer.status_code

    with client(alice) as browser:
        assert told() == {"status": "ready", "primary": "ready", "replica": "ready, 0.0 seconds behind"}
        here, there = wires.primary.target, wires.standby.target
        wires.standby.target = NOWHERE
        eventually(lambda: told() == {"status": "ready", "primary": "ready", "replica": "away"})
        wires.primary.target, wires.standby.target = NOWHERE, there
        wires.primary.cut()
        eventually(lambda: told() == {"status": "reading", "primary": "away", "replica": "ready, 0.0 seconds behind"})
        assert browser.get("/todos").json() == ["alice 1", "alice 2", "alice 3"]
        assert browser.post("/todos", params={"title": "lost"}).status_code == 503
        wires.primary.target = here
        eventually(lambda: told() == {"status": "ready", "primary": "ready", "replica": "ready, 0.0 seconds behind"})


def test_away_at_the_start(wires: Wires, pair: Pair, alice: UUID) -> None:
    """A service that starts without the primary reads from the replica once that shows that policies bind everybody."""
    wires.primary.target = NOWHERE
    with pair.primary.superuser_connection() as superuser:
        try:
            superuser.execute("alter table app.todos disable row level security")
            pair.catch_up()
            with _clients(wires) as client, client(alice) as browser:
                assert [browser.get(path).status_code for path in ("/readyz", "/todos")] == [503, 503]
        finally:
            superuser.execute("alter table app.todos enable row level security")
            pair.catch_up()
    with _clients(wires) as client, client(alice) as browser:
        assert browser.get("/todos").json() == ["alice 1", "alice 2", "alice 3"]


def test_health(wires: Wires, pair: Pair, alice: UUID) -> None:
    """The health tells how far the replica is behind."""
    with Database(wires.settings()) as database:
        pair.pause()
        try:
            with database.session(alice) as session:
                session.add(Todo(title="not replayed"))
            found = database.health()
            assert found.fit
            (of_replica,) = found.replicas
            assert (of_replica.problem, of_replica.host) == (None, wires.standby.url.host)
            assert of_replica.behind
            assert of_replica.late
        finally:
            pair.resume()
        (caught_up,) = database.health().replicas
        assert (caught_up.behind, caught_up.late) == (0, 0.0)
        wires.standby.target = pair.primary.url("service")
        with Database(wires.settings()) as wrong:
            (problem,) = wrong.health().problems
            assert problem.startswith("DATABASE_REPLICA_URL names a primary, and no replica")


def test_refused(wires: Wires, pair: Pair) -> None:
    """A service whose replica is a primary does not start; a secret that can be guessed is refused."""
    wires.standby.target = pair.primary.url("service")
    app = _app(wires)

    async def start() -> None:
        async with app.router.lifespan_context(app):
            raise AssertionError("it serves")

    with pytest.raises(ConfigurationError, match="names a primary, and no replica"):
        asyncio.run(start())
    app = FastAPI()
    install_positions(app, secret="short")  # as above
    with pytest.raises(ConfigurationError, match="shorter than 32 bytes"):
        app.build_middleware_stack()
