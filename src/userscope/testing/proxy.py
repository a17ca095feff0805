"""A proxy in front of PostgreSQL that counts round trips, delays them, and cuts the wire."""

import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Self

from userscope.postgres.url import ConnectionURL

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
    only a client that hears an answer late enough can be seen not to wait for it. Handshakes are not counted. Another
    ``target`` is where the next connections lead to.
    """

    def __init__(self, target: ConnectionURL, *, delay: float = 0.001) -> None:
        self.target = target
        self.delay = delay
        self._folder = tempfile.TemporaryDirectory(prefix="userscope-", dir="/tmp")  # a short path, 0700
        self._path = Path(self._folder.name, ".s.PGSQL.5432")
        self._listener = socket.socket(socket.AF_UNIX)
        self._sockets: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._counts: list[Trips] = []
        self._open = False

    @property
    def url(self) -> ConnectionURL:
        """How a client connects through the proxy; TLS would hide what is counted."""
        params = {name: text for name, text in self.target.params.items() if name not in ("hostaddr", "sslmode")}
        return ConnectionURL("proxy", {**params, "host": self._folder.name, "port": "5432"})

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
        for wire in list(self._sockets):
            with suppress(OSError):  # it may have been closed this moment
                wire.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        self._listener.bind(str(self._path))
        self._listener.listen()
        self._open = True
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._open = False
        with socket.socket(socket.AF_UNIX) as knock:
            knock.connect(str(self._path))
        self._threads[0].join()
        self._listener.close()
        self.cut()
        for thread in self._threads:
            thread.join()
        self._folder.cleanup()

    def _start(self, work: Callable[..., None], *values: object) -> threading.Thread:
        thread = threading.Thread(target=work, args=values, daemon=True)
        self._threads.append(thread)
        thread.start()
        return thread

    def _accept(self) -> None:
        while True:
            client, _ = self._listener.accept()
            if not self._open:
                client.close()
                return
            self._start(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        """Carry everything between one client and the server, until either hangs up."""
        with client:
            server = self._connect()
            if server is None:
                return  # where nobody listens, the client is hung up on, as it would be there
            with server:
                wire = _Wire(self._counts)
                both = {client, server}
                self._sockets |= both
                back = self._start(self._carry, server, client, _unnoticed, wire.heard)
                self._carry(client, server, wire.sent, _unnoticed)
                back.join()
                self._sockets -= both

    def _connect(self) -> socket.socket | None:
        host, port = self.target.host, self.target.params.get("port", "5432")
        server = socket.socket(socket.AF_UNIX)
        try:
            if not host.startswith("/"):
                server.close()
                return socket.create_connection((host or "localhost", int(port)))
            server.connect(f"{host}/.s.PGSQL.{port}")
        except OSError:
            server.close()
            return None
        return server

    def _carry(self, source: socket.socket, sink: socket.socket, taken: _Notice, delivered: _Notice) -> None:
        """Carry everything from ``source`` to ``sink``, each piece ``delay`` later, then hang up."""
        queue: SimpleQueue[tuple[float, bytes]] = SimpleQueue()

        def deliver() -> None:
            data = b"?"
            while data:
                due, data = queue.get()
                self._hold(due)
                delivered(data)
                with suppress(OSError):
                    sink.sendall(data) if data else sink.shutdown(socket.SHUT_WR)

        delivery = self._start(deliver)
        data = b"?"
        while data:
            try:
                data = source.recv(1 << 16)
            except OSError:
                data = b""
            taken(data)
            queue.put((time.monotonic() + self.delay, data))
        delivery.join()

    def _hold(self, due: float) -> None:
        """Keep a piece back until ``due``, a time of the monotonic clock."""
        time.sleep(max(0.0, due - time.monotonic()))


def _unnoticed(_: bytes) -> None:
    pass


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
