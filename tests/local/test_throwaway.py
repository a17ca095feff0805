"""A throw-away server is gone after its block, however the block ends."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from tests.processes import eventually, gone, postmaster
from userscope.local.server import Server
from userscope.local.throwaway import place, throwaway


def test_gone_after_its_block() -> None:
    """It serves inside the block; afterwards neither it nor its folder is there, and an exception passes through."""
    with pytest.raises(ZeroDivisionError), throwaway(settings={"work_mem": "1MB"}) as server:
        pid = postmaster(server)
        with psycopg.connect(server.url("admin").conninfo()) as connection:
            row = connection.execute("select current_setting('work_mem'), current_setting('fsync')").fetchone()
            assert row == ("1MB", "off")
        assert not gone(pid)
        raise ZeroDivisionError
    assert gone(pid)
    assert not server.home.exists()


def test_gone_after_a_kill() -> None:
    """It does not outlive its process, even where that was killed."""
    code = (
        "import time\n"
        "from userscope.local.throwaway import throwaway\n"
        "with throwaway() as server:\n"
        "    print(server.home, flush=True)\n"
        "    time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        home = Path(process.stdout.readline().rstrip("\n"))
        pid = postmaster(Server(home))
        assert not gone(pid)
        os.kill(process.pid, signal.SIGKILL)
    eventually(lambda: gone(pid))
    eventually(lambda: not home.exists())


def test_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It lies in memory where that has room; else, or where there is no such folder, on disk."""
    module, disk = "userscope.local.throwaway", tmp_path / "disk"
    monkeypatch.setattr(f"{module}._DISK", disk)
    for memory, room, chosen in ((tmp_path, 0, tmp_path), (tmp_path, 2**60, disk), (tmp_path / "missing", 0, disk)):
        monkeypatch.setattr(f"{module}._MEMORY", memory)
        monkeypatch.setattr(f"{module}._ROOM", room)
        assert place() == chosen
