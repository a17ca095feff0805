"""What ``userscope new-table`` would write, without writing it."""

import re

import pytest

from tests.clusters import ROOT
from userscope.errors import ConfigurationError
from userscope.generate.columns import Column
from userscope.generate.table import Table
from userscope.migrations.projects import KINDS


@pytest.mark.parametrize(
    ("name", "one", "sentence"),
    [
        ("notes", None, "A note. Belongs"),
        ("entries", None, "An entry. Belongs"),
        ("shopping_lists", None, "A shopping list. Belongs"),
        ("people", "person", "A person. Belongs"),
    ],
)
def test_words(name: str, one: str | None, sentence: str) -> None:
    """Comments are sentences, since they become error messages."""
    assert f"'{sentence}" in Table.of(name, [], one).scripts("schema", "policies")["schema", "deploy"]


def test_column() -> None:
    """A text has a length, whatever was said."""
    assert Column.parse("body:text") == Column("body", "text", 10_000)
    assert Column.parse("body:text:5:null") == Column("body", "text", 5, nullable=True)
    with pytest.raises(ConfigurationError):
        Column.parse("body:null")


@pytest.mark.parametrize("project", ["schema", "policies"])
@pytest.mark.parametrize("kind", KINDS)
def test_documented(project: str, kind: str) -> None:
    """docs/extending.md shows what the command that it names writes."""
    page = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
    (words,) = re.findall(r"^\$ userscope new-table (\w+) (.+) --test", page, re.MULTILINE)
    text = Table.of(words[0], words[1].split()).scripts("schema", "policies")[project, kind]
    assert f"```sql\n{text}```" in page


def test_documented_class() -> None:
    """So does the class."""
    page = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
    assert f"```python\n# notes.py\n{Table.of('notes', ['body:text:2000']).mapping()}```" in page
