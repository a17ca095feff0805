"""Whatever goes wrong, as a problem of RFC 9457 (application/problem+json): one form, and nothing of the input."""

import json
import logging
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from userscope.errors import (
    AccountGone,
    Conflict,
    DatabaseError,
    InvalidToken,
    InvalidValue,
    MissingToken,
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

logger = logging.getLogger(__name__)

_TO_ACCOUNT = re.compile(r".*_owner_id_fkey|users_id_fkey")
"""Foreign keys to the account that a request acts for: of what it owns, and of its profile (docs/neon-auth.md)."""


def problem(
    status: int,
    detail: str | None = None,
    *,
    headers: Mapping[str, str] | None = None,
    errors: list[dict[str, Any]] | None = None,
) -> Response:
    """Return an answer of ``status`` in the form of RFC 9457; ``errors`` name the parts of a request that are wrong."""
    body: dict[str, Any] = {"type": "about:blank", "title": _phrase(status), "status": status}
    if detail := detail or _NO_DETAIL.get(status):
        body["detail"] = detail
    if errors is not None:
        body["errors"] = errors
    # ASCII: the name of an unknown field may hold what is no character at all.
    return Response(json.dumps(body), status, headers, MEDIA_TYPE)


def _phrase(status: int) -> str:
    """Return what a status is called; one without a name of its own is read as the first of its class (RFC 9110)."""
    return HTTPStatus(status if status in HTTPStatus else status // 100 * 100).phrase


def _refused_token(error: InvalidToken) -> Response:
    if isinstance(error, MissingToken):
        return problem(401, headers=_CHALLENGE)
    challenge = f'Bearer error="invalid_token", error_description="{error.detail}"'
    return problem(401, error.detail, headers={"WWW-Authenticate": challenge})


def _answer(error: UserscopeError) -> Response:
    match error:
        case InvalidToken():
            return _refused_token(error)
        case NotPermitted():
            return problem(403)
        case RowGone():
            return problem(404)
        case Conflict():
            return problem(409, error.detail)
        case UnknownReference(constraint=str(name)) if _TO_ACCOUNT.fullmatch(name):
            return _refused_token(AccountGone())
        case InvalidValue() | UnknownReference():
            return problem(422, error.detail)
        case Retryable():
            return problem(503, headers={"Retry-After": "1"})
        case Unavailable():
            return problem(503, headers={"Retry-After": "5"})
        case _:
            return problem(500)


async def _on_userscope_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, UserscopeError)  # noqa: S101  # what it is registered for
    response = _answer(error)
    if response.status_code == 500:
        logger.error("%s %s failed", request.method, request.url.path, exc_info=error)
    elif isinstance(error, DatabaseError):
        logger.info("%s %s: %s", request.method, request.url.path, error.summary)
    return response


async def _on_http_exception(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  # what it is registered for
    if error.status_code in (204, 304):
        return Response(status_code=error.status_code, headers=error.headers)
    detail: object = error.detail  # FastAPI lets it be anything, RFC 9457 nothing but a string
    spoken = detail if isinstance(detail, str) and detail != _phrase(error.status_code) else None
    return problem(error.status_code, spoken, headers=error.headers)


async def _on_invalid_request(_: Request, error: Exception) -> Response:
    """Say where and what is wrong, and not with which value: ``input`` and ``ctx`` of each error are left out."""
    assert isinstance(error, RequestValidationError)  # noqa: S101  # what it is registered for
    found = [{"loc": list(each["loc"]), "msg": each["msg"], "type": each["type"]} for each in error.errors()]
    return problem(422, "The request is not valid.", errors=found[:_MOST_ERRORS])


async def _on_surprise(_: Request, __: Exception) -> Response:
    return problem(500)


def handle_errors(app: FastAPI) -> None:
    """Let ``app`` answer with a problem, whatever is raised."""
    app.add_exception_handler(UserscopeError, _on_userscope_error)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
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
