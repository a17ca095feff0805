"""The Makefile explains itself, and says what is missing with its cure."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clusters import ROOT, unavailable
from tests.lowest import lowest

TEXT = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = re.findall(r"^([a-z-]+):", TEXT, re.MULTILINE)


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    if shutil.which("make") is None:
        unavailable("make is not installed")
    return subprocess.run(["make", "-C", str(folder), *arguments], capture_output=True, text=True, check=False)


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    """A clone without .venv, as far as the Makefile looks at it."""
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def test_help(fresh: Path) -> None:
    """``make`` alone prints every target with a sentence, and installs nothing."""
    done = make(fresh)
    assert done.returncode == 0
    assert re.findall(r"^  make ([a-z-]+) +\S.*$", done.stdout, re.MULTILINE) == TARGETS
    assert not (fresh / ".venv").exists()


def test_phony() -> None:
    """No target is hindered by a file of its name."""
    assert re.findall(r"^\.PHONY: ([a-z-]+)$", TEXT, re.MULTILINE) == TARGETS


@pytest.mark.parametrize("python", ["false", "does-not-exist"])
def test_no_python(fresh: Path, python: str) -> None:
    """A Python that is too old, or does not run, is named, and what to do about it."""
    done = make(fresh, "migrate", f"PYTHON={python}")
    assert done.returncode == 2
    assert f'ERROR:  "{python}" is older than Python 3.13, or does not run\nHINT:  ' in done.stderr
    assert not (fresh / ".venv").exists()


def test_none_found(fresh: Path) -> None:
    """Where no Python is found at all, the message names the version that is needed."""
    done = make(fresh, "migrate", "PYTHON=")
    assert done.returncode == 2
    assert "ERROR:  Python 3.13 or newer was not found\nHINT:  Install it" in done.stderr


def test_lowest() -> None:
    """Every dependency has a lower bound, which "make lowest" installs; where it lacks one, that is an error."""
    bounds = list(lowest((ROOT / "pyproject.toml").read_text(encoding="utf-8")))
    assert "sqlalchemy==2.1" in bounds
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", bound) for bound in bounds)
    with pytest.raises(ValueError, match="rich has no lower bound"):
        list(lowest('[project]\nname = "x"\ndependencies = ["rich"]\noptional-dependencies = {}\n'))


@pytest.mark.breadth
def test_an_old_venv(fresh: Path) -> None:
    """A .venv that came from another folder, or that lost its Python, is filled anew; one's own is left alone."""
    programs = fresh / ".venv" / "bin"
    programs.mkdir(parents=True)
    python, stamp = programs / "python", programs / ".runtime"
    python.symlink_to(sys.executable)
    own = f"{fresh} Python {sys.version.split()[0]}\n"
    for text, kept in (
        (own, True),
        (own.replace(str(fresh), "/elsewhere"), False),
        (own.replace(" 3.", " 2."), False),
        ("", False),
    ):
        stamp.write_text(text, encoding="utf-8")
        assert ("pip install" not in make(fresh, "--dry-run", "psql").stdout) == kept == stamp.exists()
    stamp.write_text(own, encoding="utf-8")
    python.unlink()
    python.symlink_to("/nowhere/python3.13")
    said = make(fresh, "--dry-run", "psql").stdout
    assert said.index("-m venv .venv") < said.index("pip install")
