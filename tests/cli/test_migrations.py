"""``userscope migrate | status | verify | check | log | revert | plan``: what they print, their exit codes and JSON."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from tests.cli.runner import Runner
from tests.clusters import ROOT, Cluster, Database
from tests.migrations.sketch import Sketch, write

A, B = Sketch.table("a"), Sketch.table("b", "a")
LABELS = [
    "schema:app",
    "schema:identity",
    "schema:users",
    "schema:todos",
    "schema:better_auth",
    "policies:access",
    "policies:users",
    "policies:todos",
    "policies:better_auth",
]
TAGGED = [f"{label} @v0.1.0" if label.endswith(":better_auth") else label for label in LABELS]


@pytest.fixture
def database(cluster: Cluster) -> Iterator[Database]:
    """An empty database."""
    made = cluster.database()
    yield made
    made.drop()


@pytest.fixture
def cli(folder: Path, database: Database, capfd: pytest.CaptureFixture[str]) -> Runner:
    """The command line with the empty database configured, in an empty folder."""
    committer = {"SQITCH_FULLNAME": "Ada Love", "SQITCH_EMAIL": "ada@example.com"}
    nowhere = {"SQITCH_USER_CONFIG": os.devnull, "SQITCH_SYSTEM_CONFIG": os.devnull}
    return Runner(folder, capfd, ADMIN_DATABASE_URL=database.url().text(), **committer, **nowhere)


def ledger(output: str) -> list[str]:
    """The lines of a ledger without their times."""
    return [re.sub(r" \(\d+ ms\)$", "", line) for line in output.splitlines() if re.match(r"  [+*-] .* \.\.", line)]


def test_embedded(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """With nothing set up, one command makes and starts the server, deploys everything and readies the two logins."""
    embedded = Runner(folder, capfd, USERSCOPE_HOME=str(folder / "home"))
    first = embedded("migrate")
    assert [line.split()[1] for line in ledger(first.stdout)] == LABELS
    assert all(line.endswith(".. ok") for line in ledger(first.stdout))
    assert first.stderr == ""
    assert embedded("migrate").stdout == "Nothing to deploy (up-to-date)\n"
    for login in ("service", "auth"):
        with psycopg.connect(embedded("url", "--as", login).stdout.strip()) as connection:
            assert connection.execute("select count(*) from app.users").fetchone() == (0,)
    assert "Nothing to deploy (up-to-date)" in embedded("status").stdout
    embedded("verify")
    embedded("down", "--delete", "--yes")


def test_ledger(cli: Runner) -> None:
    """A deploy is told as Sqitch tells it: names padded with dots to one width."""
    done = cli("migrate")
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[0].startswith("Deploying changes to postgresql://owner_superuser:***@/db_")
    assert lines[1].startswith("Adding registry tables to postgresql://")
    width = max(map(len, TAGGED))
    assert ledger(done.stdout) == [f"  + {label} ..{'.' * (width - len(label))} ok" for label in TAGGED]
    assert len(lines) == 2 + len(TAGGED)


def test_to_and_dry_run(cli: Runner) -> None:
    """--dry-run prints what would come; --to stops where it is told."""
    done = cli("migrate", "--to", "policies:users", "--dry-run")
    wanted = ["schema:app", "schema:identity", "schema:users", "policies:access", "policies:users"]
    assert done.stdout.splitlines()[1:] == [f"  + {label}" for label in wanted]
    assert cli("status", code=1)
    assert [line.split()[1] for line in ledger(cli("migrate", "--to", "policies:users").stdout)] == wanted
    assert cli("migrate", "--to", "policies:users").stdout == 'Nothing to deploy (already at "policies:users")\n'


def test_json(cli: Runner) -> None:
    """Every report is to be had as JSON, and nothing else stands on standard output then."""
    assert json.loads(cli("migrate", "--dry-run", "--json").stdout) == {"would_deploy": TAGGED, "seconds": {}}
    pending = json.loads(cli("status", "--json", code=1).stdout)
    assert [item["pending"] for item in pending] == [TAGGED[:5], TAGGED[5:]]
    migrated = json.loads(cli("migrate", "--json").stdout)
    assert migrated["deployed"] == TAGGED
    assert sorted(migrated["seconds"]) == sorted(TAGGED)
    status = json.loads(cli("status", "--json").stdout)
    assert [(item["project"], item["change"], item["pending"]) for item in status] == [
        ("schema", "better_auth", []),
        ("policies", "better_auth", []),
    ]
    assert status[0]["committer"] == "Ada Love <ada@example.com>"
    verified = json.loads(cli("verify", "--json").stdout)
    assert [item["change"] for item in verified["changes"]] == TAGGED
    assert (verified["errors"], verified["pending"]) == (0, [])
    assert json.loads(cli("check", "--json").stdout) == [
        {"project": "schema", "deployed": 5, "diverges": None},
        {"project": "policies", "deployed": 4, "diverges": None},
    ]
    events = json.loads(cli("log", "--json", "-n", "2").stdout)
    assert [(event["event"], event["project"], event["change"]) for event in events] == [
        ("deploy", "policies", "better_auth"),
        ("deploy", "policies", "todos"),
    ]
    assert events[1]["requires"] == ["access", "schema:todos"]
    reverted = json.loads(cli("revert", "--all", "--yes", "--json").stdout)
    assert reverted["reverted"] == TAGGED[::-1]


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


def test_verify(cli: Runner, folder: Path, database: Database) -> None:
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
    with database.superuser_connection() as connection:
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
    assert cli("check", *arguments, code=1).stdout.splitlines()[1:] == [
        "Script signatures diverge at change p:a",
        "Failed one check",
    ]


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


def test_revert(cli: Runner, folder: Path) -> None:
    """revert never reverts everything by default, shows what would go, and asks."""
    write(folder / "p", A, B)
    arguments = ("--project", "p")
    cli("migrate", *arguments)
    for wrong in ((), ("--all", "--to", "a")):
        assert "revert needs either --to or --all" in cli("revert", *arguments, *wrong, code=2).stderr
    asked = cli("revert", *arguments, "--to", "a", code=1, stdin="n\n")
    assert "  - p:b\n" in asked.stderr
    assert "Nothing reverted" in asked.stderr
    assert "Add --yes where nobody can be asked." in cli("revert", *arguments, "--all", code=2, stdin="").stderr
    assert "up-to-date" in cli("status", *arguments).stdout
    assert ledger(cli("revert", *arguments, "--to", "p:a", stdin="y\n").stdout) == ["  - p:b .. ok"]
    assert ledger(cli("revert", *arguments, "--all", "--yes").stdout) == ["  - p:a .. ok"]
    assert "Nothing to revert (nothing deployed)" in cli("revert", *arguments, "--all", "--yes").stdout


def test_warnings_stand_apart(cli: Runner, folder: Path) -> None:
    """What a script raises goes to standard error, and the ledger stays a ledger."""
    script = "begin;\ndo $$ begin raise warning 'take care'; end $$;\ncreate table public.a (id integer);\ncommit;\n"
    write(folder / "p", replace(A, deploy=script))
    done = cli("migrate", "--project", "p")
    assert done.stderr == "WARNING:  take care\n"
    assert ledger(done.stdout)[-1] == "  + p:a .. ok"


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


def test_refusals(cli: Runner, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """What cannot be done ends with 2, says why and what to do, and shows no traceback."""
    write(folder / "p", A, replace(B, deploy="\\echo hello\n"))
    refused = cli("migrate", "--project", "p", code=2)
    assert refused.stderr.splitlines() == [
        f'ERROR:  script "{folder / "p"}/deploy/b.sql" uses the psql command "\\echo"'.replace(f"{folder}/", ""),
        "DETAIL:  This is line 1. Only psql understands it. Nothing was run.",
        "HINT:  Write it as plain SQL, or deploy this project with Sqitch itself.",
    ]
    for words in (
        ("migrate", "--to", "nowhere"),
        ("migrate", "--project", "nowhere"),
        ("migrate", "--lock-timeout", "soon"),
        ("revert", "--to", "schema:nowhere", "--yes"),
    ):
        assert re.match("ERROR:  .*\nHINT:  |ERROR:  .*\nDETAIL:  .*\nHINT:  ", cli(*words, code=2).stderr), words
    pooled = Runner(folder, capfd, ADMIN_DATABASE_URL="postgresql://ada:secret@ep-x-pooler.eu.neon.tech/x")
    said = pooled("migrate", code=2).stderr
    assert said.startswith('ERROR:  ADMIN_DATABASE_URL names the pooled host "ep-x-pooler.eu.neon.tech"')
    assert "secret" not in said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped(folder: Path, database: Database, number: signal.Signals) -> None:
    """Ctrl-C and SIGTERM cancel the running statement; what was under way is gone, and so is the session."""
    slow = "begin;\ncreate table public.b (id integer);\nselect pg_sleep(600);\ncommit;\n"
    write(folder / "p", A, replace(B, deploy=slow), Sketch.table("c"))
    environment = {**os.environ, "ADMIN_DATABASE_URL": database.url().text()}
    command = [sys.executable, "-m", "userscope", "migrate", "--project", str(folder / "p")]
    with (
        subprocess.Popen(
            command, env=environment, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process,
        database.superuser_connection() as connection,
    ):
        running = (
            "select 1 from pg_stat_activity where datname = %s and query like '%%pg_sleep(600)' and state = 'active'"
        )
        while not connection.execute(running, [database.name]).fetchone():
            assert process.poll() is None, process.communicate()
            time.sleep(0.02)
        process.send_signal(number)
        output, errors = process.communicate()
        assert process.returncode == 130
        assert ledger(output) == ["  + p:a .. ok", "  + p:b .. not ok"]
        assert errors.startswith("ERROR:  interrupted\nDETAIL:  ")
        left = "select 1 from pg_stat_activity where datname = %s and application_name = 'userscope'"
        while connection.execute(left, [database.name]).fetchone():
            time.sleep(0.02)
        assert connection.execute("select change from sqitch.changes").fetchall() == [("a",)]
        assert connection.execute("select event from sqitch.events").fetchall() == [("deploy",)]
        assert connection.execute("select to_regclass('public.b')").fetchone() == (None,)


@pytest.mark.parametrize("command", ["migrate", "status", "verify", "check", "log", "revert", "plan"])
def test_help(cli: Runner, command: str) -> None:
    """The help of each command ends with an example."""
    assert f"Example: userscope {command}" in cli(command, "--help").stdout


def test_from_any_folder(cli: Runner, folder: Path) -> None:
    """The projects in the current folder win; elsewhere userscope's own two are meant."""
    assert cli("migrate", "--dry-run").stdout.count("  + ") == len(LABELS)
    write(folder / "schema", A, name="mine")
    write(folder / "policies", Sketch.table("x"), name="yours")
    assert cli("migrate", "--dry-run").stdout.splitlines()[1:] == ["  + mine:a", "  + yours:x"]
    assert cli("migrate", "--dry-run", "--project", str(ROOT / "schema")).stdout.count("  + ") == 5
