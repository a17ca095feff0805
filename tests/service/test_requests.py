"""What a request may be: what is wrong with it is said in one form, and nothing of it is repeated."""

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI, HTTPException

from tests.issuer import Issuer
from tests.service.conftest import As
from tests.service.served import served
from userscope.auth.verifier import MAX_LENGTH
from userscope.fastapi import install, refusals
from userscope.fastapi.attach import MAX_BODY
from userscope.testing import Sandbox


def problem(answer: httpx.Response) -> tuple[int, str | None]:
    """The status of a problem and what it says; checks its form."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    body = answer.json()
    assert body["type"] == "about:blank"
    assert body["title"]
    assert body["status"] == answer.status_code
    assert set(body) <= {"type", "title", "status", "detail", "errors", "code"}
    return answer.status_code, body.get("detail")


@pytest.mark.parametrize(
    "sent",
    [
        [], [""], ["Basic YWxpY2U6c2VjcmV0"], ["Digest username=alice"], ["Negotiate x"], ["bearertoken"],
        ["Token {}"], ["{}"],
    ],
)  # fmt: skip
def test_no_token(client: httpx.Client, issuer: Issuer, sent: list[str]) -> None:
    """Without a bearer token one is asked for, and told nothing else."""
    answer = client.get("/todos", headers=[("Authorization", value.format(issuer.token())) for value in sent])
    assert problem(answer) == (401, "A bearer token is needed.")
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (["Bearer"], "no JSON"), (["Bearer x"], "no JSON"), (["Bearer {} {}"], "no JSON"), (["Bearer ="], "no JSON"),
        (["Bearer {}, Bearer {}"], "no JSON"), (['Bearer "{}"'], "no JSON"), (["Bearer\t{}"], "bearer token"),
        (["Bearer é"], "no JSON"), (["Bearer {}", "Bearer {}"], "more than"), (["Basic x", "Bearer {}"], "more than"),
        (["Bearer " + "x" * (MAX_LENGTH + 1)], "longer than"),
    ],
)  # fmt: skip
def test_garbage(client: httpx.Client, issuer: Issuer, sent: list[str], reason: str) -> None:
    """Half a header, two tokens in one, two headers: none is guessed at."""
    headers = [(b"Authorization", value.format(issuer.token(), issuer.token()).encode("latin-1")) for value in sent]
    answer = client.get("/todos", headers=headers)
    status, detail = problem(answer)
    assert status == 401
    assert reason in (detail or "")
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("spelled", ["Bearer {}", "bearer {}", "BEARER {}", "Bearer   {}"])
def test_scheme(client: httpx.Client, world: Sandbox, issuer: Issuer, spelled: str) -> None:
    """The scheme has no case (RFC 9110)."""
    token = issuer.token(world.user().id)
    assert client.get("/todos", headers={"Authorization": spelled.format(token)}).status_code == 200


def test_refused_token(client: httpx.Client, issuer: Issuer) -> None:
    """A token that is refused says why, so that a client knows that it has to get another one."""
    answer = client.get("/todos", headers={"Authorization": f"Bearer {issuer.token(exp=1)}"})
    assert problem(answer) == (401, "It has expired.")
    assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token", error_description="It has expired."'


def test_every_route_asks(client: httpx.Client) -> None:
    """No route but the page, its configuration and the two probes answers anybody."""
    described = client.get("/openapi.json").json()["paths"]
    open_to_all = set()
    for path, methods in described.items():
        for method in methods:
            answer = client.request(method, path.format(todo_id=uuid4()), json={"title": "x"})
            if answer.status_code != 401:
                open_to_all.add((method, path))
    assert open_to_all == {("get", "/config"), ("get", "/healthz"), ("get", "/readyz")}


@pytest.fixture(scope="module")
def alice(world: Sandbox, bearer: As) -> dict[str, str]:
    """Alice's headers, good for a request with a body."""
    return bearer(world.user("Alice")) | {"Content-Type": "application/json"}


SECRET = "do-not-repeat-me"
NOBODYS = "0b6c1f0e-7d0c-4f4e-9c53-5f2d0a8f6f11"
"""An id that no row has; spelled out, since test ids are the same in every process."""

BODIES: dict[str, tuple[bytes | str, int]] = {
    "nothing": (b"", 422),
    "no JSON": (f"{{{SECRET}", 422),
    "no UTF-8": (b'{"title": "\xff"}', 400),
    "nested": ("[" * 100_000, 400),
    "a huge number": ('{"completed": ' + "1" * 5000 + "}", 400),
    "NaN": ('{"title": NaN}', 422),
    "null": ("null", 422),
    "a list": ("[]", 422),
    "no title": ("{}", 422),
    "title null": ('{"title": null}', 422),
    "title a number": ('{"title": 7}', 422),
    "title blank": ('{"title": " \\u00a0 "}', 422),
    "title too long": (json.dumps({"title": SECRET * 20}), 422),
    "title with NUL": (json.dumps({"title": f"{SECRET}\0"}), 422),
    "title half a character": ('{"title": "\\ud800"}', 422),
    "description too long": (json.dumps({"title": "x", "description": "x" * 10_001}), 422),
    "completed a word": (json.dumps({"title": "x", "completed": SECRET}), 422),
    "completed a number": ('{"title": "x", "completed": 1}', 422),
    "due a number": ('{"title": "x", "due_at": 1763802000}', 422),
    "due a number in a string": ('{"title": "x", "due_at": "1763802000"}', 422),
    "due no time": (json.dumps({"title": "x", "due_at": SECRET}), 422),
    "due without a zone": ('{"title": "x", "due_at": "2026-01-01T00:00:00"}', 422),
    "due before all time": ('{"title": "x", "due_at": "0001-01-01T00:00:00+14:00"}', 422),
    "due after all time": ('{"title": "x", "due_at": "9999-12-31T23:59:59-14:00"}', 422),
    "an unknown field": (json.dumps({"title": "x", "admin": SECRET}), 422),
    "a field that is no character": ('{"title": "x", "\\ud800": 1}', 422),
    "the owner": (json.dumps({"title": "x", "owner_id": str(uuid4())}), 422),
    "an id": (json.dumps({"title": "x", "id": str(uuid4())}), 422),
    "when it was made": ('{"title": "x", "created_at": "2026-01-01T00:00:00Z"}', 422),
}


@pytest.mark.parametrize("case", BODIES)
def test_body(client: httpx.Client, alice: dict[str, str], case: str) -> None:
    """A body that is wrong is refused, and its values are not repeated; nothing is stored."""
    body, expected = BODIES[case]
    answer = client.post("/todos", content=body, headers=alice)
    assert problem(answer)[0] == expected
    assert SECRET not in answer.text
    for error in answer.json().get("errors", []):
        assert set(error) == {"loc", "msg", "type"}
    assert client.get("/todos", headers=alice).json()["items"] == []


def test_many_errors(client: httpx.Client, alice: dict[str, str]) -> None:
    """A body of a thousand mistakes does not get a thousand answers."""
    answer = client.post("/todos", json={f"field {n}": n for n in range(1000)}, headers=alice)
    assert problem(answer)[0] == 422
    assert 0 < len(answer.json()["errors"]) <= 20


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_media_type(client: httpx.Client, alice: dict[str, str], media_type: str) -> None:
    """JSON is JSON where it says so: what a form of another site can send is not taken for it."""
    answer = client.post("/todos", content='{"title": "x"}', headers=alice | {"Content-Type": media_type})
    assert problem(answer)[0] == 422


@pytest.mark.parametrize("chunked", [False, True])
def test_huge(client: httpx.Client, alice: dict[str, str], chunked: bool) -> None:
    """A body beyond the limit is not read to its end, whether it says how long it is or not."""

    def chunks() -> Iterator[bytes]:
        yield from [b" " * 65_536] * (MAX_BODY // 65_536)
        yield b'{"title": "x"}'

    def sent() -> httpx.Response:
        for _ in range(9):  # closed on what was not read, TCP may reset the connection before the answer has arrived
            with suppress(httpx.ReadError, httpx.WriteError):
                return client.post("/todos", content=chunks() if chunked else b"".join(chunks()), headers=alice)
        pytest.fail("no answer arrived")

    answer = sent()
    assert problem(answer)[0] == 413
    assert answer.headers["connection"] == "close"
    assert client.get("/todos", headers=alice).json()["items"] == []


def test_largest(client: httpx.Client, world: Sandbox, bearer: As) -> None:
    """Whatever a todo may hold fits, however it is written."""
    title, description = "\U0001f9c0" * 200, "\U0001f9c0" * 10_000
    body = json.dumps({"title": title, "description": description}, ensure_ascii=True)
    headers = bearer(world.user()) | {"Content-Type": "application/json"}
    answer = client.post("/todos", content=body, headers=headers)
    assert answer.status_code == 201
    assert (answer.json()["title"], answer.json()["description"]) == (title, description)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/todos", "GET"), ("DELETE", "/todos", "GET"), ("HEAD", "/todos", "GET"), ("OPTIONS", "/todos", "GET"),
        ("POST", f"/todos/{NOBODYS}", "GET"), ("DELETE", "/me", "GET"), ("BREW", "/me", "GET"), ("POST", "/", "GET"),
    ],
)  # fmt: skip
def test_method(client: httpx.Client, alice: dict[str, str], method: str, path: str, allowed: str) -> None:
    """Another method is refused, with one that is not."""
    answer = client.request(method, path, headers=alice)
    assert answer.status_code == 405
    assert allowed in answer.headers["allow"]
    assert method == "HEAD" or problem(answer) == (405, None)


@pytest.mark.parametrize("path", ["/nowhere", "/todos/", "/todos/x/y", "/%2e%2e/todos", "/TODOS"])
def test_no_such_path(client: httpx.Client, alice: dict[str, str], path: str) -> None:
    """What is not there is a problem like any other; a slash too many leads to where it was meant."""
    answer = client.get(path, headers=alice, follow_redirects=False)
    if path == "/todos/":
        assert (answer.status_code, answer.headers["location"].endswith("/todos")) == (307, True)
    else:
        assert problem(answer) == (404, None)


@pytest.mark.parametrize("todo_id", ["x", "1", "%00", f"{{{NOBODYS}}}x", "' or true --"])
def test_no_id(client: httpx.Client, alice: dict[str, str], todo_id: str) -> None:
    """What is no uuid is no id."""
    assert problem(client.get(f"/todos/{todo_id}", headers=alice))[0] == 422


ODD: dict[str, tuple[int, Any, dict[str, Any]]] = {
    "a status of nobody's": (499, "It is gone.", {"title": "Bad Request", "detail": "It is gone."}),
    "a detail of many parts": (400, {"code": 7}, {"title": "Bad Request", "code": 7}),
    "a detail that is no JSON": (403, {1j}, {"title": "Forbidden", "detail": "This is not permitted."}),
    "nothing to say": (404, None, {"title": "Not Found"}),
}  # fmt: skip


@pytest.mark.parametrize("case", ODD)
def test_what_a_route_raises(case: str) -> None:
    """Whatever status and detail a route raises an HTTPException of, the answer has that status and is a problem."""
    status, detail, said = ODD[case]
    app = FastAPI()
    install(app)

    @app.get("/")
    def fail() -> None:
        raise HTTPException(status, detail)

    with served(app) as client:
        answer = client.get("/")
    problem(answer)
    assert answer.json() == {"type": "about:blank", "status": status, **said}
    described = refusals(status)[status]
    assert described["description"] == said["title"]
