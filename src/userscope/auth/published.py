"""A set of keys as issuers publish it (RFC 7517): which of them may check which algorithm."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import jwt

_RSA_BITS = range(2048, 8193)
"""Fewer can be broken; more only make each check slow."""

_FORMS: dict[str, tuple[str, str | None, tuple[str, ...]]] = {
    "EdDSA": ("OKP", "Ed25519", ("x",)),
    "ES256": ("EC", "P-256", ("x", "y")),
    "ES384": ("EC", "P-384", ("x", "y")),
    "ES512": ("EC", "P-521", ("x", "y")),
    **{f"{kind}{bits}": ("RSA", None, ("n", "e")) for kind in ("RS", "PS") for bits in (256, 384, 512)},
}
"""Of each algorithm: the key's type and curve, and the members that hold the public key."""

_NAMES = {"EdDSA": ("EdDSA", "Ed25519")}
"""Algorithms that a key may name otherwise."""


def parse(body: bytes, algorithms: Sequence[str]) -> Mapping[str, Mapping[str, jwt.PyJWK]]:
    """Return the keys that can be used, by id and algorithm; others are passed over. Raises ValueError for no JWKS."""
    document = json.loads(body)
    if not isinstance(document, dict) or not isinstance(document.get("keys"), list):
        raise ValueError
    found: dict[str, Mapping[str, jwt.PyJWK]] = {}
    for entry in document["keys"]:
        if not isinstance(entry, dict) or not isinstance(entry.get("kid"), str) or not entry["kid"]:
            continue
        if keys := {name: key for name in algorithms if (key := _key(entry, name)) is not None}:
            found[entry["kid"]] = {**found.get(entry["kid"], {}), **keys}
    return found


def _key(entry: Mapping[str, Any], algorithm: str) -> jwt.PyJWK | None:
    """Return a key for signatures by this algorithm; None for any other.

    Many issuers name no algorithm beside a key (Neon, Entra): the service's own list decides then.
    """
    kind, curve, members = _FORMS[algorithm]
    fits = (
        entry.get("kty") == kind
        and entry.get("crv") == curve
        and entry.get("alg") in (None, *_NAMES.get(algorithm, (algorithm,)))
        and entry.get("use") in (None, "sig")
    )
    if not fits:
        return None
    read = ("kty", "kid", *members, *(("crv",) if curve else ()))
    try:
        # By these members alone: a private one that was published by mistake is not even read.
        key = jwt.PyJWK({name: entry[name] for name in read}, algorithm)
    except (jwt.PyJWTError, KeyError, TypeError, ValueError):
        return None
    return key if kind != "RSA" or key.key.key_size in _RSA_BITS else None
