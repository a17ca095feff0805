"""The application: its help has a whole sentence and an example of each command, and no refusal is a traceback."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from tests.cli.runner import Runner
from tests.clusters import Database
from userscope.cli.app import app
from userscope.postgres.url import ConnectionURL


def every(command: Any, *words: str) -> Iterator[tuple[str, ...]]:
    """The words of every command."""
    commands = getattr(command, "commands", {})
    if not commands:
        yield words
    for name, each in commands.items():
        yield from every(each, *words, name)


@pytest.mark.parametrize("words", list(every(get_command(app))), ids=" ".join)
def test_example(tmp_path: Path, capfd: pytest.CaptureFixture[str], words: tuple[str, ...]) -> None:
    """The help of each command ends with an example of it."""
    printed = Runner(tmp_path, capfd, COLUMNS="120")(*words, "--help").stdout
    before = r'(userscope migrate && |export DATABASE_URL="\$\()?'
    assert re.search(rf"Example: {before}userscope {' '.join(words)}\b", printed)


@pytest.mark.parametrize("group", ["", "seal-key"])
def test_help(tmp_path: Path, capfd: pytest.CaptureFixture[str], group: str) -> None:
    """Each command has a line of its own, and none is cut, in a terminal of 80 columns either."""
    printed = Runner(tmp_path, capfd, COLUMNS="80")(*filter(None, [group]), "--help").stdout
    listed = dict(re.findall(r"^  ([a-z-]+) +(\S.*)$", printed.partition("Commands:\n")[2], re.MULTILINE))
    command: Any = get_command(app)
    assert list(listed) == list((command.commands[group] if group else command).commands)
    assert [sentence for sentence in listed.values() if not sentence.endswith(".") or sentence.endswith("...")] == []


MISTAKES = {
    "password": (
        {"password": "s3cr3t"},
        "PostgreSQL refused the login\n"
        'DETAIL:  It said: password authentication failed for user "app_service". The URL is {url}.\n'
        "HINT:  Compare the user, the password, the host and the database of DATABASE_URL with the server's.\n",
    ),
    "database": (
        {"dbname": "nowhere"},
        "PostgreSQL refused the login\n"
        'DETAIL:  It said: database "nowhere" does not exist. The URL is {url}.\n'
        "HINT:  Compare the user, the password, the host and the database of DATABASE_URL with the server's.\n",
    ),
    "host": (
        {"host": "127.0.0.1", "port": "1"},
        "the server cannot be reached\n"
        "DETAIL:  libpq said: Connection refused. The URL is {url}.\n"
        "HINT:  Is a PostgreSQL server running there, and is DATABASE_URL right?\n",
    ),
}
COMMANDS = (
    *(
        "migrate",
        "revert --all",
        "status",
        "verify",
        "check",
        "log",
        "audit",
        "audit --drift",
        "mutate --list",
        "health",
    ),
    *("seal-key list", "seal-key new", "seal-key require", "create-login x --role app_user"),
    "protect public.item --owner owner_id",
)


@pytest.mark.parametrize("mistake", MISTAKES)
def test_cannot_connect(database: Database, tmp_path: Path, capfd: pytest.CaptureFixture[str], mistake: str) -> None:
    """The same mistake in a URL reads the same in every command, which ends with 2 and shows no password."""
    wrong, words = MISTAKES[mistake]
    right = database.url("service")
    url = ConnectionURL("DATABASE_URL", {**right.params, **wrong})
    run = Runner(tmp_path, capfd, DATABASE_URL=url.text())
    said = {command: run(*command.split(), code=2).stderr for command in COMMANDS}
    assert said == dict.fromkeys(COMMANDS, f"ERROR:  {words.format(url=url)}")
    assert not any(secret in text for text in said.values() for secret in ("s3cr3t", right.params["password"]))


def test_width(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A wide terminal is used, up to 120 columns."""
    printed = Runner(tmp_path, capfd, COLUMNS="200")("psql", "--help").stdout
    assert 100 < max(map(len, printed.splitlines())) <= 120
