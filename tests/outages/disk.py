"""A server on a disk so small that it can be filled."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from tests.clusters import Cluster, short_folder, unavailable
from tests.outages.load import Load
from tests.outages.rig import LASTING, Rig, ordinary
from userscope.local.server import Server

_SIZE = 160
"""Megabytes: a new server, its WAL, and a little to write on."""
_WAL = {"max_wal_size": "32MB", "min_wal_size": "32MB"}


@contextmanager
def small_disk(folder: Path, megabytes: int = _SIZE) -> Iterator[Path]:
    """Mount a file system in memory on a folder; root may do that, and whoever may call sudo."""
    become = [] if os.geteuid() == 0 else ["sudo", "-n"]
    options = f"size={megabytes}m,mode=0711,uid={os.geteuid()}"
    if not _run(*become, "mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)):
        unavailable("no file system can be mounted to be filled (root may, where its container lets it)")
    try:
        yield folder
    finally:
        _run(*become, "umount", "--lazy", str(folder))


def _run(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


@contextmanager
def small(_: Cluster) -> Iterator[Rig]:
    """A rig whose server has a disk of its own."""
    with ExitStack() as stack:
        disk = stack.enter_context(small_disk(stack.enter_context(short_folder())))
        server = Server(disk / "server", settings={**LASTING, **_WAL, "fsync": "off"})
        stack.callback(server.delete)
        server.start()
        rig = stack.enter_context(ordinary(Cluster(server, 18)))
        rig.ballast = disk / "ballast"
        yield rig


def fill(rig: Rig, load: Load) -> None:
    """Fill the disk to the last byte until everybody was refused for it, and make room again."""
    assert rig.ballast
    refused = load.reasons["53100"]
    try:
        with rig.ballast.open("wb", buffering=0) as ballast, suppress(OSError):
            while True:
                ballast.write(b"\0" * (1 << 16))
        load.each("failed")
        assert load.reasons["53100"] > refused
    finally:
        rig.ballast.unlink()
    rig.server.start()  # where there was no room for its log it has ended itself
