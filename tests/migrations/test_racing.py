"""Two runners at once: one waits, nothing is doubled; locks are waited for, but not for ever."""

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from os import environ
from pathlib import Path

import psycopg
import pytest

from tests.clusters import ROOT, Cluster, Database, OwnerKind, somebody_waits
from tests.migrations import sqitch
from tests.migrations.conftest import NASTY, dump, rows
from tests.migrations.sketch import Sketch, write
from tests.processes import eventually
from userscope.errors import MigrationError, RegistryError
from userscope.migrations import runner
from userscope.migrations.engine import Event, Options
from userscope.migrations.projects import Project, find
from userscope.migrations.runner import connected, silent
from userscope.migrations.statements import Timeouts

FOLDERS = [NASTY / "store", NASTY / "access"]
OURS = [ROOT / "schema", ROOT / "policies"]
LOCK = "select pg_advisory_lock(75474063)"


def start(database: Database, folders: list[Path] = FOLDERS) -> "subprocess.Popen[str]":
    """Start "userscope migrate" as a process of its own."""
    command = [sys.executable, "-m", "userscope", "migrate"]
    command += [word for folder in folders for word in ("--project", str(folder))]
    environment = {**environ, "ADMIN_DATABASE_URL": database.url().text()}
    return subprocess.Popen(
        command, cwd="/", env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def finish(process: "subprocess.Popen[str]") -> str:
    """Wait for a process that must succeed, and return what it printed."""
    output, _ = process.communicate()
    assert process.returncode == 0, output
    return output


def undisturbed(cluster: Cluster, folders: list[Path] = FOLDERS) -> tuple[object, str]:
    """What one run alone leaves."""
    database = cluster.database()
    runner.migrate(database.url(), find(folders))
    left = rows(database), dump(database)
    database.drop()
    return left


@contextmanager
def held(database: Database, statement: str) -> Iterator[None]:
    """Run a statement that takes a lock, in a transaction that lasts as long as the block."""
    with database.superuser_connection() as connection, connection.transaction():
        connection.execute(statement)
        yield


@pytest.mark.breadth
def test_two_of_ours(cluster: Cluster, empty: Database) -> None:
    """Three processes at once leave what one leaves."""
    processes = [start(empty) for _ in range(3)]
    outputs = [finish(process) for process in processes]
    assert sum(output.count(" ok (") for output in outputs) == 9
    assert (rows(empty), dump(empty)) == undisturbed(cluster)


@pytest.mark.breadth
def test_ours_and_sqitch(cluster: Cluster, empty: Database) -> None:
    """Sqitch and we at once leave what one leaves."""
    processes = [sqitch.start(OURS[0], empty.url(), "deploy", "--verify"), start(empty, OURS)]
    for process in processes:
        finish(process)
    assert (rows(empty), dump(empty)) == undisturbed(cluster, OURS)


class _Behind:
    """Lets Sqitch stand in line for the lock once the first change has begun: a report."""

    def __init__(self, database: Database, watch: psycopg.Connection, project: Project, *words: str) -> None:
        self._database, self._watch, self._project, self._words = database, watch, project, words
        self.process: subprocess.Popen[str] | None = None
        self.told: list[str] = []

    def __call__(self, event: Event) -> None:
        self.told.append(event.text)
        if event.kind == "start" and self.process is None:
            self.process = sqitch.start(self._project.folder, self._database.url(), *self._words)
            eventually(lambda: somebody_waits(self._watch))


def _sets(name: str) -> Sketch:
    """A change after whose scripts the next one has a session of its own."""
    deploy, revert = (
        f"begin;\nset my.own = '1';\n{work};\ncommit;\n" for work in (f"create table {name} ()", f"drop table {name}")
    )
    return Sketch(name, deploy, revert)


def test_overtaken(cluster: Cluster, empty: Database, tmp_path: Path) -> None:
    """Between two sessions of ours the lock is Sqitch's, which was first in line: we go on from where it ended."""
    project = write(tmp_path / "p", _sets("a"), _sets("b"), _sets("c"))
    with empty.superuser_connection() as watch:
        behind = _Behind(empty, watch, project, "deploy")
        assert runner.migrate(empty.url(), [project], report=behind) == ["p:a"]
    assert behind.process is not None
    assert "+ b" in finish(behind.process)
    assert "Somebody else has deployed meanwhile; going on from there" in behind.told
    other = cluster.database()
    runner.migrate(other.url(), [project])
    assert (rows(empty), dump(empty)) == (rows(other), dump(other))


def test_overtaken_reverting(empty: Database, tmp_path: Path) -> None:
    """What a person has agreed to is not what is deployed any more: the run ends, and says so."""
    project = write(tmp_path / "p", _sets("a"), _sets("b"), _sets("c"))
    runner.migrate(empty.url(), [project])
    with empty.superuser_connection() as watch:
        behind = _Behind(empty, watch, project, "revert", "-y")
        with pytest.raises(RegistryError, match="somebody else has changed what is deployed meanwhile"):
            runner.revert(empty.url(), [project], to=None, confirm=lambda _: True, report=behind)
        assert behind.process is not None
        assert "- a" in finish(behind.process)
        assert watch.execute("select count(*) from sqitch.changes").fetchone() == (0,)


@pytest.mark.breadth
def test_index_while_sqitch_waits(empty: Database) -> None:
    """CREATE INDEX CONCURRENTLY waits for a Sqitch that waits for our lock: a deadlock, and the next run goes on."""
    with empty.superuser_connection() as connection, empty.superuser_connection() as watch:
        watch.execute(f"alter database {empty.name} set deadlock_timeout = '50ms'".encode())
        sqitch_waits = threading.Thread(target=connection.execute, args=[LOCK])

        def report(_: Event) -> None:
            if sqitch_waits.ident is None:
                sqitch_waits.start()
                eventually(lambda: somebody_waits(watch))

        with pytest.raises(MigrationError, match="deadlock detected"):
            runner.migrate(empty.url(), find(FOLDERS), report=report)
        sqitch_waits.join()
        connection.execute("select pg_advisory_unlock_all()")
        assert runner.migrate(empty.url(), find(FOLDERS))[0].startswith("store:titles ")


def test_sqitch_waits_for_us(empty: Database) -> None:
    """While we hold the lock, Sqitch waits for it, and gives up after its time."""
    with connected(empty.url(), find(FOLDERS), report=silent, lock=True):
        blocked = sqitch.run(FOLDERS[0], empty.url(), "deploy", "--lock-timeout", "1", check=False)
    assert blocked.returncode == 2
    assert "Blocked by another instance of Sqitch" in blocked.output
    assert "Timed out waiting 1 seconds" in blocked.output
    assert "Deploying changes" in sqitch.run(FOLDERS[0], empty.url(), "deploy").output


def test_we_wait_and_give_up(empty: Database) -> None:
    """While another holds the lock, we wait, and give up after the time that was asked for."""
    events: list[Event] = []
    with held(empty, LOCK), pytest.raises(RegistryError, match="another instance of Sqitch") as failed:
        runner.migrate(empty.url(), find(FOLDERS), options=Options(wait=0.2), report=events.append)
    assert failed.value.hint
    assert [event.text.split(" working")[0] for event in events] == ["Blocked by another instance of Sqitch"]
    assert rows(empty) == {}


@pytest.mark.parametrize(("owner", "since"), [("superuser", ", idle since 20"), ("plain", ")")])
def test_holder(cluster: Cluster, owner: OwnerKind, since: str) -> None:
    """Who holds the lock is named: process, program, login, and since when where PostgreSQL tells; no value is."""
    database = cluster.database(owner)
    events: list[Event] = []
    with closing(database.superuser_connection()) as holder:
        holder.execute("set application_name = 'billing'")
        holder.execute(LOCK)
        holder.execute("select 'a value'")
        with pytest.raises(RegistryError, match="another instance of Sqitch") as failed:
            runner.migrate(database.url(), find(FOLDERS), options=Options(wait=0.2), report=events.append)
        named = f'process {holder.info.backend_pid} ("billing", login "{holder.info.user}"{since}'
    database.drop()
    for said in (events[0].text, failed.value.detail or ""):
        assert named in said
        assert "a value" not in said


def test_we_wait_and_go_on(empty: Database) -> None:
    """Once the other has finished, we go on with what it left."""
    projects = find(FOLDERS)
    with empty.superuser_connection() as connection:
        connection.execute(LOCK)

        def report(event: Event) -> None:
            if event.text.startswith("Blocked"):
                # The other one deploys two changes and ends.
                connection.execute("select pg_advisory_unlock_all()")
                runner.migrate(empty.url(), projects[:1], to="store:users@v1.0.0", options=Options(wait=0))

        deployed = runner.migrate(empty.url(), projects, report=report)
    assert deployed[:2] == ["store:notes @v1.0.0", "store:users"]
    assert len(deployed) == 7


ONE = Sketch.table("one")
ALTER = replace(Sketch.table("two"), deploy="begin;\nalter table public.one add two integer;\ncommit;\n", verify=None)


def test_locked_table(empty: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table that somebody else has locked is waited for in short turns, so that others get by."""
    runner.migrate(empty.url(), [write(tmp_path / "p", ONE)])
    project = write(tmp_path / "p", ONE, ALTER)
    events: list[Event] = []
    monkeypatch.setattr("userscope.migrations.engine._ATTEMPTS", 3)  # the pauses grow
    with (
        held(empty, "lock table public.one in access share mode"),
        pytest.raises(MigrationError, match="canceling statement due to lock timeout") as failed,
    ):
        runner.migrate(empty.url(), [project], options=Options(Timeouts(lock="50ms")), report=events.append)
    assert "--lock-timeout" in (failed.value.hint or "")
    retries = [event.text for event in events if "trying again" in event.text]
    assert [text.rpartition(" (")[2] for text in retries] == ["2 of 3)", "3 of 3)"]
    assert runner.migrate(empty.url(), [project]) == ["p:two"]


def test_table_that_becomes_free(empty: Database, tmp_path: Path) -> None:
    """Once the other lets go of the table, the change goes through, without a trace of the tries."""
    runner.migrate(empty.url(), [write(tmp_path / "p", ONE)])
    project = write(tmp_path / "p", ONE, ALTER)
    free = threading.Event()

    def hold(locked: threading.Event) -> None:
        with held(empty, "lock table public.one in access share mode"):
            locked.set()
            free.wait()

    locked = threading.Event()
    holder = threading.Thread(target=hold, args=(locked,))
    holder.start()
    locked.wait()
    tries: list[str] = []

    def report(event: Event) -> None:
        if "trying again" in event.text:
            tries.append(event.text)
            free.set()

    assert runner.migrate(empty.url(), [project], options=Options(Timeouts(lock="50ms")), report=report) == ["p:two"]
    holder.join()
    assert tries
    assert [row[0] for row in rows(empty)["events"]] == ["deploy", "deploy"]


def test_stopped_between_two_tries(empty: Database, tmp_path: Path) -> None:
    """A signal that comes while the next try is awaited ends the run: there is no next try."""
    runner.migrate(empty.url(), [write(tmp_path / "p", ONE)])
    project = write(tmp_path / "p", ONE, ALTER)
    with empty.superuser_connection() as connection:
        connection.execute("begin")
        connection.execute("lock table public.one in access share mode")

        def report(event: Event) -> None:
            if "trying again" in event.text:
                connection.execute("rollback")  # the next try would go through
                signal.raise_signal(signal.SIGINT)

        with pytest.raises(KeyboardInterrupt):
            runner.migrate(empty.url(), [project], options=Options(Timeouts(lock="50ms")), report=report)
    assert [row[2] for row in rows(empty)["changes"]] == ["one"]


def test_statement_timeout(empty: Database, tmp_path: Path) -> None:
    """A statement that runs too long is ended, and its change is gone."""
    slow = replace(ONE, deploy="begin;\ncreate table public.one (id integer);\nselect pg_sleep(60);\ncommit;\n")
    with pytest.raises(MigrationError, match="statement timeout") as failed:
        runner.migrate(empty.url(), [write(tmp_path / "p", slow)], options=Options(Timeouts(statement="50ms")))
    assert "--statement-timeout" in (failed.value.hint or "")
    assert "public.one" not in dump(empty)
