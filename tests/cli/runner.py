"""Runs the command line as a person would, and tells what it printed."""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

import pytest

from userscope.cli import main


@dataclass(frozen=True)
class Done:
    """What a command left: its exit code and what stood on both outputs."""

    code: int
    stdout: str
    stderr: str


class Runner:
    """Runs userscope in a folder of its own, with none but the given settings; in this process, which is quicker."""

    def __init__(self, folder: Path, capfd: pytest.CaptureFixture[str], **settings: str) -> None:
        ours = ("DATABASE_", "ADMIN_", "AUTH_", "USERSCOPE_", "PG")
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith(ours)} | settings
        self.folder = folder
        self.capfd = capfd

    def __call__(self, *words: str, code: int | None = 0, stdin: str = "") -> Done:
        """Run a command, which must end with this exit code; None: whatever it is."""
        self.capfd.readouterr()
        with TemporaryFile("w+") as file, pytest.MonkeyPatch.context() as patch, redirected(file):
            file.write(stdin)
            file.seek(0)
            patch.setattr(sys, "stdin", file)
            patch.setattr(sys, "argv", ["userscope", *words])
            patch.chdir(self.folder)
            for name in os.environ.keys() - self.environment.keys():
                patch.delenv(name)
            for name, value in self.environment.items():
                patch.setenv(name, value)
            with pytest.raises(SystemExit) as ended:
                main()
        done = Done(int(ended.value.code or 0), *self.capfd.readouterr())
        assert code is None or done.code == code, done
        return done


@contextmanager
def redirected(file: IO[str]) -> Iterator[None]:
    """Let programs that are started inside the block read ``file``."""
    before = os.dup(0)
    os.dup2(file.fileno(), 0)
    try:
        yield
    finally:
        os.dup2(before, 0)
        os.close(before)


def ledger(output: str) -> list[str]:
    """The lines of a ledger without their times."""
    return [re.sub(r" \(\d+ ms\)$", "", line) for line in output.splitlines() if re.match(r"  [+*-] .* \.\.", line)]
