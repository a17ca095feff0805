"""The public API: what ``from userscope import …`` offers is written down, sorted, and imported late."""

import subprocess
import sys

import userscope


def test_all() -> None:
    """``__all__`` is sorted, and each of its names is there, under its own name."""
    assert userscope.__all__ == sorted(userscope.__all__)
    assert {name: getattr(userscope, name).__name__ for name in userscope.__all__} == {n: n for n in userscope.__all__}
    assert dir(userscope) == userscope.__all__


def test_nothing_else() -> None:
    """What is not public is not found."""
    assert not hasattr(userscope, "Connector")


def test_late() -> None:
    """Importing the package, its migrations and its errors brings no SQLModel along."""
    code = (
        "import sys, userscope, userscope.migrations, userscope.errors, userscope.settings\n"
        "before = {'sqlmodel', 'sqlalchemy'} & set(sys.modules)\n"
        "from userscope import Todo\n"
        "print(sorted(before), 'sqlmodel' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[] True\n"
