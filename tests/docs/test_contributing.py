"""CONTRIBUTING.md: its three common tasks, done in a copy of the source as it tells."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clusters import ROOT, Database
from tests.docs import console

PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """What is worked on: the sources, the tests and the pages."""
    for name in ("src", "tests", "docs", "examples", "bench", "schema", "policies", "distributed"):
        passed = shutil.ignore_patterns("__pycache__", "node_modules", ".pg")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=passed)
    for name in ("pyproject.toml", "README.md", "CHANGELOG.md", "Makefile", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def change(copy: Path, *names: str) -> None:
    """Make the page's differences, each in the one of these files that has what it begins with."""
    texts = {name: (copy / name).read_text(encoding="utf-8") for name in names}
    for difference in console.blocks(PAGE, "diff"):
        lines = difference.splitlines(keepends=True)
        old, new = ("".join(line[1:] for line in lines if line[0] in marks) for marks in (" -", " +"))
        ((name),) = [name for name, text in texts.items() if text.count(old) == 1]
        texts[name] = texts[name].replace(old, new)
    for name, text in texts.items():
        (copy / name).write_text(text, encoding="utf-8")


def python(copy: Path, *words: str, **settings: str) -> str:
    """Run a module on the copy."""
    environment = {**os.environ, "PYTHONPATH": str(copy / "src"), **settings}
    command = [sys.executable, "-m", *words]
    done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.breadth
def test_tasks(copy: Path, database: Database) -> None:
    """The command runs, is in the help and its page, and lint has nothing to say; the cure is in its page."""
    ((name, text),) = console.files(PAGE).items()
    (copy / name).write_text(text, encoding="utf-8")
    change(copy, "src/userscope/cli/app.py", "tests/docs/cures.py")

    assert python(copy, "userscope", "uptime", **database.environment).startswith("The server runs since 2")
    assert '"since": "2' in python(copy, "userscope", "uptime", "--json", **database.environment)
    assert "Tell since when the server runs." in python(copy, "userscope", "--help")
    python(copy, "ruff", "check", name)
    python(copy, "mypy", "--follow-imports=silent", name)

    python(copy, "pytest", "-q", "-p", "no:cacheprovider", "tests/docs/test_reference.py", UPDATE_DOCS="1")
    assert "## userscope uptime" in (copy / "docs" / "commands.md").read_text(encoding="utf-8")
    assert "Install the program that it names, and begin anew." in (copy / "docs" / "errors.md").read_text(
        encoding="utf-8"
    )


@pytest.mark.breadth
def test_tags(copy: Path) -> None:
    """The command of the checklist tags a plan."""
    ((first, last),) = re.findall(r"`userscope (tag schema:)v[\d.]+( -n) \"…\"`", PAGE)
    python(copy, "userscope", *f"{first}v99{last} text".split())
    assert (copy / "schema" / "sqitch.plan").read_text(encoding="utf-8").splitlines()[-1].startswith("@v99 ")
