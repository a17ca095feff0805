"""Better Auth beside the service, on this machine: installed where needed, run for the length of a ``with`` block."""

import fcntl
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import IO, Any, Self

from userscope.errors import ConfigurationError, MissingTool, UserscopeError

FOLDER = Path(__file__).with_name("auth")
_OLDEST = 20
_PURPOSE = "to run Better Auth, which is written in TypeScript"
_CURE = f"Install Node.js {_OLDEST} or newer with npm (Debian and Ubuntu: apt-get install nodejs npm)."
_MAIL = {"subject", "to", "url"}
_PATIENCE = 60.0
"""Seconds until it must be ready; it takes two on a machine with nothing else to do."""


class AuthServerError(UserscopeError):
    """The auth server cannot be installed or started; what it or npm said is in the detail."""


def require_node() -> None:
    """Refuse where Node.js is missing or too old. Raises MissingTool or ConfigurationError."""
    if shutil.which("node") is None:
        raise MissingTool("node", _PURPOSE, _CURE)
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False).stdout.strip()
    if int(version.removeprefix("v").partition(".")[0] or 0) < _OLDEST:
        raise ConfigurationError(f"Node.js {version} is too old for Better Auth", hint=_CURE)


def install(tell: Callable[[str], None], folder: Path = FOLDER, what: str = "Better Auth") -> None:
    """Install exactly what the lock file names, unless that is there already. Raises MissingTool, AuthServerError."""
    require_node()
    lock = folder / "package-lock.json"
    installed = folder / "node_modules" / ".package-lock.json"
    with lock.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # of two at once, one waits for the other
        if installed.exists() and installed.stat().st_mtime >= lock.stat().st_mtime:
            return
        if shutil.which("npm") is None:
            raise MissingTool("npm", f"to install {what}", _CURE)
        tell(f"Installing {what} with npm …")
        command = ["npm", "ci", "--prefer-offline", "--ignore-scripts"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise AuthServerError(f"npm cannot install {what}", detail=done.stderr.strip())


class AuthServer:
    """The server of ``auth/``, with ``variables`` as its environment (see ``auth/server.js``).

    It prints what it would mail, as a line of JSON: each goes to ``mail``.
    """

    def __init__(self, variables: Mapping[str, str], *, mail: Callable[[dict[str, str]], None], log: IO[str]) -> None:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TZ") if name in os.environ}
        self._environment = {**kept, "PORT": "0", **variables}
        self._mail = mail
        self._log = log
        self._ready: SimpleQueue[dict[str, Any] | None] = SimpleQueue()
        self.url = ""

    def __enter__(self) -> Self:
        self.process = subprocess.Popen(
            ["node", "server.js"], cwd=FOLDER, env=self._environment, text=True, encoding="utf-8", errors="replace",
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self._log,
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            ready = self._ready.get(timeout=_PATIENCE)
        except Empty:
            ready = None
        if ready is None:
            self.__exit__()
            raise AuthServerError("the auth server did not start", detail="What it said stands above, or in its log.")
        self.url = ready["url"]
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._reader.join()
        if self.process.stdout:
            self.process.stdout.close()

    def _read(self) -> None:
        """Read to the end, whatever comes: who writes to a full pipe waits for ever."""
        try:
            for line in self.process.stdout or ():
                said = _said(line)
                if "ready" in said:
                    self._ready.put(said)
                elif said.keys() >= _MAIL:
                    self._mail(said)
                else:
                    self._log.write(line)
        finally:
            self._ready.put(None)


def _said(line: str) -> dict[str, Any]:
    """Return what a line of the server's own says; nothing where a library wrote it."""
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}
