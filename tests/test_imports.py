"""Imports go one way: a part of the package imports what stands below it, or to its left; the command line is lazy."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import userscope
from tests.clusters import ROOT

SOURCE = Path(userscope.__file__).parent

FLOORS = [
    ["errors", "postgres", "urls"],
    ["login", "pyproject", "identity", "settings"],
    ["models", "connection"],
    ["database", "accounts", "organizations", "migrations", "local", "admin", "audit"],
    ["auth", "mutation", "probe", "generate"],
    ["demo", "testing", "fastapi"],
    ["cli"],
]
"""Imports go down, and on one floor to the left."""

NEVER = {"connection": {"models"}, "fastapi": {"admin", "audit", "local", "migrations"}}
"""What a part does without, though it stands below: services bring no tools along."""

TOP = {
    "__init__": {"errors", "settings", "models", "database", "accounts", "organizations", "connection"},
    "__main__": {"cli"},
}

SHARED = {"cli._ask", "cli._ledger", "cli._options", "cli._paint"}
"""What commands have in common, as light as they are themselves."""

LIGHT = {"cli", "cli._paint", "errors", "login"}
"""What a command may import at once, without being slow to start."""

FILES = sorted(SOURCE.rglob("*.py"))


def part(module: str) -> str:
    """The part that a module of the package belongs to, by its name below ``userscope.``."""
    return module.partition(".")[0]


def below(own: str) -> set[str]:
    """The parts that stand below another, or to its left."""
    if own in TOP:
        return TOP[own]
    order = [name for floor in FLOORS for name in floor]
    return set(order[: order.index(own)]) - NEVER.get(own, set())


def imported(path: Path, *, everywhere: bool = True) -> set[str]:
    """The modules of the package that a file imports, below ``userscope.``; at its top level only, or everywhere."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = ast.walk(tree) if everywhere else iter(tree.body)
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.level == 0 and (node.module or "").startswith("userscope"):
            below = (node.module or "").removeprefix("userscope").lstrip(".")
            found |= {below} if below else {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {
                alias.name.removeprefix("userscope.") for alias in node.names if alias.name.startswith("userscope.")
            }
        assert not (isinstance(node, ast.ImportFrom) and node.level), f"{path.name} imports relatively"
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_one_way(path: Path) -> None:
    """A file imports its own part, and those below it."""
    own = part(".".join(path.relative_to(SOURCE).with_suffix("").parts))
    if own != "cli":
        assert {part(module) for module in imported(path)} <= below(own) | {own}
    elif path.name == "__init__.py" or not path.name.startswith("_"):  # a command imports what it uses when it runs
        assert imported(path, everywhere=False) <= LIGHT | SHARED
    elif f"cli.{path.stem}" in SHARED:
        assert imported(path, everywhere=False) <= LIGHT


def test_help_is_quick() -> None:
    """``userscope --help`` imports neither SQLModel nor psycopg nor rich."""
    code = (
        "import sys\nsys.argv = ['userscope', '--help']\nfrom userscope.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print('heavy:', sorted({'sqlmodel', 'sqlalchemy', 'psycopg', 'pydantic', 'rich'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("heavy: []\n")


MOST_LINES = 300
GENERATED = re.compile(r"^<!-- generated: .*?^<!-- end -->$", re.MULTILINE | re.DOTALL)


def test_no_long_file() -> None:
    """No file that somebody wrote is too long to be read at one go; what tests write into pages does not count."""
    folders = ("bench", "distributed", "docs", "examples", "policies", "schema", "src", "tests")
    written = [*ROOT.glob("*.md"), *(path for folder in folders for path in (ROOT / folder).rglob("*.*"))]
    kinds = {".html", ".js", ".md", ".py", ".sql"}
    texts = {
        path.relative_to(ROOT): GENERATED.sub("", path.read_text(encoding="utf-8"))
        for path in written
        if path.suffix in kinds and "node_modules" not in path.parts
    }
    assert len(texts) > 500
    assert {path: text.count("\n") for path, text in texts.items() if text.count("\n") > MOST_LINES} == {}
