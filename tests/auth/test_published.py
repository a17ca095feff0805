"""KeySet: which keys of a document count, and what counts as none; who may answer for the URL."""

import logging
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey

from tests.auth.conftest import Verify
from tests.issuer import Issuer, Key, b64, serving
from userscope.auth import TokenVerifier
from userscope.auth.keys import FRESH, GRACE
from userscope.errors import InvalidToken, Unavailable


def _sends(body: bytes, status: int = 200, **headers: str) -> Callable[[Issuer, Issuer], object]:
    def answer(issuer: Issuer, _: Issuer) -> None:
        issuer.answer = lambda request: issuer.send(request, body, status, **headers)

    return answer


def _redirects(issuer: Issuer, other: Issuer) -> None:
    other.keys = issuer.keys
    issuer.answer = lambda request: issuer.send(request, b"", 302, Location=f"{other.url}/jwks")


def _hangs_up(issuer: Issuer, _: Issuer) -> None:
    issuer.answer = lambda request: request.connection.close()


def _promises_more(issuer: Issuer, _: Issuer) -> None:
    issuer.answer = lambda request: issuer.send(request, b"{}", 200, **{"Content-Length": "100"})


GARBAGE: dict[str, Callable[[Issuer, Issuer], object]] = {
    "an error": _sends(b"", 500),
    "not found": _sends(b'{"keys": []}', 404),
    "nothing": _sends(b""),
    "HTML": _sends(b"<html>"),
    "no UTF-8": _sends(b'{"keys": ["\xff"]}'),
    "a list": _sends(b"[]"),
    "no keys": _sends(b"{}"),
    "keys no list": _sends(b'{"keys": {}}'),
    "nested": _sends(b"[" * 60_000),
    "huge": _sends(b'{"keys": [' + b" " * 70_000 + b"]}"),
    "elsewhere": _redirects,
    "half an answer": _promises_more,
    "no answer": _hangs_up,
}


@pytest.mark.parametrize("case", GARBAGE)
def test_garbage(issuer: Issuer, verifier: TokenVerifier, case: str, caplog: pytest.LogCaptureFixture) -> None:
    """What is no set of keys is an outage, and logged; the keys that were known stay."""
    token, unknown = issuer.token(), issuer.token(key=Key())
    verifier.verify(token)
    with serving() as other:
        GARBAGE[case](issuer, other)
        issuer.now += FRESH + GRACE
        for _ in range(2):
            with pytest.raises(Unavailable):
                verifier.verify(unknown)
        assert verifier.verify(token)
        assert other.fetches == 0
    assert {record.levelno for record in caplog.records} == {logging.WARNING}


PUBLISHED: dict[str, tuple[Callable[[Key], dict[str, Any]], bool]] = {
    "Better Auth": (Key.public, True),
    "Neon": (lambda key: key.public(alg=None), True),
    "for signatures": (lambda key: key.public(use="sig", key_ops=["verify"]), True),
    "by its newer name": (lambda key: key.public(alg="Ed25519"), True),
    "private part included": (lambda key: key.public(d=b64(key.private.private_bytes_raw())), True),
    "for encryption": (lambda key: key.public(use="enc"), False),
    "another algorithm": (lambda key: key.public(alg="HS256"), False),
    "a shared secret": (lambda key: {"kty": "oct", "k": key.public()["x"], "kid": key.id}, False),
    "another curve": (lambda key: key.public(crv="X25519"), False),
    "no id": (lambda key: key.public(kid=None), False),
    "id a number": (lambda key: key.public(kid=7), False),
    "no key": (lambda key: key.public(x=None), False),
    "half a key": (lambda key: key.public(x=key.public()["x"][:20]), False),
    "key a number": (lambda key: key.public(x=7), False),
}


@pytest.mark.parametrize("case", PUBLISHED)
def test_published(issuer: Issuer, verifier: TokenVerifier, case: str) -> None:
    """An Ed25519 key for signatures is used, with or without its algorithm; others are passed over."""
    published, usable = PUBLISHED[case]
    good = Key()
    issuer.published = lambda key: key.public() if key is good else published(key)
    issuer.keys = [*issuer.keys, good]
    token = issuer.token(key=issuer.keys[0])
    assert verifier.verify(issuer.token())
    if usable:
        assert verifier.verify(token)
    else:
        with pytest.raises(InvalidToken, match="the token is not accepted"):
            verifier.verify(token)


def test_ed448(issuer: Issuer, verifier: TokenVerifier) -> None:
    """EdDSA by the other curve, which neither issuer uses, is not accepted."""
    private = Ed448PrivateKey.generate()
    entry = {"kty": "OKP", "crv": "Ed448", "x": b64(private.public_key().public_bytes_raw()), "kid": "448"}
    issuer.published = lambda _: entry
    with pytest.raises(InvalidToken):
        verifier.verify(jwt.encode(issuer.claims(), private, "EdDSA", headers={"kid": "448"}))


def test_shared_id() -> None:
    """Keys for different algorithms may have one id (RFC 7517): each is there for its own."""
    with serving("RS256") as issuer:
        other = Key("ES256")
        other.id = issuer.keys[0].id
        issuer.keys.append(other)
        verifier = TokenVerifier(issuer.settings(auth_algorithms="RS256,ES256"))
        assert all(verifier.verify(issuer.token(key=key)) for key in issuer.keys)


def test_neon(verify: Verify) -> None:
    """Neon Auth is another URL, issuer and audience: its origin, twice."""
    with serving() as neon:
        neon.published = lambda key: key.public(alg=None)
        settings = neon.settings(auth_jwks_url=f"{neon.url}/neondb/auth/.well-known/jwks.json", auth_audience=neon.url)
        alice = uuid4()
        token = neon.token(alice, aud=neon.url, role="authenticated", email="alice@example.com", jti=str(uuid4()))
        assert verify(TokenVerifier(settings), token) == alice


def test_no_proxy(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    """What goes to this machine without TLS does not pass by a proxy, which could name keys of its own."""
    with serving() as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.delenv("no_proxy", raising=False)
        made = TokenVerifier(issuer.settings())
        assert made.verify(issuer.token())
        assert proxy.fetches == 0
