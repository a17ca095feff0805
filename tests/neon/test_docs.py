"""docs/neon.md does what it says: its blocks run, in order, on a project that is empty at the start."""

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.runner import Runner
from tests.clusters import ROOT
from tests.docs import console
from tests.neon.rig import DOMAIN, ENDPOINT, OWNER, Project, project
from tests.versions import binaries
from userscope import Accounts, Database, Todo
from userscope.postgres.url import ConnectionURL
from userscope.settings import Settings

PAGE = (ROOT / "docs" / "neon.md").read_text(encoding="utf-8")
SETUP, _, REST = PAGE.partition("\n## Traps\n")


class Reader:
    """Somebody who follows the page in one shell, and fills in what was printed before."""

    def __init__(self, made: Project, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
        self.project = made
        self.shell = Runner(folder, capfd)
        self.shell.environment["PATH"] = f"{binaries(17, tls=True).bindir}:{self.shell.environment['PATH']}"
        self.key = ""

    def follow(self, text: str) -> None:
        """Run each ``$`` line, and compare what it prints."""
        for block in console.blocks(text, "console"):
            for command, shown in console.commands(block):
                printed = re.sub(r"^[0-9a-f]{8}:", "3f9c21aa:", self.run(*shlex.split(command)))  # a key of their own
                console.assert_shown(command, shown, printed)

    def run(self, program: str, *words: str) -> str:
        if program == "export":
            name, _, value = words[0].partition("=")
            self.shell.environment[name] = self.key if name == "USERSCOPE_SEAL_KEY" else self.located(value)
            return ""
        if program != "userscope":
            given = [self.shell.environment[word[1:]] if word.startswith("$") else word for word in words]
            done = subprocess.run(
                [self.project.programs / program, *given],
                cwd=self.shell.folder, capture_output=True, text=True, check=False,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr
            return done.stdout
        printed = self.shell(*words).stdout
        if words[0] == "create-login":
            self.project.adopt(printed.strip())
        if words[:2] == ("seal-key", "new"):
            self.key = printed.strip()
        return printed

    def located(self, text: str) -> str:
        """The page's URL with its password, and with the address that stands for Neon's network here."""
        written = ConnectionURL.parse(text, "page")
        assert written.host in {f"{ENDPOINT}.{DOMAIN}", f"{ENDPOINT}-pooler.{DOMAIN}"}
        made = self.project.url(written.user, pooled=written.pooled)
        kept = {name: value for name, value in written.params.items() if name != "channel_binding" or not made.pooled}
        own = {name: made.params[name] for name in ("password", "hostaddr")}
        return ConnectionURL("page", {**kept, **own}).text()


@pytest.fixture
def reader(folder: Path, capfd: pytest.CaptureFixture[str]) -> Iterator[Reader]:
    """With an empty project of their own."""
    with project() as made:
        yield Reader(made, folder, capfd)


def serve(reader: Reader) -> list[str]:
    """A user's first todo, by a service with the reader's configuration: its titles."""
    names = ("DATABASE_URL", "AUTH_DATABASE_URL", "USERSCOPE_SEAL_KEY")
    given = {name.lower(): reader.shell.environment[name] for name in names}
    settings = Settings(_env_file=None, **given)
    with Accounts(settings) as accounts:
        user = accounts.create("alice@example.org").id
    with Database(settings) as db, db.session(user) as session:
        session.add(Todo(title="first"))
    with reader.project.superuser() as neon:
        return [title for (title,) in neon.execute("select title from app.todos")]


@pytest.mark.breadth
def test_from_an_empty_project(reader: Reader) -> None:
    """The five steps, as they stand; afterwards a service serves."""
    reader.follow(SETUP)
    assert serve(reader) == ["first"]


@pytest.mark.breadth
def test_restore_a_dump(reader: Reader) -> None:
    """The dump of one project in another: found wanting before the last step, fit after it; new logins serve."""
    reader.follow(SETUP)
    shell, dump = reader.shell, re.search(r"`(pg_dump .*?)`", REST)
    assert dump is not None
    reader.run(*shlex.split(dump[1]))
    with project() as other:
        reader.project = other
        steps = REST.partition("\n## Restore a dump\n")[2]
        shell.environment["ADMIN_DATABASE_URL"] = other.text(OWNER)
        before, revoke, after = steps.partition("$ userscope psql -- -c 'revoke")
        reader.follow(before + "```\n")
        assert "revoke temporary on database neondb from public" in shell("verify", code=1).stderr
        assert "revoke temporary on database neondb from public" in shell("audit", code=1).stdout
        reader.follow("```console\n" + revoke + after)
        assert serve_anew(reader) == ["first"]


def serve_anew(reader: Reader) -> list[str]:
    """Make the logins again, as step 2 says, and serve."""
    step = SETUP.partition("**2. ")[2].partition("**3. ")[0]
    reader.follow(step)
    for name, login in (("DATABASE_URL", "todo_service"), ("AUTH_DATABASE_URL", "todo_auth")):
        reader.shell.environment[name] = reader.project.text(login, pooled=True)
    return serve(reader)
