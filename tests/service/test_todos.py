"""The todo service: each person has their own list, and somebody else's todo is one that does not exist."""

import httpx

from tests.service.conftest import As
from userscope.testing import Sandbox


def test_a_life(client: httpx.Client, userscope: Sandbox, bearer: As) -> None:
    """A todo is added, read, changed, listed and deleted by the one whose it is."""
    alice = bearer(userscope.user("Alice"))
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
