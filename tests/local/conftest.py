"""Folders that a server can be made in, and servers that are surely gone afterwards."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from userscope.local.server import Server

CARELESS = {"fsync": "off"}


@pytest.fixture(scope="session")
def shared() -> Iterator[Path]:
    """The home of a server that was made once, and is moved to where a test wants it: copying takes much longer."""
    made = Path(tempfile.mkdtemp(prefix="us-", dir="/tmp"))
    made.chmod(0o711)
    server = Server(made / "home", settings=CARELESS)
    server.start()
    server.stop()
    yield made / "home"
    shutil.rmtree(made)


@pytest.fixture
def moved(shared: Path) -> Iterator[Callable[[Path], Server]]:
    """Return a server of the given home that was made already, and does not run; the test leaves its data usable."""
    state = (shared / "server.json").read_text()
    homes = []

    def move(home: Path) -> Server:
        shared.rename(home)
        homes.append(home)
        return Server(home, settings=CARELESS)

    yield move
    for home in homes:
        Server(home).stop()
        (home / "server.json").write_text(state)
        (home / "server.json").chmod(0o600)
        home.rename(shared)


@pytest.fixture
def server(folder: Path, moved: Callable[[Path], Server]) -> Server:
    """A server that was made already, and does not run."""
    return moved(folder / "home")
