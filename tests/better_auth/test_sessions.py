"""Who is signed in has a row of app.sessions, and gets tokens that say who they are and nothing else."""

import httpx
import jwt
import pytest

from tests.better_auth.people import AUDIENCE, ISSUER, Browser, Running, refusal


@pytest.fixture(scope="module")
def ann(auth: Running) -> str:
    """Ann's id; she has signed up, and closed that browser."""
    with auth.browser() as browser:
        return browser.signed_up("ann@example.com", username="Ann_B")


def sessions(auth: Running, user_id: str) -> set[str]:
    """The user's sessions that have not expired: others may have been left by who was there before."""
    query = "select token from app.sessions where user_id = %s and expires_at > now()"
    return {token for (token,) in auth.rows(query, user_id)}


@pytest.mark.parametrize("name", ["ann@example.com", "ANN@Example.com", "ann_b", "ANN_B"])
def test_sign_in(ann: str, browser: Browser, name: str) -> None:
    """Either name opens the account, however it is typed."""
    assert browser.session() is None
    assert browser.sign_in(name).status_code == 200
    found = browser.session()
    assert found
    assert found["user"]["id"] == ann


@pytest.mark.parametrize(
    ("name", "password"),
    [("ann@example.com", "wrong horse"), ("ann_b", "wrong horse"), ("nobody@example.com", ""), ("nobody", "")],
)
@pytest.mark.usefixtures("ann")
def test_wrong_password(browser: Browser, name: str, password: str) -> None:
    """A wrong password and an unknown name get the same answer, and no session."""
    status, code = refusal(browser.sign_in(name, password or "correct horse battery"))
    assert (status, code) == (401, f"INVALID_{'EMAIL' if '@' in name else 'USERNAME'}_OR_PASSWORD")
    assert browser.session() is None


def test_token(auth: Running, ann: str, browser: Browser) -> None:
    """A token names the user, and nothing else of them; it is checked with nothing but the published keys."""
    assert refusal(browser.get("/token"))[0] == 401
    browser.sign_in("ann_b")
    token = browser.token()
    (published,) = httpx.get(f"{auth.url}/api/auth/jwks").json()["keys"]
    assert set(published) == {"alg", "crv", "kty", "kid", "x"}  # no "d": that would be the private key
    claims = jwt.decode(token, jwt.PyJWK(published), algorithms=["EdDSA"], audience=AUDIENCE, issuer=ISSUER)
    assert claims == {"sub": ann, "iss": ISSUER, "aud": AUDIENCE, "iat": claims["iat"], "exp": claims["iat"] + 900}
    assert jwt.get_unverified_header(token) == {"alg": "EdDSA", "kid": published["kid"]}


def test_organization(auth: Running, browser: Browser) -> None:
    """A token also names the organization that the browser is in: the one that was made, or switched to, or none."""

    def named() -> object:
        return jwt.decode(browser.token(), options={"verify_signature": False}).get("organization_id")

    browser.signed_up("owner@example.com")
    assert named() is None
    acme, beta = browser.founded("acme"), browser.founded("beta")
    assert named() == beta
    assert browser.organize("set-active", organizationId=acme).status_code == 200
    assert named() == acme
    assert auth.rows("select role from app.members where organization_id = %s", acme) == [("owner",)]
    assert browser.organize("set-active", organizationId=None).status_code == 200
    assert named() is None


def test_private_key(auth: Running) -> None:
    """The private key lies encrypted in the table."""
    ((public, private),) = auth.rows("select public_key, private_key from app.jwks")
    assert '"kty":"OKP"' in public
    assert '"d"' not in private
    assert "OKP" not in private


@pytest.mark.usefixtures("ann")
def test_cookie(browser: Browser) -> None:
    """The cookie is out of reach for scripts and other sites; what it carries is not the bare token of the table."""
    cookie = browser.sign_in("ann_b").headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_forged_cookie(auth: Running, ann: str, browser: Browser) -> None:
    """Whoever reads a session's token in the table cannot sign in with it: the cookie is signed."""
    browser.sign_in("ann_b")
    (name,) = browser.cookies
    genuine = browser.cookies[name]
    token = next(iter(sessions(auth, ann)))
    for forged in (token, f"{token}.", f"{token}.AAAA", genuine[:-8]):
        with auth.browser() as thief:
            thief.headers["Cookie"] = f"{name}={forged}"
            assert thief.session() is None, forged
    with auth.browser() as control:
        control.headers["Cookie"] = f"{name}={genuine}"
        assert control.session()


def test_revoke(auth: Running, ann: str, browser: Browser, phone: Browser) -> None:
    """One's sessions can be listed and ended, one by one or all the others at once."""
    browser.sign_in("ann_b")
    phone.sign_in("ann_b")
    listed = browser.get("/list-sessions").json()
    assert {item["token"] for item in listed} == sessions(auth, ann)
    lost = phone.session()
    assert lost
    assert browser.post("/revoke-session", json={"token": lost["session"]["token"]}).status_code == 200
    assert phone.session() is None
    phone.sign_in("ann_b")
    assert browser.post("/revoke-other-sessions", json={}).status_code == 200
    assert phone.session() is None
    mine = browser.session()
    assert mine
    assert sessions(auth, ann) == {mine["session"]["token"]}


def test_revoke_somebody_elses(auth: Running, ann: str, browser: Browser, phone: Browser) -> None:
    """Somebody else's session stays, even for who knows its token."""
    browser.sign_in("ann_b")
    mine = browser.session()
    assert mine
    phone.signed_up("mallory@example.com")
    phone.post("/revoke-session", json={"token": mine["session"]["token"]})
    phone.post("/revoke-other-sessions", json={})
    assert browser.session()
    assert mine["session"]["token"] in sessions(auth, ann)


def test_sign_out(auth: Running, ann: str, browser: Browser) -> None:
    """Who signs out has no session any more, neither here nor in the table; a copied cookie opens nothing."""
    browser.sign_in("ann_b")
    before = sessions(auth, ann)
    copied = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    assert browser.post("/sign-out", json={}).status_code == 200
    assert browser.session() is None
    assert len(sessions(auth, ann)) == len(before) - 1
    with auth.browser() as thief:
        thief.headers["Cookie"] = copied
        assert thief.session() is None


def test_renewal(auth: Running, ann: str, browser: Browser) -> None:
    """Who comes back after two days gets another week; after eight they have to sign in again."""
    browser.sign_in("ann_b")
    auth.rows("update app.sessions set expires_at = now() + interval '5 days' where user_id = %s", ann)
    assert browser.session()
    renewed = "select count(*) from app.sessions where user_id = %s and expires_at > now() + interval '6 days'"
    assert auth.rows(renewed, ann) == [(1,)]
    auth.rows("update app.sessions set expires_at = now() - interval '1 second' where user_id = %s", ann)
    assert browser.session() is None
    assert refusal(browser.get("/token"))[0] == 401
