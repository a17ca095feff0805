"""``userscope up``, ``down`` and ``url``: what they print, what they refuse, and that asking twice does no harm."""

import re
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from tests.cli.runner import Runner
from userscope.local.server import Server


@pytest.fixture
def embedded(folder: Path, capfd: pytest.CaptureFixture[str]) -> Runner:
    """The command line where nothing is set up yet."""
    return Runner(folder, capfd, USERSCOPE_HOME=str(folder / "home"))


def test_up_url_psql_down(embedded: Runner, folder: Path) -> None:
    """The whole life of an embedded server; every command says what is, and asking twice does no harm."""
    home = folder / "home"
    assert embedded("url", code=2).stderr == (
        "ERROR:  there is no embedded server yet\n"
        f'DETAIL:  No database URL is set, and "{home}" holds no server.\n'
        'HINT:  Run "userscope migrate" (or "make migrate"), or set DATABASE_URL.\n'
    )
    assert embedded("down").stdout == f'There is no embedded PostgreSQL in "{home}".\n'
    where = f"  data    {home}/data\n  socket  {home}/run\n  log     {home}/server.log\n"
    assert embedded("up").stdout == f"PostgreSQL has started.\n{where}"
    assert embedded("up").stdout == f"PostgreSQL is already running.\n{where}"

    for login, role in (("admin", "postgres"), ("service", "app_service"), ("auth", "app_accounts")):
        printed = embedded("url", "--as", login)
        assert printed.stderr == ""
        assert re.fullmatch(rf"postgresql://{role}:[\w-]{{32}}@/app\?host={home}/run&port=5432\n", printed.stdout)
    url = embedded("url").stdout
    with psycopg.connect(url.rstrip("\n")) as connection:
        assert connection.execute("select current_user").fetchone() == ("postgres",)

    early = embedded("psql", "--as", str(uuid4()), "--", "-c", "select 1", code=2)
    assert early.stderr == 'ERROR:  the database has not been migrated yet\nHINT:  Run "userscope migrate" first.\n'

    data = f'  data    {home}/data (remove them with "userscope down --delete")\n'
    assert embedded("down").stdout == f"PostgreSQL has stopped.\n{data}"
    assert embedded("down").stdout == f"PostgreSQL was not running.\n{data}"
    assert embedded("url").stdout == url
    assert embedded("psql", "--", "-Atc", "select current_database()").stdout == "app\n"
    assert Server(home).running  # psql had started it

    assert "Remove the embedded PostgreSQL" in embedded("down", "--delete", code=1, stdin="n\n").stderr
    assert "nobody answered" in embedded("down", "--delete", code=2).stderr
    assert Server(home).running
    assert embedded("down", "--delete", "--yes").stdout == f'PostgreSQL and its data in "{home}" are removed.\n'
    assert not home.exists()


def test_down_refuses_a_remote_database(embedded: Runner, folder: Path) -> None:
    """With a remote database configured, nothing here is stopped or removed."""
    embedded("up")
    embedded.environment["DATABASE_URL"] = "postgresql://me:secret@db.example.com/app"
    refused = embedded("down", "--delete", "--yes", code=2)
    assert refused.stderr.startswith("ERROR:  DATABASE_URL cannot be used: ")
    assert "secret" not in refused.stderr + refused.stdout
    assert Server(folder / "home").running
    assert "But a database URL is set" in embedded("up").stderr
