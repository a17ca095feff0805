"""What public Sqitch projects hold, beside the real Sqitch: the same outcome, or a refusal that says what to do."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.clusters import Cluster, Database, first_of
from tests.migrations import sqitch
from tests.migrations.conftest import deployed, dump, rows
from tests.migrations.sketch import Sketch, write
from userscope.errors import MigrationError, RegistryError, ScriptError
from userscope.migrations import inspection, runner
from userscope.migrations.engine import Event, Options
from userscope.migrations.projects import Project, load

A, B, C = Sketch.table("a"), Sketch.table("b"), Sketch.table("c")


def both(ours: Database, theirs: Database, project: Project, *, verify: bool = True) -> None:
    """Deploy by either; the registries and the definitions are the same."""
    runner.migrate(ours.url(), [project], options=Options(verify=verify))
    sqitch.run(project.folder, theirs.url(), "deploy", *(["--verify"] if verify else []))
    assert rows(ours) == rows(theirs)
    assert dump(ours) == dump(theirs)
    assert [change.split(":")[1] for change in deployed(ours)] == [change.name for change in project.plan.changes]


SETTINGS = {
    "the database": "do $$ begin execute format('alter database %I set search_path = app', current_database()); end $$",
    "the role in the database": "do $$ begin execute format('alter role %I in database %I set search_path = app', "
    "session_user, current_database()); end $$",
}
RESET = (
    "do $$ begin execute format('alter database %I reset all', current_database()); "
    "execute format('alter role %I in database %I reset all', session_user, current_database()); end $$"
)


@pytest.mark.parametrize("of", SETTINGS)
@pytest.mark.parametrize("form", first_of("begin;\n{};\ncommit;\n", "{};\n"), ids=["transaction", "statements"])
def test_settings_hold_for_the_next(empty: Database, other: Database, tmp_path: Path, of: str, form: str) -> None:
    """What a change sets for new sessions holds for its verification and the next change; so does taking it back."""
    here = "do $$ begin assert current_schema = 'app'; end $$;\n"
    first = Sketch("a", form.format(f"create schema app;\n{SETTINGS[of]}"), "select 1;", here)
    table = Sketch("t", "begin;\ncreate table t (id integer);\ncommit;\n", "drop table t;", here)
    back = Sketch("z", form.format(RESET), "select 1;", "do $$ begin assert current_schema = 'public'; end $$;\n")
    last = Sketch("y", "begin;\ncreate table y (id integer);\ncommit;\n", "drop table y;", "select id from public.y;")
    both(empty, other, write(tmp_path / "p", first, table, back, last))
    with empty.superuser_connection() as connection:
        query = "select relname, relnamespace::regnamespace::text from pg_class where relname in ('t', 'y') order by 1"
        assert connection.execute(query).fetchall() == [("t", "app"), ("y", "public")]


@pytest.mark.parametrize(
    "how", ["set my.own = 'x'", "select set_config('my.own', 'x', false)", "set local my.own = ''"]
)
def test_custom_settings_are_unset(empty: Database, tmp_path: Path, how: str) -> None:
    """A setting of one's own is unset for the next change, as in a new session, and the lock is kept meanwhile."""
    unset = "do $$ begin assert current_setting('my.own', true) is null; end $$"
    first = replace(A, deploy=f"begin;\ncreate table public.a (id integer);\n{how};\ncommit;\n")
    second = replace(C, deploy=f"begin;\n{unset};\ncreate table public.c (id integer);\ncommit;\n")
    held: list[object] = []

    def look(event: Event) -> None:
        if event.kind == "start":
            with empty.superuser_connection() as connection:
                held.append(connection.execute("select pg_try_advisory_lock(75474063)").fetchone())

    assert runner.migrate(empty.url(), [write(tmp_path / "p", first, second)], report=look) == ["p:a", "p:c"]
    assert held == [(False,), (False,)]


def test_target_registry(empty: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The default target's registry is the one: what Sqitch recorded there is found, and nothing runs once more."""
    project = write(tmp_path / "p", A)
    conf = (
        '[core]\n\tengine = pg\n[engine "pg"]\n\ttarget = prod\n[target "prod"]\n\turi = db:pg:{}\n\tregistry = ops\n'
    )
    (project.folder / "sqitch.conf").write_text(conf.format(empty.name), encoding="utf-8")
    sqitch.run(project.folder, empty.url(), "deploy", target="prod")
    project = load(project.folder)
    assert project.registry == "ops"
    assert runner.migrate(empty.url(), [project]) == []
    assert rows(empty) == {}, "there is no second registry"
    monkeypatch.setenv("SQITCH_TARGET", "other")
    assert load(project.folder).registry == "sqitch"


@pytest.mark.parametrize("where", ["deploy", "custom"])
def test_reworked_copies(empty: Database, tmp_path: Path, where: str) -> None:
    """With a deploy_dir, old copies are found where Sqitch keeps them now, and where it kept them before 1.5.2."""
    reworked = replace(A, deploy="begin;\ninsert into public.a values (2);\ncommit;\n")
    folder = write(tmp_path / "p", A, "@v1", reworked).folder
    (folder / "sqitch.conf").write_text("[core]\n\tengine = pg\n\tdeploy_dir = custom\n", encoding="utf-8")
    (folder / "custom").mkdir()
    (folder / "deploy/a.sql").rename(folder / "custom/a.sql")
    (folder / where / "a@v1.sql").write_text(A.deploy or "", encoding="utf-8")
    for kind in ("revert", "verify"):
        (folder / kind / "a@v1.sql").write_text(getattr(A, kind), encoding="utf-8")
    assert runner.migrate(empty.url(), [load(folder)]) == ["p:a @v1", "p:a"]


SERIALIZABLE = "set transaction isolation level serializable;\nselect id from public.a;\n"
PROCEDURE = "create procedure public.commits() language plpgsql as $$ begin commit; end $$;\n"
VERIFICATIONS = {
    "an isolation level": f"begin;\n{SERIALIZABLE}rollback;\n",
    "read only": "begin;\nset transaction read only;\nselect id from public.a;\nrollback;\n",
    "vacuum": "vacuum public.a;\n",
    "an index": "create index concurrently if not exists a_idx on public.a (id);\n",
    "a procedure that commits": "call public.commits();\n",
    "a block that commits": "do $$ begin commit; end $$;\n",
}


@pytest.mark.parametrize("what", first_of(*VERIFICATIONS))
@pytest.mark.parametrize("form", first_of("begin;\n{}commit;\n", "{}"), ids=["transaction", "statements"])
def test_verifications(empty: Database, other: Database, tmp_path: Path, what: str, form: str) -> None:
    """A verification that cannot run inside the change's transaction runs after it, as with Sqitch."""
    script = form.format(f"create table public.a (id integer);\n{PROCEDURE}")
    project = write(tmp_path / "p", replace(A, deploy=script, verify=VERIFICATIONS[what]))
    both(empty, other, project)
    found, _ = inspection.verify(empty.url(), [project])
    assert [result.problems for result in found] == [[]]


def test_failing_verification_apart(empty: Database, tmp_path: Path) -> None:
    """Where such a verification fails, the revert script takes the change back."""
    project = write(tmp_path / "p", replace(A, verify="vacuum public.a;\nselect 1/0;\n"))
    with pytest.raises(ScriptError, match="division by zero") as refused:
        runner.migrate(empty.url(), [project])
    assert "--no-verify" in (refused.value.hint or "")
    assert deployed(empty) == []
    with empty.superuser_connection() as connection:
        assert connection.execute("select to_regclass('public.a')").fetchone() == (None,)


ISOLATED = {
    "serializable": "set transaction isolation level serializable;\n",
    "with more": "set transaction isolation level repeatable read, deferrable;\n",
}


@pytest.mark.parametrize("what", ISOLATED)
def test_isolation_of_a_deploy(empty: Database, other: Database, tmp_path: Path, what: str) -> None:
    """A deploy script sets its transaction's isolation first, before our own statements."""
    level = ISOLATED[what].split()[4].rstrip(",;")
    probe = f"do $$ begin assert current_setting('transaction_isolation') like '{level}%'; end $$;\n"
    script = f"begin;\n{ISOLATED[what]}{probe}create table public.a (id integer);\ncommit;\n"
    both(empty, other, write(tmp_path / "p", replace(A, deploy=script)))


def test_unneeded_revert(empty: Database, other: Database, tmp_path: Path) -> None:
    """A revert script that cannot be read stands in the way of no deploy."""
    stepwise = Sketch("a", "create table public.a (id integer);\n", "delete * from a;\n", None)
    verified = replace(stepwise, name="b", deploy="create table public.b (id integer);\n", verify="select 1;\n")
    project = write(tmp_path / "p", stepwise, verified)
    told: list[str] = []
    runner.migrate(empty.url(), [project], report=lambda event: told.append(event.text))
    sqitch.run(project.folder, other.url(), "deploy", "--verify")
    assert rows(empty) == rows(other)
    assert any(text.startswith('Should its verification fail, "p:b" cannot be reverted: ') for text in told)
    with pytest.raises(ScriptError, match="cannot be parsed"):
        runner.revert(empty.url(), [project], to=None, confirm=lambda _: True)


def test_moved_tag(empty: Database, tmp_path: Path) -> None:
    """A tag that was deployed and then moved is refused before anything runs; Sqitch runs into its own constraint."""
    runner.migrate(empty.url(), [write(tmp_path / "p", A, "@v1")])
    before = rows(empty)
    project = write(tmp_path / "p", A, B, "@v1")
    for dry_run in (True, False):
        with pytest.raises(RegistryError, match='tag "@v1" of "p" was deployed at "a", and the plan has it at "b"'):
            runner.migrate(empty.url(), [project], dry_run=dry_run)
    assert rows(empty) == before
    assert "duplicate key" in sqitch.run(project.folder, empty.url(), "deploy", check=False).output


def test_schema_made_beforehand(cluster: Cluster, tmp_path: Path) -> None:
    """Where somebody else made the registry's schema, the right to make tables in it is enough."""
    database = cluster.database("plain")
    owner = database.url().params["user"]
    with database.superuser_connection() as connection:
        connection.execute("create schema sqitch")
        connection.execute(f"grant all on schema sqitch to {owner}".encode())
    runner.migrate(database.url(), [write(tmp_path / "p", A)])
    assert deployed(database) == ["p:a"]
    database.drop()


REFUSED = {
    "no parse": replace(A, deploy="delete * from a;\n"),
    "no commit": replace(A, deploy="begin;\nselect 1;\n"),
    "no script": replace(A, deploy=None),
    "a bad verification": replace(A, verify="selec 1;\n"),
    "the script of another": replace(A, name="b"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_dry_run_refuses(empty: Database, tmp_path: Path, what: str) -> None:
    """--dry-run refuses what the run would refuse, with the same words, and leaves no trace."""
    project = write(tmp_path / "p", *([A] if what == "the script of another" else []), REFUSED[what])
    said = set()
    for dry_run in (True, False):
        with pytest.raises(MigrationError) as refused:
            runner.migrate(empty.url(), [project], dry_run=dry_run)
        said.add(str(refused.value))
    assert len(said) == 1
    assert rows(empty) == {}


def test_log_only_names_what_is_missing(empty: Database, other: Database, tmp_path: Path) -> None:
    """What is recorded without a script is named; the rows are Sqitch's."""
    project = write(tmp_path / "p", A, replace(B, deploy=None))
    told: list[str] = []
    options = Options(log_only=True)
    runner.migrate(empty.url(), [project], options=options, report=lambda event: told.append(event.text))
    sqitch.run(project.folder, other.url(), "deploy", "--log-only")
    assert rows(empty) == rows(other)
    assert [text for text in told if "does not exist" in text] == [
        f'Deploy script {project.folder}/deploy/b.sql does not exist: "p:b" is recorded without its hash'
    ]


def test_no_verify(empty: Database, other: Database, tmp_path: Path) -> None:
    """Verifications that fail are left out when that is asked for, or written in sqitch.conf; the ledger says so."""
    project = write(tmp_path / "p", replace(A, verify="select 1/0;\n"), replace(B, verify="select 1/0;\n"))
    with pytest.raises(ScriptError, match="division by zero") as refused:
        runner.migrate(empty.url(), [project])
    assert "--no-verify" in (refused.value.hint or "")
    with empty.superuser_connection() as connection:
        connection.execute("delete from sqitch.events")
    told: list[Event] = []
    runner.migrate(empty.url(), [project], to="a", options=Options(verify=False), report=told.append)
    assert [event.remark for event in told if event.kind == "ok"] == ["not verified"]
    with (project.folder / "sqitch.conf").open("a", encoding="utf-8") as file:
        file.write("[deploy]\n\tverify = false\n")
    runner.migrate(empty.url(), [load(project.folder)])
    sqitch.run(project.folder, other.url(), "deploy")
    assert rows(empty) == rows(other)


@pytest.mark.breadth
def test_many_statements(empty: Database, other: Database, tmp_path: Path) -> None:
    """100,000 statements are one change as any other; "make bench" tells how long they take beside Sqitch."""
    inserts = "".join(f"insert into public.a values ({number});\n" for number in range(100_000))
    script = f"begin;\ncreate table public.a (n bigint);\n{inserts}commit;\n"
    project = write(tmp_path / "p", replace(A, deploy=script, verify=None))
    sqitch.run(project.folder, other.url(), "deploy")
    runner.migrate(empty.url(), [project])
    assert rows(empty) == rows(other)
    with empty.superuser_connection() as connection:
        assert connection.execute("select count(*), sum(n) from public.a").fetchone() == (100_000, 4_999_950_000)
