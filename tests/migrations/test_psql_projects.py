"""Projects in psql's language: deployed, verified and reverted by us and by real Sqitch, each on either's database."""

from pathlib import Path

import pytest

from tests.clusters import Database
from tests.migrations import sqitch
from tests.migrations.conftest import dump, rows
from tests.migrations.sketch import Sketch, write
from userscope.errors import ConfigurationError, ScriptError
from userscope.migrations import inspection, runner
from userscope.migrations.engine import Event, Options
from userscope.migrations.projects import Project, load

CONF = """\
[core]
\tengine = pg
[core "variables"]
\tword = core
[deploy "variables"]
\tschema = it's \\"here\\"
\tword = deploy
[engine "pg.variables"]
\tword = engine
"""
CONTENT = 'select a, b from :"schema".t order by a;\n'
GIVEN = {"owner": "o'hara \\"}
CHANGES = (
    Sketch(
        "schema",
        "-- Deploy\n\\set ECHO none\n\\set who :owner\n\\echo making :schema\nbegin;\ncreate schema :\"schema\";\n"
        "create table :\"schema\".t (a int primary key, b text default :'who');\ncommit;\n",
        "begin;\ndrop schema :\"schema\" cascade;\ncommit;\n",
        "begin;\nselect a from :\"schema\".t where :'word' = 'engine';\nrollback;\n",
    ),
    Sketch(
        "data",
        "begin;\nset search_path = :\"schema\";\ncopy t from stdin;\n1\tit's; :word\n2\t\\N\n\\.\n"
        "\\copy t (a, b) from 'data/more.csv' with (format csv)\n\\i data/insert.sql\n"
        "insert into t (a) values (9);\ncommit;\n",
        "begin;\ndelete from :\"schema\".t;\ncommit;\n",
        "\\set many 5\ndo $$ begin assert 5 = (select count(*) from \"it's \"\"here\"\"\".t where a < 10); end $$;\n"
        "select 1 / (count(*) = :many)::int from :\"schema\".t where a < 10;\n",
    ),
    Sketch(
        "function",
        "\\if :{?owner}\r\ncreate function :\"schema\".f() returns text language sql\r\n"
        "as $$\r\n  select 'é :word'\r\n$$;"
        "\r\n\\else\r\nnonsense\r\n\\endif\r\n",
        "drop function :\"schema\".f();\n",
        "select :\"schema\".f();\n",
    ),
    Sketch(
        "statements",
        "create index concurrently t_b on :\"schema\".t (b);\ncopy :\"schema\".t from stdin (format csv);\n11,x\n\\.\n",
        "drop index :\"schema\".t_b;\ndelete from :\"schema\".t where a = 11;\n",
        "select a from :\"schema\".t where a = 11;\n",
    ),
)  # fmt: skip


def made(folder: Path, *changes: Sketch) -> Project:
    """A project with variables in its configuration, and files to include."""
    write(folder, *(changes or CHANGES))
    (folder / "data").mkdir()
    (folder / "data/more.csv").write_text("3,three\n", encoding="utf-8")
    (folder / "data/insert.sql").write_text("\\ir insert2.sql\n", encoding="utf-8")
    (folder / "data/insert2.sql").write_text("insert into t values (4, :'owner')", encoding="utf-8")
    (folder / "sqitch.conf").write_text(CONF, encoding="utf-8")
    return load(folder)


def given() -> list[str]:
    """The variables as Sqitch's command line has them."""
    return [word for name, value in GIVEN.items() for word in ("--set", f"{name}={value}")]


def content(database: Database) -> list[tuple[object, ...]]:
    """The rows that the scripts left."""
    with database.superuser_connection() as connection:
        return connection.execute('select a, b from "it\'s ""here""".t order by a').fetchall()


def test_alike(empty: Database, other: Database, tmp_path: Path) -> None:
    """Deployed, verified and reverted by either: data, definitions and registry are the same, and each takes over."""
    project = made(tmp_path / "p")
    options = Options(variables=GIVEN)
    said: list[Event] = []
    runner.migrate(empty.url(), [project], options=options, report=said.append)
    sqitch.run(project.folder, other.url(), "deploy", "--verify", *given())
    assert 'making it\'s "here"' in [event.text for event in said]
    assert content(empty) == content(other)
    assert len(content(empty)) == 6
    assert rows(empty) == rows(other)
    assert dump(empty) == dump(other)
    for database in (empty, other):
        verified, _ = inspection.verify(database.url(), [project], options=options)
        assert [result.problems for result in verified] == [[]] * 4
        assert "Verify successful" in sqitch.run(project.folder, database.url(), "verify", *given()).output
    runner.revert(other.url(), [project], to=None, confirm=lambda _: True, options=options)
    sqitch.run(project.folder, empty.url(), "revert", "-y", *given())
    assert rows(empty) == rows(other)
    assert dump(empty) == dump(other)


@pytest.mark.parametrize(
    ("deploy", "message"),
    [
        ("begin;\nselect :nope;\ncommit;\n", 'uses the psql variable ":nope", which is not set'),
        ("begin;\n\\i deploy/bad.sql\ncommit;\n", "which is being read already"),
        ("begin;\n\\i ../outside.sql\ncommit;\n", "which is outside of its project"),
        ("begin;\ncopy a from stdin;\n1\ncommit;\n", "has a COPY whose data does not end"),
    ],
)
def test_bad_input(empty: Database, tmp_path: Path, deploy: str, message: str) -> None:
    """What cannot run is one error before anything runs, by ``--dry-run`` as well: not even the registry is made."""
    project = made(tmp_path / "p", Sketch.table("a"), Sketch("bad", deploy))
    for dry_run in (True, False):
        with pytest.raises(ScriptError, match=message):
            runner.migrate(empty.url(), [project], dry_run=dry_run)
    with empty.superuser_connection() as connection:
        assert connection.execute(
            "select to_regclass('public.a')::text, to_regclass('sqitch.changes')::text"
        ).fetchone() == (
            None,
            None,
        )


@pytest.mark.parametrize("data", ["1\n2\tx\n", "1\nx\n"])
def test_data_that_does_not_fit(empty: Database, tmp_path: Path, data: str) -> None:
    """Data that a table refuses rolls its change back, and the error counts the line."""
    bad = Sketch("bad", f"begin;\ncreate table public.b ();\ncopy public.a from stdin;\n{data}\\.\ncommit;\n")
    project = made(tmp_path / "p", Sketch.table("a"), bad)
    with pytest.raises(ScriptError) as refused:
        runner.migrate(empty.url(), [project])
    assert "bad.sql, line 3." in (refused.value.detail or "")
    assert "COPY a, line 2" in (refused.value.detail or "")
    with empty.superuser_connection() as connection:
        row = connection.execute("select to_regclass('public.b')::text, (select count(*) from public.a)").fetchone()
    assert row == (None, 0)
    (project.folder / "deploy/bad.sql").write_text(
        "begin;\ncopy public.a from stdin;\n1\n\\.\ncommit;\n", encoding="utf-8"
    )
    assert runner.migrate(empty.url(), [project]) == ["p:bad"]


def test_wrong_variable(empty: Database, tmp_path: Path) -> None:
    """A variable that would change how psql commits is refused."""
    with pytest.raises(ConfigurationError, match="AUTOCOMMIT"):
        runner.migrate(empty.url(), [made(tmp_path / "p")], options=Options(variables={"AUTOCOMMIT": "off"}))
