"""The folder that holds an embedded server: found, made, locked and written without leaving anything half done.

made-here     shows, with its proof, that we made this folder, and that it is no copy: see ``postgres/origin.py``
server.json   how to connect, passwords included: for the owner alone
lock          held by whoever starts the server, then by the server itself for as long as it lives
server.log    what the server says
pg_hba.conf   who may log in: everybody by password, over the socket
data/         PostgreSQL's data; there only when complete
run/          the socket, for the owner alone (in a private folder of /tmp where its path would be too long)
binaries-*/   a copy of PostgreSQL, where the user that it runs as cannot reach the installed one
"""

import errno
import logging
import os
import pwd
import shutil
import socket
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from userscope.errors import LocalServerError
from userscope.local.account import Account
from userscope.postgres import origin
from userscope.postgres.origin import UNFINISHED
from userscope.postgres.state import ServerState, damaged, fallback_home

log = logging.getLogger("userscope.server")

SOCKET = ".s.PGSQL.5432"

_SHORT = Path("/tmp")  # noqa: S108  # the path of a socket has to be short, and the folder made in it is private
_PREFIX = "userscope-"


@dataclass(frozen=True)
class ServerDirectory:
    """A folder for one server, and the account that the server runs as."""

    folder: Path
    account: Account

    @property
    def data(self) -> Path:
        """PostgreSQL's data directory."""
        return self.folder / "data"

    @property
    def lock(self) -> Path:
        """What the server holds locked while it lives; see ``userscope.local.lock``."""
        return self.folder / "lock"

    @property
    def log(self) -> Path:
        """The server's log."""
        return self.folder / "server.log"

    @property
    def state(self) -> Path:
        """What tells how to connect; see ``userscope.postgres.state``."""
        return ServerState.file(self.folder)

    @classmethod
    def find(cls, home: Path) -> "ServerDirectory | None":
        """Return where the server of ``home`` lies, if it was ever made. Raises LocalServerError if it is another's."""
        account = Account.serving()
        for folder in (home, fallback_home(home)):
            if folder.is_symlink():
                origin.refuse_foreign(folder)
            if not folder.is_dir():
                continue
            if folder.stat().st_uid != os.geteuid():
                raise _foreign(folder)
            # In this order: somebody may be claiming it this moment.
            if origin.unclaimed(folder):
                continue
            origin.refuse_foreign(folder)
            directory = cls(folder, account)
            if directory.data.exists() and not account.owns(directory.data):
                raise _foreign(directory.data)
            if directory.lock.exists():
                return directory
        return None

    @classmethod
    def make(cls, home: Path) -> "ServerDirectory":
        """Return where the server of ``home`` lies or is to lie: in ``home`` or, where that cannot serve, elsewhere.

        Raises LocalServerError where neither can.
        """
        if found := cls.find(home):
            return found
        account = Account.serving()
        why_not = _prepare(home, account)
        if why_not is None:
            return cls(home, account)
        elsewhere = fallback_home(home)
        if (nor := _prepare(elsewhere, account)) is not None:
            raise LocalServerError(
                "no folder can hold the embedded server",
                detail=f"{why_not}. {nor}.",
                hint=f'Set USERSCOPE_HOME to a folder that the user "{account.name}" can reach and write.',
            )
        log.warning('the embedded server is kept in "%s": %s', elsewhere, why_not)
        return cls(elsewhere, account)

    def read_state(self) -> ServerState:
        """Return what ``server.json`` says. Raises LocalServerError where it is missing or damaged."""
        state = ServerState.read(self.folder)
        if state is None:
            raise damaged(self.state)
        return state

    def write_state(self, state: ServerState) -> None:
        """Write ``server.json``, whole or not at all."""
        self.write(self.state, state.text(), mode=0o600)

    def write(self, path: Path, text: str, *, mode: int, owner: Account | None = None) -> Path:
        """Write a file of this directory by renaming, so that no reader meets half of it; return its path."""
        descriptor, unfinished = tempfile.mkstemp(dir=self.folder, prefix=".", suffix=UNFINISHED)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
                os.fchmod(descriptor, mode)
                if owner:
                    owner.give(descriptor)
            return Path(unfinished).replace(path)
        except BaseException:
            Path(unfinished).unlink(missing_ok=True)
            raise

    def open_log(self) -> IO[str]:
        """Empty the log and open it for a server's output."""
        descriptor = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        return os.fdopen(descriptor, "w", encoding="utf-8")

    def private_folder(self, name: str) -> Path:
        """Make an empty folder that the server's account alone can enter."""
        folder = self.folder / name
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir(mode=0o700)
        self.account.give(folder)
        return folder

    def socket_folder(self) -> Path:
        """Make the private folder of the socket: ``run``, or one in /tmp where libpq could not use a socket there."""
        run = self.private_folder("run")
        try:
            if "," in os.fspath(run):
                raise OSError(0, "libpq takes the comma in its path for the end of a host")
            with socket.socket(socket.AF_UNIX) as probe:
                probe.bind(os.fspath(run / SOCKET))
        except OSError as error:
            temporary = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=_SHORT))
            self.account.give(temporary)
            log.info('the socket is kept in "%s": %s', temporary, error)
            return temporary
        (run / SOCKET).unlink()
        return run

    def remove_sockets(self) -> None:
        """Remove the folder that ``socket_folder`` made in /tmp, and what a server that was killed left in it."""
        try:
            folder = Path(self.read_state().host)
            # server.json may have come with somebody else's files: only what is surely ours goes.
            if folder.parent == _SHORT and folder.name.startswith(_PREFIX) and self.account.owns(folder):
                for name in (SOCKET, f"{SOCKET}.lock"):
                    (folder / name).unlink(missing_ok=True)
                folder.rmdir()
        except (LocalServerError, OSError):
            return  # an empty folder in /tmp is no reason to fail

    def delete(self) -> None:
        """Remove everything that a server has written here, and the folder where we made it and nothing is left."""
        self.remove_sockets()
        for folder in ("data", "unfinished", "run", *(path.name for path in self.folder.glob("binaries-*"))):
            if (self.folder / folder).exists():
                shutil.rmtree(self.folder / folder)
        files = [*self.folder.glob(f".*{UNFINISHED}"), self.state, self.log, self.folder / "pg_hba.conf", self.lock]
        for file in files:
            file.unlink(missing_ok=True)
        origin.disclaim(self.folder)


def _prepare(folder: Path, account: Account) -> str | None:
    """Make ``folder`` ready for a server that ``account`` runs; return why it cannot be, or None.

    Raises LocalServerError where no other folder would help.
    """
    if folder.exists() and not folder.is_dir():
        raise LocalServerError(f'"{folder}" is not a folder', hint="Remove it, or set USERSCOPE_HOME to a folder.")
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        for path in reversed(missing):
            path.mkdir(exist_ok=True)
            # Root keeps its folders for itself, but the account has to pass through them.
            path.chmod(0o711 if account.other else 0o700)
        Path(tempfile.mkdtemp(dir=folder, prefix=".", suffix=UNFINISHED)).rmdir()
        if not account.can_enter(folder):
            raise PermissionError(0, f'the user "{account.name}", whom the server runs as, cannot reach it')
        origin.claim(folder, made=folder in missing)
    except (OSError, LocalServerError) as error:
        for path in missing:
            with suppress(OSError):
                path.rmdir()
        if isinstance(error, LocalServerError) or error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise
        return f'"{folder}" cannot hold it: {error.strerror}'
    return None


def _foreign(path: Path) -> LocalServerError:
    uid = path.lstat().st_uid
    try:
        owner = f'"{pwd.getpwuid(uid).pw_name}"'
    except KeyError:
        owner = str(uid)
    return LocalServerError(
        f'"{path}" belongs to the user {owner}',
        hint="Run as that user, or set USERSCOPE_HOME to a folder of your own.",
    )
