"""Tables in docs that tell of the database say what a migrated database says; UPDATE_DOCS=1 writes them anew."""

import os
from collections.abc import Callable

import pytest

from tests.clusters import ROOT, Connection, Database
from tests.docs import generate

PARTS: list[tuple[str, str, Callable[[Connection], str]]] = [
    ("docs/database-models.md", "models", generate.models),
    ("docs/database-models.md", "matrix", generate.matrix),
    ("README.md", "services", generate.services),
]


@pytest.mark.parametrize(("path", "name", "make"), PARTS, ids=[name for _, name, _ in PARTS])
def test_generated(any_database: Database, path: str, name: str, make: Callable[[Connection], str]) -> None:
    """The page's generated part is current, whichever version it is read from."""
    page = ROOT / path
    with any_database.superuser_connection() as connection:
        current = generate.replaced(page.read_text(encoding="utf-8"), name, make(connection))
    if os.environ.get("UPDATE_DOCS"):
        page.write_text(current, encoding="utf-8")
    assert page.read_text(encoding="utf-8") == current
