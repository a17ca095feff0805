"""docs/sealing.md: its commands do what it says of them, its seal is accepted, and its errors are the server's."""

import re
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest

from tests.cli.runner import Runner
from tests.clusters import ROOT, Database
from tests.docs import console

PAGE = (ROOT / "docs" / "sealing.md").read_text(encoding="utf-8")
CONSOLE = [
    (command.removeprefix("userscope "), shown)
    for block in console.blocks(PAGE, "console")
    for command, shown in console.commands(block)
]
(SNIPPET,) = console.blocks(PAGE, "python")


class Service:
    """A service in another language: a user, a key, and a seal made as the page says."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.user = uuid4()
        with database.connect("auth") as auth:
            auth.execute("insert into app.users (id, name, email) values (%s, 'A', 'a@x.io')", [self.user])

    def asks(self, key: str | None, *, snippet: str = SNIPPET) -> UUID:
        """Who acts, as the server sees it. Raises psycopg's error where it accepts no such identity."""
        names: dict[str, object] = {"seal_key": key, "user_id": str(self.user), "seal": None}
        if key is not None:
            exec(compile(snippet, "sealing.md", "exec"), names)  # noqa: S102  # that is what the page is for
        with self.database.connect("service") as connection, connection.transaction():
            connection.execute("select app.set_user_id(%s, %s)", [str(self.user), names["seal"]])
            (row,) = connection.execute("select id from app.account").fetchall()
            return UUID(str(row[0]))

    def refused(self, key: str | None, words: str, *, snippet: str = SNIPPET) -> None:
        """Expect that nobody's rows are shown, in words that the page quotes."""
        assert f"“{words}”" in " ".join(PAGE.split())
        with pytest.raises(psycopg.errors.InvalidAuthorizationSpecification, match=words):
            self.asks(key, snippet=snippet)


def test_page(database: Database, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Introduced, rotated, lost and put back, with no more than the page tells."""
    userscope = Runner(tmp_path, capfd, ADMIN_DATABASE_URL=database.url().text())
    service = Service(database)
    (new, shown), (require, said) = CONSOLE

    first = userscope(*new.split()).stdout.rstrip("\n")
    assert re.fullmatch(r"[0-9a-f]{8}:[\w+/]+=", first)
    assert re.fullmatch(r"[0-9a-f]{8}:\w+…=\n", shown)
    assert service.asks(first) == service.asks(None) == service.user
    assert userscope(*require.split()).stdout == said
    assert service.asks(first) == service.user
    service.refused(None, "the identity is not sealed")

    second = userscope("seal-key", "new").stdout.rstrip("\n")
    assert service.asks(first) == service.asks(second) == service.user
    userscope("seal-key", "retire", first.partition(":")[0], "--yes")
    assert service.asks(second) == service.user
    service.refused(first, "names no active key")
    late = SNIPPET.replace("+ 60", "- 60")
    assert late != SNIPPET
    service.refused(second, "the identity's seal has expired", snippet=late)

    with database.superuser_connection() as superuser:
        superuser.execute("delete from app_private.sealing")
    assert service.asks(second) == service.user
    service.refused(None, "whether identities must be sealed cannot be read")
    userscope(*require.split())
    service.refused(None, "the identity is not sealed")

    userscope("seal-key", "relax", "--yes")
    assert service.asks(None) == service.user


def test_commands(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Every command that the page names is there."""
    named = set(re.findall(r"`userscope ((?:seal-key )?[a-z-]+)", PAGE)) | {command for command, _ in CONSOLE}
    assert {
        "seal-key new",
        "seal-key require",
        "seal-key retire",
        "seal-key list",
        "seal-key relax",
        "seal-key rotate",
        "health",
        "audit",
    } == named
    for command in named:
        Runner(tmp_path, capfd)(*command.split(), "--help")
