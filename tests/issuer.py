"""An identity provider for tests: real Ed25519 keys, and a real HTTP server that publishes them, or misbehaves."""

import base64
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any, override
from uuid import UUID, uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from userscope.settings import Settings

AUDIENCE = "todo-api"

type Answer = Callable[[BaseHTTPRequestHandler], object]


def b64(data: bytes) -> str:
    """Base64 as JSON Web Tokens write it."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Key:
    """A key pair with its id."""

    def __init__(self) -> None:
        self.id = str(uuid4())
        self.private = Ed25519PrivateKey.generate()

    def public(self, **members: Any) -> dict[str, Any]:
        """The key as Better Auth publishes it; ``members`` are replaced, or left out where None."""
        x = b64(self.private.public_key().public_bytes_raw())
        entry = {"alg": "EdDSA", "crv": "Ed25519", "x": x, "kty": "OKP", "kid": self.id} | members
        return {name: value for name, value in entry.items() if value is not None}


class Issuer:
    """Publishes ``keys``, signs with the last of them, and counts how often it was asked."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.keys = [Key()]
        self.published: Callable[[Key], dict[str, Any]] = Key.public
        self.fetches = 0
        self.answer: Answer = self.publish
        self.now = 0.0

    def clock(self) -> float:
        """The verifier's clock, which a test sets forward."""
        return self.now

    def publish(self, request: BaseHTTPRequestHandler) -> None:
        """Answer as an issuer does."""
        self.send(request, json.dumps({"keys": [self.published(key) for key in self.keys]}).encode())

    def send(self, request: BaseHTTPRequestHandler, body: bytes, status: int = 200, **headers: str) -> None:
        """Answer with these bytes."""
        request.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}.items():
            request.send_header(name, value)
        request.end_headers()
        with suppress(OSError):  # who asked may have heard enough
            request.wfile.write(body)

    def rotate(self) -> Key:
        """Sign with a new key from now on; the old one stays published."""
        self.keys.append(Key())
        return self.keys[-1]

    def settings(self, **values: Any) -> Settings:
        """The settings of a service that trusts this issuer."""
        given = {"auth_jwks_url": f"{self.url}/jwks", "auth_issuer": self.url, "auth_audience": AUDIENCE}
        return Settings(_env_file=None, **(given | values))

    def claims(self, user: UUID | str | None = None, **claims: Any) -> dict[str, Any]:
        """What a token says; ``claims`` are replaced, or left out where None."""
        now = int(time.time())
        made = {"sub": str(user or uuid4()), "iat": now, "exp": now + 900, "iss": self.url, "aud": AUDIENCE} | claims
        return {name: value for name, value in made.items() if value is not None}

    def token(self, user: UUID | str | None = None, *, key: Key | None = None, **claims: Any) -> str:
        """A token of ``user``."""
        signer = key or self.keys[-1]
        return jwt.encode(self.claims(user, **claims), signer.private, "EdDSA", headers={"kid": signer.id})


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    server_bind = TCPServer.server_bind  # HTTPServer's looks its own name up


@contextmanager
def serving() -> Iterator[Issuer]:
    """Serve an issuer on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            issuer.fetches += 1
            issuer.answer(self)

        @override
        def log_message(self, *_: object) -> None:
            pass

    server = _Server(("127.0.0.1", 0), Handler)
    issuer = Issuer(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def nobody_there() -> str:
    """The address of a port of this machine that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return f"http://127.0.0.1:{free.getsockname()[1]}"
