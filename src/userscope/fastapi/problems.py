"""Whatever goes wrong, as a problem of RFC 9457 (application/problem+json): one form, and nothing of the input."""

import json
import logging
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError, ValidationException, WebSocketRequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.websockets import WebSocket, WebSocketState

from userscope.errors import (
    AccountGone,
    Conflict,
    DatabaseError,
    InvalidOrganizationId,
    InvalidPosition,
    InvalidToken,
    InvalidValue,
    MissingToken,
    NotInvited,
    NotMember,
    NotPermitted,
    Retryable,
    RowGone,
    Unavailable,
    UnknownReference,
    UserscopeError,
)

MEDIA_TYPE = "application/problem+json"

_CHALLENGE = {"WWW-Authenticate": "Bearer"}
_NO_DETAIL = {
    401: "A bearer token is needed.",
    403: "This is not permitted.",
    409: "This is in conflict with something that is there already.",
    422: "A value has no valid form.",
    503: "The service cannot answer now.",
}
_MOST_ERRORS = 20
_CODES = {401: 1008, 403: 1008, 503: 1013}
"""What ends a socket: a violated policy, try again later; everything else is an internal error (RFC 6455)."""
SOCKET = "userscope.socket"
"""Where a socket's scope says how far it is, in Starlette's words."""

logger = logging.getLogger(__name__)

_TO_ACCOUNT = re.compile(r".*_owner_id_fkey|users_id_fkey")
"""Foreign keys to the account that a request acts for: of what it owns, and of its profile (docs/neon-auth.md)."""

_UNQUOTED = re.compile(r"[^ !#-\[\]-~]")
"""What the description of an error in a header may not hold (RFC 6750). A service's own mapping may say anything."""


def problem(
    status: int,
    detail: str | None = None,
    *,
    headers: Mapping[str, str] | None = None,
    members: Mapping[str, Any] | None = None,
) -> Response:
    """Return an answer of ``status`` in the form of RFC 9457; ``members`` are what an application says beside that."""
    body: dict[str, Any] = {"type": "about:blank", "title": _phrase(status), "status": status}
    if detail := detail or _NO_DETAIL.get(status):
        body["detail"] = detail
    body |= {name: value for name, value in (members or {}).items() if name != "status"}
    # ASCII: the name of an unknown field may hold what is no character at all.
    return Response(json.dumps(body, allow_nan=False), status, headers, MEDIA_TYPE)


def _phrase(status: int) -> str:
    """Return what a status is called; one without a name of its own is read as the first of its class (RFC 9110)."""
    return HTTPStatus(status if status in HTTPStatus else status // 100 * 100).phrase


def _refused_token(error: InvalidToken) -> Response:
    if isinstance(error, MissingToken):
        return problem(401, headers=_CHALLENGE)
    described = _UNQUOTED.sub("?", error.detail or "")
    challenge = f'Bearer error="invalid_token", error_description="{described}"'
    return problem(401, error.detail, headers={"WWW-Authenticate": challenge})


def _answer(error: UserscopeError) -> Response:
    match error:
        case InvalidToken():
            return _refused_token(error)
        case NotMember() | NotInvited():
            return problem(403, error.detail)
        case NotPermitted():
            return problem(403)
        case RowGone():
            return problem(404)
        case Conflict():
            return problem(409, error.detail)
        case UnknownReference(constraint=str(name)) if _TO_ACCOUNT.fullmatch(name):
            return _refused_token(AccountGone())
        case InvalidValue() | UnknownReference() | InvalidOrganizationId() | InvalidPosition():
            return problem(422, error.detail)
        case Retryable():
            return problem(503, headers={"Retry-After": "1"})
        case Unavailable():
            return problem(503, headers={"Retry-After": "5"})
        case _:
            return problem(500)


def answer_to(connection: HTTPConnection, error: UserscopeError) -> Response:
    """Return what answers an error of ours; whatever a client is not to see is in the log."""
    response = _answer(error)
    asked = f"{connection.scope.get('method', 'WEBSOCKET')} {quote(connection.scope['path'])}"
    if response.status_code == 500:
        logger.error("%s failed", asked, exc_info=error)
    elif isinstance(error, DatabaseError):
        logger.info("%s: %s", asked, error.summary)
    return response


async def _on_userscope_error(connection: Request | WebSocket, error: Exception) -> Any:
    assert isinstance(error, UserscopeError)  # noqa: S101  # what it is registered for
    return await _sent(connection, answer_to(connection, error))


async def _sent(connection: Request | WebSocket, response: Response) -> Response | None:
    """Return a request's answer, for Starlette to send; end a socket by it before it was accepted, by a code after."""
    if not isinstance(connection, WebSocket):
        return response
    state = connection.scope.get(SOCKET, WebSocketState.CONNECTING)
    if state is WebSocketState.CONNECTING and "websocket.http.response" in (connection.scope.get("extensions") or {}):
        await connection.send_denial_response(response)
    elif state is not WebSocketState.DISCONNECTED:
        await connection.close(_CODES.get(response.status_code, 1011), _phrase(response.status_code))
    return None


async def _on_http_exception(connection: Request | WebSocket, error: Exception) -> Any:
    assert isinstance(error, HTTPException)  # noqa: S101  # what it is registered for
    return await _sent(connection, _spoken(error))


def _spoken(error: HTTPException) -> Response:
    if error.status_code in (204, 304):
        return Response(status_code=error.status_code, headers=error.headers)
    detail: object = error.detail  # FastAPI lets it be anything, RFC 9457 nothing but a string
    spoken = detail if isinstance(detail, str) and detail != _phrase(error.status_code) else None
    return problem(error.status_code, spoken, headers=error.headers, members=_members(detail))


def _members(detail: object) -> Mapping[str, Any]:
    """Return what else a detail tells: the members of a mapping, a list as ``errors``; nothing that is no JSON."""
    try:
        told = jsonable_encoder(detail)
        json.dumps(told, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return {}
    if isinstance(told, dict):
        return {str(name): value for name, value in told.items()}
    return {"errors": told} if isinstance(detail, list | tuple) else {}


async def _on_invalid_request(connection: Request | WebSocket, error: Exception) -> Any:
    """Say where and what is wrong, and not with which value: ``input`` and ``ctx`` of each error are left out."""
    assert isinstance(error, ValidationException)  # noqa: S101  # what it is registered for
    found = [{"loc": list(each["loc"]), "msg": each["msg"], "type": each["type"]} for each in error.errors()]
    response = problem(422, "The request is not valid.", members={"errors": found[:_MOST_ERRORS]})
    return await _sent(connection, response)


async def _on_surprise(_: Request, __: Exception) -> Response:
    return problem(500)


def handle_own_errors(app: FastAPI) -> None:
    """Let ``app`` answer our errors with problems."""
    app.add_exception_handler(UserscopeError, _on_userscope_error)


def handle_errors(app: FastAPI) -> None:
    """Let ``app`` answer with a problem, whatever is raised."""
    handle_own_errors(app)
    app.add_exception_handler(HTTPException, _on_http_exception)
    for invalid in (RequestValidationError, WebSocketRequestValidationError):
        app.add_exception_handler(invalid, _on_invalid_request)
    app.add_exception_handler(Exception, _on_surprise)


_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "A problem, RFC 9457.",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "description": "Which parts of the request are wrong.",
            "items": {
                "type": "object",
                "required": ["loc", "msg", "type"],
                "properties": {
                    "loc": {"type": "array", "items": {"anyOf": [{"type": "string"}, {"type": "integer"}]}},
                    "msg": {"type": "string"},
                    "type": {"type": "string"},
                },
            },
        },
    },
}
_HEADERS = {401: "WWW-Authenticate", 503: "Retry-After"}


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return ``responses=`` for the OpenAPI description of a router or a route: 401, 503, and these."""
    described: dict[int | str, dict[str, Any]] = {}
    for status in sorted({401, 503, *statuses}):
        described[status] = {
            "description": _phrase(status),
            "content": {MEDIA_TYPE: {"schema": _SCHEMA}},
        }
        if name := _HEADERS.get(status):
            described[status]["headers"] = {name: {"schema": {"type": "string"}, "required": True}}
    return described
