"""docs/sharing.md and docs/roles.md: what they show deploys and reverts; a list is its owner's and its members'."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from tests.clusters import ROOT, Connection, Database, dump, run_psql
from tests.docs import console
from tests.docs.scripts import Page, act, assert_whole
from tests.docs.sharing import ALICE, BOB, DAVE, EVE, told
from userscope.audit import run

PAGE = "\n".join((ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8") for name in ("sharing", "roles"))
SCRIPTS = list(console.scripts(PAGE))
CHANGES = ["schema:sharing", "policies:sharing", "policies:nightly"]
LISTS = ["schema:lists", "policies:lists"]


@pytest.fixture
def page(tmp_path: Path, database: Database) -> Page:
    """The page's scripts, and those that its command writes."""
    console.clone(tmp_path)
    (command,) = console.commands(console.blocks(PAGE, "console")[0])
    subprocess.run(
        ["bash", "-c", command[0]],
        cwd=tmp_path,
        env=os.environ | {"PATH": console.PATH},
        check=True,
        capture_output=True,
    )
    for change in LISTS:
        project, _, name = change.partition(":")
        for kind in ("deploy", "verify", "revert"):
            shutil.copy(tmp_path / project / kind / f"{name}.sql", tmp_path / f"{kind} {change}.sql")
    for text, kind, change in SCRIPTS:
        (tmp_path / f"{kind} {change}.sql").write_text(text, encoding="utf-8")
    return Page(tmp_path, database)


@pytest.fixture
def shared(page: Page) -> Iterator[tuple[Page, Connection]]:
    """The page deployed, four users, and a service's connection."""
    for change in LISTS + CHANGES:
        page.run("deploy", change)
    with page.database.superuser_connection() as admin:
        for number, user in enumerate((ALICE, BOB, DAVE, EVE)):
            admin.execute("insert into app.users (id, name, email) values (%s, 'U', %s)", [user, f"{number}@x.io"])
    with page.database.connect("service") as service:
        yield page, service


def test_the_page_is_whole() -> None:
    """Each change has its three scripts and its line of a plan."""
    assert_whole(PAGE, CHANGES)


@pytest.mark.breadth
def test_every_script(page: Page) -> None:
    """Deploy, verify, revert, deploy; what is reverted leaves nothing in the database."""
    for change in LISTS:
        page.run("deploy", change)
    for change in CHANGES:
        before = dump(page.database)
        for kind in ("deploy", "verify", "revert"):
            page.run(kind, change)
        assert dump(page.database) == before, change
        for kind in ("deploy", "verify"):
            page.run(kind, change)
    for change in [*LISTS, "schema:todos", "policies:todos"]:  # what was there still stands as it was deployed
        project, _, name = change.partition(":")
        run_psql(page.database.url(), "-f", page.folder / project / "verify" / f"{name}.sql")
    for change in reversed(CHANGES):
        page.run("revert", change)


@pytest.mark.breadth
@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ("schema:sharing", "alter function app.shared_lists() reset search_path"),
        ("schema:sharing", "alter table app.list_members no force row level security"),
        ("policies:sharing", "grant select (owner_id) on app.list_members to app_user"),
        ("policies:sharing", "grant execute on function app.share_list(uuid, uuid) to public"),
    ],
)
def test_verified(shared: tuple[Page, Connection], change: str, fault: str) -> None:
    """A verification fails on what opens a list."""
    page, _ = shared
    page.run("verify", change)
    run_psql(page.database.url(), "-c", fault)
    with pytest.raises(AssertionError, match="ERROR"):
        page.run("verify", change)


@pytest.mark.breadth
def test_audited(shared: tuple[Page, Connection]) -> None:
    """With the functions named, as the page says, the audit finds nothing; before, just these."""
    page, service = shared
    service.close()
    ours = {
        finding.object
        for finding in run.audit(page.database.url()).findings
        if "shar" in str(finding) or "list" in str(finding)
    }
    assert ours == {
        "function app.shared_lists()", "function app.rename_shared_list(uuid,uuid,text)",
        "function app.list_readers(uuid)", "function app.share_list(uuid,uuid)",
        "function app.unshare_list(uuid,uuid,uuid)",
    }  # fmt: skip
    (setting,) = (block for block in console.blocks(PAGE, "sql") if block.startswith("alter database app "))
    run_psql(page.database.url(), "-c", setting.replace("database app ", f"database {page.database.name} "))
    found = run.audit(page.database.url()).findings
    assert [finding for finding in found if "shar" in str(finding) or "list" in str(finding)] == []


@pytest.mark.breadth
def test_lists(shared: tuple[Page, Connection]) -> None:
    """A list is seen and renamed by whom its owner lets reach it, and by nobody else; deleted by its owner alone."""
    _, service = shared
    (kept,) = act(service, BOB, "insert into app.lists (name) values ('shared') returning id")
    act(service, BOB, "insert into app.lists (name) values ('private')")
    assert act(service, ALICE, "select name from app.shared_lists()") == set()
    act(service, BOB, "select app.share_list(%s, %s)", kept, ALICE)
    assert act(service, ALICE, "select name from app.shared_lists()") == {"shared"}
    assert act(service, ALICE, "select name from app.lists") == set()
    assert act(service, BOB, "select app.list_readers(%s)", kept) == {ALICE}
    assert act(service, ALICE, "select app.list_readers(%s)", kept) == set()
    assert act(service, EVE, "select name from app.shared_lists()") == set()
    rename = "select name from app.rename_shared_list(%s, %s, %s)"
    assert act(service, EVE, rename, BOB, kept, "mine") == set()
    assert act(service, ALICE, rename, BOB, kept, "renamed") == {"renamed"}
    assert act(service, BOB, "select name from app.lists") == {"renamed", "private"}
    for change in ("update app.lists set name = 'mine'", "delete from app.lists"):
        assert act(service, ALICE, change) == {0}
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        act(service, ALICE, "select app.share_list(%s, %s)", kept, EVE)
    for statement in ("select member_id from app.list_members", "delete from app.list_members"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            act(service, ALICE, statement)
    act(service, EVE, "select app.unshare_list(%s, %s, %s)", BOB, kept, ALICE)  # is neither
    assert act(service, ALICE, "select name from app.shared_lists()") == {"renamed"}
    act(service, ALICE, "select app.unshare_list(%s, %s, %s)", BOB, kept, ALICE)  # leaves
    assert act(service, ALICE, "select name from app.shared_lists()") == set()
    act(service, BOB, "select app.share_list(%s, %s)", kept, ALICE)
    act(service, BOB, "select app.unshare_list(%s, %s, %s)", BOB, kept, ALICE)  # is shut out
    assert act(service, ALICE, "select name from app.shared_lists()") == set()
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        service.execute("select app.share_list(%s, %s)", [kept, EVE])  # nobody
    assert service.execute("select * from app.shared_lists()").fetchall() == []


@pytest.mark.breadth
def test_told_nothing(shared: tuple[Page, Connection]) -> None:
    """What Bob did not share changes no answer, plan or error of Alice's; with policies by OR it did."""
    page, _ = shared
    with page.database.superuser_connection() as admin:
        told(admin, 0)  # fills the caches, whose misses are counted too
        worlds = told(admin, 0), told(admin, 1)
        assert worlds[0] == worlds[1]
        assert any(
            "0 of 0" in answer and "shared_lists" in answer for answer in worlds[0]
        )  # what he did share is there
        control = told(admin, 0, before=True), told(admin, 1, before=True)
        apart = [one for one, other in zip(*control, strict=True) if one != other]
        assert any("Rows Removed by Filter" in answer for answer in apart)


@pytest.mark.breadth
def test_mapping(shared: tuple[Page, Connection]) -> None:
    """Two lists of one id are two objects, and deleting a stranger's leaves one's own."""
    page, service = shared
    same = uuid4()
    for user, name in ((ALICE, "alice's"), (BOB, "bob's")):
        act(service, user, "insert into app.lists (id, name) values (%s, %s)", same, name)
    act(service, BOB, "select app.share_list(%s, %s)", same, ALICE)
    written = "from sqlmodel.sql.expression import SelectOfScalar\n" + (page.folder / "lists.py").read_text(
        encoding="utf-8"
    )
    own = console.files(PAGE)["lists.py"]
    (page.folder / "lists.py").write_text(
        re.sub(
            r"^class List\(.*?(?=^class ListCreate)", lambda _: f"{own}\n\n", written, flags=re.DOTALL | re.MULTILINE
        ),
        encoding="utf-8",
    )
    program = (
        "import sys, warnings\n"
        "from lists import List, shared_lists\n"
        "from sqlmodel import select\n"
        "from userscope import Database\n"
        "with Database() as db:\n"
        "    with db.session(sys.argv[1]) as session:\n"
        "        session.add(new := List(name='new'))\n"
        "        session.flush()\n"
        "        assert str(new.owner_id) == sys.argv[1]\n"
        "        session.delete(new)\n"
        "    with db.session(sys.argv[1]) as session:\n"
        "        (mine,), (theirs,) = session.exec(select(List)).all(), session.exec(shared_lists()).all()\n"
        "        assert mine is not theirs and mine.id == theirs.id\n"
        "        print(mine.name, theirs.name)\n"
        "        session.delete(theirs)\n"
        "        with warnings.catch_warnings():\n"
        "            warnings.simplefilter('ignore')  # nothing was deleted\n"
        "            session.flush()\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, str(ALICE)],
        cwd=page.folder, env=os.environ | {"DATABASE_URL": page.database.url("service").text()},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout == "alice's bob's\n", done.stderr
    assert act(service, ALICE, "select name from app.lists") == {"alice's"}
    assert act(service, BOB, "select name from app.lists") == {"bob's"}


@pytest.mark.breadth
def test_nightly(shared: tuple[Page, Connection]) -> None:
    """The job deletes what has long been done, of everybody, and nothing else."""
    page, service = shared
    for user in (ALICE, BOB):
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
    for user in (ALICE, BOB):
        assert act(service, user, "select title from app.todos") == {"new", "open"}
