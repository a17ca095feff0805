"""A bearer token becomes a user's id, or is refused; nothing of it is ever repeated."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import wait
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import jwt

from userscope.auth.keys import PATIENCE, KeySet
from userscope.errors import IdentityError, InvalidToken, InvalidURL, MissingSetting
from userscope.identity import parse_user_id
from userscope.postgres.url import is_local
from userscope.settings import Settings

LEEWAY = 30
"""Seconds that the issuer's clock and ours may differ."""
MAX_LENGTH = 8192
"""Characters of a token; a longer one is not even parsed."""

_CLAIMS = ("exp", "iat", "iss", "aud", "sub")
_ALGORITHM = "EdDSA"

_REASONS: dict[type[Exception], str] = {
    jwt.ExpiredSignatureError: "It has expired.",
    jwt.ImmatureSignatureError: "It is not valid yet.",
    jwt.InvalidAudienceError: "It is meant for another service.",
    jwt.InvalidIssuerError: "It comes from another issuer.",
    jwt.InvalidSignatureError: "Its signature is wrong.",
    jwt.MissingRequiredClaimError: f"It needs the claims {', '.join(_CLAIMS)}.",
}
_MALFORMED = "It is no JSON Web Token."
# What PyJWT lets through when it meets something absurd is no reason to answer otherwise.
_TROUBLE = (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError)


class TokenVerifier:
    """Tells whose token it is: a JWT that Better Auth or Neon Auth signed by EdDSA, for this audience.

    One for a process: it keeps the issuer's keys, and threads and tasks share it.

    >>> verifier = TokenVerifier()                  # AUTH_JWKS_URL, AUTH_ISSUER, AUTH_AUDIENCE
    >>> user_id = verifier.verify(token)            # or: await verifier.verify_async(token)
    """

    def __init__(self, settings: Settings | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Read ``settings``, or the environment. Raises ConfigurationError; fetches keys when first used.

        ``clock`` (seconds) decides when keys are old.
        """
        given = settings or Settings()
        self._keys = KeySet(_checked_url(given.auth_jwks_url), clock=clock)
        self._issuer = _needed(given.auth_issuer, "AUTH_ISSUER", "who must have issued a token, its claim iss")
        self._audience = _needed(given.auth_audience, "AUTH_AUDIENCE", "whom a token must be meant for, its claim aud")

    def claims(self, token: str) -> dict[str, Any]:
        """Return what the issuer says in a token; ``sub``, whose it is, as PostgreSQL writes a uuid.

        Raises InvalidToken, or Unavailable where the issuer's keys cannot be fetched.
        """
        key_id = _key_id(token)
        if (fetch := self._keys.fetch_for(key_id)) is not None:
            wait([fetch], timeout=PATIENCE)
        return self._judge(token, self._keys.get(key_id))

    async def claims_async(self, token: str) -> dict[str, Any]:
        """Return what the issuer says; as ``claims``. What waits for a key holds up nobody else."""
        key_id = _key_id(token)
        if (fetch := self._keys.fetch_for(key_id)) is not None:
            await asyncio.wait([asyncio.wrap_future(fetch)], timeout=PATIENCE)
        return self._judge(token, self._keys.get(key_id))

    def verify(self, token: str) -> UUID:
        """Return whose token it is. Raises as ``claims``."""
        return UUID(self.claims(token)["sub"])

    async def verify_async(self, token: str) -> UUID:
        """Return whose token it is; as ``claims_async``."""
        return UUID((await self.claims_async(token))["sub"])

    def _judge(self, token: str, key: jwt.PyJWK) -> dict[str, Any]:
        try:
            claims = jwt.decode(
                token,
                key,
                algorithms=[_ALGORITHM],
                issuer=self._issuer,
                audience=self._audience,
                leeway=LEEWAY,
                options={"require": list(_CLAIMS)},
            )
            return claims | {"sub": parse_user_id(claims["sub"])}
        except IdentityError:
            reason = "Its subject is no user of ours: it is not a uuid."
        except _TROUBLE as error:
            reason = _REASONS.get(type(error), _MALFORMED)
        # Raised out here, so that the library's error, which may quote the token, is not its context.
        raise InvalidToken(reason)


def _key_id(token: str) -> str:
    """Return the id of the key that a token names. Raises InvalidToken."""
    if len(token) > MAX_LENGTH:
        raise InvalidToken(f"It is longer than {MAX_LENGTH} characters.")
    try:
        header = jwt.get_unverified_header(token)
    except _TROUBLE:
        header = None
    if header is None:
        raise InvalidToken(_MALFORMED)
    if header.get("alg") != _ALGORITHM:
        raise InvalidToken(f"It is not signed by {_ALGORITHM}.")
    key_id = header.get("kid")
    if not isinstance(key_id, str) or not key_id:
        raise InvalidToken("It does not say which key signed it.")
    return key_id


def _checked_url(text: str | None) -> str:
    """Return where keys are fetched from. Raises MissingSetting or InvalidURL: who answers there can be anybody."""
    url = _needed(text, "AUTH_JWKS_URL", "where the issuer publishes its keys")
    try:
        parts = urlsplit(url)
        host, scheme = parts.hostname or "", parts.scheme
        usable = host and parts.username is None and parts.port != 0 and scheme in ("http", "https") and url.isascii()
    except ValueError:
        usable = False
    example = "Write it as https://HOST/api/auth/jwks."
    if not usable or not url.isprintable() or " " in url:
        raise InvalidURL("AUTH_JWKS_URL", "it is no https URL", example)
    if scheme == "http" and not is_local(host):
        raise InvalidURL("AUTH_JWKS_URL", "without TLS, anyone on the road could name keys of their own", example)
    return url


def _needed(value: str | None, variable: str, purpose: str) -> str:
    if not value:
        raise MissingSetting(
            variable, purpose, "Set AUTH_JWKS_URL, AUTH_ISSUER and AUTH_AUDIENCE; see docs/fastapi.md."
        )
    return value
