"""What is watched from outside: processes that must end, and whatever else must come about by itself."""

import time
from collections.abc import Callable
from pathlib import Path

from userscope.local.server import Server


def eventually(condition: Callable[[], object], *, patience: float = 60) -> None:
    """Wait for what must come; that it has not come after ``patience`` seconds is a failure."""
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.01)


def gone(pid: int) -> bool:
    """Whether a process has ended."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True
    # A child of a container's first process may stay as a zombie: it holds nothing any more.
    return state.rpartition(")")[2].split()[0] == "Z"


def postmaster(server: Server) -> int:
    """The process id of a server, which runs or was killed."""
    assert server.folder
    return int((server.folder / "data" / "postmaster.pid").read_text().split()[0])
