"""What a page of documentation shows, read and run as a reader would."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.clusters import ROOT, Database

PATH = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
"""Where a reader's shell finds programs: what .venv/bin/activate does."""

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_ENDED = "-- the command has ended --"


def blocks(page: str, language: str) -> list[str]:
    """The blocks of a language (``console``, ``python``, ``sql`` …), in the order of the page."""
    return [text for marked, text in _BLOCK.findall(page) if marked == language]


def files(page: str, language: str = "python") -> dict[str, str]:
    """The blocks that begin with a comment of a file's name, by that comment."""
    found = (re.fullmatch(r"(?:#|--) ([\w/]+\.\w+[^\n]*)\n(.*)", text, re.DOTALL) for text in blocks(page, language))
    return {match[1]: match[2] for match in found if match}


def scripts(page: str) -> Iterator[tuple[str, str, str]]:
    """The scripts of changes: each with its kind, ``deploy``, ``revert`` or ``verify``, and its ``project:change``."""
    for text in blocks(page, "sql"):
        if match := re.match(r"-- (Deploy|Revert|Verify) (\w+:\w+) ", text):
            yield text, match[1].lower(), match[2]


def commands(block: str) -> list[tuple[str, str]]:
    """The ``$`` lines of a console block, each with what is shown below it."""
    return re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE)


def assert_shown(command: str, shown: str, printed: str) -> None:
    """Compare what a command printed; an ellipsis stands for any text of a line, a line of its own for any lines."""
    pattern = re.sub(r"^…\\\n", r"(?:.*\\n)+", re.escape(shown), flags=re.MULTILINE).replace("…", ".*")
    assert re.fullmatch(pattern, printed), f"{command}\n{printed}"


def clone(folder: Path) -> None:
    """Put our two projects into a folder, as they lie in a clone."""
    for name in ("schema", "policies"):
        shutil.copytree(ROOT / name, folder / name)


def at_work(page: str, folder: Path, database: Database, **more: str) -> dict[str, str]:
    """Follow the page's one console block in a clone, on a database, and write its one file; return the environment."""
    clone(folder)
    environment = {name: text for name, text in os.environ.items() if "DATABASE_URL" not in name}
    environment |= database.environment | {"PATH": PATH} | more
    (block,) = blocks(page, "console")
    follow(block, environment, folder)
    ((name, text),) = files(page).items()
    (folder / name).write_text(text, encoding="utf-8")
    return environment


def follow(block: str, environment: Mapping[str, str], folder: Path, *, code: int = 0) -> None:
    """Run the commands of a console block in one shell, compare what they print, and how the shell ends."""
    found = commands(block)
    script = "".join(f"{command}\nprintf '\\n{_ENDED}\\n'\n" for command, _ in found)
    done = subprocess.run(
        ["bash", "-eu", "-c", script], env=environment, cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stdout + done.stderr
    outputs = done.stdout.split(f"\n{_ENDED}\n")
    assert len(outputs) == len(found) + (code == 0)  # after the last comes nothing
    for (command, shown), printed in zip(found, outputs, strict=False):
        assert_shown(command, shown, printed if printed.endswith("\n") or not printed else f"{printed}\n")
