"""docs/existing.md: an application that exists is protected by what the page says, its own routes and rows kept."""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.runner import Runner
from tests.clusters import ROOT, Database, cluster_of
from tests.docs import console
from userscope.audit.run import audit
from userscope.generate.text import Text

PAGE = (ROOT / "docs" / "existing.md").read_text(encoding="utf-8")
APP = Path(__file__).parent / "app"
KINDS = {
    "uuid": {
        "python": "uuid.UUID", "type": "Uuid", "made": "FetchedValue()",
        "made_there": 'server_default=sa.text("gen_random_uuid()")',
    },
    "bigint": {"python": "int", "type": "BigInteger", "made": "Identity()", "made_there": "sa.Identity()"},
    "text": {
        "python": "str", "type": "Text", "made": "FetchedValue()",
        "made_there": "server_default=sa.text(\"'user_' || gen_random_uuid()\")",
    },
}  # fmt: skip
"""Of each kind of ids, what stands in the application's model and migration."""
BEFORE = {
    "wrong password": 401, "alice's": ["alice's"], "alice's comments": ["by alice"], "bob's": ["bob's"],
    "bob's comments": ["by bob"], "search": ["alice's", "bob's"], "own": None, "another's": 403,
    "a comment on another's": 403, "admin alice": 403, "admin ada": ["alice's own", "bob's"],
}  # fmt: skip
AFTER = BEFORE | {
    "alice's": ["alice's", "alice's own"], "alice's comments": ["by alice"] * 2, "bob's": ["bob's"] * 2,
    "bob's comments": ["by bob"] * 2, "search": ["alice's", "alice's own"], "another's": 404,
    "a comment on another's": 404, "admin ada": ["alice's own"] * 2 + ["bob's"] * 2, "bob leaves": None,
    "who is left": ["alice's own"] * 2,
}  # fmt: skip
"""What people get of the service; it forgot whose rows a search finds, and there are rows from before."""


class Adopter:
    """Somebody with the application in a folder, who reads the page and does what it says."""

    def __init__(self, run: Runner, database: Database, kind: str) -> None:
        self.run, self.database = run, database
        for source in APP.rglob("*.txt"):
            path = run.folder / source.relative_to(APP).with_suffix("")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(Text(source.read_text(encoding="utf-8")).safe_substitute(KINDS[kind]), encoding="utf-8")
        self.environment["DATABASE_URL"] = database.url().text()

    @property
    def environment(self) -> dict[str, str]:
        return self.run.environment

    def program(self, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-W", "ignore", *words], cwd=self.run.folder, env=self.environment,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def told(self, *words: str) -> dict[str, object]:
        told: dict[str, object] = json.loads(self.program("journey.py", *words).splitlines()[-1])
        return told

    def follow(self, language: str, text: str) -> None:
        """Do what a block of the page says."""
        if language == "toml":
            (self.run.folder / "pyproject.toml").write_text(text, encoding="utf-8")
        elif language == "diff":
            applied = subprocess.run(
                ["patch", "-p1", "--fuzz=0"],
                cwd=self.run.folder,
                input=text,
                capture_output=True,
                text=True,
                check=False,
            )
            assert applied.returncode == 0, applied.stdout
        elif language == "console":
            for command, shown in console.commands(text):
                self.type(command, shown)

    def type(self, command: str, shown: str) -> None:
        export = re.fullmatch(r'export (\w+)="\$\((.*)\)"', command)
        program, *words = shlex.split(export[2] if export else command)
        if program == "alembic":
            self.program("-m", program, *words)
        elif program == "userscope":
            printed = self.run(*words).stdout
            if export:
                self.environment[export[1]] = printed.strip()
            elif shown:
                console.assert_shown(command, shown, printed)
        else:
            assert command == "pip install 'userscope[cli]'"


@pytest.fixture
def alone(request: pytest.FixtureRequest) -> Iterator[Database]:
    """A database of an owner of some kind, on a server of its own: an audit sees the roles of every test beside it."""
    with cluster_of() as cluster:
        yield cluster.database(request.param)


VARIANTS = [
    pytest.param("plain", "bigint"),
    *(
        pytest.param(owner, kind, marks=pytest.mark.breadth)
        for owner, kind in (("neon", "bigint"), ("plain", "text"), ("neon", "text"), ("superuser", "uuid"))
    ),
]


@pytest.mark.breadth
@pytest.mark.parametrize(("alone", "kind"), VARIANTS, indirect=["alone"])
def test_page(alone: Database, kind: str, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Followed block by block, with seals required; takes long, since the application runs in processes of its own."""
    run = Runner(folder, capfd, PYTHONDONTWRITEBYTECODE="1", ADMIN_DATABASE_URL=alone.url().text())
    adopter = Adopter(run, alone, kind)
    adopter.program("-m", "alembic", "upgrade", "head")
    assert adopter.told("new") == BEFORE
    if kind != "uuid":
        run.environment["USERSCOPE_USER_ID"] = kind
    way, back = PAGE.split("\n## The way back\n")
    for language, text in re.findall(r"^```(\w+)\n(.*?)^```", way, re.MULTILINE | re.DOTALL):
        adopter.follow(language, text)
    assert adopter.told() == AFTER
    assert [f for f in audit(alone.url()).findings if f.level == "error"] == []
    for language, text in re.findall(r"^```(\w+)\n(.*?)^```", back, re.MULTILINE | re.DOTALL):
        adopter.follow(language, text)


def test_few_lines() -> None:
    """The page changes thirty lines of Python at most, and shows no SQL that is written by hand."""
    changed = [
        line for text in console.blocks(PAGE, "diff") for line in text.splitlines() if re.match(r"\+(?!\+\+ )\S", line)
    ]
    assert 10 < len(changed) <= 30
    assert console.blocks(PAGE, "sql") == []
