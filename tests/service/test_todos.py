"""The todo service: each person has their own list, and somebody else's todo is one that does not exist."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from pydantic import SecretStr

from examples.todo_api.app import create_app
from tests.service.conftest import As
from tests.service.served import served
from userscope.models import Todo, User
from userscope.settings import Settings
from userscope.testing import Proxy, Sandbox


def _add(client: httpx.Client, headers: dict[str, str], *titles: str) -> list[dict[str, Any]]:
    """Add todos; return them as the service gave them, the newest first."""
    made: list[dict[str, Any]] = []
    for title in titles:
        answer = client.post("/todos", json={"title": title}, headers=headers)
        assert answer.status_code == 201, answer.text
        made.insert(0, answer.json())
    return made


def _stored(world: Sandbox, *users: User) -> set[tuple[UUID, str]]:
    """What is in the table of these people's."""
    with world.admin() as connection:
        found = connection.execute(
            "select owner_id, title from app.todos where owner_id = any(%s)", [[user.id for user in users]]
        )
        return set(found.fetchall())


def test_a_life(client: httpx.Client, world: Sandbox, bearer: As) -> None:
    """A todo is added, read, changed, listed and deleted by the one whose it is."""
    alice = bearer(world.user("Alice"))
    added = client.post("/todos", json={"title": "Buy milk"}, headers=alice)
    assert added.status_code == 201, added.text
    todo = added.json()
    where = added.headers["location"]
    assert where == f"/todos/{todo['id']}"
    assert client.get(where, headers=alice).json() == todo
    changed = client.patch(where, json={"completed": True}, headers=alice)
    assert changed.status_code == 200
    assert changed.json() == {**todo, "completed": True, "updated_at": changed.json()["updated_at"]}
    assert changed.json()["updated_at"] > todo["updated_at"]
    assert client.patch(where, json={}, headers=alice).json() == changed.json()
    assert client.get("/todos", headers=alice).json() == {"items": [changed.json()], "next": None}
    assert client.get("/todos?completed=false", headers=alice).json() == {"items": [], "next": None}
    gone = client.delete(where, headers=alice)
    assert (gone.status_code, gone.content) == (204, b"")
    assert client.get(where, headers=alice).status_code == 404


def test_lists(client: httpx.Client, world: Sandbox, bearer: As) -> None:
    """Each sees what they added, and nobody else does."""
    alice, bob = world.user("Alice"), world.user("Bob")
    mine, his = _add(client, bearer(alice), "one", "two"), _add(client, bearer(bob), "three")
    assert client.get("/todos", headers=bearer(alice)).json()["items"] == mine
    assert client.get("/todos", headers=bearer(bob)).json()["items"] == his
    assert _stored(world, alice, bob) == {(alice.id, "one"), (alice.id, "two"), (bob.id, "three")}


@pytest.mark.parametrize(
    "request_of", [("GET", None), ("PATCH", {"title": "Mine now"}), ("PATCH", {}), ("DELETE", None)]
)
def test_somebody_elses(
    client: httpx.Client, world: Sandbox, bearer: As, request_of: tuple[str, dict[str, str] | None]
) -> None:
    """Somebody else's todo answers as an unknown one does: status, body and headers; and it stays as it was."""
    method, body = request_of
    alice, bob = world.user("Alice"), world.user("Bob")
    (todo,) = _add(client, bearer(alice), "Alice's")

    def ask(todo_id: str, user: User) -> tuple[int, bytes, dict[str, str]]:
        answer = client.request(method, f"/todos/{todo_id}", json=body, headers=bearer(user))
        return answer.status_code, answer.content, {k: v for k, v in answer.headers.items() if k != "date"}

    assert ask(todo["id"], bob) == ask(str(uuid4()), bob)
    assert ask(todo["id"], bob)[0] == 404
    assert _stored(world, alice, bob) == {(alice.id, "Alice's")}
    assert ask(todo["id"], alice)[0] < 300, "it is there, for its owner"


def test_no_gifts(client: httpx.Client, world: Sandbox, bearer: As) -> None:
    """Whose a todo is cannot be said, neither when it is added nor later."""
    alice, bob = world.user("Alice"), world.user("Bob")
    gift = {"title": "For you", "owner_id": str(bob.id)}
    assert client.post("/todos", json=gift, headers=bearer(alice)).status_code == 422
    (todo,) = _add(client, bearer(alice), "Mine")
    assert client.patch(f"/todos/{todo['id']}", json=gift, headers=bearer(alice)).status_code == 422
    assert _stored(world, alice, bob) == {(alice.id, "Mine")}


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8])
def test_pages(client: httpx.Client, world: Sandbox, bearer: As, limit: int) -> None:
    """Page by page one meets each of one's todos once, newest first, though some were added at the same instant."""
    alice, bob = world.user("Alice"), world.user("Bob")
    for user in (alice, bob):
        for instant in range(2):
            with world.acting_as(user) as session:  # those of one transaction have one created_at
                session.add_all([Todo(title=f"{instant} {number}", completed=number == 0) for number in range(4)])
    expected = client.get("/todos?limit=100", headers=bearer(alice)).json()["items"]
    assert len(expected) == 8
    assert [t["created_at"] for t in expected] == sorted((t["created_at"] for t in expected), reverse=True)
    assert len({t["created_at"] for t in expected}) == 2
    for query in ("", "&completed=false"):
        met = list(_pages(client, bearer(alice), f"/todos?limit={limit}{query}"))
        assert all(len(page) == limit for page in met[:-1])
        assert [t for page in met for t in page] == [t for t in expected if not (query and t["completed"])]


def _pages(client: httpx.Client, headers: dict[str, str], path: str) -> Iterator[list[dict[str, Any]]]:
    after = ""
    while True:
        page = client.get(path + after, headers=headers).json()
        yield page["items"]
        if page["next"] is None:
            return
        after = f"&after={page['next']}"


def test_pages_of_a_list_that_changes(client: httpx.Client, world: Sandbox, bearer: As) -> None:
    """A todo that comes or goes meanwhile makes none appear twice and none be passed over."""
    alice = bearer(world.user("Alice"))
    todos = _add(client, alice, "a", "b", "c", "d")
    first = client.get("/todos?limit=2", headers=alice).json()
    _add(client, alice, "e")
    client.delete(f"/todos/{todos[1]['id']}", headers=alice)  # where the page ended
    rest = client.get(f"/todos?limit=2&after={first['next']}", headers=alice).json()
    assert [t["title"] for t in first["items"] + rest["items"]] == ["d", "c", "b", "a"]


@pytest.mark.parametrize("cursor", ["0" * 46, "f" * 46])
def test_any_place(client: httpx.Client, world: Sandbox, bearer: As, cursor: str) -> None:
    """Whatever looks like a cursor is a place: before every todo, or after."""
    alice = bearer(world.user("Alice"))
    todos = _add(client, alice, "one")
    answer = client.get(f"/todos?after={cursor}", headers=alice)
    assert answer.status_code == 200
    assert answer.json()["items"] == ([] if cursor[0] == "0" else todos)


def test_a_cursor_of_somebody_else(client: httpx.Client, world: Sandbox, bearer: As) -> None:
    """A cursor is a place and no permission: whoever uses it sees their own."""
    alice, bob = bearer(world.user("Alice")), bearer(world.user("Bob"))
    old = _add(client, bob, "Bob's")
    _add(client, alice, "one", "two")
    cursor = client.get("/todos?limit=1", headers=alice).json()["next"]
    assert client.get("/todos", params={"after": cursor}, headers=bob).json()["items"] == old


@pytest.mark.parametrize(
    "query",
    [
        "limit=0", "limit=101", "limit=x", "limit=", "completed=maybe", "unknown=1", "owner_id=1",
        "after=", "after=x", "after=%00", "after=é", f"after={'0' * 45}", f"after={'0' * 47}", f"after={'F' * 46}",
        f"after={'0' * 46}%0A", "after=1&after=2",
    ],
)  # fmt: skip
def test_invalid_query(client: httpx.Client, world: Sandbox, bearer: As, query: str) -> None:
    """What the list cannot be asked is refused, and not guessed at."""
    answer = client.get(f"/todos?{query}", headers=bearer(world.user()))
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")


def test_me(client: httpx.Client, world: Sandbox, bearer: As) -> None:
    """One's account can be read, and its name and picture changed; nothing else of it."""
    alice, bob = world.user("Alice", email="alice@example.com"), world.user("Bob")
    me = client.get("/me", headers=bearer(alice)).json()
    assert (me["id"], me["email"], me["name"]) == (str(alice.id), "alice@example.com", "Alice")
    changed = client.patch("/me", json={"name": "Ali", "image": None}, headers=bearer(alice)).json()
    assert changed == {**me, "name": "Ali", "updated_at": changed["updated_at"]}
    assert (
        changed
        == client.get("/me", headers=bearer(alice)).json()
        == client.patch("/me", json={}, headers=bearer(alice)).json()
    )
    for field in ("email", "id", "username", "email_verified", "created_at"):
        assert client.patch("/me", json={field: me[field]}, headers=bearer(alice)).status_code == 422
    assert client.get("/me", headers=bearer(bob)).json()["name"] == "Bob"


def test_export(client: httpx.Client, world: Sandbox, bearer: As) -> None:
    """The export holds everything of one's own, however much, and nothing else."""
    alice, bob = world.user("Alice"), world.user("Bob")
    with world.acting_as(alice) as session:
        session.add_all([Todo(title=str(number)) for number in range(120)])
    _add(client, bearer(bob), "Bob's")
    answer = client.get("/me/export", headers=bearer(alice))
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.json()["account"] == client.get("/me", headers=bearer(alice)).json()
    assert {t["title"] for t in answer.json()["todos"]} == {str(number) for number in range(120)}
    assert "Bob" not in answer.text


def test_after_deletion(client: httpx.Client, world: Sandbox, bearer: As) -> None:
    """A token that outlives its account reaches nothing and leaves nothing behind."""
    alice, bob = world.user("Alice"), world.user("Bob")
    (todo,), (his,) = _add(client, bearer(alice), "Alice's"), _add(client, bearer(bob), "Bob's")
    headers, where = bearer(alice), f"/todos/{todo['id']}"
    assert client.get("/me", headers=headers).status_code == 200
    world.accounts.delete(alice.id)
    assert client.get("/todos", headers=headers).json() == {"items": [], "next": None}
    answers = {
        (method, path): client.request(method, path, json=body, headers=headers)
        for method, path, body in [
            ("GET", where, None), ("PATCH", where, {"title": "x"}), ("DELETE", where, None),
            ("POST", "/todos", {"title": "x"}), ("GET", "/me", None), ("PATCH", "/me", {"name": "x"}),
            ("GET", "/me/export", None),
        ]
    }  # fmt: skip
    assert {asked: answer.status_code for asked, answer in answers.items()} == {
        ("GET", where): 404, ("PATCH", where): 404, ("DELETE", where): 404,
        ("POST", "/todos"): 401, ("GET", "/me"): 401, ("PATCH", "/me"): 401, ("GET", "/me/export"): 401,
    }  # fmt: skip
    gone = "The account it was made for does not exist any more."
    refused = [answer for answer in answers.values() if answer.status_code == 401]
    assert {answer.json()["detail"] for answer in refused} == {gone}
    assert {answer.headers["www-authenticate"] for answer in refused} == {
        f'Bearer error="invalid_token", error_description="{gone}"'
    }
    assert _stored(world, alice, bob) == {(bob.id, "Bob's")}
    assert client.get("/todos", headers=bearer(bob)).json()["items"] == [his]


def test_round_trips(settings: Settings, world: Sandbox, bearer: As) -> None:
    """A list is one round trip to the database, a change two; who is refused before costs none."""
    alice = bearer(world.user("Alice"))
    with Proxy(settings.url("service")) as proxy:
        behind = settings.model_copy(update={"database_url": SecretStr(proxy.url.text()), "database_pool_size": 1})
        with served(create_app(behind)) as client:
            (todo,) = _add(client, alice, "Buy milk")
            where = f"/todos/{todo['id']}"
            counted = {}
            for method, path, body in [
                ("GET", "/todos", None), ("GET", where, None), ("POST", "/todos", {"title": "x"}),
                ("PATCH", where, {"title": "y"}), ("DELETE", where, None), ("GET", "/me", None),
                ("PATCH", "/me", {"name": "y"}), ("GET", "/me/export", None), ("GET", "/todos?limit=x", None),
                ("POST", "/todos", {"title": ""}),
            ]:  # fmt: skip
                with proxy.counting() as count:
                    answer = client.request(method, path, json=body, headers=alice)
                counted[method, path, json.dumps(body)] = (answer.status_code, count.trips)
            with proxy.counting() as count:
                refused = client.get("/todos", headers={"Authorization": "Bearer x"})
            assert (refused.status_code, count.trips) == (401, 0)
    assert list(counted.values()) == [
        (200, 1), (200, 1), (201, 2), (200, 2), (204, 2), (200, 1), (200, 2), (200, 2), (422, 0), (422, 0),
    ]  # fmt: skip
