"""Folders that a server can be made in, and servers that are surely gone afterwards."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.clusters import short_folder
from userscope.local.server import Server

CARELESS = {"fsync": "off"}
START = """
import sys
from pathlib import Path
from userscope.local.server import Server
print(Server(Path(sys.argv[1])).start())
"""


def ask(server: Server, statement: str) -> Any:
    """Run one statement as the admin; return the first column of its first row, if there is any."""
    with psycopg.connect(server.url("admin").conninfo(), autocommit=True) as connection:
        cursor = connection.execute(statement)
        row = cursor.fetchone() if cursor.description else None
    return row and row[0]


@pytest.fixture(scope="session")
def shared() -> Iterator[Path]:
    """The home of a server that was made once, and is moved to where a test wants it: copying takes much longer."""
    with short_folder() as made:
        server = Server(made / "home", settings=CARELESS)
        server.start()
        server.stop()
        yield server.home


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
