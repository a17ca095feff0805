"""docs/extending.md: its scripts deploy, verify and revert, and its table keeps what it says."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest

from tests.clusters import ROOT, Cluster, Connection, Database, run_psql
from tests.docs import console
from tests.docs.scripts import Page, act, assert_whole
from userscope.audit import run
from userscope.errors import MigrationError
from userscope.migrations import inspection, projects, runner

PAGE = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
SCRIPTS = list(console.scripts(PAGE))
PYTHON = console.files(PAGE)
CHANGES = ["schema:notes", "policies:notes"]


@pytest.fixture
def page(tmp_path: Path, database: Database) -> Page:
    for text, kind, change in SCRIPTS:
        (tmp_path / f"{kind} {change}.sql").write_text(text, encoding="utf-8")
    return Page(tmp_path, database)


@pytest.fixture
def extended(page: Page) -> Iterator[tuple[Page, Connection, UUID, UUID]]:
    """All of the page deployed, a service's connection, and two users."""
    for change in CHANGES:
        page.run("deploy", change)
    alice, bob = uuid4(), uuid4()
    with page.database.connect("auth") as auth:
        auth.execute(
            "insert into app.users (id, name, email) values (%s, 'A', 'a@x.io'), (%s, 'B', 'b@x.io')", [alice, bob]
        )
    with page.database.connect("service") as service:
        yield page, service, alice, bob


def test_the_page_is_whole() -> None:
    """Each change has its three scripts and its line of a plan."""
    assert_whole(PAGE, CHANGES)


def test_every_script(page: Page) -> None:
    """Deploy, verify, revert, deploy: in the order of the page, on a database that is migrated."""
    for change in CHANGES:
        for kind in ("deploy", "verify", "revert", "deploy", "verify"):
            page.run(kind, change)
    for change in ("schema:todos", "policies:todos"):  # ours still stand as they were deployed
        project, _, name = change.partition(":")
        run_psql(page.database.url(), "-f", ROOT / project / "verify" / f"{name}.sql")
    for change in reversed(CHANGES):
        page.run("revert", change)


def test_notes(extended: tuple[Page, Connection, UUID, UUID]) -> None:
    """A note is its owner's alone."""
    _, service, alice, bob = extended
    act(service, alice, "insert into app.notes (body) values ('alice''s')")
    act(service, bob, "insert into app.notes (body) values ('bob''s')")
    assert act(service, alice, "select body from app.notes") == {"alice's"}
    assert act(service, bob, "update app.notes set body = 'changed'") == {1}
    assert act(service, alice, "select body from app.notes") == {"alice's"}
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied for table notes"):
        act(service, alice, "update app.notes set owner_id = %s", bob)


@pytest.mark.breadth
def test_mapping(extended: tuple[Page, Connection, UUID, UUID]) -> None:
    """The class of the page adds and reads notes; the database says whose they are, and when they were made."""
    page, service, alice, bob = extended
    (page.folder / "notes.py").write_text(PYTHON["notes.py"], encoding="utf-8")
    program = (
        "import sys\n"
        "from notes import Note\n"
        "from sqlmodel import select\n"
        "from userscope import Database\n"
        "alice, bob = sys.argv[1:]\n"
        "with Database() as db:\n"
        "    for user, body in ((alice, 'A'), (bob, 'B')):\n"
        "        with db.session(user) as session:\n"
        "            session.add(note := Note(body=body))\n"
        "            session.flush()\n"
        "            assert (str(note.owner_id), note.created_at) == (user, note.updated_at), note\n"
        "    with db.reader(bob) as session:\n"
        "        print([note.body for note in session.exec(select(Note))])\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, str(alice), str(bob)],
        cwd=page.folder, env=os.environ | {"DATABASE_URL": page.database.url("service").text()},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout == "['B']\n", done.stderr
    assert act(service, alice, "select body from app.notes") == {"A"}


@pytest.mark.breadth
def test_own_pair(cluster: Cluster, tmp_path: Path) -> None:
    """A pair beside ours, named otherwise, is deployed after ours, and taken back without it."""
    theirs = {"schema": "what", "policies": "who"}
    for text, kind, change in SCRIPTS:
        project, _, name = change.partition(":")
        if name == "notes":
            folder = tmp_path / "db" / theirs[project]
            (folder / kind).mkdir(parents=True, exist_ok=True)
            script = text.replace("schema:notes", "what:notes").replace("policies:notes", "who:notes")
            (folder / kind / "notes.sql").write_text(script, encoding="utf-8")
    for project, requires in {"what": "schema:identity schema:users", "who": "policies:access what:notes"}.items():
        (tmp_path / "db" / project / "sqitch.plan").write_text(
            f"%syntax-version=1.0.0\n%project={project}\n\nnotes [{requires}] 2026-12-01T09:00:00Z Y <y@x.io> # N\n",
            encoding="utf-8",
        )
    ours, pair = projects.find(), projects.find([tmp_path / "db"])
    empty = cluster.database()
    with pytest.raises(MigrationError, match="schema:identity"):
        runner.migrate(empty.url(), pair)
    runner.migrate(empty.url(), ours)
    found = run.audit(empty.url()).findings  # roles of other tests in the same cluster, if anything
    assert runner.migrate(empty.url(), pair) == ["what:notes", "who:notes"]
    results, pending = inspection.verify(empty.url(), pair)
    assert ([problem for result in results for problem in result.problems], pending) == ([], [])
    assert run.audit(empty.url()).findings == found
    assert runner.revert(empty.url(), pair, to=None, confirm=lambda _: True) == ["who:notes", "what:notes"]
    assert runner.migrate(empty.url(), ours + pair) == ["what:notes", "who:notes"]  # as docs/testing.md joins them
    empty.drop()
