"""Tables in another schema than ours: every tool judges them as it judges ours."""

import sys
from pathlib import Path

import pytest

from tests.cli.runner import Runner
from tests.clusters import ROOT, Database, make_logins
from tests.docs import console
from tests.migrations.sketch import Sketch, write

ITEMS = console.files((ROOT / "docs" / "ids.md").read_text(encoding="utf-8"), "sql")["db/deploy/item.sql"]
SUITE = """
import os, psycopg
with psycopg.connect(os.environ["DATABASE_URL"]) as alice:
    alice.execute("select app.set_user_id('1')")
    alice.execute("insert into public.item (title) values ('mine')")
    alice.execute("select app.set_user_id('2')")
    assert alice.execute("select title from public.item").fetchall() == []
    alice.rollback()
"""


@pytest.fixture
def cli(fresh: Database, folder: Path, capfd: pytest.CaptureFixture[str]) -> Runner:
    """The command line in a project with the core and a table public.item of its own."""
    revert = "begin;\ndrop table public.item;\ncommit;\n"
    item = Sketch("item", f"begin;\n{ITEMS}\ncommit;\n", revert, "begin;\nrollback;\n", "policies:access")
    write(folder / "db", item, name="shop")
    section = '[tool.userscope]\nours = "core"\nprojects = ["db"]\n'
    (folder / "pyproject.toml").write_text(section, encoding="utf-8")
    runner = Runner(folder, capfd, **fresh.environment)
    runner("migrate")
    make_logins(fresh)
    return runner


def look_at(database: Database, schemas: str) -> None:
    """Tell the tools which schemas to judge."""
    with database.superuser_connection() as connection:
        connection.execute(f"alter database {database.name} set userscope.audit_schemas = '{schemas}'".encode())


@pytest.mark.breadth
def test_switched_off(cli: Runner, fresh: Database) -> None:
    """health, audit and the audit's drift find row-level security switched off on public.item, and nothing before."""
    cli("health")
    with fresh.alone():
        assert "public.item" in cli("audit").stdout  # a policy there binds services
        look_at(fresh, "app")
        assert "WARNING:  schema public: is not audited" in cli("audit", code=1).stdout  # and app holds no table
        look_at(fresh, "app, public")
        told = cli("audit", "--drift").stdout
        assert "is not audited" not in told
        assert "owner_id = ( SELECT (app.current_user_key())::bigint AS current_user_key)" in told
        with fresh.superuser_connection() as connection:
            connection.execute("alter table public.item disable row level security")
        assert 'table "public.item" is not under forced row-level security' in cli("health", code=1).stdout
        found = cli("audit", "--drift", code=1).stdout
    assert "ERROR:  public.item: row-level security is off" in found
    assert "ERROR:  relation public.item: not as the migrations make it" in found


@pytest.mark.breadth
def test_mutated(cli: Runner, folder: Path) -> None:
    """mutate plants defects in public.item, and tells which of them a suite does not notice."""
    (folder / "suite.py").write_text(SUITE, encoding="utf-8")
    only = ("--jobs", "1", "--only", "*: select_own on public.item")
    listed = cli("mutate", "--list", *only).stdout
    assert "using or no identity: select_own on public.item\n" in listed
    only = ("--jobs", "1", "--only", "using true: * on public.item")
    done = cli("mutate", *only, "--", sys.executable, "suite.py", code=1).stdout
    assert "SURVIVED  using true: update_own on public.item" in done
    every = set(cli("mutate", "--list").stdout.splitlines())
    left_out = set(cli("mutate", "--list", "--ours").stdout.splitlines()) - every
    assert {"bypasses row security: app_user", "row security disabled: public.item"} <= every
    assert "volatile: app.current_user_id()" in left_out  # ours to try
    assert not [name for name in left_out if "public" in name.partition(": ")[2]]
    assert "SURVIVED  using true: select_own on public.item" not in done
