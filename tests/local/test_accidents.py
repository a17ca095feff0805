"""Whatever befell a server or its files, the next start serves the same data, or says what is lost and the cure."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.clusters import ROOT, first_of
from tests.folders import sweep
from tests.local.conftest import CARELESS, START, ask
from tests.outages.disk import small_disk
from tests.processes import eventually, gone, postmaster
from userscope.errors import LocalServerError
from userscope.local.account import Account
from userscope.local.server import Server


def kill(server: Server) -> int:
    """Kill a running server; return what its process id was."""
    pid = postmaster(server)
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: gone(pid))
    return pid


def test_stale_pid_file(server: Server) -> None:
    """A server that was killed starts again with its data."""
    server.start()
    ask(server, "create table kept ()")
    kill(server)
    assert (server.home / "data" / "postmaster.pid").exists()
    assert not server.running
    assert server.start()
    assert ask(server, "select to_regclass('kept')::text") == "kept"


def test_pid_of_a_stranger(server: Server) -> None:
    """A pid file that names a stranger, as one may after a crash, neither hinders a start nor ends the stranger."""
    server.start()
    written = (server.home / "data" / "postmaster.pid").read_text()
    pid = kill(server)
    account = Account.serving()
    with subprocess.Popen(["sleep", "600"], user=account.uid if account.other else None, cwd="/") as stranger:
        try:
            (server.home / "data" / "postmaster.pid").write_text(written.replace(str(pid), str(stranger.pid), 1))
            assert not server.running
            assert not server.stop()
            assert stranger.poll() is None
            assert server.start()
            assert ask(server, "select 1") == 1
            assert stranger.poll() is None
        finally:
            stranger.kill()


@pytest.mark.breadth
@pytest.mark.parametrize("seen", first_of("unfinished/data/base", "server.json"))
def test_killed_while_it_is_made(folder: Path, seen: str) -> None:
    """Whoever makes the server may be killed at any time: the next start makes it, and leaves nothing half done."""
    home = folder / "home"
    with subprocess.Popen([sys.executable, "-c", START, home], stdout=subprocess.DEVNULL) as process:
        eventually(lambda: (home / seen).exists())
        process.kill()
    server = Server(home, settings=CARELESS)
    server.start()
    assert ask(server, "select current_database()") == "app"
    assert not (home / "unfinished").exists()


def test_killed_when_it_was_made(server: Server) -> None:
    """Nor does a start that was killed with the data in place leave its folder, which holds the admin's password."""
    server.start()
    server.stop()
    (server.home / "unfinished").mkdir()
    (server.home / "unfinished" / "password").write_text("secret")
    server.start()
    assert ask(server, "select 1") == 1
    assert not (server.home / "unfinished").exists()


def test_sockets_removed_under_a_running_server(server: Server) -> None:
    """A server whose socket was cleaned away is replaced, since nobody could ever reach or stop it otherwise."""
    server.start()
    pid = postmaster(server)
    for path in (server.home / "run").iterdir():
        path.unlink()
    assert not server.running
    assert server.start()
    assert gone(pid)
    assert ask(server, "select 1") == 1


def test_sockets_of_a_killed_server(folder: Path, moved: Callable[[Path], Server]) -> None:
    """The short-lived folder of a server that was killed is gone after the next start."""
    deep = folder / ("x" * 100)
    deep.mkdir(mode=0o711)
    server = moved(deep / "home")
    server.start()
    before = Path(server.url("admin").host)
    kill(server)
    server.start()
    assert not before.exists()
    assert Path(server.url("admin").host).exists()


def test_data_of_another_version(server: Server) -> None:
    """Data of another major version are left alone, and the error names both versions."""
    version = server.home / "data" / "PG_VERSION"
    version.write_text("17\n")
    with pytest.raises(LocalServerError, match="made by PostgreSQL 17, but PostgreSQL 18 is installed") as caught:
        server.start()
    assert caught.value.hint is not None
    assert "Install PostgreSQL 17 again" in caught.value.hint
    assert version.read_text() == "17\n"
    version.write_text("18\n")
    assert server.start()


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"host": ""}', None])
def test_damaged_state(server: Server, damage: str | None) -> None:
    """Where the passwords are lost, the error says so and names the command that begins anew."""
    state = server.home / "server.json"
    if damage is None:
        state.unlink()
    else:
        state.write_text(damage)
    with pytest.raises(LocalServerError, match=r"is missing or damaged") as caught:
        server.start()
    assert caught.value.hint is not None
    assert "userscope down --delete" in caught.value.hint
    assert not server.running


def test_full_disk(folder: Path) -> None:
    """Where there is no room the start says so at once, with the cure, and leaves nothing half made."""
    with small_disk(folder, megabytes=8) as disk:
        with pytest.raises(LocalServerError, match="cannot be made") as caught:
            Server(disk / "home", settings=CARELESS).start()
        assert "No space left on device" in (caught.value.detail or "")
        assert "Free some space on the disk" in (caught.value.hint or "")
        assert not (disk / "home").exists()


def test_a_run_that_was_killed(folder: Path, shared: Path) -> None:
    """The next run stops the servers that it left running and removes its folders, and nobody else's."""
    code = (
        "import time\n"
        "from tests.folders import make_folder\n"
        "print(make_folder() / 'home', flush=True)\n"
        "time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=ROOT) as run:
        assert run.stdout
        server = Server(Path(run.stdout.readline().rstrip("\n")), settings=CARELESS)
        server.start()
        pid = postmaster(server)
        assert server.home.parent not in sweep()
        run.kill()
    assert server.home.parent in sweep()
    assert gone(pid)
    assert [server.home.parent.exists(), folder.exists(), shared.exists()] == [False, True, True]
