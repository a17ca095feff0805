"""docs/upgrading.md: its example upgrades a database that the release deployed, and goes back."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.clusters import ROOT, Cluster, Connection, Database, make_logins
from tests.docs import console
from tests.versions import binaries as binaries_of
from userscope.audit import run
from userscope.migrations import inspection, runner
from userscope.migrations.projects import KINDS, Project, find

PAGE = (ROOT / "docs" / "upgrading.md").read_text(encoding="utf-8")
SCRIPTS = list(console.scripts(PAGE))
(DIFFERENCE,) = console.blocks(PAGE, "diff")


@pytest.fixture
def released(tmp_path: Path) -> list[Project]:
    """The two projects as this release has them."""
    console.clone(tmp_path)
    return find([tmp_path])


def upgraded(released: list[Project]) -> list[Project]:
    """The same with the page's example."""
    for project in released:
        for kind in KINDS:
            folder = project.folder / kind
            if project.name == "policies":
                shutil.copy(folder / "todos.sql", folder / "todos@v0.2.0.sql")
            for text, of, change in SCRIPTS:
                if (of, change.partition(":")[0]) == (kind, project.name):
                    (folder / f"{change.partition(':')[2]}.sql").write_text(text, encoding="utf-8")
        ((line),) = re.findall(rf"^# {project.name}/sqitch.plan\n(.+\n)", PAGE, re.MULTILINE)
        with project.plan.path.open("a", encoding="utf-8") as plan:
            plan.write(line)
    verify = released[1].folder / "verify" / "todos.sql"
    difference = DIFFERENCE.splitlines(keepends=True)
    old = "".join(line[1:] for line in difference if line[0] in " -")
    new = "".join(line[1:] for line in difference if line[0] in " +")
    text = verify.read_text(encoding="utf-8")
    assert old in text
    verify.write_text(text.replace(old, new), encoding="utf-8")
    return find([project.folder for project in released])


def as_user(service: Connection, user: object, query: str) -> list[tuple[object, ...]]:
    with service.transaction():
        service.execute("select app.set_user_id(%s)", [str(user)])
        cursor = service.execute(query.encode())
        return cursor.fetchall() if cursor.description else [(cursor.rowcount,)]


@pytest.fixture
def database(cluster: Cluster) -> Iterator[Database]:
    """An empty database."""
    made = cluster.database()
    yield made
    made.drop()


@pytest.mark.breadth
def test_upgrade(database: Database, released: list[Project]) -> None:
    """The rows stay, the new rule holds, verification and audit find nothing, and the way back is the release."""
    runner.migrate(database.url(), released)
    make_logins(database)
    alice = uuid4()
    with database.connect("auth") as auth:
        auth.execute("insert into app.users (id, name, email) values (%s, 'A', 'a@x.io')", [alice])
    with database.connect("service") as service:
        as_user(service, alice, "insert into app.todos (title) values ('old')")
        found = run.audit(database.url()).findings  # roles of other tests in the same cluster, if anything
        pair = upgraded(released)
        assert runner.migrate(database.url(), pair) == ["schema:todos_pinned", "policies:todos"]
        results, pending = inspection.verify(database.url(), pair)
        assert ([problem for result in results for problem in result.problems], pending) == ([], [])
        assert run.audit(database.url()).findings == found
        as_user(service, alice, "insert into app.todos (title, pinned) values ('kept', true)")
        assert as_user(service, alice, "delete from app.todos") == [(1,)]
        assert as_user(service, alice, "select title, pinned from app.todos") == [("kept", True)]
    back = runner.revert(database.url(), pair, to="schema:@v0.2.0", confirm=lambda _: True)
    assert back == ["policies:todos", "schema:todos_pinned"]
    results, pending = inspection.verify(database.url(), pair)
    assert [problem for result in results for problem in result.problems] == []
    assert pending == ["schema:todos_pinned", "policies:todos"]


@pytest.mark.breadth
def test_rows_move(cluster: Cluster, tmp_path: Path) -> None:
    """The page's dump holds every row, and a new database takes it."""
    ((dump, _, _, restore, _),) = (console.commands(block) for block in console.blocks(PAGE, "console")[1:])
    old, new = (cluster.database("neon") for _ in range(2))
    counts = "select (select count(*) from app.users), (select count(*) from app.todos)"
    for each in (old, new):
        runner.migrate(each.url(), find([ROOT / "schema", ROOT / "policies"]))
    with old.superuser_connection() as superuser:
        superuser.execute("insert into app.users (name, email) values ('A', 'a@x.io')")
        superuser.execute("insert into app.todos (owner_id, title) select id, 'old' from app.users")
    for command, database in ((dump, old), (restore, new)):
        path = f"{(binaries_of(cluster.version) / 'pg_dump').parent}:{console.PATH}"
        environment = {**os.environ, **database.environment, "PATH": path}
        done = subprocess.run(
            ["bash", "-euc", command[0]], cwd=tmp_path, env=environment, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr
    with new.superuser_connection() as superuser:
        assert superuser.execute(counts.encode()).fetchall() == [(1, 1)]
    assert not list(tmp_path.iterdir())
    for each in (old, new):
        each.drop()


def test_released() -> None:
    """Each plan ends, so far, with the tag of the version that the package has."""
    version = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
    assert version
    for project in find([ROOT / "schema", ROOT / "policies", ROOT / "distributed"]):
        assert [tag.name for tag in project.plan.changes[-1].tags] == [f"v{version[1]}"]
