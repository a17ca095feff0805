"""docs/mutation.md: its options are those of the command, and its test has the holes that it shows."""

import os
import re
from typing import Any
from uuid import UUID

import pytest
from typer.main import get_command

from tests.clusters import ROOT, Connection
from tests.docs import console
from tests.docs.scripts import Page
from tests.docs.test_extending import extended as extended
from tests.docs.test_extending import page as page
from userscope.cli.app import app
from userscope.mutation.mutants import every

PAGE = (ROOT / "docs" / "mutation.md").read_text(encoding="utf-8")


def test_options() -> None:
    """The page tells of every option of "userscope mutate"."""
    group: Any = get_command(app)
    command = group.commands["mutate"]
    options = {name for option in command.params for name in option.opts if name.startswith("--")}
    rows = re.findall(r"^\| (`--.*?) \| ", PAGE, re.MULTILINE)
    assert set(re.findall(r"--[a-z-]+", " ".join(rows))) == options


def test_operator(extended: tuple[Page, Connection, UUID, UUID]) -> None:
    """The page's own operator makes the mutant that it tells of, and that can be planted."""
    page, *_ = extended
    (page.folder / "mutants").mkdir()
    (page.folder / "mutants" / "notes.sql").write_text(
        console.files(PAGE, "sql")["policies/mutants/notes.sql"], encoding="utf-8"
    )
    with page.database.superuser_connection() as connection:
        (mutant,) = set(every(connection, [page.folder / "mutants"])) - set(every(connection))
        assert mutant.id == "shows what is old: select_own on app.notes"
        connection.execute(mutant.ddl[0].encode())


@pytest.mark.breadth
def test_mutation(extended: tuple[Page, Connection, UUID, UUID]) -> None:
    """The page's test passes, and mutation testing finds in it the holes that the page shows."""
    page, service, _, _ = extended
    service.close()
    (page.folder / "test_notes.py").write_text(console.files(PAGE)["test_notes.py"], encoding="utf-8")
    (block,) = (block for block in console.blocks(PAGE, "console") if block.startswith("$ userscope mutate"))
    told = block.replace("…\n", "", 1)  # what is told of the progress, apart from the output
    environment = os.environ | page.database.environment | {"PATH": console.PATH}
    console.follow(told, environment, page.folder, code=1)
