"""From sign-up to a row: a token of Better Auth opens one's own todos, and nothing else does."""

import json
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import OKPAlgorithm
from jwt.utils import base64url_encode

from tests.better_auth.people import PASSWORD
from tests.example.running import Example, Person
from tests.versions import first_of


def test_the_whole_way(example: Example, ann: Person, bob: Person) -> None:
    """Who signs up adds a todo; it is theirs, and nobody else sees it.

    It may take ten seconds: the first that needs the example starts its server, Better Auth's and the service.
    """
    ann_id = ann.signed_up("way-ann@example.com", username="way_ann")
    bob.signed_up("way-bob@example.com")
    ann_token, bob_token = ann.token(), bob.token()
    todo_id = ann.add(ann_token, "Buy milk")
    bob.add(bob_token, "Fix the bike")
    assert ann.titles(ann_token) == ["Buy milk"]
    assert bob.titles(bob_token) == ["Fix the bike"]
    assert example.rows("select owner_id, title from app.todos where id = %s", todo_id) == [(UUID(ann_id), "Buy milk")]
    assert ann.ask(ann_token, "GET", "/me").json()["username"] == "way_ann"
    exported = ann.ask(ann_token, "GET", "/me/export").json()
    assert [todo["title"] for todo in exported["todos"]] == ["Buy milk"]


@pytest.mark.breadth
def test_signed_in_again(ann: Person, bob: Person) -> None:
    """Another browser of the same person, signed in by the username, finds the same todos."""
    ann.signed_up("again@example.com", username="again_ann")
    ann.add(ann.token(), "Buy milk")
    assert bob.sign_in("AGAIN_ANN").status_code == 200
    assert bob.titles(bob.token()) == ["Buy milk"]


def seen(answer: httpx.Response) -> tuple[int, dict[str, str], str]:
    """All that an answer tells."""
    return answer.status_code, {name: text for name, text in answer.headers.items() if name != "date"}, answer.text


@pytest.mark.parametrize(
    ("method", "more"),
    first_of(
        ("GET", {}),
        ("PATCH", {"json": {"title": "mine now"}}),
        ("PATCH", {"json": {}}),
        ("PATCH", {"json": {"title": ""}}),
        ("DELETE", {}),
    ),
    ids=["read", "change", "change nothing", "invalid", "delete"],
)
def test_somebody_elses_id(example: Example, ann: Person, bob: Person, method: str, more: dict[str, Any]) -> None:
    """The id of somebody else's todo gets exactly the answer of one that nobody has: status, headers and body."""
    name = uuid4().hex
    ann.signed_up(f"a{name}@example.com")
    bob.signed_up(f"b{name}@example.com")
    ann_token, bob_token = ann.token(), bob.token()
    ann_todo = ann.add(ann_token, "secret")
    theirs, unknown = (
        seen(bob.ask(bob_token, method, f"/todos/{todo_id}", **more)) for todo_id in (ann_todo, str(uuid4()))
    )
    assert theirs == unknown
    assert theirs[0] in (404, 422)
    assert example.rows("select title from app.todos where id = %s", ann_todo) == [("secret",)]
    assert ann.ask(ann_token, "GET", f"/todos/{ann_todo}").status_code == 200


class Forger:
    """Somebody who signs tokens: with a key that Better Auth publishes as its own, or with another of the same name."""

    def __init__(self, example: Example) -> None:
        self.kid = str(uuid4())
        self.key = Ed25519PrivateKey.generate()
        public = json.loads(OKPAlgorithm.to_jwk(self.key.public_key()))
        # Older than Better Auth's own, which goes on signing with that.
        example.rows(
            "insert into app.jwks (id, public_key, private_key, alg, crv, created_at) "
            "values (%s, %s, '', 'EdDSA', 'Ed25519', '2020-01-01')",
            self.kid,
            json.dumps(public),
        )
        self.now = int(time.time())
        self.claims = {"iss": example.page, "aud": "todo-api", "iat": self.now, "exp": self.now + 900}

    def sign(self, user_id: str, key: Any = None, alg: str = "EdDSA", **changes: Any) -> str:
        """Sign a token for a user; a change to None leaves a claim out."""
        claims = {"sub": user_id, **self.claims, **changes}
        kept = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(kept, self.key if key is None else key, alg, headers={"kid": self.kid})


@pytest.fixture(scope="module")
def forger(example: Example) -> Forger:
    return Forger(example)


def _tampered(forger: Forger, user_id: str) -> str:
    """Another user's id, under a signature that was made for this one."""
    head, _, signature = forger.sign(user_id).split(".")
    body = base64url_encode(json.dumps({**forger.claims, "sub": str(uuid4())}).encode()).decode()
    return f"{head}.{body}.{signature}"


def _hmac(forger: Forger, user_id: str) -> str:
    """Signed with the public key, which everybody has, as if it were a shared secret."""
    public = forger.key.public_key().public_bytes_raw()
    return forger.sign(user_id, public, "HS256")


FORGED: dict[str, Callable[[Forger, str], str]] = {
    "expired": lambda forger, user: forger.sign(user, iat=forger.now - 9000, exp=forger.now - 100),
    "from the future": lambda forger, user: forger.sign(user, iat=forger.now + 9000),
    "other audience": lambda forger, user: forger.sign(user, aud="another-api"),
    "no audience": lambda forger, user: forger.sign(user, aud=None),
    "other issuer": lambda forger, user: forger.sign(user, iss="https://evil.example"),
    "no end": lambda forger, user: forger.sign(user, exp=None),
    "no subject": lambda forger, user: forger.sign(user, sub=None),
    "a name as subject": lambda forger, _: forger.sign("ann"),
    "other key": lambda forger, user: forger.sign(user, Ed25519PrivateKey.generate()),
    "tampered": _tampered,
    "cut": lambda forger, user: forger.sign(user)[:-3],
    "unsigned": lambda forger, user: forger.sign(user, "", "none"),
    "signed with the public key": _hmac,
    "garbage": lambda *_: "garbage",
    "null": lambda *_: "null",
}


@pytest.fixture(scope="module")
def user_id(example: Example) -> str:
    """Whose tokens are forged."""
    with example.person() as person:
        return person.signed_up("forged@example.com")


@pytest.mark.parametrize("how", first_of(*FORGED))
def test_forged(example: Example, forger: Forger, ann: Person, user_id: str, how: str) -> None:
    """Whatever is not exactly right is refused; the genuine token of the same maker works."""
    genuine = forger.sign(user_id)
    assert ann.ask(genuine, "POST", "/todos", json={"title": "control"}).status_code == 201
    forged = FORGED[how](forger, user_id)
    for method, path, more in (
        ("GET", "/todos", {}),
        ("POST", "/todos", {"json": {"title": "forged"}}),
        ("GET", "/me/export", {}),
    ):
        answer = ann.ask(forged, method, path, **more)
        assert answer.status_code == 401, answer.text
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert user_id not in answer.text
    assert example.rows("select from app.todos where title = 'forged'") == []


@pytest.mark.parametrize("header", first_of(None, "", "Bearer", "Basic YTpi", "bearer\tx", "Bearer a b"))
def test_no_token(example: Example, header: str | None) -> None:
    """Without a token there is nothing to see."""
    headers = {} if header is None else {"Authorization": header}
    answer = httpx.get(f"{example.page}/todos", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert httpx.get(f"{example.page}/").status_code == 200


def test_deleted_account(example: Example, ann: Person, bob: Person) -> None:
    """An account takes its todos along, and a token that is left reaches nothing: not old rows, and no new one."""
    user_id = ann.signed_up("gone@example.com")
    bob.signed_up("here@example.com")
    token, bob_token = ann.token(), bob.token()
    todo_id = ann.add(token, "Buy milk")
    bob.add(bob_token, "Fix the bike")
    assert ann.ask(token, "GET", "/me").status_code == 200
    assert ann.post("/delete-user", json={"password": PASSWORD}).status_code == 200
    assert example.rows("select from app.todos where owner_id = %s", user_id) == []
    assert ann.titles(token) == []
    assert {
        (method, path): ann.ask(token, method, path, **more).status_code
        for method, path, more in [
            ("GET", f"/todos/{todo_id}", {}),
            ("DELETE", f"/todos/{todo_id}", {}),
            ("POST", "/todos", {"json": {"title": "left behind"}}),
            ("GET", "/me", {}),
            ("PATCH", "/me", {"json": {"name": "Ghost"}}),
            ("GET", "/me/export", {}),
        ]
    } == {
        ("GET", f"/todos/{todo_id}"): 404,
        ("DELETE", f"/todos/{todo_id}"): 404,
        ("POST", "/todos"): 401,
        ("GET", "/me"): 401,
        ("PATCH", "/me"): 401,
        ("GET", "/me/export"): 401,
    }
    assert example.rows("select from app.todos where title = 'left behind'") == []
    assert bob.titles(bob_token) == ["Fix the bike"]


@pytest.mark.breadth
def test_password_change(ann: Person, bob: Person) -> None:
    """A changed password ends other sessions; todos stay, and the new password leads to them."""
    ann.signed_up("changed@example.com")
    ann.add(ann.token(), "Buy milk")
    bob.sign_in("changed@example.com")
    changed = {"currentPassword": PASSWORD, "newPassword": f"{PASSWORD} 2", "revokeOtherSessions": True}
    assert ann.post("/change-password", json=changed).status_code == 200
    assert bob.get("/token").status_code == 401
    assert bob.sign_in("changed@example.com").status_code == 401
    assert bob.sign_in("changed@example.com", f"{PASSWORD} 2").status_code == 200
    assert bob.titles(bob.token()) == ["Buy milk"]
