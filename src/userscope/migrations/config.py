"""Sqitch's own configuration: Git-like files, and who commits."""

import getpass
import os
import re
import socket
from collections.abc import Mapping
from pathlib import Path

from userscope.errors import ConfigurationError

_SECTION = re.compile(r'\[\s*([A-Za-z0-9.\-]+)(?:\s+"((?:[^"\\]|\\.)*)")?\s*\](.*)', re.DOTALL)
_KEY = re.compile(r"([A-Za-z0-9_\-]+)[ \t]*(?:=[ \t]*(.*)|(?:[#;].*)?)\Z", re.DOTALL)
_VALUE = re.compile(
    r'(?P<comment>[ \t]*[#;].*)|(?P<blank>[ \t]+)|"(?P<quoted>(?:[^"\\]|\\.)*)"|\\(?P<escape>.)|(?P<word>[^ \t\\"]+)',
    re.DOTALL,
)
_ESCAPES = {"n": "\n", "t": "\t", "b": "\b", "\n": ""}


def read_config(project: Path) -> dict[str, str]:
    """Read the system's, the user's and the project's ``sqitch.conf``, later ones winning.

    Keys are ``section.key`` or ``section.Subsection.key``. Raises ConfigurationError for a file that cannot be read.
    """
    home = Path(os.environ.get("HOME", "~")).expanduser()
    files = (
        ("SQITCH_SYSTEM_CONFIG", Path("/etc/sqitch/sqitch.conf")),
        ("SQITCH_USER_CONFIG", home / ".sqitch" / "sqitch.conf"),
        ("SQITCH_CONFIG", project / "sqitch.conf"),
    )
    values: dict[str, str] = {}
    for variable, default in files:
        path = Path(os.environ.get(variable) or default)
        try:
            values |= parse_config(path.read_text(encoding="utf-8"), path)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            raise ConfigurationError(f'cannot read "{path}"', detail=f"{reason}.") from None
    return values


def parse_config(text: str, path: Path) -> dict[str, str]:
    """Parse one file. Raises ConfigurationError, which names the line."""
    values: dict[str, str] = {}
    section = ""
    lines = iter(enumerate(text.splitlines(), start=1))
    for number, line in lines:
        rest = line.lstrip()
        if match := _SECTION.match(rest):
            subsection = (match[2] or "").replace("\\\\", "\\").replace('\\"', '"')
            section = match[1].lower() + (f".{subsection}" if subsection else "")
            rest = match[3].lstrip()
        if not rest or rest[0] in "#;":
            continue
        while re.search(r"(?<!\\)(?:\\\\)*\\\Z", rest):
            rest += "\n" + next(lines, (number, ""))[1]
        match = _KEY.match(rest)
        if match is None or not section:
            raise ConfigurationError(f'"{path}" is not valid', detail=f"Line {number} is neither a section nor a key.")
        values[f"{section}.{match[1].lower()}"] = _value(match[2] or "")
    return values


def _value(text: str) -> str:
    """Take quotes, escapes and comments off a value; a run of blanks outside quotes is one."""
    value = ""
    for match in _VALUE.finditer(text):
        if match["comment"]:
            break
        if match["escape"]:
            value += _ESCAPES.get(match["escape"], match["escape"])
        elif match["quoted"] is not None:
            value += _unquote(match["quoted"])
        else:
            value += match["word"] or " "
    return value


def _unquote(text: str) -> str:
    # In this order, as Config::GitLike does it: a quote keeps its backslash.
    for old, new in (("\\\n", ""), ("\\n", "\n"), ("\\t", "\t"), ("\\b", "\b"), ("\\\\", "\\")):
        text = text.replace(old, new)
    return text


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
