"""``userscope new-table``: what it writes deploys, verifies and passes the audit and its own test."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clusters import Cluster, Database, first_of, make_logins
from tests.generate.conftest import EVERY_TYPE, Run, contents
from userscope.migrations import projects
from userscope.migrations.projects import KINDS


@pytest.fixture
def bare(lone: Cluster) -> Iterator[Database]:
    """An empty database of that cluster."""
    made = lone.database()
    yield made
    made.drop()


@pytest.fixture
def pair(tmp_path: Path) -> Path:
    """Two empty projects of somebody's own, with names of their own."""
    for name in ("what", "who"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "sqitch.plan").write_text(f"%project=shop_{name}\n\n", encoding="utf-8")
        (tmp_path / name / "sqitch.conf").write_text("[core]\n\tengine = pg\n", encoding="utf-8")
    return tmp_path


@pytest.mark.breadth
def test_whole(run: Run, clone: Path, migrated: Database) -> None:
    """The table deploys, the audit finds nothing, its test passes, and a hole in it fails the test."""
    words = ("new-table", "shopping_lists", *EVERY_TYPE, "--test", "test_lists.py")
    assert run(clone, "userscope", *words).code == 0
    deployed = run(clone, "userscope", "migrate", database=migrated)
    assert "+ schema:shopping_lists" in deployed.stdout
    assert "+ policies:shopping_lists" in deployed.stdout, deployed.stderr
    audited = run(clone, "userscope", "audit", database=migrated)
    assert (audited.code, audited.stdout.splitlines()[-1]) == (0, "Nothing found.")
    test = ("pytest", "-q", "-x", "-W", "error", "-p", "no:cacheprovider", "-p", "userscope.testing", "test_lists.py")
    assert "9 passed" in run(clone, *test, database=migrated).stdout
    with migrated.superuser_connection() as superuser:
        superuser.execute("alter policy select_own on app.shopping_lists using (true)")
    assert run(clone, "userscope", "verify", database=migrated).code == 1
    assert "1 failed" in run(clone, *test, database=migrated).stdout


@pytest.mark.breadth
def test_holes(run: Run, clone: Path, migrated: Database) -> None:
    """The verifications that were written notice each hole, and the cure."""
    assert run(clone, "userscope", "new-table", "shopping_lists", *EVERY_TYPE).code == 0
    assert run(clone, "userscope", "migrate", database=migrated).code == 0
    for hole, cure in (
        ("revoke delete on app.shopping_lists from app_user", "grant delete on app.shopping_lists to app_user"),
        ("grant select (c_text) on app.shopping_lists to app_auth", "revoke all on app.shopping_lists from app_auth"),
        ("alter table app.shopping_lists disable trigger touch", "alter table app.shopping_lists enable trigger touch"),
        (
            "alter table app.shopping_lists alter c_timestamptz drop not null",
            "alter table app.shopping_lists alter c_timestamptz set not null",
        ),
        (
            "alter table app.shopping_lists drop constraint shopping_lists_code_check",
            "alter table app.shopping_lists add constraint shopping_lists_code_check check (char_length(code) <= 2)",
        ),
        (
            "alter policy select_own on app.shopping_lists using (true)",
            "alter policy select_own on app.shopping_lists using (owner_id = (select app.current_user_id()))",
        ),
    ):
        assert run(clone, "userscope", "verify", database=migrated).code == 0
        with migrated.superuser_connection() as superuser:
            superuser.execute(hole.encode())
        assert run(clone, "userscope", "verify", database=migrated).code == 1
        with migrated.superuser_connection() as superuser:
            superuser.execute(cure.encode())


@pytest.mark.breadth
def test_whole_fenced(run: Run, clone: Path, migrated: Database) -> None:
    """A fenced table as well, and services find it fit to serve."""
    words = (
        "new-table",
        "shopping_lists",
        *EVERY_TYPE,
        "--fenced",
        "--test",
        "test_lists.py",
        "--mapping",
        "db/lists.py",
    )
    assert run(clone, "userscope", *words).stdout.count("  + ") == 11
    deployed = run(clone, "userscope", "migrate", database=migrated)
    assert "+ policies:shopping_lists" in deployed.stdout, deployed.stderr
    for command in (["verify"], ["audit"], ["audit", "--drift"], ["health"], ["check"], ["status"]):
        done = run(clone, "userscope", *command, database=migrated)
        assert done.code == 0, done.stdout + done.stderr
    test = ("pytest", "-q", "-x", "-W", "error", "-p", "no:cacheprovider", "-p", "userscope.testing", "test_lists.py")
    assert "10 passed" in run(clone, *test, database=migrated).stdout
    with migrated.superuser_connection() as superuser:
        superuser.execute("alter policy select_own on app_fenced.shopping_lists using (true)")
    assert "1 failed" in run(clone, *test, database=migrated).stdout
    assert run(clone, "userscope", "verify", database=migrated).code == 1
    reverted = run(clone, "userscope", "revert", "--to", "schema:better_auth", "--yes", database=migrated)
    assert "- schema:shopping_lists" in reverted.stdout, reverted.stderr


def test_one(run: Run, clone: Path) -> None:
    """--one is what comments and messages call a row, where the table's name tells it wrongly."""
    assert run(clone, "userscope", "new-table", "people", "--one", "person").code == 0
    deploy = (clone / "schema" / "deploy" / "people.sql").read_text(encoding="utf-8")
    assert "'A person. Belongs to one user, and goes when that user goes.'" in deploy


def test_on_citus(run: Run, clone: Path) -> None:
    """Where the project is for Citus, what spreads the table is told beside what was written; elsewhere nothing is."""
    assert run(clone, "userscope", "new-table", "cards").stderr == ""
    (clone / "pyproject.toml").write_text("[tool.userscope]\ndistributed = true\n", encoding="utf-8")
    for words, call in (
        (("notes",), "'app.notes', 'owner_id'"),
        (("boards", "--organization"), "'app.boards', 'organization_id'"),
        (("diaries", "--fenced"), "'app_fenced.diaries'"),
    ):
        told = run(clone, "userscope", "new-table", *words).stderr
        table = call.partition("'")[2].partition("'")[0]
        assert told == (
            f"On Citus {table} stays on the coordinator until a migration says: select app_private.distribute({call}); "
            'docs/citus.md, "Your own tables", has what goes with it.\n'
        )


@pytest.mark.breadth
def test_own_pair(run: Run, pair: Path, migrated: Database) -> None:
    """In projects of other names, the plans require ours by project; they deploy beside ours, and are no drift."""
    done = run(pair, "userscope", "new-table", "orders", "total:numeric", "--project", "what", "--project", "who")
    assert done.code == 0, done.stderr
    what, who = projects.find([pair / "what", pair / "who"])
    for project, needs in (
        (what, ["schema:identity", "schema:users"]),
        (who, ["policies:access", "shop_what:orders"]),
    ):
        (change,) = project.plan.changes
        assert [dependency.text(project.name) for dependency in change.requires] == needs
        for kind in KINDS:
            text = project.script_of(kind, change).read_text(encoding="utf-8")
            assert text.startswith(f"-- {kind.capitalize()} {project.name}:orders ")
            assert re.findall("^-- requires: (.*)", text, re.MULTILINE) == (needs if kind == "deploy" else [])
    both = ("--project", "what", "--project", "who")
    deployed = run(pair, "userscope", "migrate", *both, database=migrated)
    assert "+ shop_who:orders" in deployed.stdout, deployed.stderr
    for words in (("verify", *both), ("status", *both), ("status",), ("audit", "--drift", *both)):
        done = run(pair, "userscope", *words, database=migrated)
        assert done.code == 0, done.stdout + done.stderr
    assert done.stdout.endswith("Nothing found.\n")
    assert "app.orders" in run(pair, "userscope", "audit", "--drift", database=migrated).stdout  # without: it is drift


@pytest.mark.breadth
@pytest.mark.parametrize("kind", first_of("bigint", "text", "uuid"))
def test_own_users(run: Run, pair: Path, bare: Database, kind: str) -> None:
    """Where users are the application's own, rows belong to ids of their kind; what is written is whole."""
    (pair / "pyproject.toml").write_text('[tool.userscope]\nours = "core"\nprojects = ["."]\n', encoding="utf-8")
    ours = {"USERSCOPE_USER_ID": kind}
    for words in (["notes"], ["secrets", "--fenced", "--mapping", "secret.py"]):
        test = ["--test", f"test_{words[0]}.py"]
        done = run(pair, "userscope", "new-table", *words, *test, more=ours)
        assert done.code == 0, done.stderr
    deployed = run(pair, "userscope", "migrate", database=bare, more=ours)
    assert "+ shop_who:secrets" in deployed.stdout, deployed.stderr
    make_logins(bare)
    for command in (["verify"], ["status"], ["audit", "--drift"], ["health"]):
        done = run(pair, "userscope", *command, database=bare, more=ours)
        assert done.code == 0, done.stdout + done.stderr
    test = ["pytest", "-q", "-x", "-W", "error", "-p", "no:cacheprovider", "-p", "userscope.testing"]
    assert "17 passed" in (tested := run(pair, *test, database=bare, more=ours).stdout), tested
    with bare.superuser_connection() as superuser:
        superuser.execute("alter policy select_own on app.notes using (true)")
    assert "1 failed" in run(pair, *test, database=bare, more=ours).stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["Notes"], '"Notes" is no name for a table'),
        (["a" * 41], "is no name for a table"),
        (["notes; drop table app.users"], "is no name for a table"),
        (["notes", "user:text"], '"user" is a word that PostgreSQL keeps for itself'),
        (["notes", "position:text"], '"position" is a word that PostgreSQL keeps for itself'),
        (["values", "body:text"], '"values" is a word that PostgreSQL keeps for itself'),
        (["notes", "like:boolean"], '"like" is a word that PostgreSQL keeps for itself'),
        (["notes", "body"], '"body" is no column'),
        (["notes", "body:varchar"], '"body:varchar" is no column'),
        (["notes", "body:text:0"], '"body:text:0" is no column'),
        (["notes", "count:integer:5"], '"count:integer:5" is no column'),
        (["notes", "body:text:5:6"], '"body:text:5:6" is no column'),
        (["notes", "owner_id:uuid"], 'every owned table has a column "owner_id"'),
        (["notes", "body:text", "body:date"], 'two columns are named "body"'),
        (["notes", "--one", "it's"], '"it\'s" cannot stand in a sentence'),
        (["todos"], "is there already"),
        (["sessions"], "app.sessions is userscope's own"),
        (["account"], "app.account is userscope's own"),
        (["notes", "--references", ""], 'no change "" makes a table to refer to'),
        (["class"], 'a file "class.py" cannot be imported'),
        (["access"], 'the plan of "policies" has a change "access" already'),
        (["secrets", "body:text"], 'a file "secrets.py" would be imported in the place of Python\'s own "secrets"'),
        (["notes", "body:json", "--fenced"], '"body:json" cannot be fenced'),
        (["notes", "metadata:jsonb"], '"metadata" is a name that the class of the table needs for itself'),
        (["notes", "--owner-type", "bigint"], "rows cannot belong to a bigint while users are those of app.users"),
        (["notes", "--project", "schema"], "a table needs two projects, and here are 1: schema"),
        (["notes", "--project", "nowhere"], 'there is no folder "nowhere"'),
    ],
    ids=lambda value: " ".join(value)[:30] if isinstance(value, list) else "",
)
def test_refused(run: Run, clone: Path, words: list[str], message: str) -> None:
    """What cannot be is refused with a sentence, and nothing is written."""
    if words == ["access"]:
        for kind in KINDS:
            (clone / "policies" / kind / "access.sql").unlink()
    before = contents(clone)
    done = run(clone, "userscope", "new-table", *words)
    assert (done.code, done.stdout) == (2, "")
    assert message in done.stderr
    assert contents(clone) == before


def test_half_written(run: Run, clone: Path) -> None:
    """Where the last file cannot be written, the others are taken back."""
    before = contents(clone)
    done = run(clone, "userscope", "new-table", "notes", "--test", "schema/sqitch.conf/test_notes.py")
    assert (done.code, done.stdout) == (2, "")
    assert "Nothing was written." in done.stderr
    assert contents(clone) == before


def test_outside_of_a_project(run: Run, tmp_path: Path) -> None:
    """The projects that userscope itself was installed with are never written to."""
    done = run(tmp_path, "userscope", "new-table", "notes")
    assert done.code == 2
    assert "holds no Sqitch project" in done.stderr
