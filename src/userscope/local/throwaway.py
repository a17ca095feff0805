"""A server for one purpose: fast, private, and gone afterwards, even where its process was killed."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from userscope.local.binaries import Binaries
from userscope.local.server import Server

_CARELESS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}

_WATCH = """
read -r _
kill -QUIT "$(head -n 1 "$1/data/postmaster.pid")" && sleep 1
rm -rf "$1"
"""


@contextmanager
def throwaway(*, binaries: Binaries | None = None, settings: Mapping[str, str] | None = None) -> Iterator[Server]:
    """Run a new server until the end of the block. Nothing that it is told survives a crash of the machine.

    A small shell waits for the end of this process as well, and then stops and removes the server in its stead.
    """
    # Not in TMPDIR: that may be a folder too deep for a socket, or closed to the user whom root runs the server as.
    folder = Path(tempfile.mkdtemp(prefix="userscope-", dir="/tmp"))
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
