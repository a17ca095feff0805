"""Each question of policies/audit is plain SQL, finds its defect, and is silent where there is none."""

import re
from itertools import batched
from pathlib import Path

import psycopg
import pytest

from tests.clusters import ROOT, Connection, Database, first_of
from userscope.audit.model import LEVELS
from userscope.audit.run import MATRIX, connect, questions
from userscope.postgres.sql import with_shared

FOLDER = ROOT / "policies" / "audit"
QUESTIONS = {name: text for name, text in questions(FOLDER).items() if name != MATRIX}
FOREIGN = sorted((Path(__file__).parent / "schemas").glob("*.sql"))
COLUMNS = ["level", "rule", "object", "finding", "detail", "cure"]

type Defect = tuple[str, str, str, str]
"""SQL that makes it, and the level, object and finding that a question then tells."""


def defects(path: Path) -> list[Defect]:
    """Read ``-- level | object | finding`` lines, each followed by its SQL."""
    parts = re.split(r"^-- (\w+) \| (.+) \| (.+)\n", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert parts[0] == ""
    return [(sql, level, thing, finding) for level, thing, finding, sql in batched(parts[1:], 4, strict=True)]


DEFECTS = {path.stem: defects(path) for path in sorted((Path(__file__).parent / "defects").glob("*.sql"))}
FIRST = 3
"""So many defects of a question are found in every run, and so many schemas looked at; the others are breadth."""
CASES = [
    pytest.param(name, number, marks=[] if number < FIRST else pytest.mark.breadth)
    for name, found in DEFECTS.items()
    for number in range(len(found))
]


def ask(connection: Connection, name: str) -> list[tuple[str, ...]]:
    """Run a question as psql does, and return its rows without the rule, which is its name."""
    result = connection.execute(QUESTIONS[name].encode())
    assert [column.name for column in result.description or []] == COLUMNS
    rows = result.fetchall()
    assert {row[1] for row in rows} <= {name}
    return [(row[0], *row[2:]) for row in rows]


@pytest.mark.parametrize("name", QUESTIONS)
def test_silent(undone: Connection, name: str) -> None:
    """The deployed database gives no reason for a finding."""
    assert ask(undone, name) == []


@pytest.mark.parametrize(("name", "number"), CASES)
def test_finds(undone: Connection, name: str, number: int) -> None:
    """A defect is found, with what it is about, why and how to cure it."""
    sql, level, thing, finding = (text.replace("{database}", undone.info.dbname) for text in DEFECTS[name][number])
    undone.execute(sql.encode())
    found = ask(undone, name)
    assert (level, thing, finding) in {row[:3] for row in found}
    for row in found:
        assert row[0] in LEVELS
        assert all(row)
        assert re.search(r"[.)]\Z|: ", row[3]), "the detail is a sentence"


def test_cures(undone: Connection) -> None:
    """A cure fits what is there: a default is praised where there is one, and a migration tool keeps its table."""
    undone.execute("grant insert (owner_id) on app.todos to app_user")
    (found,) = ask(undone, "owner_column")
    revoke = "revoke insert (owner_id) on app.todos from app_user"
    assert (found[3].endswith("default would do."), found[4]) == (True, revoke)
    undone.execute("alter table app.todos alter owner_id drop default")
    (found,) = ask(undone, "owner_column")
    cure = "alter table app.todos alter column owner_id set default app.current_user_id()::uuid; "
    assert found[4] == cure + revoke
    undone.execute(found[4].encode())
    assert ask(undone, "owner_column") == []
    undone.execute("create table app.alembic_version (version_num text)")
    assert ask(undone, "rls_disabled") == []
    undone.execute("grant select (version_num) on app.alembic_version to app_user")
    (found,) = ask(undone, "rls_disabled")
    assert found[4] == "revoke all on app.alembic_version from app_user"


def test_every_question_has_defects() -> None:
    """No question goes without a defect that it catches."""
    assert set(DEFECTS) == set(QUESTIONS)
    assert all(DEFECTS.values())


def test_documented() -> None:
    """docs/audit.md has an entry for every question."""
    page = (ROOT / "docs" / "audit.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `([a-z_]+)` \|", page, re.MULTILINE) == sorted(QUESTIONS)


def test_plain() -> None:
    """A question is one SELECT, with no psql command and nothing that writes; what they share stands in one file."""
    for path in FOLDER.glob("*.sql"):
        text = path.read_text(encoding="utf-8")
        code = re.sub(r"--.*|'(?:[^']|'')*'", "", text)
        assert text.startswith("-- ")
        assert code.count(";") == (path.stem != "shared"), path.name
        assert text.endswith(";\n") or path.stem == "shared"
        assert not re.search(
            r"^\\|\b(insert into|update \w+ set|delete from|create \w+|alter \w+)\b", code, re.MULTILINE
        ), path.name


def test_shared_is_used() -> None:
    """Every part that the questions share serves one of them, and none makes its own."""
    shared = with_shared((FOLDER / "shared.sql").read_text(encoding="utf-8"))
    names = re.findall(r"^(?:with recursive )?(\w+) \([\w, ]+\) as \(", shared, re.MULTILINE)
    own = {path.stem: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.sql") if path.stem != "shared"}
    assert len(names) > 10
    for name in names:
        assert len(re.findall(rf"\b{name}\b", shared + "".join(own.values()))) > 1, name
        assert not [stem for stem, text in own.items() if re.search(rf"\b{name} (\([\w, ]+\) )?as \(", text)], name


@pytest.mark.parametrize(
    "path", [*FOREIGN[1:FIRST], *first_of(FOREIGN[0], *FOREIGN[FIRST:])], ids=lambda path: path.stem
)
def test_foreign(undone: Connection, path: Path) -> None:
    """A sound schema of another shape gives no reason but what it says; without row-level security it does."""
    text = path.read_text(encoding="utf-8")
    undone.execute(text.encode())
    found = {(name, row[1]) for name in QUESTIONS for row in ask(undone, name)}
    assert found == set(re.findall(r"^-- Told: (\w+) \| (.+)$", text, re.MULTILINE))
    tables = undone.execute(
        "select format('%I.%I', nspname, relname) from pg_class join pg_namespace on pg_namespace.oid = relnamespace "
        "where relrowsecurity and nspname = any (('{' || current_setting('userscope.audit_schemas') || '}')::text[])"
    ).fetchall()
    assert tables
    for (table,) in tables:
        undone.execute(f"alter table {table} disable row level security".encode())
    assert {row[1] for row in ask(undone, "rls_disabled")} == {table for (table,) in tables}


def test_ten_foreign() -> None:
    """There are at least ten of them."""
    assert len(FOREIGN) >= 10


def test_without_rights(audited: Database) -> None:
    """A role with no rights at all gets every answer, and is told what it could not see."""
    cluster = audited.cluster
    if "without_rights" not in cluster.passwords:
        cluster.create_login("without_rights")
    with audited.superuser_connection() as owner:
        owner.execute("analyze app.todos")  # so there could be something
    with psycopg.connect(cluster.conninfo(dbname=audited.name, user="without_rights"), autocommit=True) as connection:
        found = {name: rows for name in QUESTIONS if (rows := ask(connection, name))}
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("select from app_private.sealing")
        matrix = connection.execute(questions(FOLDER)[MATRIX].encode()).fetchall()
    assert {name: [row[:3] for row in rows] for name, rows in found.items()} == {
        "sealing": [("info", "app_private.sealing", "whether a seal is required could not be seen")],
        "statistics": [("info", f"database {audited.name}", "whether statistics are stored could not be seen")],
    }
    with connect(audited.url()) as owner:
        assert matrix == owner.execute(questions(FOLDER)[MATRIX].encode()).fetchall()


def test_identity_hash(superuser: Connection) -> None:
    """The body that identity_changed knows is the one that the migrations deploy."""
    (row,) = superuser.execute("select md5(prosrc) from pg_proc where oid = 'app.current_user_key()'::regprocedure")
    assert f"'{row[0]}'" in QUESTIONS["identity_changed"]
