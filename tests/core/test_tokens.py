"""Tokens of two issuers, users known by texts or numbers: each bearer reaches their own rows, through HTTP."""

from fastapi import FastAPI
from fastapi.testclient import TestClient

from tests.core.test_ids import PEOPLE, World, kind, world
from tests.issuer import AUDIENCE, Key, serving
from tests.issuer import Issuer as Provider
from userscope.auth import Issuer, TokenVerifier
from userscope.fastapi import UserReader, UserSession, install, lifespan

__all__ = ["kind", "world"]


def test_second_issuer(world: World) -> None:
    """What the second issuer signs, by RS256, is as good as the first one's; neither signs for the other."""

    def trusted(provider: Provider) -> Issuer:
        return Issuer(
            provider.url, audience=AUDIENCE, jwks_url=f"{provider.url}/jwks", algorithms=[provider.algorithm],
            user_id=lambda claims: claims["sub"], kind=world.kind,
        )  # fmt: skip

    def titles(provider: Provider, user: object, key: Key | None = None) -> object:
        token = provider.token(str(user), key=key)
        answer = client.get("/items", headers={"Authorization": f"Bearer {token}"})
        return answer.json() if answer.status_code == 200 else answer.status_code

    with serving() as first, serving("RS256") as second:
        verifier = TokenVerifier(issuers=[trusted(first), trusted(second)])
        app = FastAPI(lifespan=lifespan(world.settings, verifier=verifier))
        install(app)

        @app.get("/items")
        def items(session: UserReader) -> list[str]:
            return list(session.connection().exec_driver_sql("select title from public.item").scalars())

        @app.post("/items", status_code=201)
        def add(session: UserSession) -> None:
            session.connection().exec_driver_sql("insert into public.item (title) values ('added')")

        with TestClient(app) as client:
            one, other = PEOPLE[world.kind]
            for provider in (first, second):
                assert titles(provider, one) == [f"of {one}"]
                assert titles(provider, other) == [f"of {other}"]
                assert titles(provider, one, Key(provider.algorithm)) == 401
            assert titles(first, one, second.keys[0]) == titles(second, one, first.keys[0]) == 401
            bearer = {"Authorization": f"Bearer {second.token(str(other))}"}
            assert client.post("/items", headers=bearer).status_code == 201
            assert titles(first, other) == [f"of {other}", "added"]
            assert titles(first, one) == [f"of {one}"]
