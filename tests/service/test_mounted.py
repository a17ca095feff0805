"""Applications in applications: errors, databases and tokens are those of the nearest that has its own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from fastapi import FastAPI
from fastapi.testclient import TestClient

from tests.issuer import Issuer, serving
from tests.service.conftest import attached, titles, trusting
from userscope.fastapi import UserId, UserReader, UserSession, current_user_id, install, lifespan
from userscope.models import Todo
from userscope.settings import Settings


def test_mounted(settings: Settings, alice: UUID) -> None:
    """A mounted application has the databases, and its errors are answered, though it has installed nothing."""
    app, below = attached(settings), FastAPI()
    app.mount("/v1", below)

    @below.get("/todos")
    def read(session: UserReader) -> list[str]:
        return titles(session)

    @below.get("/surprise")
    def surprise() -> None:
        raise RuntimeError

    @below.post("/todos")
    def add(session: UserSession) -> None:
        session.add(Todo(title=" "))

    with TestClient(app, raise_server_exceptions=False) as client:
        assert client.get("/v1/todos").status_code == 401
        assert (
            client.get("/v1/todos", headers={"Authorization": "Bearer x"}).json()["detail"]
            == "It is no JSON Web Token."
        )
        assert client.get("/v1/surprise").status_code == 500
        below.dependency_overrides[current_user_id] = lambda: alice
        assert client.get("/v1/todos").json() == []
        assert client.post("/v1/todos").json()["detail"] == "A title has 1 to 200 characters and is not blank."


def test_issuer_of_its_own(settings: Settings, issuer: Issuer, alice: UUID) -> None:
    """A mounted application that was started with another issuer takes its tokens, and none of the outer one's."""
    below = FastAPI()
    with serving() as other:

        @asynccontextmanager
        async def both(app: FastAPI) -> AsyncIterator[Any]:
            async with lifespan(settings)(app) as state, lifespan(trusting(settings, other))(below):
                yield state

        app = FastAPI(lifespan=both)
        install(app)
        app.mount("/v1", below)
        for each in (app, below):

            @each.get("/me")
            def me(user_id: UserId) -> UUID:
                return user_id

        with TestClient(app) as client:

            def told(path: str, provider: Issuer) -> Any:
                answer = client.get(path, headers={"Authorization": f"Bearer {provider.token(alice)}"})
                return answer.json() if answer.status_code == 200 else answer.status_code

            assert told("/me", issuer) == told("/v1/me", other) == str(alice)
            assert told("/me", other) == told("/v1/me", issuer) == 401


def test_started_twice(settings: Settings) -> None:
    """An application that two clients start serves both, and each ends by itself."""
    app = attached(settings)
    with TestClient(app) as first, TestClient(app) as second:
        assert (first.get("/readyz").status_code, second.get("/readyz").status_code) == (200, 200)
    with TestClient(app) as again:
        assert again.get("/readyz").status_code == 200
