"""``userscope migrate | revert``: what they print and ask, their exit codes, and every report as JSON."""

import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from tests.cli.runner import Runner, ledger
from tests.clusters import ROOT, Database, first_of
from tests.migrations.sketch import Sketch, write
from tests.processes import eventually

A, B = Sketch.table("a"), Sketch.table("b", "a")
LABELS = [
    "schema:app",
    "schema:identity",
    "schema:users",
    "schema:todos",
    "schema:better_auth",
    "schema:organizations",
    "policies:access",
    "policies:users",
    "policies:todos",
    "policies:better_auth",
    "policies:organizations",
]
TAGS = {"identity": " @core", "access": " @core", "better_auth": " @v0.1.0", "organizations": " @v0.2.0"}
TAGGED = [label + TAGS.get(label.partition(":")[2], "") for label in LABELS]


def test_embedded(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """With nothing set up, one command makes and starts the server, deploys everything and readies the two logins."""
    embedded = Runner(folder, capfd, USERSCOPE_HOME=str(folder / "home"))
    first = embedded("migrate")
    assert [line.split()[1] for line in ledger(first.stdout)] == LABELS
    assert all(line.endswith(".. ok") for line in ledger(first.stdout))
    assert first.stderr == ""
    assert embedded("migrate").stdout == "Nothing to deploy (up-to-date)\n"
    for login, table in (("service", "account"), ("auth", "users")):
        with psycopg.connect(embedded("url", "--as", login).stdout.strip()) as connection:
            assert connection.execute(f"select count(*) from app.{table}".encode()).fetchone() == (0,)
    assert "Nothing to deploy (up-to-date)" in embedded("status").stdout
    embedded("verify")
    embedded("down", "--delete", "--yes")


def test_ledger(cli: Runner) -> None:
    """A deploy is told as Sqitch tells it: names padded with dots to one width."""
    done = cli("migrate")
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[0].startswith("Adding registry tables to postgresql://")
    assert lines[1].startswith("Deploying changes to postgresql://owner_superuser:***@/db_")
    width = max(map(len, TAGGED))
    assert ledger(done.stdout) == [f"  + {label} ..{'.' * (width - len(label))} ok" for label in TAGGED]
    assert len(lines) == 2 + len(TAGGED)


def test_to_and_dry_run(cli: Runner) -> None:
    """--dry-run prints what would come; --to stops where it is told."""
    done = cli("migrate", "--to", "policies:users", "--dry-run")
    wanted = ["schema:app", "schema:identity", "schema:users", "policies:access", "policies:users"]
    assert [line.split()[1] for line in done.stdout.splitlines()[1:]] == wanted
    cli("status", code=1)
    assert [line.split()[1] for line in ledger(cli("migrate", "--to", "policies:users").stdout)] == wanted
    assert cli("migrate", "--to", "policies:users").stdout == 'Nothing to deploy (already at "policies:users")\n'


def test_remote_is_asked_about(cli: Runner) -> None:
    """A remote database that DATABASE_URL alone names is not deployed to unasked; the owner's is, or by --yes."""
    remote = "postgresql://u:Zx9q@nowhere.invalid/app"
    del cli.environment["ADMIN_DATABASE_URL"]
    (cli.folder / ".env").write_text(f"DATABASE_URL={remote}\n", encoding="utf-8")
    refused = cli("migrate", code=2).stderr
    assert "whether to deploy to postgresql://u:***@nowhere.invalid/app?sslmode=require was not asked" in refused
    assert "HINT:  Set ADMIN_DATABASE_URL to the owner's URL, or add --yes." in refused
    assert "was not asked" not in cli("migrate", "--yes", code=2).stderr
    for variable in ("ADMIN_DATABASE_URL", "DATABASE_URL_UNPOOLED"):
        cli.environment[variable] = remote
        assert "was not asked" not in cli("migrate", code=2).stderr
        del cli.environment[variable]


def test_wait(cli: Runner, empty: Database) -> None:
    """--wait is how long another runner, or Sqitch, is waited for; then nothing has changed."""
    with empty.superuser_connection() as other:
        other.execute("select pg_advisory_lock(75474063)")
        refused = cli("migrate", "--wait", "0.2", code=2)
    assert "another instance of Sqitch" in refused.stderr
    assert "--wait allows more time" in refused.stderr
    assert ledger(refused.stdout) == []
    cli("status", code=1)
    cli("migrate", "--wait", "60")


@pytest.mark.breadth
def test_json(cli: Runner) -> None:
    """Every report is to be had as JSON, and nothing else stands on standard output then."""
    assert json.loads(cli("migrate", "--dry-run", "--json").stdout) == {
        "would_deploy": TAGGED,
        "locks": [],
        "seconds": {},
    }
    pending = json.loads(cli("status", "--json", code=1).stdout)
    assert [item["pending"] for item in pending] == [TAGGED[:6], TAGGED[6:]]
    migrated = json.loads(cli("migrate", "--json").stdout)
    assert migrated["deployed"] == TAGGED
    assert sorted(migrated["seconds"]) == sorted(TAGGED)
    status = json.loads(cli("status", "--json").stdout)
    assert [(item["project"], item["change"], item["pending"]) for item in status] == [
        ("schema", "organizations", []),
        ("policies", "organizations", []),
    ]
    assert status[0]["committer"] == "Ada Love <ada@example.com>"
    verified = json.loads(cli("verify", "--json").stdout)
    assert [item["change"] for item in verified["changes"]] == TAGGED
    assert (verified["errors"], verified["pending"]) == (0, [])
    assert json.loads(cli("check", "--json").stdout) == [
        {"project": "schema", "deployed": 6, "diverges": None},
        {"project": "policies", "deployed": 5, "diverges": None},
    ]
    events = json.loads(cli("log", "--json", "--max-count", "2").stdout)
    assert [(event["event"], event["project"], event["change"]) for event in events] == [
        ("deploy", "policies", "organizations"),
        ("deploy", "policies", "better_auth"),
    ]
    assert events[1]["requires"] == ["access", "schema:better_auth"]
    reverted = json.loads(cli("revert", "--all", "--yes", "--json").stdout)
    assert reverted["reverted"] == TAGGED[::-1]


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


def test_refusals(cli: Runner, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """What cannot be done ends with 2, says why and what to do, and shows no traceback."""
    write(folder / "p", A, replace(B, deploy="\\gexec\n"))
    refused = cli("migrate", "--project", "p", code=2)
    assert refused.stderr.splitlines() == [
        'ERROR:  script "p/deploy/b.sql" uses the psql command "\\gexec"',
        "DETAIL:  This is line 1. Only psql understands it. Nothing was run.",
        'HINT:  Write it as a "do" block: execute format(…).',
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


@pytest.mark.parametrize("number", first_of(signal.SIGINT, signal.SIGTERM))
def test_stopped(folder: Path, empty: Database, number: signal.Signals) -> None:
    """Ctrl-C and SIGTERM cancel the running statement; what was under way is gone, and so is the session."""
    slow = "begin;\ncreate table public.b (id integer);\nselect pg_sleep(600);\ncommit;\n"
    write(folder / "p", A, replace(B, deploy=slow), Sketch.table("c"))
    environment = {**os.environ, "ADMIN_DATABASE_URL": empty.url().text()}
    command = [sys.executable, "-m", "userscope", "migrate", "--project", str(folder / "p")]
    with (
        subprocess.Popen(
            command, env=environment, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process,
        empty.superuser_connection() as connection,
    ):
        running = (
            "select 1 from pg_stat_activity where datname = %s and query like '%%pg_sleep(600)' and state = 'active'"
        )
        eventually(lambda: process.poll() is not None or connection.execute(running, [empty.name]).fetchone())
        process.send_signal(number)
        output, errors = process.communicate()
        assert process.returncode == 130
        assert ledger(output) == ["  + p:a .. ok", "  + p:b .. not ok"]
        assert errors.startswith("ERROR:  interrupted\nDETAIL:  ")
        left = "select 1 from pg_stat_activity where datname = %s and application_name = 'userscope'"
        eventually(lambda: not connection.execute(left, [empty.name]).fetchone())
        assert connection.execute("select change from sqitch.changes").fetchall() == [("a",)]
        assert connection.execute("select event from sqitch.events").fetchall() == [("deploy",)]
        assert connection.execute("select to_regclass('public.b')").fetchone() == (None,)


def test_from_any_folder(cli: Runner, folder: Path) -> None:
    """The projects in the current folder win; elsewhere userscope's own two are meant."""
    assert cli("migrate", "--dry-run").stdout.count("  + ") == len(LABELS)
    write(folder / "schema", A, name="mine")
    write(folder / "policies", Sketch.table("x"), name="yours")
    assert cli("migrate", "--dry-run").stdout.splitlines()[1:] == ["  + mine:a", "  + yours:x"]
    assert cli("migrate", "--dry-run", "--project", str(ROOT / "schema")).stdout.count("  + ") == 6


def test_no_verify(cli: Runner) -> None:
    """--no-verify leaves verifications out, and so does sqitch.conf; each line of the ledger says so."""
    project = write(cli.folder / "p", replace(A, verify="select 1/0;\n"), replace(B, verify="select 1/0;\n"))
    again = ("migrate", "--project", str(project.folder))
    refused = cli(*again, code=2)
    assert "HINT:  Correct the script; or leave verifications out, as Sqitch does unless asked, by --no-verify." in (
        refused.stderr
    )
    done = cli(*again, "--to", "a", "--no-verify")
    assert re.search(r"^  \+ p:a \.\. ok \(\d+ ms, not verified\)$", done.stdout, re.MULTILINE)
    with (project.folder / "sqitch.conf").open("a", encoding="utf-8") as file:
        file.write("[deploy]\n\tverify = no\n")
    cli(*again, "--verify", code=2)
    assert "not verified" in cli(*again).stdout
