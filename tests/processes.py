"""What is watched from outside: processes that must end, and whatever else must come about by itself."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from userscope.local.server import Server


def eventually(condition: Callable[[], object], *, patience: float = 60) -> None:
    """Wait for what must come; that it has not come after ``patience`` seconds is a failure."""
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.01)


@contextmanager
def meanwhile(work: Callable[[threading.Event], None]) -> Iterator[None]:
    """Something goes on in a thread until the block ends, and its event is set; what it raises is raised then."""
    over = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        going_on = pool.submit(work, over)
        try:
            yield
        finally:
            over.set()
        going_on.result()


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
