"""A proxy that can also fall silent, as a network that loses every packet, or lose one answer."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from userscope.postgres.url import ConnectionURL
from userscope.testing import Proxy


class SilentProxy(Proxy):
    """The proxy for adopters, with silence. Every wire is cut when ``lost`` comes by, which does not arrive."""

    lost: bytes | None = None

    def __init__(self, target: ConnectionURL, *, delay: float = 0.001) -> None:
        super().__init__(target, delay=delay)
        self._flowing = threading.Event()
        self._flowing.set()

    @contextmanager
    def silence(self) -> Iterator[None]:
        """Let nothing through in the block, in either direction, and tell nobody.

        What was sent meanwhile arrives afterwards, as it would by TCP, even from a client that has given up by then.
        """
        self._flowing.clear()
        try:
            yield
        finally:
            self._flowing.set()

    def _hold(self, due: float) -> None:
        super()._hold(due)
        self._flowing.wait()

    def _carry(
        self,
        source: socket.socket,
        sink: socket.socket,
        taken: Callable[[bytes], None],
        delivered: Callable[[bytes], None],
    ) -> None:
        def take(data: bytes) -> None:
            taken(data)
            if self.lost and self.lost in data:
                self.cut()

        super()._carry(source, sink, take, delivered)
