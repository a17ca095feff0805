"""How far a user has written, kept by the client: so that their pages after a change are never older than it."""

import base64
import hashlib
import hmac
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from userscope.connection.position import Kept
from userscope.errors import ConfigurationError

COOKIE, HEADER = "userscope_position", "Userscope-Position"
_FEWEST = 32
_KEPT = "userscope.position"
"""Where a request keeps it."""


class Positions:
    """Sends the position of a request's last COMMIT in a signed cookie and a header, and reads what comes back.

    It is signed together with the user's id: another's, or a forged one, counts for nothing.
    """

    def __init__(self, app: ASGIApp, secret: str, *, max_age: int = 300, secure: bool = True) -> None:
        if len(secret.encode()) < _FEWEST:
            raise ConfigurationError(
                f"the secret that signs positions is shorter than {_FEWEST} bytes",
                hint="Make one: python -c 'import secrets; print(secrets.token_urlsafe(32))'.",
            )
        self._app = app
        self._key = hmac.digest(secret.encode(), b"userscope position", hashlib.sha256)
        self._attributes = f"Max-Age={max_age}; Path=/; HttpOnly; SameSite=lax{'; Secure' if secure else ''}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or a socket, whose handshake brings a position but whose answers take none."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        request = HTTPConnection(scope)
        kept = scope[_KEPT] = _Request(self._key, request.headers.get(HEADER) or request.cookies.get(COOKIE))

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start" and kept.written:
                headers = MutableHeaders(scope=message)
                headers[HEADER] = kept.written
                headers.append("Set-Cookie", f"{COOKIE}={kept.written}; {self._attributes}")
            await send(message)

        await self._app(scope, receive, sending)


class _Request:
    """What one request brought, and what its answer takes along."""

    def __init__(self, key: bytes, brought: str | None) -> None:
        self._key = key
        self._brought = brought
        self.written: str | None = None

    def after(self, user_id: object) -> Kept | None:
        position, _, _ = (self._brought or "").partition(".")
        genuine = hmac.compare_digest(self._signed(user_id, position).encode(), (self._brought or "").encode())
        return Kept(position) if position and genuine else None

    def wrote(self, user_id: object, position: str | None) -> None:
        if position:
            self.written = self._signed(user_id, position)

    def _signed(self, user_id: object, position: str) -> str:
        proof = hmac.digest(self._key, f"{user_id}\n{position}".encode(), hashlib.sha256)
        return f"{position}.{base64.urlsafe_b64encode(proof).decode().rstrip('=')}"


def after(connection: HTTPConnection, user_id: object) -> Kept | None:
    """Return what a user's readers must not be behind of; None where nothing came along."""
    kept: Any = connection.scope.get(_KEPT)
    return kept.after(user_id) if kept else None


def wrote(connection: HTTPConnection, user_id: object, position: str | None) -> None:
    """Note what a user's session has committed."""
    kept: Any = connection.scope.get(_KEPT)
    if kept:
        kept.wrote(user_id, position)
