"""A network of a given length, in a process of its own: its work is not the client's."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from userscope.postgres.url import ConnectionURL
from userscope.testing.proxy import Proxy


@contextmanager
def distant(
    milliseconds: float, one: ConnectionURL, other: ConnectionURL
) -> Iterator[tuple[ConnectionURL, ConnectionURL]]:
    """Put a round trip of so many milliseconds before the server of both; 0 leaves it where it is."""
    if milliseconds == 0:
        yield one, other
        return
    command = [sys.executable, "-m", "bench.distance"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin  # noqa: S101 -- it is a pipe
        assert process.stdout  # noqa: S101 -- it is a pipe
        print(json.dumps([dict(one.params), milliseconds / 2000]), file=process.stdin, flush=True)
        place = json.loads(process.stdout.readline())
        yield ConnectionURL("proxy", {**one.params, **place}), ConnectionURL("proxy", {**other.params, **place})
        process.stdin.close()


def serve() -> None:
    """Carry what one line of the standard input asks for, until that ends."""
    params, delay = json.loads(sys.stdin.readline())
    with Proxy(ConnectionURL("", params), delay=delay) as proxy:
        place = {name: proxy.url.params[name] for name in ("host", "port")}
        print(json.dumps(place), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    serve()
