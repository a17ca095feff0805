"""docs/organizations.md: its table is written, deployed and shared as the page says."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clusters import ROOT, Database
from tests.docs.console import PATH, blocks, files, follow

PAGE = (ROOT / "docs" / "organizations.md").read_text(encoding="utf-8")


@pytest.mark.breadth
def test_page(tmp_path: Path, database: Database, empty: Database) -> None:
    """The commands of the page, and its Python, on a database of one's own; it prints what the page shows."""
    for name in ("schema", "policies"):
        shutil.copytree(ROOT / name, tmp_path / name)
    environment = {name: text for name, text in os.environ.items() if "DATABASE_URL" not in name}
    del database  # its logins are the server's
    environment |= empty.environment | {"PATH": PATH}
    (console,) = blocks(PAGE, "console")
    follow(console, environment, tmp_path)
    ((name, text),) = files(PAGE).items()
    (tmp_path / name).write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", name],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert [done.stdout] == blocks(PAGE, "text"), done.stderr
