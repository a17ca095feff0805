"""What a route asks for: who acts, and sessions that act for them.

The sessions' scope is the function's: they commit after the route has returned and *before* the answer is sent, so that
a commit that fails becomes an error, and never a success that did not happen.
"""

import re
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Annotated, Any, override
from uuid import UUID

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlmodel import Session
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.requests import HTTPConnection

from userscope.auth import Bearer
from userscope.errors import ConfigurationError, InvalidToken, MissingToken
from userscope.fastapi import positions
from userscope.fastapi.acting import ActingAsyncDatabase, ActingDatabase
from userscope.fastapi.service import Service
from userscope.fastapi.turns import SHARE, wanted

type WhoActs = Callable[..., Any]
"""A dependency that returns a user's id, or raises what refuses the request."""

type WhereTo = Callable[..., Any]
"""A dependency that returns the id of the organization that the user acts in, or None."""

_TOLD = "userscope.bearer"
"""Where a request keeps whose token came with it."""

_CREDENTIALS = re.compile(r"(?i:bearer) +([A-Za-z0-9._~+/-]+=*)")


class _Bearer(HTTPBearer):
    """The token of ``Authorization: Bearer …`` (RFC 6750). Raises InvalidToken."""

    @override
    async def __call__(self, request: HTTPConnection) -> HTTPAuthorizationCredentials:
        sent = request.headers.getlist("authorization")
        if len(sent) > 1:
            # Which one counts is what a proxy and a service would see differently.
            raise InvalidToken("There is more than one header Authorization.")
        if not sent or sent[0].partition(" ")[0].lower() != "bearer":
            raise MissingToken
        if not (match := _CREDENTIALS.fullmatch(sent[0])):
            raise InvalidToken("It is no JSON Web Token.")
        return HTTPAuthorizationCredentials(scheme="Bearer", credentials=match[1])


_bearer = _Bearer(
    bearerFormat="JWT", scheme_name="bearer", description="A token of the identity provider, for this audience."
)


async def _service(connection: HTTPConnection) -> Service:
    return Service.of(connection)


_Served = Annotated[Service, Depends(_service)]
_Credentials = Annotated[HTTPAuthorizationCredentials, Depends(_bearer)]


# Never in the thread pool: a request that waits for a key must not keep others from running.
async def _bearer_of(connection: HTTPConnection, credentials: _Credentials, service: _Served) -> Bearer:
    if service.verifier is None:
        raise ConfigurationError(
            "the service verifies no tokens",
            detail="It was started by lifespan(verifier=None).",
            hint="Make its sessions by sessions(user_id=…), with the dependency that says who acts.",
        )
    bearer = connection.scope[_TOLD] = await service.verifier.bearer_async(credentials.credentials)
    return bearer


_Bearing = Annotated[Bearer, Depends(_bearer_of)]


async def _claims(bearer: _Bearing) -> dict[str, Any]:
    return bearer.claims


Claims = Annotated[dict[str, Any], Depends(_claims)]
"""What the issuer says in the request's token, such as an e-mail address; 401 without a valid one."""


async def current_user_id(bearer: _Bearing) -> UUID | int | str:
    """Return whose token came with the request. A test may put an answer of its own in ``app.dependency_overrides``."""
    return bearer.user_id


UserId = Annotated[UUID, Depends(current_user_id)]
"""Whose token came with the request; 401 without a valid one."""

BigintUserId = Annotated[int, Depends(current_user_id)]
"""The same where USERSCOPE_USER_ID is bigint."""

TextUserId = Annotated[str, Depends(current_user_id)]
"""The same where USERSCOPE_USER_ID is text."""


async def current_organization_id(
    connection: HTTPConnection, _: Annotated[Any, Depends(current_user_id)]
) -> UUID | None:
    """Return the organization that the request's token names, as AUTH_ORGANIZATION_CLAIM says; None for none.

    None as well where a test says who acts, and no token came along.
    """
    bearer = connection.scope.get(_TOLD)
    return bearer.organization_id if isinstance(bearer, Bearer) else None


async def current_position(connection: HTTPConnection, user_id: Annotated[Any, Depends(current_user_id)]) -> str | None:
    """Return what the bearer has written last, as far as their client knows (``install_positions``)."""
    return positions.of(connection, user_id).after


UserPosition = Annotated[str | None, Depends(current_position)]
"""What a reader of one's own making is to be after: ``reader(user_id, after=position)``."""

OrganizationId = Annotated[UUID | None, Depends(current_organization_id)]
"""Which organization the bearer acts in; the database asks whether they are a member."""


async def _nowhere() -> None:
    """In no organization."""


async def _turn(connection: HTTPConnection, service: _Served) -> AsyncIterator[None]:
    async with service.turns.take(wanted(connection, "database")):
        yield


async def _async_turn(connection: HTTPConnection, service: _Served) -> AsyncIterator[None]:
    async with service.async_turns.take(wanted(connection, "async_database")):
        yield


_InTurn = Annotated[None, Depends(_turn, scope="function")]
_InAsyncTurn = Annotated[None, Depends(_async_turn, scope="function")]


def sessions(*, user_id: WhoActs, organization_id: WhereTo = _nowhere) -> Any:
    """Return a dependency: ``Database.session`` of whoever ``user_id``, a dependency, says, for ``def`` routes.

    ``organization_id``, another one, says in which organization, from the request's path or a header of it.

    >>> MySession = Annotated[Session, sessions(user_id=my_dependency)]
    """
    return _opening(user_id, organization_id)


def readers(*, user_id: WhoActs, organization_id: WhereTo = _nowhere) -> Any:
    """Return a dependency: ``Database.reader`` of whoever ``user_id`` says, for ``def`` routes."""
    return _opening(user_id, organization_id, reads=True)


def async_sessions(*, user_id: WhoActs, organization_id: WhereTo = _nowhere) -> Any:
    """Return a dependency: ``AsyncDatabase.session`` of whoever ``user_id`` says, for ``async def`` routes."""
    return _opening_async(user_id, organization_id)


def async_readers(*, user_id: WhoActs, organization_id: WhereTo = _nowhere) -> Any:
    """Return a dependency: ``AsyncDatabase.reader`` of whoever ``user_id`` says, for ``async def`` routes."""
    return _opening_async(user_id, organization_id, reads=True)


def databases(*, user_id: WhoActs, organization_id: WhereTo = _nowhere) -> Any:
    """Return a dependency: the ``ActingDatabase`` of whoever ``user_id`` says."""
    return _acting(ActingDatabase, "database", user_id, organization_id)


def async_databases(*, user_id: WhoActs, organization_id: WhereTo = _nowhere) -> Any:
    """Return a dependency: the ``ActingAsyncDatabase`` of whoever ``user_id`` says."""
    return _acting(ActingAsyncDatabase, "async_database", user_id, organization_id)


def _acting(made: Callable[..., Any], pool: str, user_id: WhoActs, organization_id: WhereTo) -> Any:
    """Return a dependency on the database for who acts, once it was found fit."""

    async def database(
        connection: HTTPConnection,
        acting: Annotated[Any, Depends(user_id)],
        claimed: Annotated[Any, Depends(organization_id)],
        service: _Served,
    ) -> Any:
        await service.judged()
        return made(acting, getattr(service, pool), claimed, positions.of(connection, acting))

    return Depends(database)


def _opening(user_id: WhoActs, organization_id: WhereTo, *, reads: bool = False) -> Any:
    acting = databases(user_id=user_id, organization_id=organization_id)

    def session(database: Annotated[ActingDatabase, acting], _: _InTurn) -> Iterator[Session]:
        with database.reader() if reads else database.session() as opened:
            yield opened

    return _sharing("database", session)


def _opening_async(user_id: WhoActs, organization_id: WhereTo, *, reads: bool = False) -> Any:
    acting = async_databases(user_id=user_id, organization_id=organization_id)

    async def session(database: Annotated[ActingAsyncDatabase, acting], _: _InAsyncTurn) -> AsyncIterator[AsyncSession]:
        async with database.reader() if reads else database.session() as opened:
            yield opened

    return _sharing("async_database", session)


def _sharing(pool: str, dependency: Callable[..., Any]) -> Any:
    setattr(dependency, SHARE, pool)
    return Depends(dependency, scope="function")


_BEARER: dict[str, WhoActs] = {"user_id": current_user_id, "organization_id": current_organization_id}

UserSession = Annotated[Session, sessions(**_BEARER)]
"""``Database.session`` of the bearer, for a ``def`` route: committed before the answer is sent."""

UserReader = Annotated[Session, readers(**_BEARER)]
"""``Database.reader`` of the bearer, for a ``def`` route."""

AsyncUserSession = Annotated[AsyncSession, async_sessions(**_BEARER)]
"""``AsyncDatabase.session`` of the bearer, for an ``async def`` route: committed before the answer is sent."""

AsyncUserReader = Annotated[AsyncSession, async_readers(**_BEARER)]
"""``AsyncDatabase.reader`` of the bearer, for an ``async def`` route."""

UserDatabase = Annotated[ActingDatabase, databases(**_BEARER)]
"""The database of the bearer, for what outlives the route: background tasks and streams."""

AsyncUserDatabase = Annotated[ActingAsyncDatabase, async_databases(**_BEARER)]
"""The database of the bearer for asyncio: background tasks, streams, sockets, resolvers that run side by side."""
