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
    def serving(cls) -> "Account":
        """Return who is to run a server: we or, for root, ``nobody``. Raises LocalServerError where neither can."""
        try:
            entry = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
        except KeyError:
            wanted = "user nobody" if os.geteuid() == 0 else f"user id {os.geteuid()}"
            raise LocalServerError(
                f"the {wanted} has no entry in /etc/passwd",
                detail="PostgreSQL does not run as root, and asks for the name of the user it runs as.",
                hint="Run userscope as a user that has an entry.",
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

    def can_enter(self, folder: Path) -> bool:
        """Whether this user can enter ``folder``. Raises LocalServerError where not even root can act as this user."""
        if not self.other:
            return os.access(folder, os.X_OK)
        try:
            return self.run("/bin/sh", "-c", 'cd "$1"', "sh", folder).returncode == 0
        except OSError as error:
            raise LocalServerError(
                f'root cannot act as the user "{self.name}" here',
                detail=f"PostgreSQL does not run as root, and the machine said: {error.strerror}.",
                hint="Run userscope as an ordinary user.",
            ) from error

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
