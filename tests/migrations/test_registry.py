"""A registry that does not fit is refused, in plain words, before anything is written."""

from pathlib import Path

import pytest
from psycopg import sql

from tests.clusters import Cluster, Database
from tests.migrations import sqitch
from tests.migrations.conftest import ROOT, dump, rows
from tests.migrations.sketch import Sketch, write
from userscope.errors import RegistryError, ScriptError
from userscope.migrations import inspection, runner
from userscope.migrations.projects import Project, load

A, B = Sketch.table("a"), Sketch.table("b")


def refused(database: Database, project: Project) -> RegistryError:
    """Expect migrate to refuse and to leave every row as it was."""
    before = rows(database)
    with pytest.raises(RegistryError) as failed:
        runner.migrate(database.url(), [project])
    assert failed.value.hint
    assert rows(database) == before
    return failed.value


def edit(project: Project, old: str, new: str) -> Project:
    """Edit a plan."""
    path = project.folder / "sqitch.plan"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    return load(project.folder)


@pytest.fixture
def deployed(empty: Database, tmp_path: Path) -> Project:
    """A project of two changes that is deployed."""
    project = write(tmp_path / "p", A, B)
    runner.migrate(empty.url(), [project])
    return project


def test_any_encoding() -> None:
    """What is sent for bookkeeping is ASCII: a database may have any encoding."""
    ours = (ROOT / "src/userscope/migrations").rglob("*.sql")
    assert [path for path in ours if not path.read_bytes().isascii()] == []


@pytest.mark.breadth
def test_latin1(cluster: Cluster, tmp_path: Path) -> None:
    """A project goes to a database of another encoding as it is written; ours tell which one they need."""
    cluster.execute(sql.SQL("create database in_latin1 encoding 'LATIN1' locale 'C' template template0").format())
    database = Database(cluster, "in_latin1")
    verify = "select 1 / (v = U&'\\00e9')::int from public.a;\n"
    noted = Sketch("a", "begin;\ncreate table public.a as select 'é' as v;\ncommit;\n", None, verify)
    assert runner.migrate(database.url(), [write(tmp_path / "p", noted)]) == ["p:a"]
    with pytest.raises(ScriptError) as raised:
        runner.migrate(database.url())
    assert "encoding 'UTF8'" in (raised.value.hint or "")
    database.drop()


@pytest.mark.parametrize("version", ["1.2", "2", "10"])
def test_newer(empty: Database, deployed: Project, version: str) -> None:
    """A registry of a version to come is not written to, nor read."""
    with empty.superuser_connection() as connection:
        connection.execute("insert into sqitch.releases values (%s, now(), 'x', 'y')", [version])
    assert f"version {version}" in refused(empty, deployed).message
    with pytest.raises(RegistryError):
        inspection.status(empty.url(), [deployed])


def test_older(empty: Database, deployed: Project) -> None:
    """An older one is left to Sqitch to upgrade."""
    with empty.superuser_connection() as connection:
        connection.execute("update sqitch.releases set version = 1.0")
    assert "sqitch upgrade" in (refused(empty, deployed).hint or "")


def test_plan_edited(empty: Database, deployed: Project) -> None:
    """Whoever edits a deployed line, be it a letter of a note, changes all later ids: refused as by Sqitch."""
    edited = edit(deployed, "Ada Love <ada@example.com>", "Ada Love <ada@example.org>")
    assert '"p:b", is not in the plan' in refused(empty, edited).message
    theirs = sqitch.run(edited.folder, empty.url(), "deploy", check=False)
    assert theirs.returncode == 2
    assert "Cannot find change" in theirs.output
    assert inspection.status(empty.url(), [edited])[0].problem
    verified, _ = inspection.verify(empty.url(), [edited])
    assert [result.problems for result in verified] == [["Not present in the plan"]] * 2 + [["Not deployed"]] * 2
    assert "Not present in the plan" in sqitch.run(edited.folder, empty.url(), "verify", check=False).output


def test_unreleased(empty: Database, tmp_path: Path) -> None:
    """A database whose plan of ours is an older one is told the way out by status and verify, as by migrate."""
    project = write(tmp_path / "schema", A, name="schema")
    runner.migrate(empty.url(), [project])
    edited = edit(project, "Ada Love <ada@example.com>", "Ada Love <ada@example.org>")
    way_out = "(docs/upgrading.md)"
    assert way_out in (refused(empty, edited).hint or "")
    assert way_out in (inspection.status(empty.url(), [edited])[0].hint or "")
    with empty.superuser_connection() as connection:
        connection.execute("create schema app_private")
        connection.execute("create function app_private.verify_table() returns void return null")
    with pytest.raises(RegistryError) as raised:  # rather than of functions to be dropped
        inspection.verify(empty.url(), [edited])
    assert way_out in (raised.value.hint or "")


def test_reverts_without_the_plan(empty: Database, other: Database, deployed: Project) -> None:
    """What is not in the plan any more is reverted from its rows, as by Sqitch."""
    runner.migrate(other.url(), [deployed])
    edited = edit(deployed, "Ada Love <ada@example.com>", "Ada Love <ada@example.org>")
    sqitch.run(edited.folder, other.url(), "revert", "-y")
    runner.revert(empty.url(), [edited], to=None, confirm=lambda _: True)
    assert rows(empty) == rows(other)
    assert dump(empty) == dump(other)
    assert not rows(empty)["changes"]


def test_change_inserted(empty: Database, deployed: Project) -> None:
    """A change put before deployed ones is refused."""
    edited = edit(deployed, "\nb ", "\nz 2026-01-01T00:30:00Z Ada Love <ada@example.com>\nb ")
    assert "is not in the plan" in refused(empty, edited).message


def test_change_deployed_out_of_order(empty: Database, tmp_path: Path) -> None:
    """A change that is deployed while one before it is not: refused, as by Sqitch."""
    project = write(tmp_path / "p", A, B)
    runner.migrate(empty.url(), [project])
    with empty.superuser_connection() as connection:
        connection.execute("update sqitch.changes set committed_at = now() + interval '1h' where change = 'a'")
    assert '"p:b" is deployed already' in refused(empty, project).message
    assert "already been deployed" in sqitch.run(project.folder, empty.url(), "deploy", check=False).output
    verified, _ = inspection.verify(empty.url(), [project])
    assert [result.problems for result in verified] == [["Out of order"], ["Out of order"]]


def test_script_edited(empty: Database, deployed: Project) -> None:
    """check finds the first deployed script that was edited since, as Sqitch's does; status does not look."""
    assert inspection.check(empty.url(), [deployed])[0].diverges is None
    (deployed.folder / "deploy" / "b.sql").write_text("-- edited", encoding="utf-8")
    assert inspection.check(empty.url(), [deployed])[0].diverges == "p:b"
    theirs = sqitch.run(deployed.folder, empty.url(), "check", check=False)
    assert (theirs.returncode, "diverge at change b" in theirs.output) == (1, True)
    assert not inspection.status(empty.url(), [deployed])[0].problem


@pytest.mark.parametrize(
    ("registered", "planned"),
    [("https://a.example", None), (None, "https://a.example"), ("https://a.x", "https://b.x")],
)
def test_other_uri(empty: Database, tmp_path: Path, registered: str | None, planned: str | None) -> None:
    """A project of the same name with another URI is another project."""

    def plan(folder: str, uri: str | None) -> Project:
        project = write(tmp_path / folder, A, B)
        return edit(project, "%project=p", f"%project=p\n%uri={uri}") if uri else project

    runner.migrate(empty.url(), [plan("one", registered)])
    message = refused(empty, plan("two", planned)).message
    assert message == f'project "p" is registered with {f"the URI {registered}" if registered else "no URI"}'


def test_uri_taken(empty: Database, tmp_path: Path) -> None:
    """A URI belongs to one project."""
    first = edit(write(tmp_path / "p", A), "%project=p", "%project=p\n%uri=https://a.example")
    runner.migrate(empty.url(), [first])
    second = edit(write(tmp_path / "q", B, name="q"), "%project=q", "%project=q\n%uri=https://a.example")
    assert 'project "p" is registered with the URI of "q"' in refused(empty, second).message


def test_missing_dependency_in_another_project(empty: Database, tmp_path: Path) -> None:
    """A change of another project that was reverted since is missed."""
    s, p = write(tmp_path / "s", A, name="s"), write(tmp_path / "p", Sketch.table("x", "s:a"))
    runner.migrate(empty.url(), [s])
    runner.revert(empty.url(), [s], to=None, confirm=lambda _: True)
    assert '"p:x" requires "s:a"' in refused(empty, p).message


def test_other_registry_schema(empty: Database, other: Database, tmp_path: Path) -> None:
    """The registry's schema is what sqitch.conf says, whatever its name."""
    write(tmp_path / "p", A, B)
    (tmp_path / "p" / "sqitch.conf").write_text("[core]\n\tengine = pg\n\tregistry = My Own\n", encoding="utf-8")
    project = load(tmp_path / "p")
    assert project.registry == "My Own"
    runner.migrate(empty.url(), [project])
    sqitch.run(project.folder, other.url(), "deploy", "--verify")
    assert dump(empty) == dump(other)
    assert 'CREATE TABLE "My Own".changes' in dump(empty)
    assert runner.migrate(other.url(), [project]) == []
