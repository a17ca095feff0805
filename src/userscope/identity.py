"""Who a transaction acts for: user ids, and the seals that make them unforgeable.

A user is known by a uuid, a number or a text, as USERSCOPE_USER_ID says; to the database an id is its text, in one
spelling. A seal is ``<key id>.<expiry>.<hex HMAC-SHA256(key, '<user id>.<expiry>')>``; the database checks it in
``app.current_user_key()`` (schema/deploy/identity.sql). Only a process that holds the key can make one.
"""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
import time
import unicodedata
from dataclasses import dataclass, field
from typing import Literal, Self
from uuid import UUID

from userscope.errors import ConfigurationError, InvalidOrganizationId, InvalidUserId, MissingUserId

type UserId = UUID | int | str
"""A user's id: of the kind that is configured, or its text."""

type OrganizationId = UUID | str
"""An organization's id, or its text."""

Kind = Literal["uuid", "bigint", "text"]
"""What user ids are, by PostgreSQL's name of the type."""

SEAL_LIFE = 60
"""Seconds that a seal is good for. A transaction that has begun outlives its seal."""

_KEY_BYTES = 32
_BLOCK = 64  # SHA-256 works on blocks of 64 bytes; HMAC pads its key to one (RFC 2104)
_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")
_DIGITS = re.compile(r"0|-?[1-9][0-9]{0,18}")
_LONGEST = 255  # characters of a text


def parse_user_id(value: UserId | None, kind: Kind = "uuid") -> str:
    """Return a user's id as PostgreSQL writes a value of ``kind``: of two spellings one would have another's seal.

    Raises MissingUserId for None and '', InvalidUserId for anything else that is no id of that kind.
    """
    parsed = _PARSERS[kind](value)
    if not parsed:
        raise MissingUserId if value is None or value == "" else InvalidUserId(kind)
    return parsed


def parse_organization_id(value: OrganizationId) -> str:
    """Return an organization's id as PostgreSQL writes it. Raises InvalidOrganizationId."""
    parsed = _uuid(value)
    if parsed is None:
        raise InvalidOrganizationId
    return parsed


def as_kind(user_id: str, kind: Kind) -> UserId:
    """Return an id that was parsed as Python has a value of its kind: a UUID, an int or a str."""
    return UUID(user_id) if kind == "uuid" else int(user_id) if kind == "bigint" else user_id


def _uuid(value: UserId | None) -> str | None:
    if isinstance(value, UUID):
        return str(value)
    if not isinstance(value, str) or len(value) != 36:
        return None
    try:
        parsed = str(UUID(value))
    except ValueError:
        return None
    return parsed if parsed == value.lower() else None


def _bigint(value: UserId | None) -> str | None:
    if isinstance(value, str):
        return str.__str__(value) if _DIGITS.fullmatch(value) and _fits(int(value)) else None
    return f"{int(value)}" if isinstance(value, int) and not isinstance(value, bool) and _fits(value) else None


def _fits(number: int) -> bool:
    return -(2**63) <= number < 2**63


def _text(value: UserId | None) -> str | None:
    if not isinstance(value, str) or len(value) > _LONGEST:
        return None
    # Control characters, and halves of characters, which no encoding has.
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in value):
        return None
    return str.__str__(value)


_PARSERS = {"uuid": _uuid, "bigint": _bigint, "text": _text}


@dataclass(frozen=True)
class SealKey:
    """A secret that services and the database share; its id says which one made a seal."""

    id: str
    secret: bytes = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse ``<id>:<base64 of 32 bytes>``. Raises ConfigurationError, which does not repeat the text."""
        key_id, _, encoded = text.partition(":")
        try:
            secret = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            secret = b""
        if not _KEY_ID.fullmatch(key_id) or len(secret) != _KEY_BYTES:
            raise ConfigurationError(
                "USERSCOPE_SEAL_KEY cannot be used: it is no seal key",
                detail="A seal key is <key id>:<base64 of 32 bytes>.",
                hint='Make one with "userscope seal-key new", and copy the whole line it prints.',
            )
        return cls(key_id, secret)

    @classmethod
    def generate(cls) -> Self:
        """Make a new key, its id drawn at random."""
        return cls(secrets.token_hex(4), secrets.token_bytes(_KEY_BYTES))

    def __str__(self) -> str:
        """Return the id alone: the secret is printed by ``text`` only."""
        return self.id

    def text(self) -> str:
        """Return ``<id>:<base64>``, secret included, for the one time it is shown."""
        return f"{self.id}:{base64.b64encode(self.secret).decode()}"

    def pads(self) -> tuple[bytes, bytes]:
        """Return HMAC's inner and outer padded key, 64 bytes each: what app_private.seal_keys holds."""
        padded = self.secret.ljust(_BLOCK, b"\0")
        return bytes(byte ^ 0x36 for byte in padded), bytes(byte ^ 0x5C for byte in padded)

    def seal(self, user_id: str, *, life: float = SEAL_LIFE, now: float | None = None) -> str:
        """Return a seal of ``user_id``, good for ``life`` seconds from ``now`` (unix seconds; default: the clock)."""
        expiry = int((time.time() if now is None else now) + life)
        mac = hmac.digest(self.secret, f"{user_id}.{expiry}".encode(), hashlib.sha256)
        return f"{self.id}.{expiry}.{mac.hex()}"


def credentials(user_id: UserId | None, key: SealKey | None, kind: Kind = "uuid") -> tuple[str, str]:
    """Return the two arguments of ``app.set_user_id``: the user's id and its seal ('' without a key).

    Raises MissingUserId or InvalidUserId.
    """
    parsed = parse_user_id(user_id, kind)
    return parsed, key.seal(parsed) if key else ""
