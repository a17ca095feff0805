"""A service on the class that was written with a table answers as that of todos does, behind a fence as without one."""

from typing import Any
from uuid import UUID

from fastapi import FastAPI, HTTPException
from sqlmodel import select

from tests.connection.conftest import make_user, settings_for
from tests.generate.conftest import Written
from tests.generate.test_mapping import FULL
from tests.issuer import Issuer
from tests.service.conftest import As, bearer, issuer, trusting
from tests.service.served import served
from userscope.fastapi import UserReader, UserSession, install, lifespan

__all__ = ["bearer", "issuer"]


def service_of(things: Written, issuer: Issuer) -> FastAPI:
    """A service that adds, lists and changes things."""
    app = FastAPI(lifespan=lifespan(trusting(settings_for(things.database.url("service")), issuer)))
    install(app)

    def add(given: Any, session: UserSession) -> Any:
        thing = things.Thing.model_validate(given)
        session.add(thing)
        session.flush()
        return thing

    def every(session: UserReader) -> Any:
        return session.exec(select(things.Thing)).all()

    def change(thing_id: UUID, given: Any, session: UserSession) -> Any:
        thing = session.get(things.Thing, thing_id)
        if thing is None:
            raise HTTPException(404)
        thing.sqlmodel_update(given.model_dump(exclude_unset=True))
        session.flush()
        return thing

    add.__annotations__["given"], change.__annotations__["given"] = things.ThingCreate, things.ThingUpdate
    app.post("/things", status_code=201, response_model=things.ThingPublic)(add)
    shown: Any = things.ThingPublic
    app.get("/things", response_model=list[shown])(every)
    app.patch("/things/{thing_id}", response_model=things.ThingPublic)(change)
    return app


def test_service(things: Written, issuer: Issuer, bearer: As) -> None:
    """What is sent is judged, stored, and shown to whose it is; the constraint's words reach the client."""
    alice, bob = (bearer(make_user(things.database)) for _ in range(2))
    given = things.ThingCreate(**FULL | {"c_numeric": "2.50"}).model_dump(mode="json", exclude_unset=True)
    with served(service_of(things, issuer)) as client:
        made = client.post("/things", json=given, headers=alice)
        assert (made.status_code, made.json().keys()) == (201, things.ThingPublic.model_fields.keys()), made.text
        assert [client.get("/things", headers=user).json() for user in (alice, bob)] == [[made.json()], []]
        where = f"/things/{made.json()['id']}"
        assert client.patch(where, json={"code": "bo"}, headers=bob).status_code == 404
        changed = client.patch(where, json={"code": "al"}, headers=alice).json()
        assert changed == made.json() | {"code": "al", "updated_at": changed["updated_at"]}
        assert client.patch(where, json={"code": "abc"}, headers=alice).status_code == 422
        assert client.get("/things", headers=alice).json() == [changed]
