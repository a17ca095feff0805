"""What stands around an application's routes: a limit to bodies, and an answer to what no handler has answered."""

import logging
from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketState

from userscope.errors import UserscopeError
from userscope.fastapi.problems import SOCKET, answer_to, problem

logger = logging.getLogger(__name__)

_BECOMES = {
    "websocket.accept": WebSocketState.CONNECTED,
    "websocket.http.response.start": WebSocketState.DISCONNECTED,
    "websocket.close": WebSocketState.DISCONNECTED,
    "websocket.disconnect": WebSocketState.DISCONNECTED,
}


class Sockets:
    """Notes how far a socket is: of one that a mounted application has accepted nobody else would know out here."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a socket, or pass a request on."""

        def noted(message: Message) -> Message:
            if state := _BECOMES.get(message["type"]):
                scope[SOCKET] = state
            return message

        async def receiving() -> Message:
            return noted(await receive())

        async def sending(message: Message) -> None:
            await send(noted(message))

        if scope["type"] == "websocket":
            await self._app(scope, receiving, sending)
        else:
            await self._app(scope, receive, send)


class Answers:
    """Answers what was raised: innermost, so that other middleware (CORS) sees the answer.

    A mounted application answers 500 by itself before it lets the error through. Where the error is ours, that answer
    is held back, and replaced by the right one; one that comes in several pieces is a route's own.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, held = False, list[Message]()

        async def sending(message: Message) -> None:
            nonlocal started
            held.append(message)
            if started or message.get("more_body") or (message.get("status") != 500 and len(held) == 1):
                started = True
                while held:
                    await send(held.pop(0))

        try:
            await self._app(scope, receive, sending)
        except Exception as error:
            if started:
                raise
            # Starlette finds a handler for what the mounted application let through, and an answer begun.
            ours = error if isinstance(error, UserscopeError) else held and error.__cause__
            if isinstance(ours, UserscopeError):
                await answer_to(Request(scope), ours)(scope, receive, send)
                return
            await problem(500)(scope, receive, send)
            raise  # the server writes it to its log
        for message in held:
            await send(message)


class BodyLimit:
    """Answers 413 instead of reading on, whatever the middleware inside makes of that.

    ``by_path`` are other limits: of a path and all below it, the longest path first.
    """

    def __init__(self, app: ASGIApp, limit: int, by_path: Mapping[str, int] | None = None) -> None:
        self._app = app
        self._limit = limit
        self._by_path = sorted((by_path or {}).items(), key=lambda item: -len(item[0]))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._of(scope)
        read = 0
        started = False

        async def counting() -> Message:
            nonlocal read
            if read <= limit:  # who asks again after a refusal, as Sentry lets one do, would wait for ever
                message = await receive()
                read += len(message.get("body", b""))
            if read > limit:
                raise HTTPException(413)
            return message

        async def sending(message: Message) -> None:
            nonlocal started
            if read <= limit or started:
                started = True
                await send(message)

        try:
            await self._app(scope, counting, sending)
        except Exception:
            if read <= limit or started:
                raise
        if read > limit and not started:
            # The rest is not read: nothing can follow on this connection.
            await problem(413, headers={"Connection": "close"})(scope, receive, send)

    def _of(self, scope: Scope) -> int:
        path, above = f"{scope['path']}/", scope.get("root_path", "")
        if path.startswith(f"{above}/"):
            path = path[len(above) :]  # the application's own, without that of a mount or a proxy
        below = (limit for base, limit in self._by_path if path.startswith(f"{base.rstrip('/')}/"))
        return next(below, self._limit)
