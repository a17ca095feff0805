"""Folders of this run, in memory where there is room; and what a run that was killed has left of its own."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.processes import gone
from userscope.local.server import Server
from userscope.local.throwaway import place
from userscope.postgres import origin


def make_folder() -> Path:
    """Make a folder with a short path, which the user whom root runs servers as can pass through."""
    made = Path(tempfile.mkdtemp(prefix=f"us-{os.getpid()}-", dir=place()))
    made.chmod(0o711)
    return made


@contextmanager
def short_folder() -> Iterator[Path]:
    """The same until the end of the block; servers go with it."""
    made = make_folder()
    try:
        yield made
    finally:
        _remove(made)


def sweep() -> list[Path]:
    """Remove and return the folders of runs that were killed, and stop their servers, which outlive who starts them."""
    places = {Path("/tmp"), place()}  # noqa: S108  # where throw-away servers lie
    found = [folder for parent in places for folder in parent.glob("us-*-*") if _left(folder)]
    for folder in found:
        _remove(folder)
    return found


def _left(folder: Path) -> bool:
    process = folder.name.split("-")[1]
    return process.isdecimal() and folder.stat().st_uid == os.geteuid() and gone(int(process))


def _remove(folder: Path) -> None:
    for lock in sorted(folder.rglob("lock")):
        if origin.ours(lock.parent):
            Server(lock.parent).delete()
    shutil.rmtree(folder)
