"""Whatever fails leaves the registry and the schema that Sqitch would leave, or safer ones."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.clusters import Database
from tests.migrations import sqitch
from tests.migrations.conftest import deployed, dump, rows
from tests.migrations.sketch import Sketch, write
from tests.versions import first_of
from userscope.errors import MigrationError, ScriptError
from userscope.migrations import runner
from userscope.migrations.engine import Event, Options
from userscope.migrations.projects import Project, load

ONE, THREE = Sketch.table("one"), Sketch.table("three")
TWO = Sketch.table("two")

SAME = {
    "script in its transaction": replace(TWO, deploy="begin;\ncreate table public.two ();\nselect 1/0;\ncommit;\n"),
    "script at its commit": replace(
        TWO,
        deploy="begin;\ncreate table public.two (id integer primary key, up integer references public.two "
        "deferrable initially deferred);\ninsert into public.two values (1, 2);\ncommit;\n",
    ),
    "script after its commit": replace(TWO, deploy="begin;\ncreate table public.two ();\ncommit;\nselect 1/0;\n"),
    "script without a transaction": replace(TWO, deploy="create table public.two ();\nselect 1/0;\n"),
    "script that cannot run in a transaction": replace(TWO, deploy="begin;\nvacuum;\ncommit;\n"),
    "verification": replace(TWO, verify="begin;\nselect 1/0;\nrollback;\n"),
    "verification of several transactions": replace(TWO, verify="begin;\nselect 1;\ncommit;\nbegin;\nselect 1/0;\n"),
    "verification after a script of several": replace(
        TWO, deploy="create table public.two ();\ncreate index on public.two ((1));\n", verify="select 1/0;"
    ),
    "verification of a new enum value": replace(
        TWO,
        deploy="begin;\ncreate type public.two as enum ('a');\nalter type public.two add value 'b';\ncommit;\n",
        revert="begin;\ndrop type public.two;\ncommit;\n",
        verify="begin;\nselect 'b'::public.two, 1/0;\nrollback;\n",
    ),
    "syntax that only the server knows to be wrong": replace(TWO, deploy="begin;\nselect nowhere();\ncommit;\n"),
}


def migrate(database: Database, project: Project) -> MigrationError:
    """Migrate, and return why it failed."""
    with pytest.raises(MigrationError) as failed:
        runner.migrate(database.url(), [project])
    return failed.value


@pytest.mark.parametrize("case", first_of(*SAME))
def test_same_as_sqitch(empty: Database, other: Database, tmp_path: Path, case: str) -> None:
    """A change that fails is not deployed, an event tells so, those before it stay: sqitch deploy --mode change."""
    project = write(tmp_path / "p", ONE, "@v1", SAME[case], THREE)
    theirs = sqitch.run(project.folder, other.url(), "deploy", "--verify", "--mode", "change", check=False)
    assert theirs.returncode == 2
    failure = migrate(empty, project)
    assert rows(empty) == rows(other)
    assert dump(empty) == dump(other)
    assert [row[:3] for row in rows(empty)["events"]][-1][0] == "fail"
    assert failure.message.startswith('change "p:two" failed: ')
    assert "two.sql" in (failure.detail or "")


def test_goes_on(empty: Database, tmp_path: Path) -> None:
    """Once the script is corrected, a plain run deploys the rest."""
    project = write(tmp_path / "p", ONE, SAME["verification"], THREE)
    migrate(empty, project)
    assert runner.migrate(empty.url(), [write(tmp_path / "p", ONE, TWO, THREE)]) == ["p:two", "p:three"]
    events = [row[0] for row in rows(empty)["events"]]
    assert events == ["deploy", "fail", "deploy", "deploy"]


def test_where_it_failed(empty: Database, tmp_path: Path) -> None:
    """The failure names the script, the line, what PostgreSQL said and what became of the change."""
    project = write(tmp_path / "p", replace(TWO, deploy="begin;\n\nselect 1,\n  nowhere\nfrom pg_class;\ncommit;\n"))
    failure = migrate(empty, project)
    assert failure.message == 'change "p:two" failed: column "nowhere" does not exist'
    assert failure.detail == f"This is {tmp_path / 'p' / 'deploy' / 'two.sql'}, line 4. The change was rolled back."


def test_partly_done(empty: Database, tmp_path: Path) -> None:
    """Where a script is no single transaction, the failure says that a part of it stays."""
    failure = migrate(empty, write(tmp_path / "p", SAME["script after its commit"]))
    assert "what it did before that line stays" in (failure.detail or "")


def test_detail_and_hint_of_a_script(empty: Database, tmp_path: Path) -> None:
    """A script's own DETAIL and HINT reach the user."""
    script = "do $$ begin raise 'no' using detail = 'Because.', hint = 'Do this.'; end $$;"
    failure = migrate(empty, write(tmp_path / "p", replace(TWO, verify=f"begin; {script} rollback;")))
    assert failure.message == 'change "p:two" failed: no'
    assert "Because." in (failure.detail or "")
    assert failure.hint == "Do this."


def test_schema_of_that_name(empty: Database, tmp_path: Path) -> None:
    """A schema that is somebody else's stays as it is; the way is to rename it, or another database."""
    with empty.superuser_connection() as connection:
        connection.execute("create schema shop; create table shop.mine ()")
    failure = migrate(empty, write(tmp_path / "p", replace(TWO, deploy="begin;\ncreate schema shop;\ncommit;\n")))
    assert "rename it" in (failure.hint or "")
    assert "CREATE TABLE shop.mine" in dump(empty)
    assert rows(empty)["changes"] == []


def test_extension(empty: Database, tmp_path: Path) -> None:
    """An extension that the server lacks, as the embedded one lacks contrib: where to go, and nothing is left."""
    script = "begin;\ncreate table public.two ();\ncreate extension no_such_thing;\ncommit;\n"
    failure = migrate(empty, write(tmp_path / "p", replace(TWO, deploy=script)))
    assert failure.message == 'change "p:two" failed: extension "no_such_thing" is not available'
    assert "Let ADMIN_DATABASE_URL name a server where this one is installed." in (failure.hint or "")
    assert "public.two" not in dump(empty)


def _refused(empty: Database, project: Project, message: str) -> MigrationError:
    """Expect a refusal before anything was written: there is not even a registry."""
    failure = migrate(empty, project)
    assert message in failure.message
    assert failure.hint
    assert rows(empty) == {}
    return failure


def test_missing_deploy_script(empty: Database, tmp_path: Path) -> None:
    """Safer than Sqitch: a missing script is noticed before anything runs."""
    _refused(empty, write(tmp_path / "p", ONE, replace(TWO, deploy=None)), 'change "p:two" has no script to run')


def test_same_script_twice(empty: Database, tmp_path: Path) -> None:
    """Safer than Sqitch: two changes with one script are noticed before anything runs."""
    project = write(tmp_path / "p", ONE, replace(TWO, deploy=ONE.deploy))
    _refused(empty, project, 'change "p:two" has the same deploy script as "one"')


def test_same_script_as_a_deployed_one(empty: Database, tmp_path: Path) -> None:
    """The same where the other one is deployed already."""
    runner.migrate(empty.url(), [write(tmp_path / "p", ONE)])
    failure = migrate(empty, write(tmp_path / "p", ONE, replace(TWO, deploy=ONE.deploy)))
    assert 'has the same deploy script as "one"' in failure.message


@pytest.mark.parametrize(
    ("script", "line"),
    [
        ("begin;\ncreate table public.two ();\n", 1),
        ("select 1;\nbegin;\nselect 2;\ncommit and chain;\n", 4),
        ("begin;\nselect 1;\ncommit and no chain;\nstart transaction;\nselect 2;\n", 4),
        ("begin;\nselect 1;\nrollback and chain;\n", 3),
        ("begin;\nselect 1;\ncommit;\nbegin;\nsavepoint a;\nrollback to a;\n", 4),
    ],
)
def test_forgotten_commit(empty: Database, tmp_path: Path, script: str, line: int) -> None:
    """Safer than Sqitch, which loses the work and says ok: a script that ends inside a transaction does not run."""
    failure = _refused(empty, write(tmp_path / "p", ONE, replace(TWO, deploy=script)), "ends inside a transaction")
    assert f"begins on line {line}" in (failure.detail or "")


@pytest.mark.parametrize("end", ["rollback;", "abort;", "rollback work;", "rollback transaction;"])
def test_final_rollback(empty: Database, tmp_path: Path, end: str) -> None:
    """Safer than Sqitch: a script that rolls its work back at the end does not run."""
    script = f"begin;\ncreate table public.two ();\n{end}\n"
    _refused(empty, write(tmp_path / "p", ONE, replace(TWO, deploy=script)), "so its work would be lost")


def test_missing_verification(empty: Database, other: Database, tmp_path: Path) -> None:
    """A missing verification is a warning, as with Sqitch."""
    project = write(tmp_path / "p", replace(ONE, verify=None))
    sqitch.run(project.folder, other.url(), "deploy", "--verify")
    events: list[Event] = []
    runner.migrate(empty.url(), [project], report=events.append)
    assert rows(empty) == rows(other)
    warnings = [event.text for event in events if event.kind == "warning"]
    assert warnings == [f"Verify script {tmp_path / 'p' / 'verify' / 'one.sql'} does not exist"]


def test_failing_revert(empty: Database, other: Database, tmp_path: Path) -> None:
    """A revert that fails stops there, with no event, as with Sqitch; what it did in its transaction is undone."""
    bad = replace(TWO, revert="begin;\ndrop table public.two;\nselect 1/0;\ncommit;\n")
    project = write(tmp_path / "p", ONE, bad, THREE)
    for database in (empty, other):
        runner.migrate(database.url(), [project])
    assert sqitch.run(project.folder, other.url(), "revert", "-y", check=False).returncode == 2
    with pytest.raises(MigrationError, match='reverting "p:two" failed: division by zero'):
        runner.revert(empty.url(), [project], to=None, confirm=lambda _: True)
    assert rows(empty) == rows(other)
    assert dump(empty) == dump(other)
    assert [row[2] for row in rows(empty)["changes"]] == ["one", "two"]


def test_missing_revert_script(empty: Database, tmp_path: Path) -> None:
    """Safer than Sqitch: a missing revert script is noticed before anything is reverted."""
    project = write(tmp_path / "p", ONE, replace(TWO, revert=None), THREE)
    runner.migrate(empty.url(), [project])
    before = rows(empty)
    with pytest.raises(MigrationError, match='"p:two" has no script to run'):
        runner.revert(empty.url(), [project], to=None, confirm=lambda _: True)
    assert rows(empty) == before


def test_failing_revert_of_a_failed_verification(empty: Database, tmp_path: Path) -> None:
    """Safer than Sqitch: a failed verification needs no revert script, the whole transaction is gone."""
    bad = replace(TWO, verify="begin;\nselect 1/0;\nrollback;\n", revert="begin;\nselect 1/0;\ncommit;\n")
    migrate(empty, write(tmp_path / "p", ONE, bad))
    assert "public.two" not in dump(empty)
    assert [row[0] for row in rows(empty)["events"]] == ["deploy", "fail"]


def test_failing_revert_of_a_late_verification(empty: Database, tmp_path: Path) -> None:
    """Where the verification had to wait for the commit and the revert fails too, the change stays recorded."""
    bad = replace(SAME["verification of a new enum value"], revert="begin;\nselect 1/0;\ncommit;\n")
    failure = migrate(empty, write(tmp_path / "p", ONE, bad))
    assert failure.message == 'reverting "p:two" failed: division by zero'
    assert "still there" in (failure.hint or "")
    assert [row[2] for row in rows(empty)["changes"]] == ["one", "two"]
    assert "CREATE TYPE public.two" in dump(empty)


def test_half_made_database(empty: Database, tmp_path: Path) -> None:
    """A database with our objects but without a registry, as where it was dropped, is told apart, with the way out."""
    with empty.superuser_connection() as connection:
        connection.execute("create table public.one (id integer)")
    project = write(tmp_path / "p", ONE)
    failure = migrate(empty, project)
    assert failure.message == 'change "p:one" failed: relation "one" already exists'
    assert "--log-only" in (failure.hint or "")
    assert runner.migrate(empty.url(), [project], options=Options(log_only=True)) == ["p:one"]
    assert runner.migrate(empty.url(), [project]) == []


def test_log_only(empty: Database, other: Database, tmp_path: Path) -> None:
    """--log-only writes Sqitch's rows, deploying and reverting, and runs nothing."""
    project = write(tmp_path / "p", ONE, "@v1", replace(TWO, requires="one"))
    options = Options(log_only=True)
    sqitch.run(project.folder, other.url(), "deploy", "--log-only")
    runner.migrate(empty.url(), [project], options=options)
    assert rows(empty) == rows(other)
    assert "CREATE TABLE public." not in dump(empty)
    sqitch.run(project.folder, other.url(), "revert", "-y", "--log-only")
    runner.revert(empty.url(), [project], to=None, confirm=lambda _: True, options=options)
    assert rows(empty) == rows(other)


@pytest.mark.parametrize("said", ["by an option", "by sqitch.conf"])
def test_log_only_verified(empty: Database, other: Database, tmp_path: Path, said: str) -> None:
    """--log-only verifies where that was asked for: what holds is recorded, up to the first that does not."""
    project = write(tmp_path / "p", ONE, TWO, THREE)
    if said == "by sqitch.conf":
        (project.folder / "sqitch.conf").write_text("[core]\nengine = pg\n[deploy]\nverify = yes\n", encoding="utf-8")
    for database in (empty, other):
        with database.superuser_connection() as connection:
            connection.execute("create table public.one (id integer); create table public.three (id integer)")
    asked = ["--verify"] if said == "by an option" else []
    sqitch.run(project.folder, other.url(), "deploy", "--log-only", "--mode", "change", *asked, check=False)
    options = Options(log_only=True, verify=True if asked else None)
    with pytest.raises(ScriptError, match=r'"p:two" failed: relation "public\.two" does not exist'):
        runner.migrate(empty.url(), [load(project.folder)], options=options)
    assert rows(empty) == rows(other)
    assert deployed(empty) == ["p:one"]


def test_notices_and_warnings(empty: Database, tmp_path: Path) -> None:
    """What a script raises as a notice or a warning reaches the user; bookkeeping raises none."""
    script = "do $$ begin raise notice 'a note'; raise warning 'take care'; raise debug 'no'; raise info 'fyi'; end $$"
    events: list[Event] = []
    project = write(tmp_path / "p", replace(ONE, deploy=f"begin; {script}; create table public.one (id int); commit;"))
    runner.migrate(empty.url(), [project], report=events.append)
    assert [event.text for event in events if event.kind == "warning"] == [
        "NOTICE:  a note",
        "WARNING:  take care",
        "INFO:  fyi",
    ]
