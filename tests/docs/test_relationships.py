"""docs/relationships.md: its tables and its classes keep what the page says of them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clusters import ROOT, Database
from tests.docs import console
from userscope.generate.parent import Parent
from userscope.generate.table import Table

PAGE = (ROOT / "docs" / "relationships.md").read_text(encoding="utf-8")
USES = (Path(__file__).parent / "relationships.py").read_text(encoding="utf-8")


def _tables(database: Database) -> None:
    """What the page's commands write, and its table between two others."""
    folders = Parent("folders", "schema:folders", "app", [])
    with database.connect() as owner:
        for words, parent in (
            (("folders", "name:text:100"), None),
            (("notes", "body:text:2000"), folders),
            (("labels", "name:text:50"), None),
        ):
            assert words[0] in PAGE
            texts = Table.of(words[0], [words[1]], parent=parent).scripts("schema", "policies")
            for project in ("schema", "policies"):
                owner.execute(texts[project, "deploy"].encode())
        owner.execute(console.files(PAGE, "sql")["note_labels.sql"].encode())


@pytest.mark.breadth
def test_page(database: Database, tmp_path: Path) -> None:
    """Written, read eagerly and lazily, moved, removed: by each user apart, although their ids are the same."""
    _tables(database)
    (tmp_path / "folders.py").write_text(console.files(PAGE)["folders.py"], encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", USES], cwd=tmp_path,
        env=os.environ | {
            "DATABASE_URL": database.url("service").text(), "AUTH_DATABASE_URL": database.url("auth").text(),
        },
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.stdout, done.returncode) == ("whole\n", 0), done.stdout + done.stderr
