"""A proxy that knows PostgreSQL's messages: it counts them, delays them, and cuts the connection after any of them."""

import queue
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal

from userscope.postgres.url import ConnectionURL

type Way = Literal["sent", "received"]


@dataclass
class Proxy:
    """Listens on a TCP port for one PostgreSQL server; counts are of everything since ``reset``.

    ``delay`` is in seconds, each way. ``rewrite`` replaces some bytes of what the server says by as many others.
    """

    url: ConnectionURL
    delay: float = 0.0
    cut: tuple[Way, int] | None = None
    rewrite: tuple[bytes, bytes] = (b"", b"")
    counts: dict[Way, int] = field(default_factory=lambda: {"sent": 0, "received": 0})
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    _threads: list[threading.Thread] = field(default_factory=list)

    @property
    def through(self) -> ConnectionURL:
        """The URL that goes through the proxy."""
        port = str(self._listener.getsockname()[1])
        params = {**self.url.params, "host": "127.0.0.1", "port": port, "sslmode": "disable", "gssencmode": "disable"}
        return ConnectionURL(self.url.variable, params)

    def reset(self, cut: tuple[Way, int] | None = None) -> None:
        """Count from zero, and cut after so many messages that way."""
        self.join()
        self.cut, self.counts = cut, {"sent": 0, "received": 0}

    def join(self) -> None:
        """Wait until every connection has ended."""
        for thread in self._threads:
            thread.join()
        self._threads.clear()

    def serve(self) -> None:
        """Take connections until the listener is closed."""
        with suppress(OSError):
            while True:
                client = self._listener.accept()[0]
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                server = socket.socket(socket.AF_UNIX)
                try:
                    server.connect(f"{self.url.params['host']}/.s.PGSQL.{self.url.params['port']}")
                except OSError:  # the server was killed
                    client.close()
                    server.close()
                    continue
                ways: tuple[tuple[Way, socket.socket, socket.socket], ...] = (
                    ("sent", client, server),
                    ("received", server, client),
                )
                for way, source, target in ways:
                    blocks: queue.SimpleQueue[tuple[float, bytes]] = queue.SimpleQueue()
                    for thread in (
                        threading.Thread(target=self._read, args=(source, blocks)),
                        threading.Thread(target=self._write, args=(way, target, blocks)),
                    ):
                        self._threads.append(thread)
                        thread.start()

    def _read(self, source: socket.socket, blocks: "queue.SimpleQueue[tuple[float, bytes]]") -> None:
        with suppress(OSError):
            while block := source.recv(1 << 16):
                blocks.put((time.monotonic() + self.delay, block))
        blocks.put((time.monotonic() + self.delay, b""))

    def _write(self, way: Way, target: socket.socket, blocks: "queue.SimpleQueue[tuple[float, bytes]]") -> None:
        data = b""
        started = way == "received"  # the first message of a client has no type
        open_ = True
        while open_:
            due, block = blocks.get()
            time.sleep(max(due - time.monotonic(), 0))
            data += block.replace(*self.rewrite) if self.rewrite[0] and way == "received" else block
            size = 0
            open_ = block != b""
            while open_ and (length := _size(data[size:], started)) is not None:
                open_ = self._count(way)
                size += length if open_ else 0
                started = True
            with suppress(OSError):
                target.sendall(data[:size])
            data = data[size:]
        with suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)
        target.close()

    def _count(self, way: Way) -> bool:
        """Count a message; False if it is one too many."""
        with self._lock:
            if self.cut is not None and self.cut[0] == way and self.counts[way] >= self.cut[1]:
                return False
            self.counts[way] += 1
            return True


def _size(data: bytes, started: bool) -> int | None:
    """The length of the first message, if the whole of it is there."""
    at = 1 if started else 0
    if len(data) < at + 4:
        return None
    size = at + int.from_bytes(data[at : at + 4])
    return size if len(data) >= size else None


@contextmanager
def proxy(url: ConnectionURL, *, delay: float = 0.0) -> Iterator[Proxy]:
    """Run a proxy before the server of ``url``, which listens on a Unix socket; ``delay`` is in seconds, each way."""
    made = Proxy(url, delay)
    thread = threading.Thread(target=made.serve)
    thread.start()
    try:
        yield made
    finally:
        listener = made._listener
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
        made.join()
