"""Who a transaction acts for: user ids, and the seals that make them unforgeable.

A seal is ``<key id>.<expiry>.<hex HMAC-SHA256(key, '<user id>.<expiry>')>``; the database checks it in
``app.current_user_id()`` (schema/deploy/identity.sql). Only a process that holds the key can make one.
"""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
import time
from dataclasses import dataclass, field
from typing import Self
from uuid import UUID

from userscope.errors import ConfigurationError, InvalidUserId, MissingUserId

SEAL_LIFE = 60
"""Seconds that a seal is good for. A transaction that has begun outlives its seal."""

_KEY_BYTES = 32
_BLOCK = 64  # SHA-256 works on blocks of 64 bytes; HMAC pads its key to one (RFC 2104)
_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")


def parse_user_id(value: UUID | str | None) -> str:
    """Return a user's id as PostgreSQL writes it: 36 characters, lower case.

    Raises MissingUserId for None and '', InvalidUserId for anything else that is no uuid.
    """
    if value is None or value == "":
        raise MissingUserId
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, str) and len(value) == 36:
        try:
            parsed = str(UUID(value))
        except ValueError:
            raise InvalidUserId from None
        if parsed == value.lower():
            return parsed
    raise InvalidUserId


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


def credentials(user_id: UUID | str | None, key: SealKey | None) -> tuple[str, str]:
    """Return the two arguments of ``app.set_user_id``: the user's id and its seal ('' without a key).

    Raises MissingUserId or InvalidUserId.
    """
    parsed = parse_user_id(user_id)
    return parsed, key.seal(parsed) if key else ""
