"""The public API: what ``from userscope import …`` offers is written down, sorted, and imported late."""

import subprocess
import sys

import pytest

import userscope


def test_all() -> None:
    """``__all__`` is sorted, and each of its names is there, under its own name."""
    assert userscope.__all__ == sorted(userscope.__all__)
    assert {name: getattr(userscope, name).__name__ for name in userscope.__all__} == {n: n for n in userscope.__all__}
    assert dir(userscope) == userscope.__all__


def test_nothing_else() -> None:
    """What is not public is not found."""
    assert not hasattr(userscope, "Connector")


def test_without_greenlet() -> None:
    """The core serves without the extra "async"; who awaits is told what to install."""
    code = (
        "import sys\n"
        "sys.modules['greenlet'] = None\n"
        "from userscope import AsyncDatabase, Database, Settings\n"
        "settings = Settings(_env_file=None, database_url='postgresql://u@/x')\n"
        "print(Database(settings).engine.dialect.driver)\n"
        "try:\n"
        "    AsyncDatabase(settings).reader('0f4d3f8c-58b4-4b8e-9a3e-2f0f3f1c2d3e')\n"
        "except Exception as error:\n"
        "    print(type(error).__name__, error.hint)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "userscope\nMissingExtra Run: pip install 'userscope[async]'\n", done.stderr


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


@pytest.mark.parametrize(("package", "module", "extra"), [("jwt", "auth", "auth"), ("fastapi", "fastapi", "fastapi")])
def test_extras(package: str, module: str, extra: str) -> None:
    """Who lacks a package is told what to install, and not only that it is missing."""
    code = (
        f"import sys\nsys.modules[{package!r}] = None\n"
        f"try:\n    import userscope.{module}\n"
        "except Exception as error:\n    print(type(error).__name__, error.hint)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == f"MissingExtra Run: pip install 'userscope[{extra}]'\n", done.stderr
