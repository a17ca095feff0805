"""A proxy in front of PostgreSQL that counts round trips, delays them, and cuts the wire."""

import asyncio
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from userscope.urls import ConnectionURL

_READY = b"Z\0\0\0\5I"  # ReadyForQuery, idle: the handshake ends with it
_TERMINATE = b"X\0\0\0\4"


type _Notice = Callable[[bytes], None]


@dataclass
class Trips:
    """How often a client sent something after it had heard the server: each time it waited for the network once.

    ``connections`` counts handshakes, ``sent`` is what clients sent, as it went over the wire.
    """

    trips: int = 0
    connections: int = 0
    sent: bytes = b""


class Proxy:
    """A Unix socket that leads to the server of ``target``, for the length of a ``with`` block.

    ``delay``, in seconds, holds back what goes in either direction; it can be changed at any time. It is never 0, since
    only a client that hears an answer late enough can be seen not to wait for it. Handshakes are not counted.
    """

    def __init__(self, target: ConnectionURL, *, delay: float = 0.001) -> None:
        self.target = target
        self.delay = delay
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._folder = tempfile.TemporaryDirectory(prefix="userscope-")
        self._writers: set[asyncio.StreamWriter] = set()
        self._counts: list[Trips] = []
        self._port = "5432"

    @property
    def url(self) -> ConnectionURL:
        """How a client connects through the proxy; TLS would hide what is counted."""
        params = {name: text for name, text in self.target.params.items() if name not in ("hostaddr", "sslmode")}
        return ConnectionURL("proxy", {**params, "host": self._folder.name, "port": self._port})

    @contextmanager
    def counting(self) -> Iterator[Trips]:
        """Count what happens in the block."""
        count = Trips()
        self._counts.append(count)
        try:
            yield count
        finally:
            self._counts.remove(count)

    def cut(self) -> None:
        """Cut every connection, in both directions."""
        asyncio.run_coroutine_threadsafe(self._cut(), self._loop).result()

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._shut(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._folder.cleanup()

    async def _listen(self) -> None:
        path = Path(self._folder.name, f".s.PGSQL.{self._port}")
        self._server = await asyncio.start_unix_server(self._serve, path)

    async def _cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def _shut(self) -> None:
        self._server.close()
        await self._cut()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, from_client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        host, port = self.target.host, self.target.params.get("port", "5432")
        if host.startswith("/"):
            from_server, to_server = await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
        else:
            from_server, to_server = await asyncio.open_connection(host or "localhost", int(port))
        wire = _Wire(self._counts)
        both = {to_client, to_server}
        self._writers |= both
        carriers = {
            asyncio.create_task(self._carry(from_client, to_server, wire.sent, lambda _: None)),
            asyncio.create_task(self._carry(from_server, to_client, lambda _: None, wire.heard)),
        }
        try:
            await asyncio.wait(carriers, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._writers -= both
            for task in carriers:
                task.cancel()
            for writer in both:
                writer.transport.abort() if writer.is_closing() else writer.close()

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, taken: _Notice, delivered: _Notice
    ) -> None:
        """Carry everything from ``reader`` to ``writer``, each piece ``delay`` later, until either end closes."""
        queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def deliver() -> None:
            while True:
                due, data = await queue.get()
                await asyncio.sleep(due - self._loop.time())
                if not data:
                    return
                delivered(data)
                writer.write(data)
                await writer.drain()

        async with asyncio.TaskGroup() as group:
            group.create_task(deliver())
            data = b"?"
            while data:
                try:
                    data = await reader.read(1 << 16)
                except ConnectionError:
                    data = b""
                taken(data)
                queue.put_nowait((self._loop.time() + self.delay, data))


class _Wire:
    """One connection: whether its client has heard the server since it last sent."""

    def __init__(self, counts: list[Trips]) -> None:
        self._counts = counts
        self._ready = False
        self._heard = True

    def sent(self, data: bytes) -> None:
        if not self._ready or data in (b"", _TERMINATE):
            return
        for count in self._counts:
            count.trips += self._heard
            count.sent += data
        self._heard = False

    def heard(self, data: bytes) -> None:
        self._heard = True
        if not self._ready and data.endswith(_READY):
            self._ready = True
            for count in self._counts:
                count.connections += 1
