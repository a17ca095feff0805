"""Whether a server's folder was made here by userscope, or came as a link, an archive, a clone or a copy.

A file in it cannot be brought along: when its entry was last changed (its ctime) is the kernel's to say, and no archive
restores that. What it was when we made the file stands beside it.
"""

import os
import stat
import tempfile
from pathlib import Path

from userscope.errors import LocalServerError

UNFINISHED = ".unfinished"
"""How the names of files end that are not there yet; they begin with a dot."""

_MARK, _PROOF = "made-here", "made-here.proof"
_MADE, _FOUND = "made", "found"


def claim(folder: Path, *, made: bool) -> None:
    """Mark a folder that holds nothing yet as ours; ``made`` tells whether we made it, so that it goes with the server.

    Several processes may do so at once.
    """
    os.close(os.open(folder / _MARK, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
    proof = folder / _PROOF
    if not ours(folder):
        descriptor, unfinished = tempfile.mkstemp(dir=folder, prefix=".", suffix=UNFINISHED)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(f"{_stamp(folder)} {_MADE if made else _FOUND}\n")
        Path(unfinished).replace(proof)


def unclaimed(folder: Path) -> bool:
    """Whether a folder holds nothing, or what is left of a claim that was interrupted."""
    return all(
        path.name == _MARK or (path.name.startswith(".") and path.name.endswith(UNFINISHED))
        for path in folder.iterdir()
    )


def ours(folder: Path) -> bool:
    """Whether we made what is in a folder, on this machine."""
    try:
        proof = (folder / _PROOF).read_text(encoding="ascii").split()
    except (OSError, UnicodeDecodeError):
        return False
    return bool(proof) and proof[0] == _stamp(folder)


def refuse_foreign(folder: Path) -> None:
    """Raise LocalServerError for a folder that is a link, or holds what we did not make here."""
    if folder.is_symlink() or not ours(folder):
        raise LocalServerError(
            f'"{folder}" was not made here by userscope',
            detail="It is a link or a copy, came with other files, or is older than 0.2.0. "
            "Nothing in it was run, and nothing removed.",
            hint="Look what is in it and remove it yourself, or set USERSCOPE_HOME to a folder that is not there yet.",
        )


def disclaim(folder: Path) -> None:
    """Remove the marks, and the folder where we made it; what else is in it stays ours to use, and stays."""
    left = {path.name for path in folder.iterdir()} - {_MARK, _PROOF}
    if left:
        return
    made = (folder / _PROOF).read_text(encoding="ascii").split()[1:] == [_MADE] if ours(folder) else False
    for name in (_PROOF, _MARK):
        (folder / name).unlink(missing_ok=True)
    if made:
        folder.rmdir()


def _stamp(folder: Path) -> str | None:
    """When the mark got its place in this folder, in nanoseconds; None where it is not a file of our own."""
    try:
        found = (folder / _MARK).lstat()
    except OSError:
        return None
    if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1 or found.st_uid != os.geteuid():
        return None  # a link may lead to a file whose time is known
    return str(found.st_ctime_ns)
