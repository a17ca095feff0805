"""Issuers: each is believed by its own keys, algorithms and audience, and means users of its own."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import RFC_4122, UUID, uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.auth.conftest import Verify
from tests.issuer import AUDIENCE, Key, serving
from tests.issuer import Issuer as Provider
from userscope.auth import Issuer, TokenVerifier, by_issuer_and_subject
from userscope.errors import ConfigurationError, InvalidToken, MissingSetting
from userscope.settings import Settings

URL = "https://auth.example/jwks"
SECRET = "a secret of 32 bytes, or of more."


def _pem(private: Any) -> str:
    return str(private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode())


@pytest.fixture
def two() -> Iterator[tuple[Provider, Provider]]:
    """Two providers, which sign by different algorithms."""
    with serving("RS256") as one, serving("ES256") as other:
        yield one, other


def _issuer(provider: Provider, **values: Any) -> Issuer:
    given = {"audience": AUDIENCE, "jwks_url": f"{provider.url}/jwks", "algorithms": [provider.algorithm]}
    return Issuer(provider.url, **(given | {"user_id": by_issuer_and_subject} | values))


def test_one_subject_of_two_issuers(two: tuple[Provider, Provider], verify: Verify) -> None:
    """Two issuers that each know an "alice" mean two users, always the same two."""
    verifier = TokenVerifier(issuers=[_issuer(provider) for provider in two])
    found = [verify(verifier, provider.token("alice")) for provider in (*two, *two)]
    assert len(set(found)) == 2
    assert found[:2] == found[2:]
    assert by_issuer_and_subject({"iss": "a", "sub": "b|c"}) != by_issuer_and_subject({"iss": "a|b", "sub": "c"})
    # Whoever changes how it is made takes everybody's rows away.
    always = UUID("c0e90763-9d26-8501-90d1-288e4afa1246")
    assert by_issuer_and_subject({"iss": "https://a.example", "sub": "alice"}) == always
    assert (always.version, always.variant) == (8, RFC_4122)


def test_each_its_own(two: tuple[Provider, Provider], verify: Verify) -> None:
    """A token is judged by the keys, the algorithms and the audience of the issuer that it names, and no other's."""
    one, other = two
    verifier = TokenVerifier(issuers=[_issuer(one), _issuer(other, audience=["theirs", "too"])])
    assert verify(verifier, one.token())
    assert verify(verifier, other.token(aud="theirs"))
    for token, reason in {
        other.token(): "It is meant for another service.",
        one.token(aud="theirs"): "It is meant for another service.",
        other.token(iss=one.url, aud=AUDIENCE): "It is not signed by RS256.",
        one.token(iss=other.url, aud="theirs"): "It is not signed by ES256.",
        one.token(iss="https://third.example"): "It comes from another issuer.",
        one.token(iss=None): "It comes from another issuer.",
        "garbage": "It is no JSON Web Token.",
    }.items():
        with pytest.raises(InvalidToken) as refused:
            verify(verifier, token)
        assert refused.value.detail == reason


def test_key_of_another_issuer() -> None:
    """An issuer cannot sign for another one, even by the same algorithm and under the other's key id."""
    with serving() as one, serving() as other:
        verifier = TokenVerifier(issuers=[_issuer(one), _issuer(other)])
        key = other.keys[0]
        key.id = one.keys[0].id
        assert verifier.verify(other.token())
        with pytest.raises(InvalidToken, match="Its signature is wrong"):
            verifier.verify(other.token(iss=one.url))


def test_mapping_is_asked_for(two: tuple[Provider, Provider]) -> None:
    """Of several issuers each says how its claims become an id; none is configured twice, none without a name."""
    one, other = two
    for issuers, words in (
        ([_issuer(one), _issuer(other, user_id="sub")], "does not map its claims to a user id"),
        ([_issuer(one), _issuer(one)], "no two the same"),
        ([_issuer(one), Issuer(None, audience=AUDIENCE, secret=SECRET, user_id=by_issuer_and_subject)], "a name each"),
    ):
        with pytest.raises(ConfigurationError, match=words):
            TokenVerifier(issuers=issuers)
    with pytest.raises(ConfigurationError, match="given twice"):
        TokenVerifier(one.settings(), issuers=[_issuer(one)])


def test_mapping() -> None:
    """A mapping makes ids of any claims, and may refuse a token; what else it raises is the service's mistake."""
    with serving() as provider:

        def mapped(claims: Any) -> UUID:
            if claims["sub"] == "nobody":
                raise InvalidToken("It is a guest's.")
            return UUID(int=int(claims["account"]["number"]))

        verifier = TokenVerifier(issuers=[_issuer(provider, user_id=mapped)])
        assert verifier.verify(provider.token("a", account={"number": "7"})) == UUID(int=7)
        assert verifier.claims(provider.token("a", account={"number": "7"}))["sub"] == "a"
        with pytest.raises(InvalidToken, match="a guest's"):
            verifier.verify(provider.token("nobody"))
        for token in (provider.token("Zx9q"), provider.token("Zx9q", account={"number": "Zx9q"})):
            with pytest.raises(ConfigurationError, match="has failed") as failed:
                verifier.verify(token)
            assert "mapped(), test_issuers.py:" in (failed.value.detail or "")
            assert "Zx9q" not in f"{failed.value} {failed.value.__context__}"
        for answer in (None, "", "alice", 7.5, True, object()):
            with pytest.raises(InvalidToken, match="no user of ours"):
                TokenVerifier(issuers=[_issuer(provider, user_id=lambda _, answer=answer: answer)]).verify(
                    provider.token()
                )


def test_user_claim() -> None:
    """AUTH_USER_CLAIM names the claim that is the id; ``sub`` is not needed then, and stays as it is."""
    alice = uuid4()
    with serving() as provider:
        verifier = TokenVerifier(provider.settings(auth_user_claim="oid"))
        assert verifier.verify(provider.token("auth0|7", oid=str(alice))) == alice
        assert verifier.claims(provider.token("auth0|7", oid=str(alice).upper()))["oid"] == str(alice)
        for refused in (provider.token(alice), provider.token(alice, oid=7), provider.token(alice, oid="auth0|7")):
            with pytest.raises(InvalidToken, match="no user of ours"):
                verifier.verify(refused)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("org", lambda value: {"org": value}),
        ("https://a.example/org", lambda value: {"https://a.example/org": value}),
        ("/o/id", lambda value: {"o": {"id": value, "rol": "admin"}}),
        ("/a~1b~0c/id", lambda value: {"a/b~c": {"id": value}}),
    ],
)
def test_organization_claim(name: str, told: Any) -> None:
    """AUTH_ORGANIZATION_CLAIM names the claim with an organization's id, or leads to it; without it there is none."""
    acme = uuid4()
    with serving() as provider:
        verifier = TokenVerifier(provider.settings(auth_organization_claim=name))
        assert verifier.bearer(provider.token(**told(str(acme)))).organization_id == acme
        for nothing in (dict[str, Any](), told(None)):
            assert verifier.bearer(provider.token(**nothing)).organization_id is None
        for malformed in ("", "acme", 7, [str(acme)], {"id": str(acme)}):
            with pytest.raises(InvalidToken, match="not a uuid"):
                verifier.bearer(provider.token(**told(malformed)))
        assert TokenVerifier(provider.settings()).bearer(provider.token(**told(str(acme)))).organization_id is None


def test_audience_unchecked() -> None:
    """Only what is written out as "none" leaves the audience unchecked."""
    with serving() as provider:
        verifier = TokenVerifier(provider.settings(auth_audience="none"))
        for claims in ({}, {"aud": None}, {"aud": "another"}, {"aud": ["a", "b"]}):
            assert verifier.verify(provider.token(**claims))
        with pytest.raises(InvalidToken):
            verifier.verify(provider.token(exp=1))
        for value in (None, "", [], [""], b"x"):
            with pytest.raises(ConfigurationError, match="audience"):
                _issuer(provider, audience=value)


def test_own_login() -> None:
    """A service that signs with a secret of its own needs no JWKS, no key ids, and no name."""
    alice = uuid4()
    verifier = TokenVerifier(Settings(_env_file=None, auth_secret=SECRET, auth_audience=AUDIENCE))
    provider = Provider("https://own.example")
    claims = provider.claims(alice)
    assert verifier.verify(jwt.encode(claims, SECRET, "HS256")) == alice
    del claims["iss"]
    assert verifier.verify(jwt.encode(claims, SECRET, "HS256")) == alice
    with pytest.raises(InvalidToken, match="Its signature is wrong"):
        verifier.verify(jwt.encode(claims, SECRET + "x", "HS256"))
    assert SECRET not in repr(verifier) + repr(vars(verifier)) + repr(Settings(_env_file=None, auth_secret=SECRET))


REFUSED_SETTINGS: dict[str, dict[str, Any]] = {
    "AUTH_ALGORITHMS cannot be used: there is no such algorithm": {"auth_algorithms": "RS256,HS1"},
    "AUTH_ALGORITHMS cannot be used: there is no such": {"auth_algorithms": "none"},
    "AUTH_ALGORITHMS cannot be used: there is no such algorithm;": {"auth_algorithms": "eddsa"},
    "AUTH_ALGORITHMS cannot be used: there": {"auth_algorithms": ""},
    "never go together": {"auth_algorithms": "RS256,HS256"},
    "HS256 goes with a secret": {"auth_algorithms": "HS256"},
    "EdDSA goes with published keys": {"auth_algorithms": "EdDSA", "auth_secret": SECRET, "auth_jwks_url": None},
    "AUTH_SECRET and AUTH_JWKS_URL are both set": {"auth_secret": SECRET},
    "AUTH_SECRET cannot be used: it is shorter than 32 bytes": {"auth_secret": "x" * 31, "auth_jwks_url": None},
    "AUTH_SECRET cannot be used: the secret is shorter than the 64 bytes that HS512 needs": {
        "auth_secret": "x" * 63, "auth_jwks_url": None, "auth_algorithms": "HS512",
    },
    "AUTH_SECRET cannot be used: it is shorter": {"auth_secret": "", "auth_jwks_url": None},
    "AUTH_USER_CLAIM cannot be used": {"auth_user_claim": ""},
}  # fmt: skip


@pytest.mark.parametrize("words", REFUSED_SETTINGS)
def test_refused_settings(words: str) -> None:
    """What could never verify anything, or would verify what anybody signs, does not start."""
    given = {"auth_jwks_url": URL, "auth_issuer": "https://auth.example", "auth_audience": AUDIENCE}
    TokenVerifier(Settings(_env_file=None, **given))
    with pytest.raises(ConfigurationError) as refused:
        TokenVerifier(Settings(_env_file=None, **(given | REFUSED_SETTINGS[words])))
    assert words in str(refused.value)
    assert SECRET not in str(refused.value)


def test_public_key_for_a_secret() -> None:
    """A public key is no secret, whatever it is written as."""
    key = Key("RS256")
    for text in (_pem(key.private), _pem(ec.generate_private_key(ec.SECP256R1())), json.dumps(key.public())):
        for refuse in (
            lambda text=text: TokenVerifier(Settings(_env_file=None, auth_secret=text.strip(), auth_audience="a")),
            lambda text=text: Issuer("a", audience="a", secret=text),
        ):
            with pytest.raises(ConfigurationError, match="the secret is a public key"):
                refuse()


def test_small_keys() -> None:
    """An RSA key that can be broken is passed over, as one of a curve that the algorithm does not have."""
    small = Key("RS256", rsa.generate_private_key(65537, 1024))  # noqa: S505  # that is the point
    with serving("RS256") as provider:
        provider.keys.append(small)
        verifier = TokenVerifier(provider.settings())
        assert verifier.verify(provider.token(key=provider.keys[0]))
        with pytest.warns(Warning, match="minimum"), pytest.raises(InvalidToken, match="does not name"):
            verifier.verify(provider.token())
    with serving("ES256") as provider:
        provider.published = lambda key: key.public(crv="P-384")
        with pytest.raises(InvalidToken, match="does not name"):
            TokenVerifier(provider.settings()).verify(provider.token())


def test_key_without_algorithm() -> None:
    """Entra and others name no algorithm beside their keys: a key serves those that the service accepts."""
    with serving("RS256") as provider:
        provider.published = lambda key: key.public(alg=None)
        verifier = TokenVerifier(provider.settings(auth_algorithms="RS256, PS256"))
        assert verifier.verify(provider.token())
        by_pss = Key("PS256", provider.keys[0].private)
        by_pss.id = provider.keys[0].id
        assert verifier.verify(provider.token(key=by_pss))
        provider.published = Key.public
        strict = TokenVerifier(provider.settings(auth_algorithms="RS256,PS256"))
        with pytest.raises(InvalidToken, match="is not one for PS256"):
            strict.verify(provider.token(key=by_pss))


def test_missing() -> None:
    """A secret alone is not enough: whom tokens are meant for is said, or written out as "none"."""
    with pytest.raises(MissingSetting, match="AUTH_AUDIENCE"):
        TokenVerifier(Settings(_env_file=None, auth_secret=SECRET))
