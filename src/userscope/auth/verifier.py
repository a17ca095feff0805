"""A bearer token becomes a user's id, or is refused; nothing of it is ever repeated."""

import asyncio
import logging
import time
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import jwt
from pydantic import SecretBytes

from userscope.auth.issuers import Issuer
from userscope.auth.keys import PATIENCE, KeySet
from userscope.errors import ConfigurationError, IdentityError, InvalidToken
from userscope.identity import UserId, as_kind, parse_user_id
from userscope.settings import Settings

LEEWAY = 30
"""Seconds that the issuer's clock and ours may differ."""
MAX_LENGTH = 8192
"""Characters of a token; a longer one is not even parsed."""

_REASONS: dict[type[Exception], str] = {
    jwt.ExpiredSignatureError: "It has expired.",
    jwt.ImmatureSignatureError: "It is not valid yet.",
    jwt.InvalidAudienceError: "It is meant for another service.",
    jwt.InvalidIssuerError: "It comes from another issuer.",
    jwt.InvalidSignatureError: "Its signature is wrong.",
}
_MALFORMED = "It is no JSON Web Token."
# What PyJWT lets through when it meets something absurd is no reason to answer otherwise.
_TROUBLE = (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError)

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Bearer:
    """Whose token it is, and what its issuer says in it; ``sub`` as PostgreSQL writes it, where that is the id.

    ``organization_id``: which organization its user acts in; the database asks whether they are a member.
    """

    user_id: UserId
    claims: dict[str, Any]
    organization_id: UUID | None = None


class TokenVerifier:
    """Tells whose token it is: a JWT that an issuer signed, for this audience.

    One for a process: it keeps the issuers' keys, and threads and tasks share it.

    >>> verifier = TokenVerifier()                  # AUTH_JWKS_URL, AUTH_ISSUER, AUTH_AUDIENCE, …
    >>> user_id = verifier.verify(token)            # or: await verifier.verify_async(token)
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        issuers: Sequence[Issuer] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Believe ``issuers``, or the one of ``settings`` or the environment. Fetches keys when first used.

        ``clock`` (seconds) decides when keys are old. Raises ConfigurationError, also for several issuers one of which
        does not map its claims to an id: the same subject of two issuers would be one user.
        """
        if settings is not None and issuers:
            raise ConfigurationError("issuers are given twice", hint="Give settings or issuers.")
        given = [*issuers] or [Issuer.of(settings or Settings())]
        if len(given) > 1:
            _refuse_confusion(given)
        self._trusted = {issuer.name: _Trusted(issuer, clock) for issuer in given}
        self._issuer = given[0].name if len(given) == 1 else None
        """Whose tokens all are; None where each says it."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(str, self._trusted))})"

    def bearer(self, token: str) -> Bearer:
        """Return whose token it is, and what the issuer says.

        Raises InvalidToken, or Unavailable where the issuer's keys cannot be fetched.
        """
        trusted, header = self._read(token)
        if (fetch := trusted.fetch_for(header)) is not None:
            wait([fetch], timeout=PATIENCE)
        return trusted.judge(token, header)

    async def bearer_async(self, token: str) -> Bearer:
        """Return whose token it is; as ``bearer``. What waits for a key holds up nobody else."""
        trusted, header = self._read(token)
        if (fetch := trusted.fetch_for(header)) is not None:
            await asyncio.wait([asyncio.wrap_future(fetch)], timeout=PATIENCE)
        return trusted.judge(token, header)

    def claims(self, token: str) -> dict[str, Any]:
        """Return what the issuer says in a token. Raises as ``bearer``."""
        return self.bearer(token).claims

    async def claims_async(self, token: str) -> dict[str, Any]:
        """Return what the issuer says; as ``bearer_async``."""
        return (await self.bearer_async(token)).claims

    def verify(self, token: str) -> UserId:
        """Return whose token it is: a UUID, an int or a str, as USERSCOPE_USER_ID says. Raises as ``bearer``."""
        return self.bearer(token).user_id

    async def verify_async(self, token: str) -> UserId:
        """Return whose token it is; as ``bearer_async``."""
        return (await self.bearer_async(token)).user_id

    def _read(self, token: str) -> "tuple[_Trusted, dict[str, Any]]":
        """Return by whom a token would be signed, and its header: nothing of it is proven yet. Raises InvalidToken."""
        if len(token) > MAX_LENGTH:
            raise InvalidToken(f"It is longer than {MAX_LENGTH} characters.")
        try:
            header, said = jwt.get_unverified_header(token), self._issuer
            if len(self._trusted) > 1:
                said = jwt.decode(token, options={"verify_signature": False}).get("iss")
            trusted = self._trusted.get(said) if said is None or isinstance(said, str) else None
        except _TROUBLE:
            header, trusted = None, None
        if header is None:
            raise InvalidToken(_MALFORMED)
        if trusted is None:
            raise InvalidToken(_REASONS[jwt.InvalidIssuerError])
        return trusted, header


def _refuse_confusion(issuers: Sequence[Issuer]) -> None:
    names = [issuer.name for issuer in issuers]
    if None in names or len({*names}) < len(names):
        raise ConfigurationError("several issuers need a name each, and no two the same")
    for issuer in issuers:
        if not callable(issuer.user_id):
            raise ConfigurationError(
                f'issuer "{issuer.name}" is one of several, and does not map its claims to a user id',
                detail="The same subject of two issuers would be one user.",
                hint="Give each a user_id=by_issuer_and_subject, or a mapping of your own.",
            )


class _Trusted:
    """One issuer, with its keys."""

    def __init__(self, issuer: Issuer, clock: Callable[[], float]) -> None:
        self._issuer = issuer
        self._keys = KeySet(issuer.jwks_url, issuer.algorithms, clock=clock) if issuer.jwks_url else None
        self._needed = f"It needs the claims {', '.join(issuer.required)}."

    def fetch_for(self, header: dict[str, Any]) -> Future[None] | None:
        """Return what to wait for, if anything. Raises InvalidToken where no key could fit."""
        if header.get("alg") not in self._issuer.algorithms:
            raise InvalidToken(f"It is not signed by {' or '.join(self._issuer.algorithms)}.")
        if self._keys is None:
            return None
        if not header.get("kid"):
            raise InvalidToken("It does not say which key signed it.")
        return self._keys.fetch_for(header["kid"])

    def judge(self, token: str, header: dict[str, Any]) -> Bearer:
        """Return whose token it is. Raises InvalidToken or Unavailable."""
        issuer = self._issuer
        if self._keys is None:
            assert isinstance(issuer.secret, SecretBytes)  # noqa: S101  # as it settled
            key: jwt.PyJWK | bytes = issuer.secret.get_secret_value()
        else:
            key = self._keys.get(header["kid"], header["alg"])
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[header["alg"]],
                issuer=issuer.name,
                audience=issuer.audiences,
                leeway=LEEWAY,
                options={"require": issuer.required, "verify_aud": issuer.audiences is not None},
            )
            reason = None
        except jwt.MissingRequiredClaimError:
            reason = self._needed
        except _TROUBLE as error:
            reason = _REASONS.get(type(error), _MALFORMED)
        if reason:
            # Raised out here, so that the library's error, which may quote the token, is not its context.
            raise InvalidToken(reason)
        return self._bearer(claims)

    def _bearer(self, claims: dict[str, Any]) -> Bearer:
        user_id = self._issuer.user_id
        told = _mapped(user_id, claims) if callable(user_id) else claims.get(user_id)
        try:
            parsed = parse_user_id(told, self._issuer.kind)
        except IdentityError:
            parsed = None
        if parsed is None:
            raise InvalidToken(f"Its subject is no user of ours: it is not a {self._issuer.kind}.")
        if isinstance(user_id, str):
            claims |= {user_id: parsed}
        return Bearer(as_kind(parsed, self._issuer.kind), claims, self._issuer.organization_of(claims))


def _mapped(to_user_id: Callable[[dict[str, Any]], Any], claims: dict[str, Any]) -> Any:
    """Return what a service's own mapping says. Raises InvalidToken as it does, ConfigurationError for anything else.

    What it raised may quote the token, so its kind and its place are all that is told.
    """
    try:
        return to_user_id({**claims})
    except InvalidToken:
        raise
    except Exception as error:  # it is not ours
        last = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{type(error).__name__} in {last.name}(), {Path(last.filename).name}:{last.lineno}"
    raise ConfigurationError(
        "the mapping of a token's claims to a user id has failed",
        detail=f"It raised {place}.",
        hint="A mapping returns an id, or raises InvalidToken for a token that names no user.",
    )
