"""An identity provider for tests: real keys, and a real HTTP server that publishes them, or misbehaves."""

import base64
import json
import secrets
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
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from userscope.settings import Settings

AUDIENCE = "todo-api"

type Answer = Callable[[BaseHTTPRequestHandler], object]


def b64(data: bytes) -> str:
    """Base64 as JSON Web Tokens write it."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


_CURVES = {"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1(), "ES512": ec.SECP521R1()}


def _generated(algorithm: str) -> Any:
    if algorithm == "EdDSA":
        return Ed25519PrivateKey.generate()
    if algorithm in _CURVES:
        return ec.generate_private_key(_CURVES[algorithm])
    if algorithm.startswith("HS"):
        return secrets.token_hex(32).encode()
    return rsa.generate_private_key(65537, 2048)


class Key:
    """A key pair with its id; of the algorithms with HS, a secret."""

    def __init__(self, algorithm: str = "EdDSA", private: Any = None) -> None:
        self.id = str(uuid4())
        self.algorithm = algorithm
        self.private = private or _generated(algorithm)

    def sign(self, data: bytes) -> bytes:
        """A signature."""
        signed: bytes = jwt.get_algorithm_by_name(self.algorithm).sign(data, self.private)
        return signed

    def public(self, **members: Any) -> dict[str, Any]:
        """The key as Better Auth publishes it; ``members`` are replaced, or left out where None."""
        to_jwk = jwt.get_algorithm_by_name(self.algorithm).to_jwk
        entry = to_jwk(self.private.public_key(), as_dict=True) | {"alg": self.algorithm, "kid": self.id} | members
        return {name: value for name, value in entry.items() if value is not None and name != "key_ops"}


class Issuer:
    """Publishes ``keys``, signs with the last of them, and counts how often it was asked."""

    def __init__(self, url: str, algorithm: str = "EdDSA") -> None:
        self.url = url
        self.algorithm = algorithm
        self.keys = [Key(algorithm)]
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
        with suppress(OSError):  # who asked may have heard enough
            request.send_response(status)
            for name, text in {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}.items():
                request.send_header(name, text)
            request.end_headers()
            request.wfile.write(body)

    def rotate(self) -> Key:
        """Sign with a new key from now on; the old one stays published."""
        self.keys.append(Key(self.algorithm))
        return self.keys[-1]

    def settings(self, **values: Any) -> Settings:
        """The settings of a service that trusts this issuer."""
        given: dict[str, Any] = {"auth_issuer": self.url, "auth_audience": AUDIENCE}
        if self.algorithm.startswith("HS"):
            given |= {"auth_secret": self.keys[0].private.decode("ascii"), "auth_algorithms": self.algorithm}
        else:
            given |= {"auth_jwks_url": f"{self.url}/jwks", "auth_algorithms": self.algorithm}
        return Settings(_env_file=None, **(given | values))

    def claims(self, user: UUID | str | None = None, **claims: Any) -> dict[str, Any]:
        """What a token says; ``claims`` are replaced, or left out where None."""
        now = int(time.time())
        made = {"sub": str(user or uuid4()), "iat": now, "exp": now + 900, "iss": self.url, "aud": AUDIENCE} | claims
        return {name: value for name, value in made.items() if value is not None}

    def token(self, user: UUID | str | None = None, *, key: Key | None = None, **claims: Any) -> str:
        """A token of ``user``."""
        signer = key or self.keys[-1]
        return jwt.encode(self.claims(user, **claims), signer.private, signer.algorithm, headers={"kid": signer.id})


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # more than five at a time would be dropped, and asked to come back in a second
    server_bind = TCPServer.server_bind  # HTTPServer's looks its own name up


@contextmanager
def serving(algorithm: str = "EdDSA") -> Iterator[Issuer]:
    """Serve an issuer that signs by this algorithm on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            issuer.fetches += 1
            issuer.answer(self)

        @override
        def log_message(self, *_: object) -> None:
            pass

    server = _Server(("127.0.0.1", 0), Handler)
    issuer = Issuer(f"http://127.0.0.1:{server.server_address[1]}", algorithm)
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
