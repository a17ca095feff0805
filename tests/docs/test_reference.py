"""The generated pages are current, and leave nothing out; UPDATE_DOCS=1 writes them anew."""

import importlib
import os
import re
from collections.abc import Callable

import pytest
from typer.main import get_command

from tests.cli.test_app import every
from tests.clusters import ROOT
from tests.docs import reference
from tests.docs.cures import CURES
from tests.docs.generate import replaced
from userscope import errors
from userscope.cli.app import app

PAGES: dict[str, Callable[[], str]] = {
    "api": reference.api,
    "commands": reference.commands,
    "errors": reference.table,
}


def page(name: str) -> str:
    return (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", PAGES)
def test_current(name: str) -> None:
    """The page's generated part is what the package says of itself."""
    current = replaced(page(name), name, PAGES[name]())
    if os.environ.get("UPDATE_DOCS"):
        (ROOT / "docs" / f"{name}.md").write_text(current, encoding="utf-8")
    assert page(name) == current


def headings(text: str, level: int) -> list[str]:
    return re.findall(rf"^{'#' * level} (.+)$", text, re.MULTILINE)


def test_every_name() -> None:
    """Each public name, each command and each class of error has its heading, once."""
    names = [name for module in reference.MODULES for name in importlib.import_module(module).__all__]
    assert headings(page("api"), 3) == names
    assert headings(page("commands"), 2) == [f"userscope {' '.join(words)}" for words in every(get_command(app))]
    assert sorted(headings(page("errors"), 2)) == sorted(errors.__all__)
    assert CURES.keys() == set(errors.__all__)
