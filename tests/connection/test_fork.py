"""A process that forks shares no connection with its children: each sees and writes its own user's rows."""

import json
import os
import subprocess
import sys
from collections import Counter

import pytest

from tests.clusters import Database
from tests.connection.conftest import make_user


def _forked(home: Database, scenario: str, forks: int, *more: str) -> tuple[Counter[str], int]:
    """What the processes saw, and how many todos there are afterwards that another user's name is on."""
    users = [make_user(home) for _ in range(8)]
    with home.superuser_connection() as admin:
        for user in users:
            admin.execute("insert into app.todos (owner_id, title) values (%s, %s)", [user, str(user)])
    environment = {name: value for name, value in os.environ.items() if not name.endswith("DATABASE_URL")} | {
        "DATABASE_URL": home.url("service").text(),
        "AUTH_DATABASE_URL": home.url("auth").text(),
        "DATABASE_POOL_SIZE": "2" if scenario == "prefork" else "1",
        "DATABASE_POOL_TIMEOUT": "3",
        "DATABASE_STATEMENT_TIMEOUT": "3s",
    }
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.connection.forking", scenario, str(forks), *more],
        input="\n".join(map(str, users)), env=environment, capture_output=True, text=True, check=False, timeout=580,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    with home.superuser_connection() as admin:
        counted = admin.execute(
            "select count(*) from app.todos where title <> owner_id::text and owner_id = any (%s)", [users]
        ).fetchone()
    assert counted
    return Counter(json.loads(done.stdout.splitlines()[-1])), counted[0]


@pytest.mark.parametrize(("scenario", "forks"), [("prefork", 16), ("pool", 8), ("inside", 4), ("duel", 4)])
def test_forked(home: Database, scenario: str, forks: int) -> None:
    """Under load, with every connection in use, from within a session, by a child that forks again: only one's own."""
    seen, written = _forked(home, scenario, forks)
    assert (set(seen), written) == ({"own"}, 0)
    assert seen["own"] > 4 * forks


def test_without(home: Database) -> None:
    """The same without what notices the fork: another's rows are seen, or the protocol breaks."""
    seen, _ = _forked(home, "duel", 6, "unguarded")
    assert seen["foreign"] > 0


@pytest.mark.breadth
@pytest.mark.parametrize(("scenario", "forks"), [("prefork", 200), ("pool", 200)])
def test_many_forks(home: Database, scenario: str, forks: int) -> None:
    """The same in 200 forks."""
    test_forked(home, scenario, forks)
