"""Sqitch's own configuration: Git-like files, and who commits."""

import getpass
import os
import re
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path

from userscope.errors import ConfigurationError

# As Config::GitLike has them, by which Sqitch reads: a comment begins only behind a blank, a quote or an escape.
_PART = r"""[\t ]++|\\[\\\n'"ntb]|"(?:[^"\\]|\\[\\\n"ntb])*+"|[^\t \\\n"]++"""
_ENTRY = re.compile(
    r"(?P<skipped>\s+|[#;].*)"
    r'|\[(?P<section>[^\s\[\]"]+)(?:[\t ]*"(?P<subsection>(?:[^"\\\n]|\\[\\"])*+)")?\]'
    r"|(?P<alone>[^\[=\n][^=\n]*?)[\t ]*(?:[#;].*)?$"
    rf"|(?P<key>[^\[=\n][^=\n]*?)[\t ]*=[\t ]*+(?P<value>(?:(?![\t ]*[#;])(?:{_PART}))*+)(?:[\t ]*[#;].*)?$",
    re.MULTILINE,
)
_PARTS = re.compile(_PART)
_DEEPEST = 10
# Of these Sqitch reads one value, and refuses two.
_SAID_ONCE = re.compile(
    r"(?:core|engine|target)\.(?:.*\.)?(?:\w*dir|plan_file|extension|registry|client|engine|target|uri|pager|verbosity)"
    r"|(?:deploy|revert|rework|verify|add|tag|user)\..*|.*\.variables\..*",
    re.DOTALL,
)
_ESCAPES = {"n": "\n", "t": "\t", "b": "\b", "\n": ""}
_BOOLEAN = re.compile(r"(?P<true>true|yes|on|-?0*1)|false|no|off|0*", re.IGNORECASE)


def read_config(project: Path) -> dict[str, str]:
    """Read the system's, the user's and the project's ``sqitch.conf``, later ones winning.

    Keys are ``section.key`` or ``section.Subsection.key``. Raises ConfigurationError for a file that cannot be read, or
    one that says two things; where it is a line's fault, the line is named.
    """
    files = (
        ("SQITCH_SYSTEM_CONFIG", Path("/etc/sqitch/sqitch.conf")),
        ("SQITCH_USER_CONFIG", Path(f"{_home()}/.sqitch/sqitch.conf")),
        ("SQITCH_CONFIG", project / "sqitch.conf"),
    )
    read = _Reading()
    for variable, default in files:
        read.file(Path(os.environ.get(variable) or default))
    return read.values


class _Reading:
    """What files have said so far, and which of them said it: one must not say two things."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self._origins: dict[str, Path] = {}

    def file(self, path: Path, depth: int = 0) -> None:
        if depth > _DEEPEST:
            raise ConfigurationError(f'"{path}" is included too deeply', hint="Does a file include itself?")
        try:
            text = path.read_bytes().decode()
        except (FileNotFoundError, NotADirectoryError):
            return
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            raise ConfigurationError(f'cannot read "{path}"', detail=f"{reason}.") from None
        for line, key, value in _entries(text.replace("\r\n", "\n") + "\n", path):
            self._define(key, value, path, line)
            # Beside the file that says so; one that is not there is none.
            included = path.parent / re.sub("^~", lambda _: _home(), value or "")
            if key == "include.path" and included.is_file():
                self.file(included, depth + 1)

    def _define(self, key: str, value: str | None, path: Path, line: int) -> None:
        if self._origins.get(key) == path and _SAID_ONCE.fullmatch(key):
            raise ConfigurationError(
                f'"{path}" sets {key} twice',
                detail=f"Line {line} is the second. Sqitch refuses it as well: multiple values.",
                hint="Remove one of the two.",
            )
        self._origins[key] = path
        if value is None:  # as if it had never been set
            self.values.pop(key, None)
        else:
            self.values[key] = value


def _entries(text: str, path: Path) -> Iterator[tuple[int, str, str | None]]:
    """Yield the line, the ``section.key`` and the value of all that a file sets; no value where there is but the key.

    Raises ConfigurationError.
    """
    section, position = "", 0
    while position < len(text):
        match, line = _ENTRY.match(text, position), text.count("\n", 0, position) + 1
        name = (match["alone"] or match["key"]) if match else None
        if match is None or (name and not section):
            raise ConfigurationError(f'"{path}" is not valid', detail=f"Line {line} is neither a section nor a key.")
        position = match.end()
        if match["section"]:
            subsection = re.sub(r"\\(.)", r"\1", match["subsection"] or "")
            section = match["section"].lower() + (f".{subsection}" if subsection else "")
        elif name:
            # Keys are of either case, but those of variables are names.
            key = f"{section}.{name if section.endswith('variables') else name.lower()}"
            yield line, key, None if match["alone"] else _value(match["value"])


def _home() -> str:
    return os.environ.get("HOME") or str(Path("~").expanduser())


def _value(text: str) -> str:
    """Take quotes and escapes off a value; a run of blanks outside quotes is one."""
    value = ""
    for part in _PARTS.findall(text):
        if part.startswith("\\"):
            value += _ESCAPES.get(part[1], part[1])
        elif part.startswith('"'):
            value += _unquote(part[1:-1])
        else:
            value += part.strip("\t ") or " "
    return value


def _unquote(text: str) -> str:
    # In this order, as Config::GitLike does it: a quote keeps its backslash.
    for old, new in (("\\\n", ""), ("\\n", "\n"), ("\\t", "\t"), ("\\b", "\b"), ("\\\\", "\\")):
        text = text.replace(old, new)
    return text


def boolean(config: Mapping[str, str], key: str, *, default: bool) -> bool:
    """Return what is true or false. Raises ConfigurationError for what is neither."""
    if key not in config:
        return default
    match = _BOOLEAN.fullmatch(config[key].strip())
    if match is None:
        raise ConfigurationError(f'{key} is "{config[key]}" in sqitch.conf', hint='Write "true" or "false".')
    return match["true"] is not None


def committer(config: Mapping[str, str]) -> tuple[str, str]:
    """Return the name and e-mail address that registry rows carry, found as Sqitch finds them.

    Raises ConfigurationError for a name or an address that Sqitch would refuse.
    """
    environ = os.environ
    login = environ.get("SQITCH_ORIG_SYSUSER") or _login()
    name = (
        environ.get("SQITCH_FULLNAME")
        or config.get("user.name")
        or environ.get("SQITCH_ORIG_FULLNAME")
        or _full_name(login)
    )
    email = (
        environ.get("SQITCH_EMAIL")
        or config.get("user.email")
        or environ.get("SQITCH_ORIG_EMAIL")
        or f"{login}@{socket.gethostname()}"
    )
    if "<" in name or name.startswith("["):
        raise ConfigurationError(
            f'the committer\'s name "{name}" holds "<" or begins with "["', hint="Set SQITCH_FULLNAME."
        )
    if ">" in email:
        raise ConfigurationError(f'the committer\'s e-mail address "{email}" holds ">"', hint="Set SQITCH_EMAIL.")
    return name, email


def _login() -> str:
    try:
        return os.getlogin()
    except OSError:  # no terminal: in a container, under cron
        pass
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user id without an account
        return str(os.getuid())


def _full_name(login: str) -> str:
    import pwd  # not on every platform, and only needed where nothing is configured

    try:
        return pwd.getpwnam(login).pw_gecos or login
    except KeyError:
        return login
