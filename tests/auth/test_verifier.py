"""TokenVerifier accepts the issuer's tokens for its audience, and nothing else; what it refuses it does not repeat."""

import asyncio
import base64
import hashlib
import hmac
import json
import logging
import time
import traceback
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from tests.auth.conftest import Verify
from tests.clusters import first_of
from tests.issuer import AUDIENCE, Issuer, Key, b64, serving
from userscope.auth import TokenVerifier
from userscope.auth.verifier import LEEWAY, MAX_LENGTH
from userscope.errors import ConfigurationError, InvalidToken, InvalidURL, MissingSetting
from userscope.settings import ALGORITHMS, SECRET_BYTES, Settings


def test_accepted(issuer: Issuer, verifier: TokenVerifier, verify: Verify) -> None:
    """A token of the issuer is its user's; keys are fetched once."""
    alice, bob = uuid4(), uuid4()
    found = [verify(verifier, issuer.token(user)) for user in (alice, bob, alice)]
    assert found == [alice, bob, alice]
    assert {type(user) for user in found} == {UUID}
    assert issuer.fetches == 1
    assert verify(verifier, issuer.token(alice, aud=["another", AUDIENCE], nbf=int(time.time()), role="x")) == alice
    assert verify(verifier, issuer.token(str(alice).upper())) == alice


def test_claims(issuer: Issuer, verifier: TokenVerifier) -> None:
    """What else the issuer says of a user comes along, once it is verified; the id as PostgreSQL writes it."""
    alice = uuid4()
    told = issuer.claims(str(alice).upper(), email="alice@example.org", emailVerified=True)
    token = jwt.encode(told, issuer.keys[0].private, "EdDSA", headers={"kid": issuer.keys[0].id})
    assert verifier.claims(token) == asyncio.run(verifier.claims_async(token)) == told | {"sub": str(alice)}
    with pytest.raises(InvalidToken):
        verifier.claims(_tampered(issuer))


def _signed(header: dict[str, Any], payload: bytes, sign: Callable[[bytes], bytes]) -> str:
    signing_input = f"{b64(json.dumps(header).encode())}.{b64(payload)}"
    return f"{signing_input}.{b64(sign(signing_input.encode()))}"


def _with_header(issuer: Issuer, claims: dict[str, Any] | None = None, **header: Any) -> str:
    key = issuer.keys[-1]
    full = {name: v for name, v in ({"alg": key.algorithm, "kid": key.id} | header).items() if v is not None}
    return _signed(full, json.dumps(claims or issuer.claims()).encode(), key.sign)


def _hs256(issuer: Issuer, secret: bytes) -> str:
    """Signed with what everybody knows, in the hope that it is taken for a shared secret."""
    header = {"alg": "HS256", "kid": issuer.keys[-1].id}
    return _signed(header, json.dumps(issuer.claims()).encode(), lambda data: hmac.digest(secret, data, hashlib.sha256))


def _public_bytes(issuer: Issuer) -> bytes:
    """What everybody knows of an issuer's key, as an attacker would take it for a secret."""
    private = issuer.keys[0].private
    if isinstance(private, bytes):
        return b"another secret, which is long enough"
    if isinstance(private, Ed25519PrivateKey):
        return private.public_key().public_bytes_raw()
    pem: bytes = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return pem


def _other_algorithm(issuer: Issuer) -> str:
    key = Key("ES256" if issuer.algorithm != "ES256" else "EdDSA")
    key.id = issuer.keys[-1].id
    return issuer.token(key=key)


def _tampered(issuer: Issuer) -> str:
    header, payload, signature = issuer.token().split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    return f"{header}.{b64(json.dumps(claims | {'sub': str(uuid4())}).encode())}.{signature}"


def _now(seconds: int) -> int:
    return int(time.time()) + seconds


_MALFORMED = "It is no JSON Web Token."
_CLAIMS = "It needs the claims exp, iat, iss, aud, sub."
_NO_UUID = "Its subject is no user of ours: it is not a uuid."
_NOT_OURS = "It is not signed by {algorithm}."

REFUSED: dict[str, tuple[Callable[[Issuer], str], str]] = {
    "expired": (lambda i: i.token(exp=_now(-LEEWAY - 10)), "It has expired."),
    "issued later": (lambda i: i.token(iat=_now(LEEWAY + 60)), "It is not valid yet."),
    "valid later": (lambda i: i.token(nbf=_now(LEEWAY + 60)), "It is not valid yet."),
    "tampered": (_tampered, "Its signature is wrong."),
    "another's key": (lambda i: i.token(key=_impostor(i)), "Its signature is wrong."),
    "no signature": (lambda i: i.token().rpartition(".")[0] + ".", "Its signature is wrong."),
    "alg none": (lambda i: _signed({"alg": "none", "kid": i.keys[0].id}, b"{}", lambda _: b""), _NOT_OURS),
    "alg none, said to be ours": (lambda i: _signed({"alg": i.algorithm, "kid": i.keys[0].id}, b"{}", lambda _: b""),
                                  "Its signature is wrong."),
    "HS256 by the public key": (lambda i: _hs256(i, _public_bytes(i)), _NOT_OURS),
    "HS256 by nothing": (lambda i: _hs256(i, b""), _NOT_OURS),
    "another algorithm": (_other_algorithm, _NOT_OURS),
    "alg in another case": (lambda i: _with_header(i, alg=i.algorithm.swapcase()), _NOT_OURS),
    "alg a list": (lambda i: _with_header(i, alg=[i.algorithm]), _NOT_OURS),
    "no alg": (lambda i: _with_header(i, alg=None), _NOT_OURS),
    "no kid": (lambda i: _with_header(i, kid=None), "It does not say which key signed it."),
    "empty kid": (lambda i: _with_header(i, kid=""), "It does not say which key signed it."),
    "kid a number": (lambda i: _with_header(i, kid=7), _MALFORMED),
    "unknown kid": (lambda i: i.token(key=Key(i.algorithm)), "It was signed with a key that the issuer does not name."),
    "critical header": (lambda i: _with_header(i, crit=["b64"], b64=False), _MALFORMED),
    "other audience": (lambda i: i.token(aud="another"), "It is meant for another service."),
    "several other audiences": (lambda i: i.token(aud=["another", "third"]), "It is meant for another service."),
    "audience no string": (lambda i: i.token(aud={"todo-api": 1}), "It is meant for another service."),
    "audience's prefix": (lambda i: i.token(aud=AUDIENCE[:-1]), "It is meant for another service."),
    "other issuer": (lambda i: i.token(iss="https://evil.example"), "It comes from another issuer."),
    "issuer with a slash": (lambda i: i.token(iss=f"{i.url}/"), "It comes from another issuer."),
    "no exp": (lambda i: i.token(exp=None), _CLAIMS),
    "no iat": (lambda i: i.token(iat=None), _CLAIMS),
    "no iss": (lambda i: i.token(iss=None), _CLAIMS),
    "no aud": (lambda i: i.token(aud=None), _CLAIMS),
    "empty aud": (lambda i: i.token(aud=[]), _CLAIMS),
    "no sub": (lambda i: _with_header(i, i.claims(sub=None)), _CLAIMS),
    "sub a number": (lambda i: _with_header(i, i.claims() | {"sub": 7}), _MALFORMED),
    "sub no uuid": (lambda i: i.token("alice"), _NO_UUID),
    "sub empty": (lambda i: _with_header(i, i.claims() | {"sub": ""}), _NO_UUID),
    "sub in braces": (lambda i: i.token(f"{{{uuid4()}}}"), _NO_UUID),
    "exp infinite": (lambda i: _with_header(i, i.claims() | {"exp": float("inf")}), _MALFORMED),
    "exp not a number": (lambda i: _with_header(i, i.claims() | {"exp": "soon"}), _MALFORMED),
    "claims a list": (lambda i: _signed({"alg": i.algorithm, "kid": i.keys[0].id}, b"[1]", i.keys[0].sign),
                      _MALFORMED),
    "claims nested": (lambda i: _signed({"alg": i.algorithm, "kid": i.keys[0].id}, b"[" * 3000, i.keys[0].sign),
                      _MALFORMED),
    "empty": (lambda _: "", _MALFORMED),
    "garbage": (lambda _: "garbage", _MALFORMED),
    "dots": (lambda _: "..", _MALFORMED),
    "five parts": (lambda i: f"{i.token()}.a.b", _MALFORMED),
    "a lone surrogate": (lambda _: "\ud800.a.b", _MALFORMED),
    "too long": (lambda i: i.token(filling="x" * MAX_LENGTH), f"It is longer than {MAX_LENGTH} characters."),
}  # fmt: skip


def _impostor(issuer: Issuer) -> Key:
    """A key of somebody who claims the issuer's id for it."""
    made = Key(issuer.algorithm)
    made.id = issuer.keys[-1].id
    return made


@pytest.mark.parametrize("case", REFUSED)
def test_refused(
    issuer: Issuer, verifier: TokenVerifier, verify: Verify, case: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever is wrong is said, and nothing of the token: not in the error, what it came from, or the log."""
    make, reason = REFUSED[case]
    caplog.set_level(logging.DEBUG)
    token = make(issuer)
    with pytest.raises(InvalidToken) as refused:
        verify(verifier, token)
    assert refused.value.detail == reason.format(algorithm="EdDSA")
    assert refused.value.__cause__ is None
    assert refused.value.__context__ is None
    shown = "".join(traceback.format_exception(refused.value)) + caplog.text
    assert not [part for part in token.split(".") if len(part) > 4 and part in shown]
    assert verify(verifier, issuer.token()), "a good one is accepted"


_RSA = sorted(name for name in ALGORITHMS if name.startswith(("RS", "PS")))  # each makes a key, which takes its time
_OTHERS = [name for name in (*ALGORITHMS, *SECRET_BYTES) if name != "EdDSA" and name not in _RSA]


@pytest.mark.parametrize("algorithm", [*_OTHERS, *first_of(*_RSA)])
def test_refused_by_every_algorithm(algorithm: str) -> None:
    """The same for each of the others; who shares a secret needs no name for it."""
    without_keys = {"no kid", "empty kid", "unknown kid"} if algorithm in SECRET_BYTES else set()
    with serving(algorithm) as issuer:
        verifier, alice = TokenVerifier(issuer.settings(), clock=issuer.clock), uuid4()
        assert verifier.verify(issuer.token(alice)) == alice
        for case in REFUSED.keys() - without_keys:
            make, reason = REFUSED[case]
            if case.startswith("HS256") and algorithm == "HS256":
                reason = "Its signature is wrong."
            with pytest.raises(InvalidToken) as refused:
                verifier.verify(make(issuer))
            assert (case, refused.value.detail) == (case, reason.format(algorithm=algorithm))
            assert refused.value.__context__ is None
        assert verifier.verify(issuer.token(alice)) == alice, "a good one is accepted"


def test_skew(issuer: Issuer, verifier: TokenVerifier, verify: Verify) -> None:
    """Clocks may differ by some seconds in either direction."""
    alice = uuid4()
    assert verify(verifier, issuer.token(alice, exp=_now(10 - LEEWAY))) == alice
    assert verify(verifier, issuer.token(alice, iat=_now(LEEWAY - 10), nbf=_now(LEEWAY - 10))) == alice


def test_not_parsed(issuer: Issuer, verifier: TokenVerifier, verify: Verify) -> None:
    """What is malformed, too long or of another algorithm does not make the service ask for keys."""
    for case in ("too long", "garbage", "alg none", "HS256 by the public key", "no kid"):
        with pytest.raises(InvalidToken):
            verify(verifier, REFUSED[case][0](issuer))
    assert issuer.fetches == 0


@pytest.fixture(scope="module")
def fuzzed() -> Any:
    """An issuer and its verifier for many tokens."""
    with serving() as issuer:
        yield issuer, TokenVerifier(issuer.settings(), clock=issuer.clock)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(["exp", "iat", "nbf", "iss", "aud", "sub", "jti"]), _JSON)
def test_any_claim(fuzzed: tuple[Issuer, TokenVerifier], claim: str, value: object) -> None:
    """Whatever a claim holds, signed by the issuer itself: the user it names, or InvalidToken."""
    issuer, verifier = fuzzed
    claims = issuer.claims()
    try:
        found = verifier.verify(_with_header(issuer, claims | {claim: value}))
    except InvalidToken:
        return
    assert found == UUID(claims["sub"])


@given(st.dictionaries(st.sampled_from(["alg", "kid", "typ", "crit", "b64", "jwk", "jku", "x5u", "zip"]), _JSON))
def test_any_header(fuzzed: tuple[Issuer, TokenVerifier], header: dict[str, object]) -> None:
    """Whatever a header holds, such as a key of the sender's own: the same."""
    issuer, verifier = fuzzed
    claims = issuer.claims()
    try:
        found = verifier.verify(_with_header(issuer, claims, **header))
    except InvalidToken:
        return
    assert found == UUID(claims["sub"])


@given(st.text() | st.from_regex(r"[A-Za-z0-9_-]{0,40}(\.[A-Za-z0-9_-]{0,40}){0,4}", fullmatch=True))
def test_any_text(fuzzed: tuple[Issuer, TokenVerifier], text: str) -> None:
    """Any text at all is refused as a token."""
    with pytest.raises(InvalidToken):
        fuzzed[1].verify(text)


@pytest.mark.parametrize("variable", ["AUTH_JWKS_URL", "AUTH_ISSUER", "AUTH_AUDIENCE"])
@pytest.mark.parametrize("value", [None, ""])
def test_missing_setting(variable: str, value: str | None) -> None:
    """Without one of the three there is no verifier: nothing is trusted by default."""
    given = {"auth_jwks_url": "https://a.example/jwks", "auth_issuer": "https://a.example", "auth_audience": "x"}
    settings = Settings(_env_file=None, **(given | {variable.lower(): value}))
    with pytest.raises(MissingSetting, match=f"{variable} is not set") as missing:
        TokenVerifier(settings)
    assert "docs/fastapi.md" in (missing.value.hint or "")


@pytest.mark.parametrize(
    "url",
    [
        "http://auth.example/jwks", "http://127.0.0.1.evil.example/jwks", "http://localhost@evil.example/jwks",
        "https://user:secret@auth.example/jwks", "file:///etc/passwd", "ftp://auth.example/jwks", "auth.example/jwks",
        "https://", "https:///jwks", "https://auth.example:x/jwks", "https://[::1/jwks", "https://a b/jwks",
        "https://auth.example/jwks\nX: y", "http://10.0.0.1/jwks", "http://0.0.0.0/jwks",
    ],
)  # fmt: skip
def test_unsafe_url(issuer: Issuer, url: str) -> None:
    """Keys come by TLS or from this machine; the URL is not repeated, since it may hold a password."""
    with pytest.raises(InvalidURL, match="AUTH_JWKS_URL cannot be used") as refused:
        TokenVerifier(issuer.settings(auth_jwks_url=url))
    assert isinstance(refused.value, ConfigurationError)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("url", ["https://auth.example/jwks", "http://localhost:3000/jwks", "http://[::1]:3000/jwks"])
def test_safe_url(issuer: Issuer, url: str) -> None:
    """These are what may be configured."""
    TokenVerifier(issuer.settings(auth_jwks_url=url))
