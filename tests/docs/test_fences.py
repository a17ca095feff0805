"""docs/fences.md: its table is written, deployed, tested and used as the page says."""

import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from bench.fences import OPERATIONS, SIZES
from tests.bench.test_page import FIGURE, table
from tests.clusters import ROOT, Database
from tests.docs.console import at_work

PAGE = (ROOT / "docs" / "fences.md").read_text(encoding="utf-8")


@pytest.mark.breadth
def test_commands(tmp_path: Path, database: Database, empty: Database) -> None:
    """The commands of the page, and its Python, on a database of one's own."""
    del database  # its logins are the server's
    environment = at_work(PAGE, tmp_path, empty, PYTEST_ADDOPTS="-p userscope.testing -p no:cacheprovider")
    user = uuid4()
    with empty.superuser_connection() as connection:
        connection.execute("insert into app.users (id, name, email) values (%s, 'A', 'a@x.io')", [user])
    program = "import sys; from diary import *; print(len(set(keep(Database(), sys.argv[1]))))"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, str(user)],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout == "30\n", done.stderr
    with empty.superuser_connection() as connection:
        row = connection.execute("select body from app_fenced.diaries where title = 'day 7'").fetchone()
    assert row == ("It rained.",)


def test_costs() -> None:
    """What a fence costs stands there for each operation and size; one row by its function costs what it may."""
    head, rows = table(PAGE, "fences")
    assert head[2:] == [f"{size:,}" for size in SIZES]
    assert {row[0].partition(",")[0] for row in rows} == set(OPERATIONS)
    for row in rows:
        assert [cell for cell in row[1:] if not FIGURE.fullmatch(cell)] == []
