"""What a route asks for: who the bearer of the request's token is, and sessions that act for them.

The sessions' scope is the function's: they commit after the route has returned and *before* the answer is sent, so that
a commit that fails becomes an error, and never a success that did not happen.
"""

import re
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any, override
from uuid import UUID

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlmodel import Session
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.requests import HTTPConnection

from userscope.auth import Bearer
from userscope.errors import InvalidToken, MissingToken
from userscope.fastapi.service import Service

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


_bearer = _Bearer(bearerFormat="JWT", description="A token of the identity provider, for this audience.")


async def _service(request: Request) -> Service:
    return Service.of(request)


_Served = Annotated[Service, Depends(_service)]
_Credentials = Annotated[HTTPAuthorizationCredentials, Depends(_bearer)]


# Never in the thread pool: a request that waits for a key must not keep others from running.
async def _bearer_of(credentials: _Credentials, service: _Served) -> Bearer:
    return await service.verifier.bearer_async(credentials.credentials)


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

_AnyUserId = Annotated[UUID | int | str, Depends(current_user_id)]


async def _fit(user_id: _AnyUserId, service: _Served) -> UUID | int | str:
    await service.judged()
    return user_id


# The bearer, once the database was found fit.
_Fit = Annotated[UUID | int | str, Depends(_fit)]


async def _slot(user_id: _Fit, service: _Served) -> AsyncIterator[UUID | int | str]:
    async with service.slot():
        yield user_id


# The bearer, once a connection is free.
_InSlot = Annotated[UUID | int | str, Depends(_slot, scope="function")]


def _session(user_id: _InSlot, service: _Served) -> Iterator[Session]:
    with service.database.session(user_id) as session:
        yield session


def _reader(user_id: _InSlot, service: _Served) -> Iterator[Session]:
    with service.database.reader(user_id) as session:
        yield session


async def _async_session(user_id: _Fit, service: _Served) -> AsyncIterator[AsyncSession]:
    async with service.async_database.session(user_id) as session:
        yield session


async def _async_reader(user_id: _Fit, service: _Served) -> AsyncIterator[AsyncSession]:
    async with service.async_database.reader(user_id) as session:
        yield session


UserSession = Annotated[Session, Depends(_session, scope="function")]
"""``Database.session`` of the bearer, for a ``def`` route: committed before the answer is sent."""

UserReader = Annotated[Session, Depends(_reader, scope="function")]
"""``Database.reader`` of the bearer, for a ``def`` route."""

AsyncUserSession = Annotated[AsyncSession, Depends(_async_session, scope="function")]
"""``AsyncDatabase.session`` of the bearer, for an ``async def`` route: committed before the answer is sent."""

AsyncUserReader = Annotated[AsyncSession, Depends(_async_reader, scope="function")]
"""``AsyncDatabase.reader`` of the bearer, for an ``async def`` route."""
