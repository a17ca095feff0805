"""An application behind a real HTTP server: what a proxy or an attacker would talk to."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import uvicorn
from fastapi import FastAPI


@contextmanager
def served(app: FastAPI) -> Iterator[httpx.Client]:
    """Serve ``app`` on a free port of this machine; yield a client of it. Raises SystemExit where it does not start."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        # After 5 seconds idle it would hang up, just when a client on a busy machine sends its next request.
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", ws="none", timeout_keep_alive=600))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            url = f"http://127.0.0.1:{listening.getsockname()[1]}"
            with httpx.Client(base_url=url, timeout=30, trust_env=False) as client:
                yield client
        finally:
            server.should_exit = True
            thread.join()
