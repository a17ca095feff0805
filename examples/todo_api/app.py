"""Todos over HTTP. Not one statement says whose: the token does, and PostgreSQL keeps to it."""

from pathlib import Path
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, FastAPI, Query, Response
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel
from sqlmodel import col, delete, select

from examples.todo_api.pages import Page, PageQuery
from examples.todo_api.reach import reach
from examples.todo_api.rows import change, found
from examples.todo_api.team import team
from userscope import Account, Settings, Todo, TodoCreate, TodoPublic, TodoUpdate, UserPublic, UserUpdate
from userscope.errors import AccountGone
from userscope.fastapi import AsyncUserReader, AsyncUserSession, UserId, install, lifespan, refusals

_PAGE = Path(__file__).with_name("page")
_BODY = (400, 413, 422)

todos = APIRouter(prefix="/todos", tags=["todos"])
me = APIRouter(prefix="/me", tags=["me"], responses=refusals())


class Config(BaseModel):
    """What the page has to know."""

    auth_url: str
    teams: bool


class Export(BaseModel):
    """Everything that is stored about a person here."""

    account: UserPublic
    todos: list[TodoPublic]


def _account(row: Account | None) -> Account:
    if row is None:
        raise AccountGone
    return row


@todos.get("", responses=refusals(422))
async def list_todos(query: Annotated[PageQuery, Query()], session: AsyncUserReader) -> Page:
    """List one's todos, newest first."""
    rows = (await session.exec(query.statement())).all()
    return Page.of(list(rows), query.limit)


@todos.post("", status_code=201, response_model=TodoPublic, responses=refusals(*_BODY))
async def add_todo(given: TodoCreate, session: AsyncUserSession, response: Response) -> Todo:
    """Add a todo."""
    todo = Todo.model_validate(given)
    session.add(todo)
    await session.flush()
    response.headers["Location"] = f"/todos/{todo.id}"
    return todo


@todos.get("/{todo_id}", response_model=TodoPublic, responses=refusals(404, 422))
async def get_todo(todo_id: UUID, session: AsyncUserReader) -> Todo:
    """Return a todo."""
    return found(await session.get(Todo, todo_id))


@todos.patch("/{todo_id}", response_model=TodoPublic, responses=refusals(404, *_BODY))
async def change_todo(todo_id: UUID, given: TodoUpdate, session: AsyncUserSession) -> Todo:
    """Change what is given of a todo."""
    return found(await change(session, Todo, todo_id, given))


@todos.delete("/{todo_id}", status_code=204, responses=refusals(404, 422))
async def delete_todo(todo_id: UUID, session: AsyncUserSession) -> None:
    """Delete a todo."""
    gone = await session.exec(delete(Todo).where(col(Todo.id) == todo_id).returning(col(Todo.id)))
    found(gone.first())


@me.get("", response_model=UserPublic)
async def get_me(session: AsyncUserReader) -> Account:
    """Return one's account."""
    return _account((await session.exec(select(Account))).first())


@me.patch("", response_model=UserPublic, responses=refusals(*_BODY))
async def change_me(given: UserUpdate, user_id: UserId, session: AsyncUserSession) -> Account:
    """Change one's name or picture; everything else of an account is the identity provider's business."""
    return _account(await change(session, Account, user_id, given))


@me.get("/export")
async def export_me(session: AsyncUserReader, response: Response) -> Export:
    """Return everything that is stored about oneself, to take along."""
    account = _account((await session.exec(select(Account))).first())
    rows = (await session.exec(select(Todo).order_by(col(Todo.created_at), col(Todo.id)))).all()
    response.headers["Content-Disposition"] = 'attachment; filename="todos.json"'
    return Export(account=UserPublic.model_validate(account), todos=[TodoPublic.model_validate(todo) for todo in rows])


def _guarded(auth_url: str) -> dict[str, str]:
    """Return headers: the page runs only scripts of its own, asks only us and ``auth_url``, and is framed nowhere.

    What each forbids: https://developer.mozilla.org/en-US/docs/Web/HTTP/Guides/CSP
    """
    policy = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "data:",
        "connect-src": f"'self' {auth_url}".rstrip(),
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
        "require-trusted-types-for": "'script'",
    }
    return {
        "Content-Security-Policy": "; ".join(f"{directive} {sources}" for directive, sources in policy.items()),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }


def create_app(settings: Settings | None = None, *, auth_url: str = "", teams: bool = False) -> FastAPI:
    """Return the service. ``auth_url``: where the page finds the identity provider, seen from a browser.

    ``teams``: a team's list as well, whose table comes by the example's own pair of projects, ``db/``.
    """
    app = FastAPI(title="Todos", version="1", lifespan=lifespan(settings))
    install(app)
    app.include_router(todos)
    app.include_router(me)
    app.include_router(reach)
    if teams:
        app.include_router(team)
    app.mount("/page", StaticFiles(directory=_PAGE))

    @app.get("/config", tags=["page"])
    async def config() -> Config:
        """Tell the page where to sign in, and what to show."""
        return Config(auth_url=auth_url, teams=teams)

    @app.get("/", include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(_PAGE / "index.html", headers=_guarded(auth_url))

    return app
