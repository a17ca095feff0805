"""Whether a server lives: told by a lock that it holds until it ends, not by a pid file that a crash leaves behind."""

import fcntl
import os
import socket
from dataclasses import dataclass
from pathlib import Path

from userscope.local.directory import SOCKET, ServerDirectory


def try_lock(directory: ServerDirectory) -> int | None:
    """Lock a directory and return the lock's file descriptor; None while its server, or who starts that, holds it.

    A child that inherits the descriptor shares the lock, which ends with the last of them. Unlike a pid file it can
    neither outlive its holders nor come to name a stranger.
    """
    while True:
        lock = os.open(directory.lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            return None
        # Whoever deletes the directory deletes its lock too; a lock without a name locks nobody else out.
        if directory.lock.exists() and os.path.samestat(directory.lock.stat(), os.fstat(lock)):
            os.ftruncate(lock, 0)
            return lock
        os.close(lock)


def mark_launched(directory: ServerDirectory, lock: int) -> None:
    """Note in the lock that the pid file is its holder's from now on, and no longer what a crash left behind."""
    (directory.data / "postmaster.pid").unlink(missing_ok=True)
    os.write(lock, b"launched\n")


@dataclass(frozen=True)
class Status:
    """What PostgreSQL's pid file says: the process, the folder of its socket, and "starting", "ready" or "stopping"."""

    pid: int
    sockets: Path
    phase: str

    @classmethod
    def of(cls, directory: ServerDirectory) -> "Status | None":
        """Read it; None where there is none, or where it is not that of the lock's holder."""
        try:
            if not directory.lock.read_bytes():
                return None
            lines = (directory.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return None
        # PostgreSQL writes it line by line: an early reader finds it shorter.
        return cls(int(lines[0]), Path(lines[4]), lines[7].strip()) if len(lines) >= 8 else None

    @property
    def answers(self) -> bool:
        """Whether the server takes connections."""
        if self.phase != "ready":
            return False
        with socket.socket(socket.AF_UNIX) as client:
            return client.connect_ex(os.fspath(self.sockets / SOCKET)) == 0


def answers(directory: ServerDirectory) -> bool:
    """Whether the server of a directory takes connections now."""
    status = Status.of(directory)
    return status is not None and status.answers
