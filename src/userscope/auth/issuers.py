"""Whom a service believes: issuers of tokens, each with keys, algorithms, an audience and a meaning of its own."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Self
from urllib.parse import urlsplit
from uuid import UUID

import jwt
from pydantic import SecretBytes, SecretStr

from userscope.errors import ConfigurationError, InvalidOrganizationId, InvalidToken, InvalidURL, MissingSetting
from userscope.identity import Kind, UserId, parse_organization_id
from userscope.postgres.url import is_local
from userscope.settings import SECRET_BYTES, UNCHECKED, Settings, known_algorithms

type Secret = str | bytes | SecretStr | SecretBytes
type Claims = Mapping[str, Any]
type ToUserId = Callable[[Claims], UserId]
"""From the claims of a token, which were verified by then, to the id of its user."""

_DEFAULT = {False: "EdDSA", True: "HS256"}
"""The algorithm where none is chosen, by whether a secret is shared."""


@dataclass(frozen=True)
class Issuer:
    """Somebody who signs tokens: with published keys (``jwks_url``), or with a secret that the service shares.

    ``name`` is what its tokens say in ``iss``; it may be None beside a secret, which tells whose they are. ``audience``
    is what they say in ``aud``, or one of several; "none", written out, leaves it unchecked. ``algorithms`` are EdDSA
    unless told otherwise, HS256 with a secret. ``user_id`` is the claim that names the user, or tells the id from all
    claims; a callable refuses a token by raising InvalidToken. ``kind`` is what ids are: USERSCOPE_USER_ID.
    ``organization_id`` is the claim that names the organization the user acts in, or a JSON pointer to it (RFC 6901),
    such as "/o/id"; a token without one acts in none. Raises ConfigurationError.

    >>> Issuer("https://me.eu.auth0.com/", audience="api", jwks_url="https://me.eu.auth0.com/.well-known/jwks.json",
    ...        algorithms=["RS256"], user_id=by_issuer_and_subject)
    """

    name: str | None
    _: KW_ONLY
    audience: str | Sequence[str]
    jwks_url: str | None = None
    secret: Secret | None = field(default=None, repr=False)
    algorithms: Sequence[str] = ()
    user_id: str | ToUserId = "sub"
    kind: Kind = "uuid"
    organization_id: str | None = None

    def __post_init__(self) -> None:
        """Check it, and settle what was left open. Raises ConfigurationError."""
        try:
            self._settle()
        except ValueError as error:
            raise ConfigurationError(f'issuer "{self.name}" cannot be believed: {error}') from None

    def _settle(self) -> None:
        if (self.jwks_url is None) == (self.secret is None):
            raise ValueError("it has either published keys or a secret")
        if not self.name and self.secret is None:
            raise ValueError("it has no name, which its tokens say in the claim iss")
        if not (callable(self.user_id) or (isinstance(self.user_id, str) and self.user_id)):
            raise ValueError("its user_id is neither the name of a claim nor a callable")
        audiences = [self.audience] if isinstance(self.audience, str) else [*(self.audience or ())]
        if not audiences or not all(isinstance(each, str) and each for each in audiences):
            raise ValueError(f'it has no audience; only "{UNCHECKED}", written out, leaves that unchecked')
        shared = self.secret is not None
        algorithms = known_algorithms(self.algorithms or _DEFAULT[shared], shared=shared)
        object.__setattr__(self, "algorithms", algorithms)
        if self.secret is not None:
            object.__setattr__(self, "secret", _checked_secret(self.secret, algorithms))
        else:
            checked_url(self.jwks_url or "", f'jwks_url of issuer "{self.name}"')

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return the issuer that AUTH_* name. Raises MissingSetting, InvalidURL or ConfigurationError."""
        url, name = settings.auth_jwks_url, settings.auth_issuer
        secret: Secret | None = settings.auth_secret
        if secret is None:
            url = checked_url(_needed(url, "AUTH_JWKS_URL", "where the issuer publishes its keys"), "AUTH_JWKS_URL")
            _needed(name, "AUTH_ISSUER", "who must have issued a token, its claim iss")
        elif url:
            raise ConfigurationError(
                "AUTH_SECRET and AUTH_JWKS_URL are both set",
                detail="Tokens are signed either with a secret or with keys that are published, and never both.",
                hint="Unset one of them, or configure several issuers in Python: TokenVerifier(issuers=[…]).",
            )
        audience = _needed(settings.auth_audience, "AUTH_AUDIENCE", "whom a token must be meant for, its claim aud")
        variable = "AUTH_ALGORITHMS"
        try:
            algorithms = known_algorithms(settings.auth_algorithms or _DEFAULT[bool(secret)], shared=bool(secret))
            variable = "AUTH_SECRET"
            secret = secret and _checked_secret(secret, algorithms)
        except ValueError as error:
            raise ConfigurationError(f"{variable} cannot be used: {error}") from None
        return cls(
            name or None,
            audience=audience,
            jwks_url=url or None,
            secret=secret,
            algorithms=algorithms,
            user_id=settings.auth_user_claim,
            kind=settings.userscope_user_id,
            organization_id=settings.auth_organization_claim or None,
        )

    def organization_of(self, claims: Claims) -> UUID | None:
        """Return which organization a token's user acts in, None for none. Raises InvalidToken where it is no id."""
        if self.organization_id is None:
            return None
        found = _claimed(claims, self.organization_id)
        if found is None:
            return None
        try:
            return UUID(parse_organization_id(found))
        except InvalidOrganizationId:
            raise InvalidToken("Its organization is none of ours: it is not a uuid.") from None

    @property
    def audiences(self) -> str | Sequence[str] | None:
        """One of these a token must be meant for; None where that is not looked at."""
        return None if self.audience == UNCHECKED else self.audience

    @property
    def required(self) -> list[str]:
        """The claims that every token of it has."""
        needed = {"iss": self.name is not None, "aud": self.audiences is not None, "sub": self.user_id == "sub"}
        return ["exp", "iat", *(name for name, wanted in needed.items() if wanted)]


def _claimed(claims: Claims, name: str) -> Any:
    """Return the claim of that name, or what a JSON pointer leads to; None where there is none."""
    if not name.startswith("/"):
        return claims.get(name)
    found: Any = claims
    for part in name[1:].split("/"):
        if not isinstance(found, Mapping):
            return found  # what stands in the way is judged as the id itself
        found = found.get(part.replace("~1", "/").replace("~0", "~"))
    return found


def by_issuer_and_subject(claims: Claims) -> UUID:
    """Return an id that is made of a token's issuer *and* its subject: two issuers never mean one user.

    The same two always give the same id, and nobody can find other two that do. Raises InvalidToken without either.
    """
    issuer, subject = claims.get("iss"), claims.get("sub")
    if not (isinstance(issuer, str) and issuer and isinstance(subject, str) and subject):
        raise InvalidToken("It does not say whose it is.")
    number = int.from_bytes(hashlib.sha256(json.dumps([issuer, subject]).encode()).digest()[:16])
    # As a UUID of version 8, which is any maker's own (RFC 9562).
    return UUID(int=number & ~(0xF << 76) & ~(0x3 << 62) | 0x8 << 76 | 0x2 << 62)


def checked_url(url: str, variable: str) -> str:
    """Return where keys are fetched from. Raises InvalidURL: who answers there can be anybody."""
    try:
        parts = urlsplit(url)
        host, scheme = parts.hostname or "", parts.scheme
        usable = host and parts.username is None and parts.port != 0 and scheme in ("http", "https") and url.isascii()
    except ValueError:
        usable = False
    example = "Write it as https://HOST/api/auth/jwks."
    if not usable or not url.isprintable() or " " in url:
        raise InvalidURL(variable, "it is no https URL", example)
    if scheme == "http" and not is_local(host):
        raise InvalidURL(variable, "without TLS, anyone on the road could name keys of their own", example)
    return url


def _checked_secret(secret: Secret, algorithms: Sequence[str]) -> SecretBytes:
    """Return it. Raises ValueError: a short one can be guessed, a public key is known to everybody."""
    text = secret.get_secret_value() if isinstance(secret, SecretStr | SecretBytes) else secret
    data = text.encode() if isinstance(text, str) else text
    for algorithm in algorithms:
        if len(data) < SECRET_BYTES[algorithm]:
            raise ValueError(f"the secret is shorter than the {SECRET_BYTES[algorithm]} bytes that {algorithm} needs")
        try:
            jwt.get_algorithm_by_name(algorithm).prepare_key(data)
        except jwt.InvalidKeyError:
            raise ValueError("the secret is a public key, which everybody can sign with") from None
    return SecretBytes(data)


def _needed(value: str | None, variable: str, purpose: str) -> str:
    if not value:
        raise MissingSetting(
            variable,
            purpose,
            "Set AUTH_JWKS_URL, AUTH_ISSUER and AUTH_AUDIENCE, or AUTH_SECRET and AUTH_AUDIENCE; see docs/fastapi.md.",
        )
    return value
