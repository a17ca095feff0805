"""The application: its help has a whole sentence and an example of each command, and no refusal is a traceback."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from tests.cli.runner import Runner
from userscope.cli.app import app


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


@pytest.mark.parametrize("words", ["create-login x --role app_user", "seal-key list", "seal-key new", "mutate --list"])
def test_unreachable(tmp_path: Path, capfd: pytest.CaptureFixture[str], words: str) -> None:
    """Where no server answers, a command that has no words of its own for that says so as well, and ends with 2."""
    run = Runner(tmp_path, capfd, ADMIN_DATABASE_URL="postgresql://ada:s3cr3t@127.0.0.1:1/x")
    refused = run(*words.split(), code=2).stderr
    assert refused.startswith("ERROR:  the server cannot be reached\nDETAIL:  libpq said: ")
    assert "s3cr3t" not in refused


def test_width(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A wide terminal is used, up to 120 columns."""
    printed = Runner(tmp_path, capfd, COLUMNS="200")("psql", "--help").stdout
    assert 100 < max(map(len, printed.splitlines())) <= 120
