"""What is attached to an application, whole or in parts: in any order, and around mounted applications too."""

from contextlib import suppress
from typing import Annotated, Any
from uuid import UUID

import pytest
from fastapi import FastAPI, Header, HTTPException, Request
from fastapi.middleware.cors import CORSMiddleware
from fastapi.testclient import TestClient

from tests.service.conftest import attached
from userscope.errors import InvalidToken
from userscope.fastapi import (
    UserSession,
    current_user_id,
    install,
    install_body_limit,
    install_errors,
    lifespan,
    problem,
)
from userscope.models import Todo
from userscope.settings import Settings


@pytest.mark.parametrize("first", [True, False], ids=["CORS first", "CORS later"])
def test_other_origins(settings: Settings, first: bool) -> None:
    """A page of another origin can read every answer, one to a surprise too."""
    app = FastAPI(lifespan=lifespan(settings))
    if first:
        app.add_middleware(CORSMiddleware, allow_origins=["https://page.example"])
    install(app)
    if not first:
        app.add_middleware(CORSMiddleware, allow_origins=["https://page.example"])

    @app.get("/surprise")
    def surprise() -> None:
        raise RuntimeError

    with TestClient(app, raise_server_exceptions=False) as client:
        answer = client.get("/surprise", headers={"Origin": "https://page.example"})
    assert (answer.status_code, answer.json()["status"]) == (500, 500)
    assert answer.headers["access-control-allow-origin"] == "https://page.example"


@pytest.mark.parametrize("reads", [True, False])
@pytest.mark.parametrize("first", [True, False])
def test_body_limit(reads: bool, first: bool) -> None:
    """A body that is too long is 413 whatever middleware stands around; routes may have limits of their own."""
    app = FastAPI()

    async def logged(request: Any, call_next: Any) -> Any:
        if reads:
            await request.body()
        return await call_next(request)

    if first:
        app.middleware("http")(logged)
    install_body_limit(app, max_body=1000, max_bodies={"/up": 10_000, "/up/small": 10})
    if not first and not reads:  # what reads a body outside of a limit is not held by it
        app.middleware("http")(logged)

    @app.post("/{path:path}")
    def take(body: dict[str, str]) -> int:
        return len(body)

    with TestClient(app, raise_server_exceptions=False) as client:
        sizes = {"/x": 2000, "/up": 11_000, "/up/large": 11_000, "/up/small": 20, "/upper": 2000}
        assert {client.post(path, json={"a": "y" * size}).status_code for path, size in sizes.items()} == {413}
        fits = {"/x": 500, "/up": 9000, "/up/large": 9000, "/up/large/small": 9000}
        assert {client.post(path, json={"a": "y" * size}).status_code for path, size in fits.items()} == {200}
        answer = client.post("/x", json={"a": "y" * 2000})
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("above", ["/v1/up", "/api/up"], ids=["mounted", "behind a proxy"])
def test_body_limit_by_path(above: str) -> None:
    """A limit's path is the application's own, wherever that is mounted, and whatever a proxy calls it."""
    app, below = FastAPI(), FastAPI()
    app.mount("/v1", below)
    install_body_limit(below, max_body=1000, max_bodies={"/up": 10_000})

    @below.post("/{path:path}")
    async def take(request: Request) -> int:
        return len(await request.body())

    served: Any = TestClient(app) if above == "/v1/up" else TestClient(below, root_path="/api")
    with served as client:
        fits, beyond = {above: 9000, f"{above}per": 900}, {above: 11_000, f"{above}per": 2000}
        assert {client.post(path, content=b"y" * size).status_code for path, size in fits.items()} == {200}
        assert {client.post(path, content=b"y" * size).status_code for path, size in beyond.items()} == {413}


def test_body_limit_and_who_swallows_it() -> None:
    """What reads the body beforehand and bears any error, as Sentry does, makes nobody wait."""
    app = FastAPI()

    @app.post("/")
    async def take(request: Request) -> int:
        with suppress(Exception):
            await request.body()
        return len(await request.body())

    install_body_limit(app, max_body=1000)
    with TestClient(app, raise_server_exceptions=False) as client:
        assert client.post("/", content=b"y" * 2000).status_code == 413
        assert client.post("/", content=b"y" * 500).json() == 500


def test_errors_alone(settings: Settings, alice: UUID) -> None:
    """An application that has its own ways with errors keeps them: only ours are answered."""
    app = FastAPI(lifespan=lifespan(settings))
    install_errors(app)
    app.dependency_overrides[current_user_id] = lambda: alice

    @app.post("/todos")
    def add(session: UserSession, number: Annotated[int, Header()] = 0) -> None:
        session.add(Todo(title=" " * number))

    @app.get("/teapot")
    def teapot() -> None:
        raise HTTPException(418, {"short": "stout"})

    with TestClient(app, raise_server_exceptions=False) as client:
        assert client.post("/todos").json()["title"] == "Unprocessable Content"
        assert "detail" in client.post("/todos", headers={"number": "x"}).json()
        assert client.get("/teapot").json() == {"detail": {"short": "stout"}}
        assert client.get("/healthz").status_code == 404


def test_details(settings: Settings) -> None:
    """What an application says in a problem of its own is a member of it, and never its status."""
    app = attached(settings)

    @app.get("/mapping")
    def mapping() -> None:
        said = {"code": "too_short", "type": "https://a.example/short", "status": 200, "at": UUID(int=1)}
        raise HTTPException(400, said)

    @app.get("/list")
    def several() -> None:
        raise HTTPException(400, ["one", "two"])

    @app.get("/own")
    def own() -> Any:
        return problem(409, "There is one.", members={"id": 7})

    @app.get("/refused")
    def refused() -> None:
        raise InvalidToken("It is somebody's.")

    with TestClient(app) as client:
        assert client.get("/mapping").json() == {
            "type": "https://a.example/short", "title": "Bad Request", "status": 400, "code": "too_short",
            "at": "00000000-0000-0000-0000-000000000001",
        }  # fmt: skip
        assert client.get("/list").json()["errors"] == ["one", "two"]
        assert (client.get("/own").json()["id"], client.get("/own").json()["detail"]) == (7, "There is one.")
        assert client.get("/refused").json()["detail"] == "It is somebody's."


def test_words(settings: Settings) -> None:
    """Whatever an application says arrives: in a header as far as that can hold it, and no number that JSON has not."""
    app = attached(settings)

    @app.get("/refused")
    def refused() -> None:
        raise InvalidToken('"Zoë" ist gesperrt ☃\r\nSet-Cookie: a=b')

    @app.get("/number")
    def number() -> None:
        raise HTTPException(400, {"at": float("nan")})

    with TestClient(app) as client:
        answer, without = client.get("/refused"), client.get("/number")
    assert answer.json()["detail"] == '"Zoë" ist gesperrt ☃\r\nSet-Cookie: a=b'
    described = 'error="invalid_token", error_description="?Zo?? ist gesperrt ???Set-Cookie: a=b"'
    assert answer.headers["www-authenticate"] == f"Bearer {described}"
    assert without.json() == {"type": "about:blank", "title": "Bad Request", "status": 400}


def test_logged(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    """A line of the log is a line, whatever path and host a request names."""
    app = attached(settings, verifier=None)

    @app.get("/todos/{name}")
    def fail(session: UserSession) -> None:
        raise AssertionError(session)

    with TestClient(app, raise_server_exceptions=False) as client:
        for host in ("todos.example", "[", "a\xff"):
            headers = [(b"Host", host.encode("latin-1")), (b"Authorization", b"Bearer x")]
            assert client.get("/todos/%1b[31m%0aERROR", headers=headers).status_code == 500
    told = [record.getMessage() for record in caplog.records if record.name == "userscope.fastapi.problems"]
    assert told == ["GET /todos/%1B%5B31m%0AERROR failed"] * 3
