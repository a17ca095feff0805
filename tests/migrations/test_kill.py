"""Killed at random instants, client or server, a plain re-run always ends as an undisturbed run does."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import psycopg
import pytest

from tests.clusters import ROOT, Cluster, Database
from tests.migrations.conftest import Rows, dump, rows
from tests.migrations.proxy import Proxy, proxy
from tests.processes import postmaster
from userscope.errors import LocalServerError, Unavailable
from userscope.local.throwaway import throwaway
from userscope.migrations import runner
from userscope.migrations.projects import find

FOLDERS = [ROOT / "schema", ROOT / "policies"]
DELAY = 0.004
TIMES = 12
"""How many kills."""


@pytest.fixture
def undisturbed(other: Database) -> tuple[Rows, str]:
    """What an undisturbed run leaves."""
    runner.migrate(other.url(), find(FOLDERS))
    return rows(other), dump(other)


@pytest.fixture
def messages(cluster: Cluster) -> int:
    """How many messages a migration sends: the kill comes after any of them, however long they take just now."""
    database = cluster.database()
    with proxy(database.url(), delay=DELAY) as through:
        runner.migrate(through.through, find(FOLDERS))
    database.drop()
    return through.counts["sent"]


def _await(through: Proxy, sent: float, over: Callable[[], object]) -> None:
    while through.counts["sent"] < sent and not over():
        time.sleep(0.001)


@pytest.mark.breadth
def test_client(cluster: Cluster, undisturbed: tuple[Rows, str], messages: int) -> None:
    """SIGKILL of the client: what was under way is gone, the rest is there, and the next run goes on.

    It may take ten seconds: each kill is a migration behind a slow wire, another to its end, and a dump.
    """
    chance = random.Random(5)  # noqa: S311  # which instants is no secret
    halfway = 0
    for _ in range(TIMES):
        database = cluster.database()
        with proxy(database.url(), delay=DELAY) as through:
            command = [sys.executable, "-m", "userscope", "migrate"]
            command += [word for folder in FOLDERS for word in ("--project", str(folder))]
            environment = {**os.environ, "ADMIN_DATABASE_URL": through.through.text()}
            quiet = subprocess.DEVNULL
            process = subprocess.Popen(command, env=environment, cwd="/", stdout=quiet, stderr=quiet)
            _await(through, chance.uniform(1, messages), lambda: process.poll() is not None)  # noqa: B023  # not kept
            process.kill()
            process.wait()
        halfway += 0 < len(rows(database).get("changes", [])) < 11
        runner.migrate(database.url(), find(FOLDERS))
        assert (rows(database), dump(database)) == undisturbed
        database.drop()
    assert halfway > 0, "no kill came while changes were being deployed"


@pytest.fixture(scope="module")
def fragile() -> Iterator[Cluster]:
    """A server to kill; what it says is committed is on its way to the disk."""
    with throwaway(settings={"synchronous_commit": "on"}) as server:
        yield Cluster(server, 18)


def _kill(cluster: Cluster, database: Database, *, whole: bool) -> None:
    """Kill the postmaster, or the process that serves the migration."""
    with database.superuser_connection() as connection:
        query = "select pid from pg_stat_activity where application_name = 'userscope' and datname = %s"
        served = connection.execute(query, [database.name]).fetchone()
    victim = served[0] if served and not whole else postmaster(cluster.server)
    with suppress(ProcessLookupError):
        os.kill(victim, signal.SIGKILL)


def _restart(cluster: Cluster) -> None:
    """Start the server again; processes of the killed one may take a moment to notice."""
    failure: Exception | None = None
    until = time.monotonic() + 30
    while True:
        try:
            cluster.server.start()
            with cluster.superuser_connection():
                return
        except (LocalServerError, psycopg.Error) as error:
            failure = error
        assert time.monotonic() < until, failure
        time.sleep(0.05)


@pytest.mark.breadth
def test_server(fragile: Cluster, undisturbed: tuple[Rows, str], messages: int) -> None:
    """SIGKILL of the server, or of the process that serves us: the error says so, and the next run goes on."""
    chance = random.Random(7)  # noqa: S311  # which instants is no secret
    lost = 0
    for number in range(TIMES):
        database = fragile.database()
        with proxy(database.url(), delay=DELAY) as through:
            over = threading.Event()
            with ThreadPoolExecutor(1) as pool:
                awaited = pool.submit(_await, through, chance.uniform(1, messages), over.is_set)
                killed = pool.submit(_kill, fragile, database, whole=number % 2 == 0)
                try:
                    runner.migrate(through.through, find(FOLDERS))
                except Unavailable:
                    lost += 1
                over.set()
            for done in (awaited, killed):
                done.result()
        _restart(fragile)
        runner.migrate(database.url(), find(FOLDERS))
        assert (rows(database), dump(database)) == undisturbed
        database.drop()
    assert lost > TIMES // 4, "hardly a kill came while the migration ran"


def test_undisturbed_through_the_proxy(empty: Database, undisturbed: tuple[Rows, str]) -> None:
    """The control: the proxy itself changes nothing."""
    with proxy(empty.url(), delay=DELAY) as through:
        runner.migrate(through.through, find(FOLDERS))
    assert (rows(empty), dump(empty)) == undisturbed
