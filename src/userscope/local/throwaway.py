"""A server for one purpose: fast, private, and gone afterwards, even where its process was killed."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from userscope.local.binaries import Binaries
from userscope.local.server import Server

_CARELESS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_wal_size": "128MB"}

_DISK, _MEMORY = Path("/tmp"), Path("/dev/shm")  # noqa: S108  # what is made in them is private
_ROOM = 4 * 2**30
"""Bytes that are to be free in memory for a server to lie there: it takes a fifth of a GB, and has neighbours."""

_WATCH = """
read -r _
kill -QUIT "$(head -n 1 "$1/data/postmaster.pid")" && sleep 1
rm -rf "$1"
"""


@contextmanager
def throwaway(*, binaries: Binaries | None = None, settings: Mapping[str, str] | None = None) -> Iterator[Server]:
    """Run a new server until the end of the block. Nothing that it is told survives a crash of the machine.

    It lies in memory where there is room, else in /tmp. A small shell waits for the end of this process as well, and
    then stops and removes the server in its stead.
    """
    folder = Path(tempfile.mkdtemp(prefix="userscope-", dir=place()))
    folder.chmod(0o711)
    watch: list[str | Path] = ["/bin/sh", "-c", _WATCH, "sh", folder]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(
        watch, stdin=subprocess.PIPE, stdout=quiet, stderr=quiet, start_new_session=True, cwd="/"
    ) as watcher:
        server = Server(folder, binaries=binaries, settings={**_CARELESS, **(settings or {})})
        try:
            server.start()
            yield server
        finally:
            server.stop(immediately=True)
            shutil.rmtree(folder)
            watcher.terminate()


def place() -> Path:
    """Return the folder for what is thrown away: where it is kept in memory if there is plenty, or else /tmp.

    Not TMPDIR: that may be a folder too deep for a socket, or closed to the user whom root runs the server as.
    """
    try:
        memory = os.statvfs(_MEMORY)
        available = re.findall(r"^MemAvailable: +(\d+) kB$", Path("/proc/meminfo").read_text(), flags=re.MULTILINE)
    except OSError:
        return _DISK
    room = min([memory.f_bavail * memory.f_frsize, *(int(kilobytes) * 1024 for kilobytes in available)])
    # Programs are copied to where a server lies if the user whom root runs it as cannot reach them.
    usable = os.access(_MEMORY, os.W_OK | os.X_OK) and not memory.f_flag & os.ST_NOEXEC
    return _MEMORY if usable and room >= _ROOM else _DISK
