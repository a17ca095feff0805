"""What is sent is what ASGI allows: a socket ends by one refusal, and an answer that takes long is not held back."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from fastapi import FastAPI, HTTPException, WebSocket
from fastapi.responses import StreamingResponse
from starlette.websockets import WebSocketDisconnect

from userscope.errors import InvalidToken, Unavailable
from userscope.fastapi import install, install_errors


def spoken(app: FastAPI, path: str, *received: dict[str, Any], **scope: Any) -> list[tuple[str, int | None]]:
    """What an application sends to a server: kinds of messages, with their status or code."""
    coming, sent = [*received], list[tuple[str, int | None]]()

    async def receive() -> dict[str, Any]:
        return coming.pop(0)

    async def send(message: Any) -> None:
        sent.append((message["type"], message.get("status", message.get("code"))))

    given = {"path": path, "headers": [], "query_string": b"", "method": "GET", "subprotocols": []}
    asyncio.run(app(given | scope, receive, send))
    return sent


REFUSED: dict[str, tuple[Exception, int, int]] = {
    "no token": (InvalidToken("No."), 401, 1008),
    "away": (Unavailable("gone"), 503, 1013),
    "an own login's": (HTTPException(403), 403, 1008),
    "a route's": (HTTPException(404), 404, 1011),
}
# A mounted application lets ours through; its HTTPExceptions Starlette answers itself.
ATTACHED = [
    *((install, case, False) for case in REFUSED),
    *((attach, case, True) for attach in (install, install_errors) for case in ("no token", "away")),
]


@pytest.mark.parametrize(("attach", "case", "mounted"), ATTACHED)
def test_socket(attach: Callable[[FastAPI], None], case: str, mounted: bool) -> None:
    """Before it was accepted by an answer, where the server can send one, else and afterwards by a code, once."""
    error, status, code = REFUSED[case]
    outer = app = FastAPI()
    attach(outer)
    if mounted:
        app = FastAPI()
        outer.mount("/v1", app)

    @app.websocket("/{when}")
    async def refuse(socket: WebSocket, when: str) -> None:
        if when != "before":
            await socket.accept()
            with suppress(WebSocketDisconnect):
                await socket.receive_text()
        if when == "closed":
            await socket.close()
        raise error

    def ended(when: str, *received: dict[str, Any], denies: bool = True) -> list[tuple[str, int | None]]:
        extensions: dict[str, Any] = {"websocket.http.response": {}} if denies else {}
        path = f"/v1/{when}" if mounted else f"/{when}"
        came = ({"type": "websocket.connect"}, *received)
        return spoken(outer, path, *came, type="websocket", scheme="ws", extensions=extensions)

    text, gone = {"type": "websocket.receive", "text": "x"}, {"type": "websocket.disconnect", "code": 1001}
    accepted, closed = ("websocket.accept", None), ("websocket.close", code)
    assert ended("before") == [("websocket.http.response.start", status), ("websocket.http.response.body", None)]
    assert ended("before", denies=False) == [closed]
    for denies in (True, False):
        assert ended("accepted", text, denies=denies) == [accepted, closed]
        assert ended("accepted", gone, denies=denies) == [accepted]
        assert ended("closed", text, denies=denies) == [accepted, ("websocket.close", 1000)]


@pytest.mark.parametrize("denies", [True, False])
def test_invalid_socket(denies: bool) -> None:
    """What is wrong with a handshake is said as of a request: FastAPI would send the values along, as no text."""
    app = FastAPI()
    install(app)

    @app.websocket("/{number}")
    async def take(socket: WebSocket, number: int) -> None:
        raise AssertionError(socket, number)

    extensions: dict[str, Any] = {"websocket.http.response": {}} if denies else {}
    connect = {"type": "websocket.connect"}
    sent = spoken(app, "/x", connect, type="websocket", scheme="ws", extensions=extensions)
    assert sent[0] == (("websocket.http.response.start", 422) if denies else ("websocket.close", 1011))
    assert len(sent) == 1 + denies


def test_long_answer() -> None:
    """A 500 of a route's own that comes in pieces is sent as it comes; one that a mounted application gives is not."""
    app, below = FastAPI(), FastAPI()
    install(app)
    app.mount("/v1", below)
    sent: list[Any] = []
    met = list[int]()

    @app.get("/long")
    def long() -> StreamingResponse:
        def pieces() -> Iterator[bytes]:
            for _ in range(3):
                met.append(len(sent))
                yield b"x"

        return StreamingResponse(pieces(), 500)

    @below.get("/away")
    def away() -> None:
        raise Unavailable("gone")

    async def send(message: Any) -> None:
        sent.append(message)

    def receiving() -> Callable[[], Any]:
        coming = [{"type": "http.request"}]

        async def receive() -> dict[str, Any]:
            if not coming:
                await asyncio.Event().wait()  # the client stays
            return coming.pop()

        return receive

    scope = {"type": "http", "method": "GET", "headers": [], "query_string": b""}
    asyncio.run(app(scope | {"path": "/long"}, receiving(), send))
    assert met == [0, 2, 3]
    assert [message.get("body") for message in sent] == [None, b"x", b"x", b"x", b""]
    sent.clear()
    asyncio.run(app(scope | {"path": "/v1/away"}, receiving(), send))
    assert [message.get("status") for message in sent] == [503, None]
