"""An issuer's public keys: fetched when they are needed, and never at a stranger's will.

PyJWT parses keys and checks signatures. Its own client is not used: it holds one lock while it fetches, so that a slow
issuer stops requests whose keys are known; after a failed fetch it tries again for every request; and its cache ends
while the issuer is away.
"""

import logging
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from http.client import HTTPException
from math import inf
from typing import override
from urllib.error import HTTPError

import jwt

from userscope.auth.published import parse
from userscope.errors import InvalidToken, Unavailable

FRESH = 300
"""Seconds that keys serve unquestioned. Then they are fetched anew …"""
GRACE = 10
"""… and nobody waits for that so many seconds: a slow issuer must not stop requests whose keys are known. A key that it
has withdrawn may be accepted for FRESH + GRACE …"""
LIFE = 3600
"""… or so long, where the issuer cannot be asked."""
PAUSE = 5
"""Seconds between two fetches, whatever is asked: how long a key that was just made may be unknown …"""
BURST = 3
"""… once so many fetches have come one after the other. Until then it is known at once."""
PATIENCE = 5
"""Seconds that a request waits for a fetch."""

_MAX_BYTES = 64 * 1024

logger = logging.getLogger(__name__)


class KeySet:
    """The keys that a JWKS (RFC 7517) names, by their ids, for these algorithms. Threads and event loops may share it.

    ``fetch_for(key_id)`` tells what to wait for, if anything, and ``get(key_id, algorithm)`` answers then. Fetches run
    in a thread of their own, one at a time: nobody's event loop and nobody's thread pool is held up.
    """

    def __init__(
        self, url: str, algorithms: Sequence[str] = ("EdDSA",), *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._url = url
        self._algorithms = tuple(algorithms)
        # What goes to this machine must not pass by a proxy; where there is one, TLS protects the rest.
        direct = [urllib.request.ProxyHandler({})] if url.startswith("http:") else []
        self._opener = urllib.request.build_opener(_NoRedirects, *direct)
        self._clock = clock
        self._lock = threading.Lock()
        self._keys: Mapping[str, Mapping[str, jwt.PyJWK]] = {}
        self._fetched = self._tried = self._paid = -inf
        self._fetch: Future[None] | None = None
        self._away = False

    def fetch_for(self, key_id: str) -> Future[None] | None:
        """Return the fetch that may bring this key, begun now if need be; None where waiting would gain nothing.

        It never fails: ``get`` says what came of it.
        """
        with self._lock:
            now = self._clock()
            known, age = key_id in self._keys, now - self._fetched
            if known and age < FRESH:
                return None
            if self._fetching and now - self._tried > 2 * PATIENCE:
                # It drips, and may never end: its thread stays behind, the service goes on.
                self._fetch, self._away = None, True
            if not self._fetching and self._paid <= now + (BURST - 1) * PAUSE:
                self._begin(now)
            if known and (age < FRESH + GRACE or (age < LIFE and self._away)):
                return None
            return self._fetch if self._fetching else None

    def get(self, key_id: str, algorithm: str = "EdDSA") -> jwt.PyJWK:
        """Return a key. Raises InvalidToken where the issuer does not name it, Unavailable where nobody can tell."""
        with self._lock:
            keys = self._keys.get(key_id) if self._clock() - self._fetched < LIFE else None
            if keys is not None and algorithm in keys:
                return keys[algorithm]
            if keys is not None:
                raise InvalidToken(f"The key that it names is not one for {algorithm}.")
            if self._away or self._fetching:
                raise Unavailable(
                    "the issuer's keys cannot be fetched",
                    detail="AUTH_JWKS_URL did not answer with a set of keys; the log tells why.",
                    hint="Tokens are accepted again once it does.",
                )
            raise InvalidToken("It was signed with a key that the issuer does not name.")

    @property
    def _fetching(self) -> bool:
        return self._fetch is not None and not self._fetch.done()

    def _begin(self, now: float) -> None:
        # Each fetch costs a pause, some of which may be owed.
        self._tried, self._paid = now, max(self._paid, now) + PAUSE
        self._fetch = Future()
        threading.Thread(target=self._run, args=(self._fetch, now), name="userscope-jwks", daemon=True).start()

    def _run(self, fetch: Future[None], began: float) -> None:
        try:
            keys, trouble = parse(self._read(), self._algorithms), None
        except (OSError, ValueError, HTTPException, RecursionError) as error:
            keys, trouble = {}, f"HTTP status {error.code}" if isinstance(error, HTTPError) else type(error).__name__
        with self._lock:
            if fetch is self._fetch:
                self._away = trouble is not None
                if not self._away:
                    self._keys, self._fetched = keys, began
            fetch.set_result(None)
        if trouble:
            logger.warning("the issuer's keys cannot be fetched: %s", trouble)
        else:
            logger.info("fetched the issuer's keys: %s", len(keys))

    def _read(self) -> bytes:
        """Return what the issuer answers. Raises OSError, HTTPException or ValueError."""
        headers = {"User-Agent": "userscope", "Accept": "application/json"}
        # https, or this machine: the verifier refused everything else.
        request = urllib.request.Request(self._url, headers=headers)  # noqa: S310
        deadline = time.monotonic() + PATIENCE
        body = b""
        with self._opener.open(request, timeout=PATIENCE) as response:
            while chunk := response.read1(_MAX_BYTES):
                body += chunk
                if len(body) > _MAX_BYTES:
                    raise ValueError
                if time.monotonic() > deadline:
                    raise TimeoutError
        return body


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Whoever can answer for the URL may name keys; nobody they point to."""

    @override
    def redirect_request(self, *_: object) -> None:
        return None
