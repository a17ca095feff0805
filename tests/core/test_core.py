"""``ours = "core"``: roles and identities alone, without users, todos and Better Auth; every command finds it whole."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from fastapi import FastAPI

from tests.cli.runner import Runner, ledger
from tests.clusters import ROOT, Database, make_logins
from tests.issuer import serving
from tests.service.served import served
from userscope.fastapi import install, lifespan
from userscope.mutation.mutants import Mutant
from userscope.mutation.selection import beside_core

SECTION = '[tool.userscope]\nours = "core"\n'
CORE = ["schema:app", "schema:identity", "policies:access"]

TEST = """
from uuid import uuid4

from sqlmodel import text

pytest_plugins = ["userscope.testing"]


def test_identity(userscope):
    alice = uuid4()
    with userscope.reading_as(alice) as session:
        assert session.scalar(text("select app.current_user_id()")) == alice
    with userscope.admin() as connection:
        assert connection.execute("select to_regclass('app.users') is null").fetchone() == (True,)
"""


@pytest.fixture
def cli(fresh: Database, folder: Path, capfd: pytest.CaptureFixture[str]) -> Runner:
    """The command line in a project that wants the core alone, and has migrated."""
    (folder / "pyproject.toml").write_text(SECTION, encoding="utf-8")
    runner = Runner(folder, capfd, **fresh.environment)
    assert [line.split()[1] for line in ledger(runner("migrate").stdout)] == CORE
    make_logins(fresh)
    return runner


def test_whole(cli: Runner, fresh: Database) -> None:
    """Nothing of the example is made, and no command misses it."""
    with fresh.superuser_connection() as connection:
        found = "select relname from pg_class where relnamespace = 'app'::regnamespace and relkind <> 'i'"
        assert connection.execute(found).fetchall() == []
    assert cli("migrate").stdout == "Nothing to deploy (up-to-date)\n"
    assert cli("status").stdout.count("Nothing to deploy (up-to-date)") == 2
    assert len(ledger(cli("verify").stdout)) == 3
    assert "Check successful" in cli("check").stdout
    assert cli("log").stdout.count("Deploy ") == 3
    assert "It may serve users." in cli("health").stdout
    with fresh.alone():
        assert cli("audit", "--drift").stdout.splitlines()[2] == (
            "WARNING:  userscope.audit_schemas: nothing to audit [settings]"
        )


@pytest.mark.breadth
def test_pytest_plugin(cli: Runner, folder: Path) -> None:
    """Tests get the core alone too, from an identity provider that is nobody's: AUTH_DATABASE_URL need not be set."""
    (folder / "test_identity.py").write_text(TEST, encoding="utf-8")
    environment = {name: text for name, text in cli.environment.items() if name != "AUTH_DATABASE_URL"}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=short"],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "1 passed" in done.stdout, done.stdout + done.stderr


def test_readyz(cli: Runner, fresh: Database) -> None:
    """A service starts on it, and is ready."""
    del cli
    with serving() as issuer:
        settings = issuer.settings(database_url=fresh.url("service").text())
        app = FastAPI(lifespan=lifespan(settings))
        install(app)
        with served(app) as client:
            answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ready"})


def test_mutants(cli: Runner) -> None:
    """Before there is a table of one's own, a suite is seen to pass, and nothing of ours is held against it."""
    listed = cli("mutate", "--list", "--ours").stdout.splitlines()
    assert "volatile: app.current_user_id()" in listed
    assert not [name for name in listed if "app.todos" in name]
    asking = "import os, psycopg; psycopg.connect(os.environ['DATABASE_URL']).execute('select app.current_user_id()')"
    done = cli("mutate", "--", sys.executable, "-c", asking)
    assert (done.stdout, done.stderr) == (
        "0 mutants: 0 killed, 0 survived\n", 'Nothing of your own to mutate yet; "--ours" tries the core.\n',
    )  # fmt: skip
    assert "fails on the unmutated database" in cli("mutate", "--", "false", code=2).stderr
    made = {name for change in ("app", "identity") for name in re.findall(
        r"^create function (app\w*\.\w+)", (ROOT / f"schema/deploy/{change}.sql").read_text("utf-8"), re.MULTILINE
    )}  # fmt: skip
    one = [Mutant("volatile", f"{name}()", ["select 1"], "", "") for name in sorted(made)]
    assert len(one) > 10
    assert beside_core(one) == []  # each function of the core is known as such


def test_back_to_core(cli: Runner, folder: Path) -> None:
    """Where everything was deployed, what is beyond the core is named with the way back, and the way leads there."""
    (folder / "pyproject.toml").unlink()
    cli("migrate")
    (folder / "pyproject.toml").write_text(SECTION, encoding="utf-8")
    told = cli("status", code=1).stdout
    assert 'the newest deployed change, "policies:organizations", is beyond what is wanted of ours' in told
    assert "userscope revert --to schema:identity" in cli("migrate", code=2).stderr
    cli("revert", "--to", "schema:identity", "--yes")
    assert cli("status").stdout.count("Nothing to deploy (up-to-date)") == 2
    assert len(ledger(cli("verify").stdout)) == 3


def test_refused(cli: Runner, folder: Path) -> None:
    """A section that cannot be understood stops every command that works on migrations before it does anything."""
    (folder / "pyproject.toml").write_text("[tool.userscope]\nour = 'core'\n", encoding="utf-8")
    for words in ("migrate", "status", "verify", "check", "log", "revert --all --yes", "audit", "mutate --list"):
        assert '[tool.userscope] has no key "our"' in cli(*words.split(), code=2).stderr
