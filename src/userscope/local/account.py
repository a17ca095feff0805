"""Whom PostgreSQL runs as: the user who starts it or, since it refuses to run as root, an unprivileged one."""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from userscope.errors import LocalServerError


@dataclass(frozen=True)
class Account:
    """A user of this machine, with what it takes to run programs as that user and to hand files over to them."""

    uid: int
    gid: int
    name: str

    @classmethod
    def serving(cls, home: Path) -> "Account":
        """Return who runs the server of ``home``. Raises LocalServerError where PostgreSQL would not run as anyone.

        For an ordinary user that is the user. For root it is the owner of ``home``, so that a server that a developer
        made stays theirs, or else ``nobody``.
        """
        uid = os.geteuid()
        if uid != 0:
            return cls._named(uid) or _nameless(uid)
        owner = home.stat().st_uid if home.exists() else 0
        return (owner and cls._named(owner)) or cls._nobody()

    @classmethod
    def _named(cls, uid: int) -> "Account | None":
        try:
            entry = pwd.getpwuid(uid)
        except KeyError:
            return None
        return cls(entry.pw_uid, entry.pw_gid, entry.pw_name)

    @classmethod
    def _nobody(cls) -> "Account":
        try:
            entry = pwd.getpwnam("nobody")
        except KeyError:
            raise LocalServerError(
                "PostgreSQL does not run as root, and this machine has no user “nobody” to run it as",
                hint="Run userscope as an ordinary user.",
            ) from None
        return cls(entry.pw_uid, entry.pw_gid, entry.pw_name)

    @property
    def other(self) -> bool:
        """Whether this is another user than the one running now, which only root can bring about."""
        return self.uid != os.geteuid()

    def owns(self, path: Path) -> bool:
        """Whether this user owns ``path``; symbolic links are not followed."""
        return path.lstat().st_uid == self.uid

    def give(self, target: Path | int) -> None:
        """Hand a file, a folder or a file descriptor over to this user."""
        if self.other:
            os.chown(target, self.uid, self.gid)

    def run(
        self,
        *command: str | Path,
        stdin: str = "",
        output: int | IO[str] = subprocess.PIPE,
        keep: tuple[int, ...] = (),
        detach: bool = False,
    ) -> subprocess.CompletedProcess[str]:
        """Run a program as this user, in a neutral environment; ``keep`` are file descriptors that it inherits.

        Both of its outputs go to ``output``. Raises OSError where the user may not run it.
        """
        environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
        return subprocess.run(
            [os.fspath(word) for word in command],
            input=stdin,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            cwd="/",
            env=environment,
            pass_fds=keep,
            start_new_session=detach,
            check=False,
            user=self.uid if self.other else None,
            group=self.gid if self.other else None,
            extra_groups=[] if self.other else None,
        )


def _nameless(uid: int) -> Account:
    raise LocalServerError(
        f"the user id {uid} has no name on this machine",
        detail="PostgreSQL asks for the name of the user it runs as.",
        hint=f'Add a line for {uid} to /etc/passwd (in a container: "--user" with a user the image knows).',
    )
