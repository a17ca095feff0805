"""What can go wrong with the embedded server, put into words that hold the cure."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from userscope.errors import LocalServerError

_SPACE = 'Free some space on the disk that holds "{home}", or set USERSCOPE_HOME to a folder on another one.'
_LIMIT = 'Raise the limit on the size of files (see "ulimit -f").'
_CURES = {
    "No space left on device": _SPACE,
    "Disk quota exceeded": _SPACE,
    "wrote only": _SPACE,
    "File too large": _LIMIT,
    "SIGXFSZ": _LIMIT,
    "Read-only file system": "Set USERSCOPE_HOME to a folder that can be written.",
    "Permission denied": "Set USERSCOPE_HOME to a folder of your own.",
    "Operation not permitted": "Run userscope as an ordinary user: root may not change owners here.",
    "could not map anonymous shared memory": "Free some memory.",
    "could not create semaphores": "Stop other PostgreSQL servers, or raise the kernel's limits.",
}


@contextmanager
def as_local_error(what: str, home: Path) -> Iterator[None]:
    """Raise LocalServerError, "the embedded server <what>", for whatever the machine refuses in this block."""
    try:
        yield
    except OSError as error:
        where = f'"{error.filename}": ' if error.filename else ""
        raise failure(what, f"{where}{error.strerror or error}", home) from error


def failure(what: str, said: str, home: Path) -> LocalServerError:
    """Build the error out of what a program said: the complaint with a known cure, else the first one, else the end."""
    lines = said.strip().splitlines() or ["it said nothing"]
    known = [line for line in lines if any(reason in line for reason in _CURES)]
    complaints = [line for line in lines if re.search(r"error:|ERROR:|FATAL:|PANIC:|could not", line)]
    line = (known or complaints or lines[-1:])[0]
    cure = next((hint.format(home=home) for reason, hint in _CURES.items() if reason in line), None)
    line = re.sub(r"^.*?(error|ERROR|FATAL|PANIC): +", "", line).strip().rstrip(".")
    return LocalServerError(f"the embedded server {what}", detail=f"{line[:1].upper()}{line[1:]}.", hint=cure)
