"""docs/organizations.md: its table is written, deployed and shared as the page says."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.clusters import ROOT, Database
from tests.docs.console import at_work, blocks

PAGE = (ROOT / "docs" / "organizations.md").read_text(encoding="utf-8")


@pytest.mark.breadth
def test_page(tmp_path: Path, database: Database, empty: Database) -> None:
    """The commands of the page, and its Python, on a database of one's own; it prints what the page shows."""
    del database  # its logins are the server's
    environment = at_work(PAGE, tmp_path, empty)
    done = subprocess.run(
        [sys.executable, "-W", "error", "team.py"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert [done.stdout] == blocks(PAGE, "text"), done.stderr
