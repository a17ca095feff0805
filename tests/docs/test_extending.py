"""docs/extending.md: its scripts deploy, verify and revert, and its tables keep what the page says of them."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest

from tests.clusters import ROOT, Connection, Database, run_psql

PAGE = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
SCRIPT = re.compile(r"^```sql\n(-- (Deploy|Revert|Verify) (\w+:\w+) .*?)^```", re.MULTILINE | re.DOTALL)
CHANGES = ["schema:notes", "policies:notes", "schema:lists", "policies:lists", "policies:nightly"]


@dataclass(frozen=True)
class Page:
    """The page's scripts as files, and a database that they run in."""

    folder: Path
    database: Database

    def run(self, kind: str, change: str) -> None:
        run_psql(self.database.url(), "-f", self.folder / f"{kind} {change}.sql")


@pytest.fixture
def page(tmp_path: Path, database: Database) -> Page:
    for text, kind, change in SCRIPT.findall(PAGE):
        (tmp_path / f"{kind} {change}.sql").write_text(text, encoding="utf-8")
    return Page(tmp_path, database)


@pytest.fixture
def extended(page: Page) -> Iterator[tuple[Page, Connection, UUID, UUID]]:
    """All of the page deployed, a service's connection, and two users."""
    for change in CHANGES:
        page.run("Deploy", change)
    alice, bob = uuid4(), uuid4()
    with page.database.connect("auth") as auth:
        auth.execute(
            "insert into app.users (id, name, email) values (%s, 'A', 'a@x.io'), (%s, 'B', 'b@x.io')", [alice, bob]
        )
    with page.database.connect("service") as service:
        yield page, service, alice, bob


def act(service: Connection, user: UUID, query: str, *values: object) -> set[object]:
    with service.transaction():
        service.execute("select app.set_user_id(%s)", [str(user)])
        cursor = service.execute(query.encode(), values)
        return {row[0] for row in cursor} if cursor.description else {cursor.rowcount}


def test_the_page_is_whole() -> None:
    """Each change has its three scripts and its line of a plan."""
    found = [(kind, change) for _, kind, change in SCRIPT.findall(PAGE)]
    assert sorted(found) == sorted((kind, change) for kind in ("Deploy", "Revert", "Verify") for change in CHANGES)
    lines = re.findall(r"^(\w+) \[[^]]+\] \S+Z You <you@example.com> # .+$", PAGE, re.MULTILINE)
    assert sorted(lines) == sorted(change.partition(":")[2] for change in CHANGES)


def test_every_script(page: Page) -> None:
    """Deploy, verify, revert, deploy: in the order of the page, on a database that is migrated."""
    for change in CHANGES:
        for kind in ("Deploy", "Verify", "Revert", "Deploy", "Verify"):
            page.run(kind, change)
    for change in ("schema:todos", "policies:todos"):  # ours still stand as they were deployed
        project, _, name = change.partition(":")
        run_psql(page.database.url(), "-f", ROOT / project / "verify" / f"{name}.sql")
    for change in reversed(CHANGES):
        page.run("Revert", change)


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


def test_lists(extended: tuple[Page, Connection, UUID, UUID]) -> None:
    """A list is seen by whom its owner lets see it, and changed by the owner alone."""
    _, service, alice, bob = extended
    (shared,) = act(service, alice, "insert into app.lists (name) values ('shared') returning id")
    act(service, alice, "insert into app.lists (name) values ('private')")
    assert act(service, bob, "select name from app.lists") == set()
    act(service, alice, "insert into app.list_members (list_id, member_id) values (%s, %s)", shared, bob)
    assert act(service, bob, "select name from app.lists") == {"shared"}
    assert act(service, alice, "select name from app.lists") == {"shared", "private"}
    assert act(service, bob, "update app.lists set name = 'mine'") == {0}
    assert act(service, bob, "delete from app.lists") == {0}
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        act(service, bob, "insert into app.list_members (list_id, member_id) values (%s, %s)", shared, bob)
    assert act(service, bob, "delete from app.list_members") == {1}  # leaves
    assert act(service, bob, "select name from app.lists") == set()
    assert act(service, alice, "select name from app.lists") == {"shared", "private"}


def test_nightly(extended: tuple[Page, Connection, UUID, UUID]) -> None:
    """The job deletes what has long been done, of everybody, and nothing else."""
    page, service, alice, bob = extended
    for user in (alice, bob):
        act(
            service,
            user,
            "insert into app.todos (title, completed) values ('old', true), ('new', true), ('open', false)",
        )
    with page.database.superuser_connection() as admin:
        admin.execute("set session_replication_role = replica")
        admin.execute("update app.todos set updated_at = now() - interval '2 years' where title in ('old', 'open')")
        admin.execute("set role app_nightly")
        assert admin.execute("delete from app.todos").rowcount == 2
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            admin.execute("select title from app.todos")
    for user in (alice, bob):
        assert act(service, user, "select title from app.todos") == {"new", "open"}


def test_mutation(extended: tuple[Page, Connection, UUID, UUID]) -> None:
    """The page's test passes, and mutation testing finds in it the holes that the page shows."""
    page, service, _, _ = extended
    service.close()
    (source,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    (page.folder / "test_notes.py").write_text(source, encoding="utf-8")
    console = re.compile(r"^```console\n\$ userscope (mutate [^\n]*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
    ((command, shown),) = console.findall(PAGE)
    variables = {"admin": "ADMIN_DATABASE_URL", "service": "DATABASE_URL", "auth": "AUTH_DATABASE_URL"}
    urls = {variables[purpose]: url.text() for purpose, url in page.database.urls.items()}
    words = [sys.executable if word == "pytest" else word for word in shlex.split(command)]
    at = words.index(sys.executable) + 1
    done = subprocess.run(
        [sys.executable, "-m", "userscope", *words[:at], "-m", "pytest", *words[at:]],
        cwd=page.folder, env=os.environ | urls, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, shown.removeprefix("…\n")), done.stderr
