"""Where a folder cannot hold a server another does, said aloud, or an error tells the cure; nothing is left behind."""

import logging
import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from tests.local.conftest import CARELESS
from userscope.errors import LocalServerError
from userscope.local.account import Account
from userscope.local.server import Server


@pytest.fixture
def unusable(folder: Path) -> Path:
    """A home that no server can live in: root's server cannot reach it, an ordinary user's cannot write it."""
    closed = folder / "closed"
    closed.mkdir()
    closed.chmod(0o700 if os.geteuid() == 0 else 0o500)
    return closed / "home"


@pytest.fixture
def elsewhere(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the folders that stand in."""
    state = folder / "state"
    monkeypatch.setattr("userscope.postgres.state._ROOT_STATE", state)
    monkeypatch.setenv("XDG_STATE_HOME", os.fspath(state))
    return state / "userscope"


def test_another_folder(unusable: Path, elsewhere: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The server goes elsewhere, which is said once, and is found there by its home from then on."""
    server = Server(unusable, settings=CARELESS)
    assert server.start()
    said = [(record.name, record.levelno, record.getMessage()) for record in caplog.records]
    assert said == [
        (
            "userscope.server",
            logging.WARNING,
            f'the embedded server is kept in "{server.folder}": "{unusable}" cannot hold it: '
            + (
                'the user "nobody", whom the server runs as, cannot reach it'
                if os.geteuid() == 0
                else "Permission denied"
            ),
        )
    ]
    assert server.folder is not None
    assert server.folder.parent == elsewhere
    assert not unusable.exists()
    with psycopg.connect(Server(unusable).url("admin").conninfo()) as connection:
        assert connection.execute("show data_directory").fetchone() == (str(server.folder / "data"),)
    assert not Server(unusable).start()
    assert len(caplog.records) == 1
    assert Server(unusable).stop()
    server.delete()
    assert list(elsewhere.iterdir()) == []


def test_no_folder_at_all(unusable: Path, folder: Path, elsewhere: Path) -> None:
    """Where the other folder cannot be used either, the error names both, with their reasons."""
    elsewhere.parent.write_text("in the way")
    with pytest.raises(LocalServerError, match="no folder can hold the embedded server") as caught:
        Server(unusable).start()
    assert caught.value.detail is not None
    assert f'"{unusable}" cannot hold it: ' in caught.value.detail
    assert f'"{elsewhere}/closed-' in caught.value.detail
    assert caught.value.hint is not None
    assert f'Set USERSCOPE_HOME to a folder that the user "{Account.serving().name}" can' in caught.value.hint
    assert {path.name for path in folder.iterdir()} == {"closed", "state"}
    assert not unusable.exists()


def test_no_folder(folder: Path) -> None:
    """A home that is a file is named."""
    (folder / "home").write_text("mine")
    with pytest.raises(LocalServerError, match=f'"{folder}/home" is not a folder'):
        Server(folder / "home").start()
    assert (folder / "home").read_text() == "mine"


def test_folder_of_another_user(folder: Path) -> None:
    """Nothing is read from, written to or started in a folder of another user, whom the error names."""
    if os.geteuid() == 0:
        home, owner = folder / "home", Account.serving().name
        home.mkdir(mode=0o755)
        Account.serving().give(home)
    else:
        home, owner = Path("/usr"), "root"
    server = Server(home)
    for act in (server.start, server.stop, server.delete, lambda: server.running):
        with pytest.raises(LocalServerError, match=f'"{home}" belongs to the user "{owner}"') as caught:
            act()
        assert caught.value.hint == "Run as that user, or set USERSCOPE_HOME to a folder of your own."


def test_never_made(folder: Path) -> None:
    """What was never made cannot be stopped, deleted or connected to, and asking makes nothing."""
    server = Server(folder / "home")
    assert not server.stop()
    server.delete()
    with pytest.raises(LocalServerError, match="there is no embedded server yet"):
        server.url("admin")
    assert list(folder.iterdir()) == []


START = """
import resource, sys
from pathlib import Path
from userscope.errors import LocalServerError
from userscope.local.server import Server
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
try:
    Server(Path(sys.argv[1])).start()
except LocalServerError as error:
    print(error)
"""


@pytest.mark.parametrize("limit", [100, 1_000_000])
def test_no_space(folder: Path, limit: int) -> None:
    """Where files cannot grow, at whatever point, there is one error with its cure and nothing half made."""
    command = [sys.executable, "-c", START, str(folder / "home"), str(limit)]
    said = subprocess.run(command, capture_output=True, text=True, check=True)
    assert said.stderr == ""
    message, detail, hint = said.stdout.splitlines()
    assert message == "the embedded server cannot be made"
    assert detail.startswith("DETAIL:  ")
    assert hint == 'HINT:  Raise the limit on the size of files (see "ulimit -f").'
    assert list(folder.iterdir()) == []
