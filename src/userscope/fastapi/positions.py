"""How far a user has written, kept by the client: so that their pages after a change are never older than it."""

import base64
import hashlib
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from userscope.connection.position import Kept, Position
from userscope.errors import ConfigurationError

COOKIE, HEADER = "userscope_position", "Userscope-Position"
_FEWEST = 32
_KEPT = "userscope.position"
"""Where a request keeps it."""


class Written:
    """How far one user has written: as their client told, and what was committed since in the same request."""

    def __init__(self, brought: Kept | None = None) -> None:
        self._brought = brought
        self.committed: str | None = None

    @property
    def after(self) -> Kept | None:
        """What the user's readers must not be behind of; None where nothing is known."""
        return Kept(self.committed) if self.committed else self._brought

    def commit(self, position: str) -> None:
        """Note what was committed, unless something later was: sessions of one request may end in any order."""
        if self.committed is None or Position.parse(position) > Position.parse(self.committed):
            self.committed = position


class Positions:
    """Sends the position of a request's last COMMIT in a cookie and a header, and reads what comes back.

    It is encrypted, since it tells how much everybody writes, and bound to the user's id: another's, or a forged one,
    counts for nothing.
    """

    def __init__(self, app: ASGIApp, secret: str, *, max_age: int = 300, secure: bool = True) -> None:
        if len(secret.encode()) < _FEWEST:
            raise ConfigurationError(
                f"the secret that protects positions is shorter than {_FEWEST} bytes",
                hint="Make one: python -c 'import secrets; print(secrets.token_urlsafe(32))'.",
            )
        self._app = app
        self._cipher = AESSIV(hashlib.sha512(b"userscope position\n" + secret.encode()).digest())
        self._attributes = f"Max-Age={max_age}; Path=/; HttpOnly; SameSite=lax{'; Secure' if secure else ''}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or a socket, whose handshake brings a position but whose answers take none."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        request = HTTPConnection(scope)
        kept = scope[_KEPT] = _Request(self._cipher, request.headers.get(HEADER) or request.cookies.get(COOKIE))

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start" and (token := kept.token()):
                headers = MutableHeaders(scope=message)
                headers[HEADER] = token
                headers.append("Set-Cookie", f"{COOKIE}={token}; {self._attributes}")
            await send(message)

        await self._app(scope, receive, sending)


class _Request:
    """What one request brought, and what its answer takes along."""

    def __init__(self, cipher: AESSIV, brought: str | None) -> None:
        self._cipher = cipher
        self._brought = brought or ""
        self._users: dict[str, Written] = {}

    def of(self, user_id: object) -> Written:
        user = str(user_id)
        if user not in self._users:
            self._users[user] = Written(self._read(user))
        return self._users[user]

    def _read(self, user: str) -> Kept | None:
        try:
            token = base64.urlsafe_b64decode(self._brought + "=" * (-len(self._brought) % 4))
            return Kept(self._cipher.decrypt(token, [_bytes(user)]).decode())
        except (ValueError, InvalidTag):
            return None

    def token(self) -> str | None:
        """Return what goes to the client: of several users whom one request acted for, the one who came last."""
        for user, written in reversed(self._users.items()):
            if written.committed:
                token = self._cipher.encrypt(written.committed.encode(), [_bytes(user)])
                return base64.urlsafe_b64encode(token).decode().rstrip("=")
        return None


def _bytes(user: str) -> bytes:
    return user.encode(errors="surrogatepass")  # the database's business to refuse


def of(connection: HTTPConnection, user_id: object) -> Written:
    """Return how far a user has written, as far as a request knows."""
    kept: Any = connection.scope.get(_KEPT)
    return kept.of(user_id) if kept else Written()
