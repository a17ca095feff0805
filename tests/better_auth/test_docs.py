"""docs/better-auth.md: its configuration is the example's, its names are Better Auth's, its commands run."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from examples.todo_api.better_auth import FOLDER
from tests.better_auth.people import variables
from tests.better_auth.programs import run
from tests.clusters import ROOT, Database, unavailable
from tests.docs import console
from tests.docs.generate import replaced
from tests.example.running import running

PATH = ROOT / "docs" / "better-auth.md"
PAGE = PATH.read_text(encoding="utf-8")
CONSOLE = console.blocks(PAGE, "console")


@pytest.mark.parametrize(("page", "file"), [("better-auth.md", "auth.js"), ("organizations.md", "organizations.js")])
def test_configuration(page: str, file: str) -> None:
    """What is to be copied is what was tested."""
    path = ROOT / "docs" / page
    text = (FOLDER / file).read_text(encoding="utf-8")
    current, count = re.subn(
        rf"(<!-- {re.escape(file)} -->\n\n```js\n).*?(^```)", lambda match: f"{match[1]}{text}{match[2]}",
        path.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE,
    )  # fmt: skip
    assert count == 1
    if os.environ.get("UPDATE_DOCS"):
        path.write_text(current, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == current


def test_versions() -> None:
    """What is to be installed is what is tested."""
    wanted = json.loads((FOLDER / "package.json").read_text(encoding="utf-8"))["dependencies"]
    assert f"npm install {' '.join(f'{name}@{version}' for name, version in wanted.items())}\n" in PAGE
    assert f"Better Auth {wanted['better-auth']};" in PAGE


@pytest.mark.breadth
@pytest.mark.usefixtures("node")
def test_mapping(database: Database) -> None:
    """Every model and field, and the table and column that it is; no column of ours is left over."""
    mapping: dict[str, tuple[str, dict[str, str]]] = json.loads(run("mapping.js", database))
    lines = ["| Better Auth's | our table | fields that are called otherwise |", "|---|---|---|"]
    for model, (table, fields) in mapping.items():
        renamed = ", ".join(f"{name} → {column}" for name, column in sorted(fields.items()) if name != column)
        lines.append(f"| {model} | app.{table} | {renamed} |")
    with database.superuser_connection() as superuser:
        columns = superuser.execute(
            "select table_name::text, column_name::text from information_schema.columns "
            "join information_schema.tables using (table_schema, table_name) "
            "where table_schema = 'app' and table_type = 'BASE TABLE' and table_name <> 'todos'"
        ).fetchall()
    assert set(columns) == {
        (table, column) for table, fields in mapping.values() for column in (*fields.values(), "id")
    }
    current = replaced(PATH.read_text(encoding="utf-8"), "mapping", "\n".join([*lines, ""]))
    if os.environ.get("UPDATE_DOCS"):
        PATH.write_text(current, encoding="utf-8")
    assert PATH.read_text(encoding="utf-8") == current


@pytest.mark.breadth
def test_the_login(database: Database, tmp_path: Path) -> None:
    """create-login prints the URL of a login that Better Auth can use."""
    environment = os.environ | {
        "ADMIN_DATABASE_URL": database.url().text(),
        "PATH": console.PATH,
    }
    with database.superuser_connection() as superuser:
        superuser.execute("drop role if exists better_auth")
    try:
        console.follow(CONSOLE[1], environment, tmp_path)
        with database.superuser_connection() as superuser:
            assert superuser.execute(
                "select rolconfig, pg_has_role('better_auth', 'app_auth', 'usage') from pg_roles "
                "where rolname = 'better_auth'"
            ).fetchone() == (["search_path=app"], True)
    finally:
        with database.superuser_connection() as superuser:
            superuser.execute("drop role better_auth")


@pytest.mark.breadth
@pytest.mark.usefixtures("node")
def test_the_server(auth_database: Database) -> None:
    """The server starts as the page starts it."""
    ((command, shown),) = console.commands(CONSOLE[2])
    environment = {"PATH": os.environ["PATH"], **variables(auth_database, "x" * 40), "PORT": "0"}
    with subprocess.Popen(command.split(), cwd=FOLDER, env=environment, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        console.assert_shown(command, shown, server.stdout.readline())
        server.terminate()


@pytest.mark.breadth
@pytest.mark.usefixtures("node")
def test_from_sign_up_to_a_row(folder: Path) -> None:
    """The commands of the page, with ``make example`` as the service, do and show what the page shows.

    It may take ten seconds: all three servers of the example start, and end.
    """
    if shutil.which("curl") is None:
        unavailable("curl is not installed")
    assert CONSOLE[0] == "$ make example\n"  # what ``running`` does without make
    with running(folder / "home") as example:
        places = {"PAGE": example.page, "API": example.page, "AUTH": example.auth}
        console.follow(CONSOLE[3], os.environ | places, folder)
