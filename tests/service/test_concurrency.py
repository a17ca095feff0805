"""Many people at once, by both kinds of sessions: each meets their own todos, and nobody else's."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.clusters import somebody_waits
from tests.issuer import Issuer
from tests.processes import eventually
from tests.service.conftest import As, trusting
from tests.service.served import served
from tests.service.test_commit import Probe
from userscope.models import User
from userscope.testing import Sandbox

PEOPLE, TURNS = 12, 8


@pytest.mark.breadth
def test_at_once(world: Sandbox, issuer: Issuer, bearer: As) -> None:
    """More people than connections take turns on the same pools; whatever one finds is what that one wrote."""
    people = [world.user(f"Person {number}") for number in range(PEOPLE)]
    settings = trusting(world.settings, issuer).model_copy(update={"database_pool_size": 2})

    def live(client: httpx.Client, user: User) -> list[str]:
        wrong = []
        for turn in range(TURNS):
            kind, other = ("sync", "async")[:: 1 if turn % 2 else -1]
            added = client.post(f"/{kind}?title={user.id} {turn}", headers=bearer(user))
            found = client.get(f"/{other}", headers=bearer(user))
            if added.status_code != 201 or found.json() != [f"{user.id} {n}" for n in range(turn + 1)]:
                wrong.append(f"{added.status_code} {found.text}")
        return wrong

    with served(Probe(settings).app) as client, ThreadPoolExecutor(PEOPLE) as pool:
        assert list(pool.map(lambda user: live(client, user), people)) == [[]] * PEOPLE
    with world.admin() as connection:
        query = "select owner_id, count(*) from app.todos where owner_id = any(%s) group by 1"
        stored = connection.execute(query, [[user.id for user in people]]).fetchall()
    assert dict(stored) == dict.fromkeys((user.id for user in people), TURNS)


CROWD = 100


def test_crowd(world: Sandbox, issuer: Issuer, bearer: As) -> None:
    """Far more requests than threads, on two connections: who waits for one keeps nobody from giving one back."""
    alice = world.user("Alice")
    changed = {"database_pool_size": 2, "database_pool_timeout": 20.0}
    settings = trusting(world.settings, issuer).model_copy(update=changed)
    with served(Probe(settings).app) as client, ThreadPoolExecutor(CROWD) as pool:
        client.post("/sync?title=mine", headers=bearer(alice))
        answers = list(pool.map(lambda _: client.get("/sync", headers=bearer(alice)), range(CROWD)))
    assert {(answer.status_code, answer.text) for answer in answers} == {(200, '["mine"]')}


def test_no_turn(world: Sandbox, issuer: Issuer, bearer: As) -> None:
    """Who gets no connection in time is told to come back; nothing was sent for them."""
    alice = world.user("Alice")
    changed = {"database_pool_size": 1, "database_pool_timeout": 1}
    settings = trusting(world.settings, issuer).model_copy(update=changed)
    with served(Probe(settings).app) as client, ThreadPoolExecutor(1) as pool, world.admin() as admin:
        admin.execute("select pg_advisory_lock(4711)")
        slow = pool.submit(client.post, "/run?sql=select pg_advisory_xact_lock(4711)", headers=bearer(alice))
        eventually(lambda: slow.done() or somebody_waits(admin))
        assert not slow.done(), slow.result().text
        refused = client.get("/sync", headers=bearer(alice))
        admin.execute("select pg_advisory_unlock(4711)")
        assert slow.result().status_code == 200
        served_again = client.get("/sync", headers=bearer(alice))
    assert (refused.status_code, refused.headers["retry-after"].isdecimal()) == (503, True)
    assert served_again.status_code == 200
