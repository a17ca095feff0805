"""A FastAPI service lists todos: by a reader under row-level security, and by a WHERE without it, near and far."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from time import perf_counter
from typing import Annotated, Any

import psycopg
from fastapi import FastAPI, Query
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from bench.distance import distant
from bench.measuring import Figures, refuse_other_rows, take_turns
from bench.world import EACH, fill, world
from examples.todo_api.app import create_app
from examples.todo_api.pages import Page, PageQuery
from tests.issuer import serving
from userscope.fastapi import UserId, install, lifespan
from userscope.models import Todo
from userscope.postgres.url import ConnectionURL
from userscope.settings import Settings

USERS, TODOS = 50, 20
AT_ONCE = 5
"""Requests at the same time, as many as each pool has connections."""

type Ask = Callable[[], Awaitable[object]]
"""Sends a request, and returns the rows of its answer."""


def main(*, quick: bool = False) -> Figures:
    """Send the same requests to three applications in turn: "where/reader" above 1 means that the reader is faster."""
    figures = Figures()
    with world({}) as made, serving() as issuer:
        admin, service = made.url("admin"), made.url("service")
        fill(admin, USERS * EACH, users=USERS)
        with psycopg.connect(admin.conninfo()) as connection:
            row = connection.execute("select owner_id from app.todos limit 1").fetchone()
        token = issuer.token(row[0] if row else None)
        trust = issuer.settings().model_dump(include={"auth_jwks_url", "auth_issuer", "auth_audience"})
        for distance in (0, 5)[: 1 if quick else 2]:
            with distant(distance, admin, service) as (by_hand, ours):
                settings = Settings(_env_file=None, database_url=ours.text(), database_pool_size=AT_ONCE, **trust)
                with asyncio.Runner() as runner:
                    found = _measured(runner, settings, by_hand, token, quick=quick)
            figures.take(found, f"{distance}ms")
    return figures


def _measured(runner: asyncio.Runner, settings: Settings, admin: ConnectionURL, token: str, *, quick: bool) -> Figures:
    requests = 40 if quick else 200
    stack = AsyncExitStack()
    kinds = runner.run(_started(stack, settings, admin, token))
    refuse_other_rows({name: runner.run(_rows(ask)) for name, ask in kinds.items()})

    def timed(ask: Ask) -> Callable[[], float]:
        def work() -> float:
            began = perf_counter()
            runner.run(_load(ask, requests))
            return (perf_counter() - began) / requests

        return work

    taken = take_turns({name: timed(ask) for name, ask in kinds.items()}, 5 if quick else 21)
    runner.run(stack.aclose())
    return taken.figures(("where", "reader"), ("autocommit", "reader"))


async def _started(stack: AsyncExitStack, settings: Settings, admin: ConnectionURL, token: str) -> dict[str, Ask]:
    engine = await stack.enter_async_context(_engine(admin))
    apps = {
        "reader": create_app(settings),
        "where": _by_hand(settings, engine),
        "autocommit": _by_hand(settings, engine.execution_options(isolation_level="AUTOCOMMIT")),
    }
    states = {name: await stack.enter_async_context(app.router.lifespan_context(app)) for name, app in apps.items()}
    return {name: _asking(app, states[name], token) for name, app in apps.items()}


async def _rows(ask: Ask) -> object:
    return await ask()


async def _load(ask: Ask, requests: int) -> None:
    left = iter(range(requests))

    async def work() -> None:
        for _ in left:
            await ask()

    await asyncio.gather(*(work() for _ in range(AT_ONCE)))


def _by_hand(settings: Settings, engine: AsyncEngine) -> FastAPI:
    """The same endpoint and the same token; nothing but its WHERE keeps people apart."""
    app = FastAPI(lifespan=lifespan(settings))
    install(app)

    @app.get("/todos")
    async def list_todos(query: Annotated[PageQuery, Query()], user_id: UserId) -> Page:
        async with AsyncSession(engine) as session:
            found = (await session.exec(query.statement().where(col(Todo.owner_id) == user_id))).all()
        return Page.of(list(found), query.limit)

    return app


@asynccontextmanager
async def _engine(url: ConnectionURL) -> AsyncIterator[AsyncEngine]:
    async def connect() -> psycopg.AsyncConnection[Any]:
        return await psycopg.AsyncConnection.connect(url.conninfo())

    engine = create_async_engine("postgresql+psycopg://", async_creator=connect, pool_size=AT_ONCE, max_overflow=0)
    yield engine
    await engine.dispose()


def _asking(app: FastAPI, state: Any, token: str) -> Ask:
    """Return what sends one request straight into an application: no client's and no server's work is measured."""
    headers = [(b"authorization", f"Bearer {token}".encode())]

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def ask() -> object:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
            "path": "/todos", "raw_path": b"/todos", "root_path": "", "query_string": b"", "headers": headers,
            "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 2), "state": dict(state),
        }  # fmt: skip
        await app(scope, receive, send)
        rows = json.loads(sent[1]["body"])["items"] if sent[0]["status"] == 200 else ()
        if len(rows) != TODOS:
            raise RuntimeError(f"this is no list: {sent}")
        return rows

    return ask
