"""KeySet, in time: keys are fetched when needed, not at a stranger's will; they outlast an outage, and are replaced."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from typing import Any
from uuid import uuid4

import pytest

from tests.auth.conftest import Verify
from tests.issuer import Issuer, Key, nobody_there
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
