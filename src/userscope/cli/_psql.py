"""Run psql without showing a secret to anybody: user id and seal stand in a private file, and on no command line."""

import getopt
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from psycopg import errors

from userscope.connection.login_check import not_a_service, not_migrated
from userscope.errors import ConfigurationError
from userscope.identity import SEAL_LIFE
from userscope.postgres import programs
from userscope.postgres.connect import connect
from userscope.postgres.url import ConnectionURL

_SHORT = "AtqxXc:f:v:P:F:R:o:"
_LONG = [
    *("no-align", "tuples-only", "quiet", "expanded", "no-psqlrc", "command=", "file=", "set=", "variable=", "pset="),
    *("field-separator=", "record-separator=", "output="),
]
_ACTIONS = {"-c", "--command", "-f", "--file"}
_WITHOUT_RC = {"-X", "--no-psqlrc"}

_IDENTITY = r"""\set echo_before :ECHO
\set ECHO none
\set quiet_before :QUIET
\set QUIET on
\set ON_ERROR_STOP on
begin;
select app.set_user_id($1, $2) \bind {user_id} {seal} \g /dev/null
\set QUIET :quiet_before
\set ECHO :echo_before
\unset quiet_before
\unset echo_before
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
\warn {told}
\warn 'commit keeps what you did; rollback or \\q drops it. After that nobody is acted for: type  :as  to act again.'
"""


def run(url: ConnectionURL, arguments: Sequence[str]) -> int:
    """Run psql on ``url`` and return its exit code. Raises MissingTool where there is no psql that fits."""
    program = programs.find("psql", url)
    connect(url).close()  # psql would name neither the variable nor the cure
    return _run(program, url, arguments)


def run_as(url: ConnectionURL, arguments: Sequence[str], credentials: Callable[[], tuple[str, str]]) -> int:
    r"""Run psql on ``url`` in a transaction that carries an identity; ``credentials`` makes its user id and seal.

    Raises ConfigurationError for arguments other than a few, MissingTool where there is no psql that can \bind.
    """
    program = programs.find("psql", url, least=16)
    _require_identity(url)
    utf8 = {"PGCLIENTENCODING": "UTF8"}  # as the identity is written
    options = _parse(arguments)
    acts = any(name in _ACTIONS for name, _ in options)
    with _identity_file(credentials) as identity:
        if sys.stdin.isatty() and not acts:
            start = _rc_file(identity, credentials()[0], options)
            kept = [(name, value) for name, value in options if name not in _WITHOUT_RC]
            return _run(program, url, _words(kept), PSQLRC=str(start), **utf8)
        commit = _private_file(identity.with_name("commit.sql"), _COMMIT)
        words = _words(options) + ([] if acts else ["-f", "-"])
        return _run(program, url, ["-f", str(identity), *words, "-f", str(commit)], **utf8)


def _require_identity(url: ConnectionURL) -> None:
    """Raise ConfigurationError where no identity can be set, which psql would say in words that name no cure."""
    try:
        with connect(url) as connection:
            connection.execute("select app.seal_required()")
    except (errors.InvalidSchemaName, errors.UndefinedFunction) as error:
        raise not_migrated() from error
    except errors.InsufficientPrivilege as error:
        raise not_a_service(url.user) from error


def _parse(arguments: Sequence[str]) -> list[tuple[str, str]]:
    try:
        options, rest = getopt.gnu_getopt(list(arguments), _SHORT, _LONG)
    except getopt.GetoptError as error:
        raise _refused(error.msg) from None
    if rest:
        raise _refused(f'"{rest[0]}" is no option')
    return options


def _refused(why: str) -> ConfigurationError:
    return ConfigurationError(
        f"with --as, psql cannot be run so: {why}",
        detail="It connects only to the configured database, as its DATABASE_URL login, in one transaction.",
        hint="It takes -A -t -q -x -X -c -f -v -P -F -R -o, and their long names. "
        "For SQL write: userscope psql --as USER_ID -- -c 'select …'",
    )


def _words(options: Iterable[tuple[str, str]]) -> list[str]:
    """Spell options such that psql reads them back as they were parsed, and nothing else."""
    return [
        word
        for name, value in options
        for word in ([name, value] if f"{name[1:]}:" in _SHORT or f"{name[2:]}=" in _LONG else [name])
    ]


@contextmanager
def _identity_file(credentials: Callable[[], tuple[str, str]]) -> Iterator[Path]:
    """Keep a script that begins a transaction and binds the identity, with a seal that is always fresh."""
    with tempfile.TemporaryDirectory(prefix="userscope-") as folder:
        path = Path(folder, "identity.sql")

        def write() -> None:
            user_id, seal = map(_quoted, credentials())
            fresh = _private_file(path.with_suffix(".new"), _IDENTITY.format(user_id=user_id, seal=seal))
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
    skipped = any(name in _WITHOUT_RC for name, _ in options)
    include = "" if skipped or not own.is_file() else f"\\i {_quoted(str(own))}\n"
    told = f"You act for the user {user_id}, in a transaction: the prompt shows * while it lasts."
    # A prompt has a language of its own, which runs programs.
    short = re.sub(r"[^\w@.|:-]", "?", user_id)[:8]
    text = _BANNER.format(short=short, told=_quoted(told), identity=_quoted(_quoted(str(identity))))
    return _private_file(identity.with_name("psqlrc"), include + text)


def _private_file(path: Path, text: str) -> Path:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    return path


def _quoted(text: str) -> str:
    """Quote an argument of a psql meta-command."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _run(program: Path, url: ConnectionURL, arguments: Sequence[str], **more: str) -> int:
    with programs.environment(url) as environment, _signals():
        return subprocess.run([program, *arguments], env=environment | more, check=False).returncode


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
