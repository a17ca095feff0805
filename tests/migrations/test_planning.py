"""add, tag and rework write byte for byte what real Sqitch writes: plans, scripts, and what they say."""

import re
import shutil
from pathlib import Path

import pytest

from tests.cli.runner import Runner
from tests.clusters import Database
from tests.migrations import sqitch
from userscope.errors import PlanError
from userscope.migrations import authoring, runner
from userscope.migrations.projects import load

CONF = "[core]\n\tengine = pg\n"
EMPTY = "%syntax-version=1.0.0\n%project=shop\n%uri=https://example.com/shop\n\n"
TEMPLATE = (
    "-- [% change %] of [% project %] by [% author %]\n[%- IF author -%]\n-- needs [% FOREACH r IN requires %]<[% r %]>"
    "[% END %]\n[% ELSE %]\n-- nothing\n[% END -%]\n[% UNLESS nothing %]free[% END %]\n  [%- # a comment %]\n"
    "[% engine -%]  \n.\n"
)
STEPS: dict[str, list[list[str]]] = {
    "changes": [
        ["add", "users", "-n", "Adds users"],
        ["add", "sub/notes", "-r", "users", "-r", "other:thing@v1", "-x", "legacy", "-n", "  Adds: # notes  "],
        ["add", "été_中", "-r", "shop:users", "-n", "one\\ntwo \\ three", "-n", "paragraph"],
    ],
    "tags": [
        ["add", "users", "-n", "users"],
        ["tag", "v1.0", "-n", "First"],
        ["tag", "@v1.0.1", "-n", "Again"],
        ["add", "more", "-r", "@v1.0", "-r", "users@v1.0", "-n", "After a tag"],
        ["add", "last", "-n", "No blank line"],
        ["tag", "v0.9", "users", "-n", "Late, at an earlier change"],
        ["tag", "v2", "-n", "the end"],
    ],
    "reworks": [
        ["add", "users", "-n", "users"],
        ["add", "sub/notes", "-n", "notes"],
        ["tag", "v1", "-n", "v1"],
        ["tag", "v1b", "-n", "v1b"],
        ["rework", "users", "-r", "sub/notes", "-x", "legacy", "-n", "Changes users"],
        ["rework", "sub/notes", "-n", "Changes notes"],
        ["add", "more", "-n", "More"],
        ["tag", "v2", "-n", "v2"],
        ["rework", "users", "-n", "Once more"],
    ],
}
LAYOUTS = {
    "plain": CONF,
    "folders": '[core]\n\tengine = pg\n\ttop_dir = sql\n\textension = ddl\n[engine "pg"]\n\tplan_file = the.plan\n',
    "templates": f'{CONF}[add]\n\ttemplate_directory = tt\n[add "templates"]\n\trevert = tt/back.tmpl\n'
    '[add "variables"]\n\tauthor = Ada Löve\n',
}


def made(folder: Path, layout: str = "plain") -> Path:
    """An empty project."""
    (folder / "tt" / "deploy").mkdir(parents=True)
    (folder / "tt" / "test").mkdir()
    (folder / "tt" / "deploy" / "pg.tmpl").write_text(TEMPLATE, encoding="utf-8")
    (folder / "tt" / "test" / "pg.tmpl").write_text("[% change %]\n", encoding="utf-8")
    (folder / "tt" / "back.tmpl").write_text("revert [%change%]\n", encoding="utf-8")
    (folder / "sqitch.conf").write_text(LAYOUTS[layout], encoding="utf-8")
    (folder / ("the.plan" if layout == "folders" else "sqitch.plan")).write_text(EMPTY, encoding="utf-8")
    return folder


def content(folder: Path) -> dict[str, str]:
    """Every file, with its times taken out."""
    return {
        str(path.relative_to(folder)): re.sub(
            r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "AT", path.read_text(encoding="utf-8")
        )
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def cli(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Runner:
    """The command line in a project's folder."""
    return Runner(made(tmp_path / "ours"), capfd, **sqitch.environment())


@pytest.mark.parametrize(
    ("steps", "layout"),
    [("changes", "plain"), ("tags", "plain"), ("reworks", "plain"), ("reworks", "folders"), ("changes", "templates")],
)
def test_as_sqitch(tmp_path: Path, capfd: pytest.CaptureFixture[str], steps: str, layout: str) -> None:
    """After every command, all files are the same, and so is what was said."""
    ours, theirs = made(tmp_path / "ours", layout), made(tmp_path / "theirs", layout)
    run = Runner(ours, capfd, **sqitch.environment())
    for step in STEPS[steps]:
        assert run(*step).stdout == sqitch.plans(theirs, *step)
        assert content(ours) == content(theirs), step


def test_deployed(cli: Runner, empty: Database) -> None:
    """What was planned so is deployed by either, reworked and reverted: the copies are where both look."""
    for step in STEPS["reworks"]:
        cli(*(word for word in step if word not in ("-x", "legacy")))
        deploy, _ = cli.folder / f"deploy/{step[1]}.sql", step
        if step[0] != "tag":
            deploy.write_text(f"begin;\nselect '{len(content(cli.folder))}';\ncommit;\n", encoding="utf-8")
    project = load(cli.folder)
    assert runner.migrate(empty.url(), [project], to="@v2")[-1] == "shop:more @v2"
    sqitch.run(cli.folder, empty.url(), "deploy", "--verify")
    assert runner.revert(empty.url(), [project], to="@v1", confirm=lambda _: True)[-1] == "shop:users"
    sqitch.run(cli.folder, empty.url(), "revert", "-y")


def test_existing_script(cli: Runner) -> None:
    """A script that is there already stays as it is, as with Sqitch."""
    (cli.folder / "deploy").mkdir()
    (cli.folder / "deploy/a.sql").write_text("mine", encoding="utf-8")
    said = cli("add", "a", "-n", "a").stdout
    assert said.splitlines() == [
        "Skipped deploy/a.sql: already exists",
        "Created revert/a.sql",
        "Created verify/a.sql",
        'Added "a" to sqitch.plan',
    ]
    assert (cli.folder / "deploy/a.sql").read_text(encoding="utf-8") == "mine"


REFUSED = {
    ("add", "users", "-n", "x"): '"userscope rework shop:users -n NOTE", after a tag',
    ("add", "HEAD", "-n", "x"): "HEAD",
    ("add", "a b", "-n", "x"): "invalid name",
    ("add", "a [users]", "-n", "x"): '"a [users]" is no name',
    ("add", "x/../../../y", "-n", "x"): '"x/../../../y" is no name',
    ("add", "x/./y", "-n", "x"): '"x/./y" is no name',
    ("add", "x//y", "-n", "x"): '"x//y" is no name',
    ("add", "a:b", "-n", "x"): '"a:b" names no project',
    ("add", "b", "-r", "nothing", "-n", "x"): 'requires "nothing"',
    ("add", "b", "-r", "!users", "-n", "x"): '"!users" is no change',
    ("add", "b", "-n", "  "): "there is no note",
    ("tag", "v1", "-n", "x"): 'tag "@v1" is in plan',
    ("tag", "v 2", "-n", "x"): "invalid name",
    ("tag", "v2", "nothing", "-n", "x"): 'has no change "nothing"',
    ("rework", "nothing", "-n", "x"): '"userscope add shop:nothing -n NOTE"',
    ("rework", "late", "-n", "x"): 'Set one first: "userscope tag shop:NAME -n NOTE"',
    ("rework", "kept", "-n", "x"): 'kept@v1.sql" is there already',
    ("rebase",): "rebase is two commands here",
}


def test_refused(cli: Runner) -> None:
    """What Sqitch would not take, or would write wrongly or over, changes nothing."""
    for name in ("users", "kept"):
        cli("add", name, "-n", "x")
    cli("tag", "v1", "-n", "x")
    cli("add", "late", "-n", "x")
    (cli.folder / "deploy/kept@v1.sql").touch()
    before = content(cli.folder)
    for words, said in REFUSED.items():
        refused = cli(*words, code=2)
        assert said in refused.stderr, words
        assert refused.stdout == ""
        assert content(cli.folder) == before


def test_projects(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """PROJECT:NAME says which project is meant where there are several."""
    for name in ("schema", "policies"):
        made(tmp_path / name)
        plan = tmp_path / name / "sqitch.plan"
        plan.write_text(plan.read_text(encoding="utf-8").replace("shop", name), encoding="utf-8")
    run = Runner(tmp_path, capfd, **sqitch.environment())
    assert (
        'Write PROJECT:NAME, where PROJECT is one of "schema", "policies".' in run("add", "a", "-n", "x", code=2).stderr
    )
    assert "Created schema/deploy/a.sql" in run("add", "schema:a", "-n", "x").stdout
    run("add", "policies:a", "-r", "schema:a", "-n", "x")
    assert load(tmp_path / "policies").plan.changes[0].requires[0].project == "schema"


def test_other_lines_stay(tmp_path: Path) -> None:
    """Lines of another form, without an end or with a carriage return, stay as they are."""
    folder = made(tmp_path / "p")
    plan = folder / "sqitch.plan"
    text = "%project=shop\r\n\r\n + a  [ b ]  2026-01-01T00:00:00Z  Ada <a@b>  #x".replace(" [ b ] ", "")
    plan.write_bytes(text.encode())
    authoring.add(load(folder), "c", "note")
    assert plan.read_bytes().startswith(text.encode() + b"\r\nc 2")
    assert plan.read_bytes().endswith(b"# note\r\n")


def test_nothing_half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A template that is not understood, or a folder that is a file, leaves everything as it was."""
    folder = made(tmp_path / "p", "templates")
    monkeypatch.chdir(folder)
    (folder / "tt/deploy/pg.tmpl").write_text("[% INCLUDE other %]", encoding="utf-8")
    before = content(folder)
    with pytest.raises(Exception, match=r'uses "\[% INCLUDE other %\]"'):
        authoring.add(load(folder), "a", "note")
    shutil.copy(folder / "tt/back.tmpl", folder / "tt/deploy/pg.tmpl")
    (folder / "verify").touch()
    before = content(folder)
    with pytest.raises(Exception, match="cannot write"):
        authoring.add(load(folder), "a", "note")
    assert content(folder) == before
    with pytest.raises(PlanError, match="invalid name"):
        authoring.add(load(folder), "a [b", "note")
