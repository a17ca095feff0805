"""The plugin as an adopter runs it, with the very files of docs/testing.md, in a process of its own."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clusters import ROOT, Database
from tests.docs import console

PAGE = (ROOT / "docs" / "testing.md").read_text(encoding="utf-8")
FILES = console.files(PAGE)


class Adopter:
    """A folder with the page's files, and pytest run in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        ours = ("DATABASE_", "ADMIN_", "AUTH_", "USERSCOPE_", "PYTEST_")
        self.environment = {name: text for name, text in os.environ.items() if not name.startswith(ours)}
        (folder / "conftest.py").write_text(FILES["conftest.py"], encoding="utf-8")
        (folder / "test_todos.py").write_text(FILES["test_todos.py"], encoding="utf-8")

    def __call__(self) -> str:
        done = subprocess.run(
            [sys.executable, "-W", "error", "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=short"],
            cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        return done.stdout + done.stderr


@pytest.fixture
def adopter(tmp_path: Path) -> Adopter:
    """Somebody who follows the page."""
    return Adopter(tmp_path)


@pytest.fixture
def configured(adopter: Adopter, database: Database) -> Adopter:
    """Somebody with a database of their own, or "userscope mutate"."""
    adopter.environment |= database.environment
    return adopter


@pytest.mark.breadth
def test_embedded(adopter: Adopter) -> None:
    """With nothing configured the page's tests pass, on a server that is gone afterwards; a .env file is not read.

    It may take ten seconds: a pytest of the adopter's own makes a server.
    """
    (adopter.folder / ".env").write_text("ADMIN_DATABASE_URL=postgresql://u:p@db.example.org/app\n", encoding="utf-8")
    assert re.match(r"\.\.\.\.\s+\[100%\]\n4 passed", adopter())


@pytest.mark.breadth
def test_own_projects(adopter: Adopter) -> None:
    """Projects that stand elsewhere are named by a fixture."""
    (adopter.folder / "conftest.py").write_text(FILES["conftest.py, instead"], encoding="utf-8")
    (adopter.folder / "db").mkdir()
    for name in ("schema", "policies"):
        (adopter.folder / "db" / name).symlink_to(ROOT / name)
    assert re.match(r"\.\.\.\.\s+\[100%\]\n4 passed", adopter())


@pytest.mark.breadth
def test_alembic(adopter: Adopter) -> None:
    """What Alembic makes is there as well: it runs on the template, as the owner."""
    files = {
        "conftest.py": FILES["conftest.py, beside Alembic"],
        "alembic.ini": "[alembic]\nscript_location = %(here)s\npath_separator = os\n",
        "env.py": "import os\nfrom alembic import context\nfrom sqlalchemy import create_engine, make_url\n"
        'url = make_url(os.environ["ADMIN_DATABASE_URL"]).set(drivername="postgresql+psycopg")\n'
        "with create_engine(url).connect() as connection:\n"
        "    context.configure(connection=connection)\n"
        "    with context.begin_transaction():\n"
        "        context.run_migrations()\n",
        "versions/one.py": 'from alembic import op\nrevision, down_revision = "one", None\n'
        'def upgrade():\n    op.execute("create table public.country (code text)")\n',
        "test_country.py": "def test_country(userscope):\n    with userscope.admin() as connection:\n"
        '        assert connection.execute("select code from public.country").fetchall() == []\n',
    }
    for name, text in files.items():
        (adopter.folder / name).parent.mkdir(exist_ok=True)
        (adopter.folder / name).write_text(text, encoding="utf-8")
    adopter.environment["PATH"] = console.PATH
    assert "5 passed" in adopter()


@pytest.mark.breadth
def test_configured(configured: Adopter, database: Database) -> None:
    """A configured database is cloned with its own privileges, not touched; what was changed in it the tests meet."""
    (configured.folder / "test_privileges.py").write_text(
        "def test_temporary(userscope):\n"
        "    with userscope.admin() as connection:\n"
        "        ask = \"select has_database_privilege('app_user', current_database(), 'temporary')\"\n"
        "        assert connection.execute(ask).fetchone() == (False,)\n",
        encoding="utf-8",
    )
    assert "5 passed" in configured()
    with database.superuser_connection() as connection:
        assert connection.execute("select count(*) from app.users").fetchone() == (0,)
        connection.execute("create policy everything on app.todos for select to app_user using (true)")
        connection.execute(f"grant temporary on database {database.name} to app_user".encode())
    assert set(re.findall(r"FAILED (\S+)", configured())) == {
        "test_todos.py::test_own_todos",
        "test_privileges.py::test_temporary",
    }


@pytest.mark.breadth
def test_remote(configured: Adopter) -> None:
    """A database elsewhere is refused, whichever of the three names it."""
    configured.environment["AUTH_DATABASE_URL"] = "postgresql://u:p@db.example.org/app"
    assert "runs only against a server on this machine" in configured()
