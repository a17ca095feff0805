"""A process that forks shares no connection with its children: each sees and writes its own user's rows."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from uuid import UUID

import pytest

from tests.clusters import Database
from tests.connection.conftest import make_user
from tests.processes import eventually, gone
from tests.versions import first_of


def _users(home: Database) -> list[UUID]:
    users = [make_user(home) for _ in range(8)]
    with home.superuser_connection() as admin:
        for user in users:
            admin.execute("insert into app.todos (owner_id, title) values (%s, %s)", [user, str(user)])
    return users


def _start(home: Database, users: list[UUID], scenario: str, forks: int, *more: str) -> subprocess.Popen[str]:
    environment = {name: value for name, value in os.environ.items() if not name.endswith("DATABASE_URL")} | {
        "DATABASE_URL": home.url("service").text(),
        "AUTH_DATABASE_URL": home.url("auth").text(),
        "DATABASE_POOL_SIZE": "2" if scenario == "prefork" else "1",
        "DATABASE_POOL_TIMEOUT": "3",
        "DATABASE_STATEMENT_TIMEOUT": "3s",
    }
    started = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "tests.connection.forking", scenario, str(forks), *more],
        env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert started.stdin
    started.stdin.write("\n".join(map(str, users)))
    started.stdin.close()
    started.stdin = None  # for communicate()
    return started


def _forked(home: Database, scenario: str, forks: int, *more: str) -> tuple[Counter[str], int]:
    """What the processes saw, and how many todos there are afterwards that another user's name is on."""
    users = _users(home)
    with _start(home, users, scenario, forks, *more) as started:
        said, errors = started.communicate(timeout=580)
    assert started.returncode == 0, errors
    with home.superuser_connection() as admin:
        counted = admin.execute(
            "select count(*) from app.todos where title <> owner_id::text and owner_id = any (%s)", [users]
        ).fetchone()
    assert counted
    return Counter(json.loads(said.splitlines()[-1])), counted[0]


@pytest.mark.parametrize(("scenario", "forks"), first_of(("inside", 2), ("prefork", 8), ("pool", 4), ("duel", 4)))
def test_forked(home: Database, scenario: str, forks: int) -> None:
    """Under load, with every connection in use, from within a session, by a child that forks again: only one's own."""
    seen, written = _forked(home, scenario, forks)
    assert (set(seen) - {"Unavailable"}, written) == ({"own"}, 0)  # on a busy machine a wait may be given up
    assert seen["own"] > 2 * forks


@pytest.mark.breadth
def test_without(home: Database) -> None:
    """The same without what notices the fork: another's rows are seen, or the protocol breaks."""
    foreign = 0
    for _ in range(5):  # who reads an answer first is chance, on a busy machine more than elsewhere
        foreign += _forked(home, "duel", 6, "unguarded")[0]["foreign"]
        if foreign:
            break
    assert foreign > 0


def test_orphans(home: Database) -> None:
    """Children hold no socket of their parent's: its transaction ends when it is killed, though they live on."""
    with _start(home, _users(home), "orphan", 2) as parent, home.superuser_connection() as admin:
        assert parent.stdout
        children = [int(child) for child in parent.stdout.readline().split()]
        try:
            assert admin.execute("select pg_try_advisory_lock(4712)").fetchone() == (False,)
            parent.kill()
            eventually(lambda: admin.execute("select pg_try_advisory_lock(4712)").fetchone() == (True,), patience=20)
            assert [gone(child) for child in children] == [False, False]
        finally:
            for process in (parent.pid, *children):
                os.kill(process, signal.SIGKILL)


@pytest.mark.breadth
@pytest.mark.parametrize(("scenario", "forks"), [("prefork", 60), ("pool", 60)])
def test_many_forks(home: Database, scenario: str, forks: int) -> None:
    """The same in more forks."""
    test_forked(home, scenario, forks)
