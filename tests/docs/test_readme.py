"""README.md does what it says: its commands print what it shows, and its Python runs."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clusters import ROOT, unavailable
from tests.docs import console

PAGE = (ROOT / "README.md").read_text(encoding="utf-8")
CONSOLE, PYTHON = (console.blocks(PAGE, language) for language in ("console", "python"))


class Newcomer:
    """Somebody who has just cloned the repository: nothing configured, and a folder for the server."""

    def __init__(self, home: Path) -> None:
        # Neither this process's configuration, nor what "make test" tells a make below it.
        ours = ("USERSCOPE_", "PG", "MAKE", "MFLAGS")
        kept = {name for name in os.environ if "DATABASE" not in name and not name.startswith(ours)}
        self.environment = {name: os.environ[name] for name in kept}
        self.environment |= {
            "USERSCOPE_HOME": str(home),
            "PATH": console.PATH,
            "PYTHONWARNINGS": "",
        }

    def run(self, *command: str) -> str:
        done = subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{shlex.join(command)}: {done.stdout}{done.stderr}"
        return done.stdout


@pytest.fixture(scope="module")
def newcomer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Newcomer]:
    """Somebody who has run the two commands of the first screen; what the commands print is compared on the way.

    The first who meets them waits for more than ten seconds: a server is made, migrated and shown.
    """
    if shutil.which("make") is None:
        unavailable("make is not installed")
    made = Newcomer(tmp_path_factory.mktemp("newcomer") / ".userscope")
    try:
        for block in CONSOLE[:1]:
            console.follow(block, made.environment, ROOT)
        ids = dict(re.findall(r"--as (\S+)   # (\w+)", made.run("userscope", "demo")))
        made.environment |= {"ALICE": next(i for i, name in ids.items() if name == "Alice")}
        made.environment |= {"BOB": next(i for i, name in ids.items() if name == "Bob")}
        yield made
    finally:
        made.run("userscope", "down", "--delete", "--yes")


@pytest.mark.breadth
def test_the_first_screen(newcomer: Newcomer) -> None:
    """A second run of the two commands says that all is there, and leaves the server as it is.

    It may take twenty seconds, since it is the first that needs somebody for whom the commands ran.
    """
    assert newcomer.run("make", "migrate") == "Nothing to deploy (up-to-date)\n"


@pytest.fixture(scope="module")
def printed(newcomer: Newcomer) -> str:
    """The ten lines of Python run as they stand: what they print."""
    assert len(PYTHON) == 1
    preamble = "import os\nalice, bob = os.environ['ALICE'], os.environ['BOB']\n"
    return newcomer.run(sys.executable, "-W", "error", "-c", preamble + PYTHON[0])


def test_python(newcomer: Newcomer, printed: str) -> None:
    """Bob sees nothing of Alice's, neither the demonstration's nor what was just added."""
    assert "Fix the bike" in printed
    assert not any(title in printed for title in ("Buy milk", "Pay the rent"))
    mine = newcomer.run(
        "userscope", "psql", "--as", newcomer.environment["ALICE"], "--", "-Atc", "select title from app.todos"
    )
    assert {"Buy milk", "Pay the rent"} <= set(mine.splitlines())


@pytest.mark.breadth
@pytest.mark.usefixtures("printed")
def test_from_psql(newcomer: Newcomer) -> None:
    """Two users, two answers, after the Python above it."""
    assert len(CONSOLE) == 2
    console.follow(CONSOLE[1], newcomer.environment, ROOT)


def test_words() -> None:
    """What this test does before it follows the page, the page tells: where the command is, and whose ids are meant."""
    assert PAGE.index("`source .venv/bin/activate`") < PAGE.index("are the ids that the demo prints")
    assert PAGE.index("`alice` and `bob`\n(`$ALICE`, `$BOB`) are") < PAGE.index(PYTHON[0]) < PAGE.index(CONSOLE[1])


def test_every_page() -> None:
    """README leads to each page of docs/."""
    named = re.findall(r"^\| \[docs/(.+?)\]\(", PAGE, re.MULTILINE)
    assert sorted(named) == sorted(path.name for path in (ROOT / "docs").glob("*.md"))


def test_links() -> None:
    """Whatever the pages link to is there."""
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
