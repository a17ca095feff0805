"""Requests act in the organization that their token names, or that a dependency of the service's own says."""

from typing import Annotated, Any
from uuid import UUID, uuid4

import pytest
from fastapi import FastAPI, Header
from fastapi.testclient import TestClient
from sqlmodel import Session, select
from sqlmodel.ext.asyncio.session import AsyncSession

from tests.issuer import Issuer
from tests.service.conftest import attached, trusting
from userscope.fastapi import (
    AsyncUserDatabase,
    AsyncUserReader,
    OrganizationId,
    UserDatabase,
    UserSession,
    async_sessions,
    current_user_id,
    databases,
    readers,
)
from userscope.models import CurrentOrganization
from userscope.testing import Sandbox

NAMED = select(CurrentOrganization.name)


async def from_path(organization_id: UUID) -> UUID:
    """The organization of the path."""
    return organization_id


async def from_header(x_organization: Annotated[str | None, Header()] = None) -> str | None:
    """The organization of a header, as it was sent."""
    return x_organization


PathReader = Annotated[Session, readers(user_id=current_user_id, organization_id=from_path)]
HeaderSession = Annotated[AsyncSession, async_sessions(user_id=current_user_id, organization_id=from_header)]


def _app(sandbox: Sandbox, issuer: Issuer) -> FastAPI:
    settings = trusting(sandbox.settings, issuer).model_copy(update={"auth_organization_claim": "/o/id"})
    app = attached(settings)

    @app.get("/token")
    def token(session: UserSession, organization_id: OrganizationId) -> list[Any]:
        return [*session.exec(NAMED), organization_id]

    @app.get("/token-async")
    async def token_async(session: AsyncUserReader) -> list[str]:
        return [*await session.exec(NAMED)]

    @app.get("/token-database")
    def token_database(database: UserDatabase, _: AsyncUserDatabase) -> list[str]:
        with database.reader() as reader, database.session() as session:
            return [*reader.exec(NAMED), *session.exec(NAMED)]

    @app.get("/path/{organization_id}")
    def path(session: PathReader) -> list[str]:
        return [*session.exec(NAMED)]

    @app.get("/path/{organization_id}/database")
    def path_database(
        database: Annotated[Any, databases(user_id=current_user_id, organization_id=from_path)],
    ) -> list[str]:
        with database.reader() as session:
            return [*session.exec(NAMED)]

    @app.get("/header")
    async def header(session: HeaderSession) -> list[str]:
        return [*await session.exec(NAMED)]

    return app


@pytest.fixture
def team(world: Sandbox) -> tuple[UUID, UUID, UUID]:
    """Alice, her organization, and Bob's."""
    alice, bob = world.user("Alice").id, world.user("Bob").id
    acme, beta = (
        world.organizations.create(name, slug=f"{name}-{uuid4()}", owner=owner).id
        for name, owner in (("acme", alice), ("beta", bob))
    )
    return alice, acme, beta


def test_whence(world: Sandbox, issuer: Issuer, team: tuple[UUID, UUID, UUID]) -> None:
    """Token, path and header each say it; without one of them no organization is acted in."""
    alice, acme, _ = team
    with TestClient(_app(world, issuer), raise_server_exceptions=False) as client:

        def get(path: str, organization: UUID | None = None, **headers: str) -> Any:
            claims: dict[str, Any] = {"o": {"id": str(organization)}} if organization else {}
            bearing = {"Authorization": f"Bearer {issuer.token(alice, **claims)}"}
            return client.get(path, headers=bearing | headers).json()

        assert get("/token", acme) == ["acme", str(acme)]
        assert get("/token-async", acme) == ["acme"]
        assert get("/token-database", acme) == ["acme", "acme"]
        assert get("/token") == [None]
        assert get("/token-async") == get("/token-database") == get("/header") == get("/header", acme) == []
        assert get(f"/path/{acme}") == get(f"/path/{acme}/database") == ["acme"]
        assert get("/header", None, **{"X-Organization": str(acme)}) == ["acme"]


def test_refused(world: Sandbox, issuer: Issuer, team: tuple[UUID, UUID, UUID]) -> None:
    """Another's organization and an unknown one are answered alike, 403; a malformed id is 422, in a token 401."""
    alice, acme, beta = team
    bearing = {"Authorization": f"Bearer {issuer.token(alice)}"}
    with TestClient(_app(world, issuer), raise_server_exceptions=False) as client:
        assert client.get(f"/path/{acme}", headers=bearing).json() == ["acme"]
        others = [client.get(f"/path/{each}", headers=bearing) for each in (beta, uuid4())]
        others += [client.get("/header", headers=bearing | {"X-Organization": str(each)}) for each in (beta, uuid4())]
        others += [
            client.get("/token", headers={"Authorization": f"Bearer {issuer.token(alice, o={'id': str(each)})}"})
            for each in (beta, uuid4())
        ]
        assert {(each.status_code, each.text) for each in others} == {(403, others[0].text)}
        assert "There is no such organization, or the user is not a member of it" in others[0].json()["detail"]
        assert client.get("/path/acme", headers=bearing).status_code == 422
        malformed = client.get("/header", headers=bearing | {"X-Organization": "acme"})
        assert malformed.status_code == 422
        assert malformed.json()["detail"] == "The id of an organization is a uuid of 36 characters."
        token = issuer.token(alice, o={"id": "acme"})
        assert client.get("/token", headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_override(world: Sandbox, issuer: Issuer, team: tuple[UUID, UUID, UUID]) -> None:
    """A test that says who acts needs no token; it acts in no organization, unless it says that as well."""
    alice, acme, _ = team
    app = _app(world, issuer)
    app.dependency_overrides[current_user_id] = lambda: alice
    with TestClient(app, raise_server_exceptions=False) as client:
        assert client.get("/token").json() == [None]
        assert client.get(f"/path/{acme}").json() == ["acme"]
