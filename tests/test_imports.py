"""Imports go one way: each part of the package imports only what stands before it, and the command line is lazy."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import userscope

SOURCE = Path(userscope.__file__).parent

BASE = {"errors", "urls", "settings"}
SERVICE = BASE | {"identity", "models", "connection"}
# Each part, and which others it may import. A file of local/ is a part of its own where it needs more than a server.
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "urls": {"errors"},
    "settings": {"errors", "urls"},
    "identity": BASE,
    "models": BASE,
    "logins": BASE,
    "seals": BASE | {"identity"},
    "connection": BASE | {"identity", "models"},
    "database": SERVICE,
    "accounts": SERVICE | {"database"},
    "auth": SERVICE | {"database"},
    "fastapi": SERVICE | {"database", "accounts", "auth"},
    "migrations": BASE,
    "scaffold": BASE | {"migrations"},
    "local": BASE,
    "local.sample_data": SERVICE | {"database", "accounts"},
    "local.demo": SERVICE | {"database", "accounts"},
    "audit": BASE | {"migrations", "local"},
    "testing": SERVICE | {"database", "accounts", "local", "migrations", "logins"},
    "__init__": SERVICE | {"database", "accounts", "auth"},
    "__main__": {"cli"},
}

SHARED = {"cli._ask", "cli._ledger", "cli._options"}
"""What commands have in common, as light as they are themselves."""

FILES = sorted(SOURCE.rglob("*.py"))


def part(module: str) -> str:
    """The part that a module of the package belongs to, by its name below ``userscope.``."""
    first, _, rest = module.partition(".")
    second = f"{first}.{rest.partition('.')[0]}"
    return second if second in MAY_IMPORT else first


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
    """A file imports its own part, and those before it."""
    own = part(".".join(path.relative_to(SOURCE).with_suffix("").parts))
    if own != "cli":
        assert {part(module) for module in imported(path)} <= MAY_IMPORT[own] | {own}
    elif path.name == "__init__.py" or not path.name.startswith("_"):  # a command imports what it uses when it runs
        assert imported(path, everywhere=False) <= {"errors"} | SHARED
    elif f"cli.{path.stem}" in SHARED:
        assert imported(path, everywhere=False) <= {"errors"}


def test_help_is_quick() -> None:
    """``userscope --help`` imports neither SQLModel nor psycopg nor rich."""
    code = (
        "import sys\nsys.argv = ['userscope', '--help']\nfrom userscope.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print('heavy:', sorted({'sqlmodel', 'sqlalchemy', 'psycopg', 'pydantic', 'rich'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("heavy: []\n")
