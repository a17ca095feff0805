"""KeySet: keys are fetched when needed, not at a stranger's will; they outlast an outage, and are replaced."""

import asyncio
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from typing import Any
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey

from tests.auth.conftest import Verify
from tests.issuer import Issuer, Key, b64, nobody_there, serving
from userscope.auth import TokenVerifier, keys
from userscope.auth.keys import BURST, FRESH, GRACE, LIFE, PATIENCE, PAUSE, KeySet
from userscope.errors import InvalidToken, Unavailable


def _broken(issuer: Issuer) -> None:
    issuer.answer = lambda request: issuer.send(request, b"", 500)


def test_rotation(issuer: Issuer, verifier: TokenVerifier, verify: Verify) -> None:
    """A key that was just made is known at once; one that was withdrawn is refused after a while."""
    old = issuer.keys[0]
    verify(verifier, issuer.token())
    new = issuer.rotate()
    assert verify(verifier, issuer.token(key=new))
    assert verify(verifier, issuer.token(key=old))
    assert issuer.fetches == 2
    issuer.keys.remove(old)
    assert verify(verifier, issuer.token(key=old))
    issuer.now += FRESH + GRACE
    with pytest.raises(InvalidToken):
        verify(verifier, issuer.token(key=old))
    assert verify(verifier, issuer.token(key=new))
    assert issuer.fetches == 3


def test_all_withdrawn(issuer: Issuer, verifier: TokenVerifier, verify: Verify) -> None:
    """An empty set of keys is an answer: nothing is accepted any more."""
    token = issuer.token()
    verify(verifier, token)
    issuer.keys, issuer.now = [], issuer.now + FRESH + GRACE
    with pytest.raises(InvalidToken):
        verify(verifier, token)


def test_flood(issuer: Issuer, verifier: TokenVerifier, verify: Verify) -> None:
    """Tokens with keys that nobody knows cause few fetches, and then one in a pause; a new key is known by then."""
    for _ in range(20):
        with pytest.raises(InvalidToken):
            verify(verifier, issuer.token(key=Key()))
    assert issuer.fetches == BURST
    new = issuer.rotate()
    with pytest.raises(InvalidToken):
        verify(verifier, issuer.token(key=new))
    issuer.now += PAUSE
    assert verify(verifier, issuer.token(key=new))
    for _ in range(20):
        with pytest.raises(InvalidToken):
            verify(verifier, issuer.token(key=Key()))
    assert issuer.fetches == BURST + 1


def test_flood_in_an_outage(issuer: Issuer, verifier: TokenVerifier, verify: Verify) -> None:
    """The same while the issuer fails; then nobody can tell whether a key is a new one."""
    verify(verifier, issuer.token())
    _broken(issuer)
    for _ in range(20):
        with pytest.raises(Unavailable):
            verify(verifier, issuer.token(key=Key()))
    assert issuer.fetches == BURST
    assert verify(verifier, issuer.token())


def test_down_at_start(issuer: Issuer, verify: Verify) -> None:
    """Until there are keys no token can be judged: that is an outage, and not the token's fault."""
    verifier = TokenVerifier(issuer.settings(auth_jwks_url=f"{nobody_there()}/jwks"), clock=issuer.clock)
    for _ in range(2):
        with pytest.raises(Unavailable):
            verify(verifier, issuer.token())
        with pytest.raises(InvalidToken):  # what is malformed needs no keys
            verify(verifier, "garbage")


def test_recovery(issuer: Issuer, verifier: TokenVerifier, verify: Verify) -> None:
    """Once the issuer answers, a pause later at most, tokens are accepted."""
    _broken(issuer)
    for _ in range(BURST):
        with pytest.raises(Unavailable):
            verify(verifier, issuer.token())
    issuer.answer = issuer.publish
    with pytest.raises(Unavailable):
        verify(verifier, issuer.token())
    issuer.now += PAUSE
    assert verify(verifier, issuer.token())


def test_down_later(issuer: Issuer, verifier: TokenVerifier, verify: Verify) -> None:
    """Keys that are known serve on while the issuer is away, for as long as they live."""
    alice = uuid4()
    verify(verifier, issuer.token(alice))
    _broken(issuer)
    for waited in (FRESH + GRACE, PAUSE, PAUSE):
        issuer.now += waited
        assert verify(verifier, issuer.token(alice)) == alice
    assert issuer.fetches > 1
    issuer.now = LIFE
    with pytest.raises(Unavailable):
        verify(verifier, issuer.token(alice))
    issuer.answer, issuer.now = issuer.publish, LIFE + PAUSE
    assert verify(verifier, issuer.token(alice)) == alice


def test_nobody_waits_in_an_outage(issuer: Issuer) -> None:
    """While the issuer is known to be away, whose key is known does not wait for another vain try; others do."""
    found, key_id = KeySet(f"{issuer.url}/jwks", clock=issuer.clock), issuer.keys[0].id
    first = found.fetch_for(key_id)
    assert first is not None
    wait([first])
    _broken(issuer)
    issuer.now += FRESH + GRACE
    second = found.fetch_for(key_id)  # it might answer as before
    assert second is not None
    wait([second])
    released = threading.Event()
    issuer.answer = lambda _: released.wait(10)
    issuer.now += PAUSE
    assert found.fetch_for(key_id) is None
    third = found.fetch_for("unknown")
    assert third is not None
    assert found.get(key_id).key_id == key_id
    released.set()
    wait([third])
    assert issuer.fetches == 3


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


def test_slow(issuer: Issuer, verifier: TokenVerifier, verify: Verify, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who needs a key does not wait for ever, and who needs none does not wait at all."""
    verify(verifier, issuer.token())
    monkeypatch.setattr(keys, "PATIENCE", 0.2)
    monkeypatch.setattr("userscope.auth.verifier.PATIENCE", 0.2)
    asked, ended = threading.Event(), threading.Event()

    def drip(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.flush_headers()
        request.wfile.write(b"X-Drip: ")
        with suppress(OSError):
            while not ended.wait(0.05):
                request.wfile.write(b"x")  # never the end of the line
                asked.set()

    issuer.answer = drip
    issuer.now += PAUSE
    try:
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(verify, verifier, issuer.token(key=Key()))
            assert asked.wait(10)
            assert verify(verifier, issuer.token())
            with pytest.raises(Unavailable):
                waiting.result()
        monkeypatch.undo()
        issuer.answer = issuer.publish
        issuer.now += 3 * PATIENCE  # the fetch that never ends is given up, and another one begun
        assert verify(verifier, issuer.token(key=issuer.rotate()))
    finally:
        ended.set()


def test_nobody_waits_for_known_keys(issuer: Issuer, verifier: TokenVerifier, verify: Verify) -> None:
    """Keys that are no longer fresh are fetched anew while requests go on; what comes of it counts from then on."""
    old = issuer.token()
    verify(verifier, old)
    issuer.rotate()
    del issuer.keys[0]
    asked, released, sent = threading.Event(), threading.Event(), threading.Event()

    def late(request: BaseHTTPRequestHandler) -> None:
        asked.set()
        if released.wait(10):
            issuer.publish(request)
        sent.set()

    issuer.answer = late
    for waited in (FRESH, GRACE - 1):
        issuer.now += waited
        assert verify(verifier, old)
        assert asked.wait(10), "it was asked"
        assert not sent.is_set(), "and has not answered"
    released.set()
    assert verify(verifier, issuer.token()), "who needs the new key waits for it"
    assert issuer.fetches == 2
    with pytest.raises(InvalidToken):
        verify(verifier, old)


def test_one_fetch(issuer: Issuer, verifier: TokenVerifier) -> None:
    """Many who need keys at the same time wait for one fetch, threads and tasks alike."""
    everybody = threading.Barrier(8)
    tokens = {user: issuer.token(user) for user in (uuid4() for _ in range(8))}

    def ask(token: str) -> object:
        everybody.wait()
        return verifier.verify(token)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, tokens.values())) == list(tokens)
    assert issuer.fetches == 1

    async def ask_all() -> list[Any]:
        return await asyncio.gather(*(verifier.verify_async(token) for token in tokens.values()))

    issuer.now += FRESH + GRACE
    assert asyncio.run(ask_all()) == list(tokens)
    assert issuer.fetches == 2


def test_loop_runs_on(issuer: Issuer, verifier: TokenVerifier) -> None:
    """While one task waits for keys, the event loop runs the others; who is cancelled takes nobody along."""
    released = threading.Event()

    async def main() -> None:
        asked, loop = asyncio.Event(), asyncio.get_running_loop()

        def late(request: BaseHTTPRequestHandler) -> None:
            loop.call_soon_threadsafe(asked.set)
            released.wait(10)
            issuer.publish(request)

        issuer.answer = late
        given_up = asyncio.create_task(verifier.verify_async(token))
        waiting = asyncio.create_task(verifier.verify_async(token))
        await asked.wait()  # the loop turns
        given_up.cancel()
        released.set()
        assert await waiting == alice

    alice = uuid4()
    token = issuer.token(alice)
    asyncio.run(main())


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
