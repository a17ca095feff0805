"""``userscope status | verify | check | log | plan``: what they print, and by which exit code they tell."""

import json
import re
from dataclasses import replace
from pathlib import Path

from tests.cli.runner import Runner, ledger
from tests.clusters import Database
from tests.migrations.sketch import Sketch, write

A, B = Sketch.table("a"), Sketch.table("b", "a")


def test_status(cli: Runner, folder: Path) -> None:
    """status tells where each project stands, and ends with 1 while something is pending."""
    write(folder / "p", A, "@v1", "@v2", B)
    arguments = ("--project", "p")
    nothing = cli("status", *arguments, code=1).stdout.splitlines()
    assert nothing[1:5] == ["#", "# Project:  p", "# No changes deployed", "#"]
    assert nothing[5:] == ["Undeployed changes:", "  * p:a @v1 @v2", "  * p:b"]
    cli("migrate", *arguments, "--to", "a")
    lines = cli("status", *arguments, code=1).stdout.splitlines()
    assert lines[2] == "# Project:  p"
    assert re.fullmatch("# Change:   [0-9a-f]{40}", lines[3])
    assert lines[4:6] == ["# Name:     a", "# Tags:     @v1, @v2"]
    assert re.fullmatch(r"# Deployed: \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", lines[6])
    assert lines[7:] == ["# By:       Ada Love <ada@example.com>", "#", "Undeployed change:", "  * p:b"]
    cli("migrate", *arguments)
    assert cli("status", *arguments).stdout.splitlines()[-1] == "Nothing to deploy (up-to-date)"
    plan = folder / "p" / "sqitch.plan"
    plan.write_text(plan.read_text(encoding="utf-8").replace("Ada", "Eve"), encoding="utf-8")
    assert 'the newest deployed change, "p:b", is not in the plan' in cli("status", *arguments, code=1).stdout


def test_verify(cli: Runner, folder: Path, empty: Database) -> None:
    """verify tells of each change whether it holds, and ends with 1 if one does not or one is pending."""
    write(folder / "p", A, B)
    arguments = ("--project", "p")
    assert "No changes deployed" in cli("verify", *arguments, code=1).stdout
    cli("migrate", *arguments, "--to", "a")
    assert cli("verify", *arguments, code=1).stdout.splitlines()[1:] == [
        "  * p:a .. ok",
        "Undeployed change:",
        "  * p:b",
        "Verify successful",
    ]
    cli("migrate", *arguments)
    assert cli("verify", *arguments).stdout.splitlines()[1:] == ["  * p:a .. ok", "  * p:b .. ok", "Verify successful"]
    with empty.superuser_connection() as connection:
        connection.execute("drop table public.a")
    failed = cli("verify", *arguments, code=1)
    assert ledger(failed.stdout)[-2:] == ["  * p:a .. not ok", "  * p:b .. ok"]
    assert failed.stdout.splitlines()[-4:] == [
        "Verify Summary Report",
        "---------------------",
        "Changes: 2",
        "Errors:  1",
    ]
    assert 'relation "public.a" does not exist' in failed.stderr


def test_check(cli: Runner, folder: Path) -> None:
    """check ends with 1 if a deployed script is not the one in the file."""
    write(folder / "p", A, B)
    arguments = ("--project", "p")
    assert cli("check", *arguments).stdout.splitlines()[1:] == ["No changes deployed"]
    cli("migrate", *arguments)
    assert cli("check", *arguments).stdout.splitlines()[1:] == ["Check successful"]
    (folder / "p" / "deploy" / "a.sql").write_text("-- other", encoding="utf-8")
    failed = cli("check", *arguments, code=1).stdout.splitlines()[1:]
    assert failed[:2] == ["Script signatures diverge at change p:a", "Failed one check"]
    assert failed[2].startswith("HINT:  These scripts were edited after they were deployed")


def test_log(cli: Runner, folder: Path) -> None:
    """log tells the events, newest first, and ends with 1 where there are none."""
    write(folder / "p", A, "@v1", replace(B, deploy="begin;\nselect 1/0;\ncommit;\n"))
    arguments = ("--project", "p")
    assert "No events logged" in cli("log", *arguments, code=1).stdout
    failed = cli("migrate", *arguments, code=2)
    assert ledger(failed.stdout) == ["  + p:a @v1 .. ok", "  + p:b ...... not ok"]
    assert failed.stderr.splitlines()[0] == 'ERROR:  change "p:b" failed: division by zero'
    lines = cli("log", *arguments).stdout.splitlines()
    told = [re.sub("[0-9a-f]{40}", "ID", line) for line in lines if line.startswith(("Fail", "Deploy", "Name"))]
    assert told == ["Fail ID", "Name:      p:b", "Deploy ID (@v1)", "Name:      p:a"]
    assert "Committer: Ada Love <ada@example.com>" in lines
    for number in ("0", "-1"):  # no way to say "none was logged", or "all but the oldest"
        assert 'invalid value for "-n"' in cli("log", *arguments, "-n", number, code=2).stderr


PLAN = """%project=p
%uri=https://Example.com/

a 2026-01-01T00:00:00Z Ada <ada@example.com> # First\\nof all
@v1 2026-01-01T00:00:00Z Ada <ada@example.com>
@v2 2026-01-01T00:00:00Z Ada <ada@example.com>
b [a !q:x] 2026-01-02T00:00:00Z Ada <ada@example.com>
"""


def test_plan(cli: Runner, folder: Path) -> None:
    """plan prints a plan; --ids one line for each change and tag, in order."""
    (folder / "the.plan").write_text(PLAN, encoding="utf-8")
    ids = cli("plan", "the.plan", "--ids").stdout.splitlines()
    assert [line.split(" ", 1)[1] for line in ids] == ["a", "@v1", "@v2", "b"]
    assert all(re.fullmatch("[0-9a-f]{40} .*", line) for line in ids)
    printed = cli("plan", "the.plan").stdout
    assert printed == (
        "# Project: p\n# File:    the.plan\n# URI:     https://Example.com/\n\n"
        f"Deploy {ids[0].split()[0]}\nName:    a\nTags:    @v1, @v2\nPlanner: Ada <ada@example.com>\n"
        "Date:    2026-01-01T00:00:00Z\n\n    First\n    of all\n\n"
        f"Deploy {ids[3].split()[0]}\nName:    b\nRequires: a\nConflicts: q:x\nPlanner: Ada <ada@example.com>\n"
        "Date:    2026-01-02T00:00:00Z\n\n\n"
    )
    described = json.loads(cli("plan", "the.plan", "--json").stdout)
    assert described["uri"] == "https://Example.com/"
    assert [change["id"] for change in described["changes"]] == [ids[0].split()[0], ids[3].split()[0]]
    assert described["changes"][0]["tags"] == [{"id": ids[n].split()[0], "name": f"@v{n}"} for n in (1, 2)]
    assert described["changes"][1]["conflicts"] == ["q:x"]


def test_plan_refused(cli: Runner, folder: Path) -> None:
    """A plan that Sqitch refuses ends with 2, and so does a file that is not there."""
    (folder / "the.plan").write_text(PLAN.replace("b [a", "b [c"), encoding="utf-8")
    refused = cli("plan", "the.plan", "--ids", code=2)
    assert refused.stdout == ""
    assert refused.stderr == (
        'ERROR:  plan "the.plan" is not valid: change "b" requires "c", which is not before it\n'
        "DETAIL:  This is line 7.\nHINT:  Only an earlier change can be required.\n"
    )
    assert 'cannot read plan "no.plan"' in cli("plan", "no.plan", code=2).stderr
