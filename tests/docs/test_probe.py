"""docs/probe.md: its migration has the hole that it shows, its test passes, and its options are the command's."""

import os
import re
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from tests.clusters import ROOT, Database
from tests.docs import console
from userscope.audit.baseline import Baseline
from userscope.cli.app import app
from userscope.probe.answers import RULES

PAGE = (ROOT / "docs" / "probe.md").read_text(encoding="utf-8")


def block(beginning: str) -> str:
    """The console block that begins so, and shows what is printed."""
    found = [text for text in console.blocks(PAGE, "console") if text.startswith(f"$ {beginning}\n")]
    assert len(found) == 1
    return found[0]


@pytest.mark.breadth
def test_migrations(tmp_path: Path) -> None:
    """The page's migration is tried as the page tells it."""
    (tmp_path / "supabase" / "migrations").mkdir(parents=True)
    (name,) = console.files(PAGE, "sql")
    (tmp_path / name).write_text(console.files(PAGE, "sql")[name], encoding="utf-8")
    console.follow(
        block("userscope probe --migrations supabase/migrations"), os.environ | {"PATH": console.PATH}, tmp_path, code=1
    )


@pytest.mark.breadth
def test_ours(database: Database, tmp_path: Path) -> None:
    """Our own database is told of in the page's words."""
    environment = os.environ | database.environment | {"PATH": console.PATH}
    console.follow(block("userscope probe"), environment, tmp_path)


def test_answers(tmp_path: Path) -> None:
    """The page's answer is one, of a rule that there is."""
    path = tmp_path / "probe.toml"
    (text,) = console.blocks(PAGE, "toml")
    path.write_text(text, encoding="utf-8")
    (entry,) = Baseline.read(path).entries.values()
    assert set(entry.rules) <= set(RULES)


def test_reach(userscope: Any) -> None:
    """The page's test passes."""
    names: dict[str, Any] = {}
    exec(console.files(PAGE)["test_reach.py"], names)  # noqa: S102  # it is the page's own
    names["test_reach"](userscope)


def test_options() -> None:
    """The page tells of every option that is the command's own."""
    command: Any = get_command(app)
    options = {name for option in command.commands["probe"].params for name in option.opts if name.startswith("--")}
    told = set(re.findall(r"--[a-z-]+", PAGE))
    assert options - told == {"--json"}
