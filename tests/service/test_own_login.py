"""Services of any login, in any shape: whoever a dependency says acts; parts of what is installed; sockets, streams."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any, get_args
from uuid import UUID

import httpx
import pytest
from fastapi import BackgroundTasks, Depends, FastAPI, HTTPException, WebSocket
from fastapi.responses import StreamingResponse
from fastapi.security import APIKeyHeader
from fastapi.testclient import TestClient
from sqlmodel import Session, select, text
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.testclient import WebSocketDenialResponse
from starlette.websockets import WebSocketDisconnect

from tests.issuer import Issuer
from tests.service.conftest import attached, titles, trusting
from userscope.fastapi import (
    AsyncUserDatabase,
    AsyncUserSession,
    UserDatabase,
    UserReader,
    UserSession,
    async_readers,
    async_sessions,
    current_user_id,
    readers,
    sessions,
)
from userscope.models import Todo
from userscope.testing import Sandbox

KEYS: dict[str, UUID] = {}
"""A login of one's own: whose an API key is."""
_key = APIKeyHeader(name="X-Key", scheme_name="key")


async def who_acts(key: Annotated[str, Depends(_key)]) -> UUID:
    """Whoever has this key."""
    if key not in KEYS:
        raise HTTPException(401, {"code": "unknown_key", "hint": "Ask for one."})
    return KEYS[key]


MySession = Annotated[Session, sessions(user_id=who_acts)]
MyReader = Annotated[Session, readers(user_id=who_acts)]
MyAsyncSession = Annotated[AsyncSession, async_sessions(user_id=who_acts)]
MyAsyncReader = Annotated[AsyncSession, async_readers(user_id=who_acts)]

_opened = get_args(UserSession)[1].dependency
Another = Annotated[Session, Depends(_opened, use_cache=False, scope="function")]


def test_own_dependency(world: Sandbox, alice: UUID) -> None:
    """Sessions for whoever a dependency of the service's own says: no AUTH_*, and its own scheme in OpenAPI."""
    app = attached(world.settings, verifier=None)
    KEYS["alice"] = alice

    @app.post("/todos")
    def add(title: str, session: MySession) -> None:
        session.add(Todo(title=title))

    @app.get("/todos")
    def read(session: MyReader) -> list[str]:
        return titles(session)

    @app.post("/async")
    async def add_async(title: str, session: MyAsyncSession) -> None:
        session.add(Todo(title=title))

    @app.get("/async")
    async def read_async(session: MyAsyncReader) -> list[str]:
        return list(await session.exec(select(Todo.title)))

    @app.get("/bearer")
    def bearer(session: UserReader) -> list[str]:
        return titles(session)

    KEYS["bob"] = world.user("Bob").id
    with TestClient(app, raise_server_exceptions=False) as client:
        hers, his = {"X-Key": "alice"}, {"X-Key": "bob"}
        assert client.post("/todos?title=a", headers=hers).status_code == 200
        assert client.post("/async?title=b", headers=hers).status_code == 200
        assert client.get("/todos", headers=hers).json() == ["a", "b"]
        assert sorted(client.get("/async", headers=hers).json()) == ["a", "b"]
        assert client.get("/todos", headers=his).json() == client.get("/async", headers=his).json() == []
        refused = client.get("/todos", headers={"X-Key": "nobody"})
        assert refused.status_code == 401
        assert refused.json()["code"] == "unknown_key"
        assert client.get("/bearer", headers={"Authorization": "Bearer x"}).status_code == 500  # it verifies no tokens
        described = client.get("/openapi.json").json()
    assert described["paths"]["/todos"]["get"]["security"] == [{"key": []}]
    assert described["paths"]["/bearer"]["get"]["security"] == [{"bearer": []}]


@pytest.mark.parametrize("acts", [None, "", "alice", 42])
def test_nobody(world: Sandbox, acts: object) -> None:
    """A dependency that says nobody, or no id, gets no session."""
    app = attached(world.settings, verifier=None)

    @app.get("/todos")
    def read(session: Annotated[Session, readers(user_id=lambda: acts)]) -> list[str]:
        return titles(session)

    with TestClient(app, raise_server_exceptions=False) as client:
        assert client.get("/todos").status_code == 500


def test_one_turn(world: Sandbox, issuer: Issuer, alice: UUID) -> None:
    """As many requests as the pool bears are served at once, each with all its sessions; nobody waits for itself."""
    settings = trusting(world.settings, issuer).model_copy(update={"database_pool_size": 2, "database_pool_timeout": 9})
    app = attached(settings)
    app.dependency_overrides[current_user_id] = lambda: alice

    @app.get("/sync")
    def both(session: UserSession, reader: UserReader) -> Any:
        session.scalar(text("select pg_sleep(0.05)"))
        return reader.scalar(text("select 1"))

    @app.get("/async")
    async def both_async(
        session: AsyncUserSession, reader: Annotated[AsyncSession, async_readers(user_id=current_user_id)]
    ) -> Any:
        await session.scalar(text("select pg_sleep(0.05)"))
        return await reader.scalar(text("select 1"))

    @app.get("/apart")
    def apart(session: UserSession, other: Another) -> Any:
        other.scalar(text("select pg_sleep(0.05)"))
        return session.scalar(text("select 1"))

    @app.get("/three")
    def three(_: UserSession, __: UserReader, ___: Annotated[Session, readers(user_id=lambda: alice)]) -> None:
        pass

    with TestClient(app, raise_server_exceptions=False) as client, ThreadPoolExecutor(6) as pool:
        for path in ("/sync", "/async", "/apart"):
            assert list(pool.map(lambda path: client.get(path).status_code, [path] * 6)) == [200] * 6
        assert client.get("/three").status_code == 500


def test_socket(acting: FastAPI, world: Sandbox, alice: UUID) -> None:
    """A WebSocket has sessions like a request; one that outlives them asks for the database."""

    @acting.websocket("/short")
    async def short(socket: WebSocket, session: AsyncUserSession) -> None:
        await socket.accept()
        session.add(Todo(title=await socket.receive_text()))
        await session.flush()
        await socket.send_text("ok")
        await socket.close()

    @acting.websocket("/long")
    async def long(socket: WebSocket, database: AsyncUserDatabase) -> None:
        await socket.accept()
        while (title := await socket.receive_text()) != "end":
            async with database.session() as session:
                session.add(Todo(title=title))
            await socket.send_text("ok")
        await socket.close()

    with TestClient(acting) as client:
        with client.websocket_connect("/short") as socket:
            socket.send_text("a")
            assert socket.receive_text() == "ok"
        with client.websocket_connect("/long") as socket:
            for title in ("b", "c"):
                socket.send_text(title)
                assert socket.receive_text() == "ok"
            socket.send_text("end")
        with client.websocket_connect("/short") as socket:
            socket.send_text(" ")  # which a constraint refuses
            with pytest.raises(WebSocketDisconnect) as ended:
                socket.receive_text()
            assert ended.value.code == 1011
        del acting.dependency_overrides[current_user_id]
        with pytest.raises(WebSocketDenialResponse) as refused, client.websocket_connect("/short"):
            pass
        assert refused.value.status_code == 401
    with world.acting_as(alice) as session:
        assert titles(session) == ["a", "b", "c"]


def test_after_the_answer(acting: FastAPI) -> None:
    """What goes on when the route has returned has sessions of its own."""

    def later(database: Any, title: str) -> None:
        with database.session() as session:
            session.add(Todo(title=title))

    @acting.post("/later")
    def begin(tasks: BackgroundTasks, database: UserDatabase) -> None:
        tasks.add_task(later, database, "by a task")

    @acting.get("/stream")
    def stream(database: UserDatabase) -> StreamingResponse:
        def lines() -> Iterator[str]:
            with database.session() as session:
                for todo in session.exec(select(Todo).execution_options(yield_per=1)):
                    yield f"{todo.title}\n"

        return StreamingResponse(lines())

    with TestClient(acting) as client:
        assert client.post("/later").status_code == 200
        assert client.get("/stream").text == "by a task\n"


def test_asgi_transport(acting: FastAPI) -> None:
    """Tests of asyncio run the lifespan themselves; without it the words say how."""

    @acting.get("/todos")
    def read(session: UserReader) -> list[str]:
        return titles(session)

    async def ask() -> list[int]:
        transport = httpx.ASGITransport(acting, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            async with acting.router.lifespan_context(acting):
                running = (await client.get("/todos")).status_code
            return [running, (await client.get("/todos")).status_code]

    assert asyncio.run(ask()) == [200, 500]
