"""Sqitch's own configuration: Git-like files, and who commits."""

import getpass
import os
import re
import socket
from collections.abc import Mapping
from pathlib import Path

from userscope.errors import ConfigurationError

_SECTION = re.compile(r'\[([^\s\[\]"]+)(?:[ \t]*"((?:[^"\\]|\\.)*)")?\](.*)', re.DOTALL)
_KEY = re.compile(r"([^\[=]+?)[ \t]*(?:=[ \t]*(.*)|(?:[#;].*)?)\Z", re.DOTALL)
_VALUE = re.compile(
    r'(?P<comment>[ \t]*[#;].*)|(?P<blank>[ \t]+)|"(?P<quoted>(?:[^"\\]|\\.)*)"|\\(?P<escape>.)|(?P<word>[^ \t\\"]+)',
    re.DOTALL,
)
_DEEPEST = 10
# Sections of which Sqitch reads one value a key, and refuses two.
_SAID_ONCE = {"core", "engine", "target", "user", "deploy", "revert", "verify", "add", "tag", "rework"}
_ESCAPES = {"n": "\n", "t": "\t", "b": "\b", "\n": ""}


def read_config(project: Path) -> dict[str, str]:
    """Read the system's, the user's and the project's ``sqitch.conf``, later ones winning.

    Keys are ``section.key`` or ``section.Subsection.key``. Raises ConfigurationError for a file that cannot be read, or
    one that says two things; where it is a line's fault, the line is named.
    """
    home = Path(os.environ.get("HOME", "~")).expanduser()
    files = (
        ("SQITCH_SYSTEM_CONFIG", Path("/etc/sqitch/sqitch.conf")),
        ("SQITCH_USER_CONFIG", home / ".sqitch" / "sqitch.conf"),
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
            text = path.read_text(encoding="utf-8")
        except (FileNotFoundError, NotADirectoryError):
            return
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            raise ConfigurationError(f'cannot read "{path}"', detail=f"{reason}.") from None
        self.text(text, path, depth)

    def text(self, text: str, path: Path, depth: int) -> None:
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
                raise ConfigurationError(
                    f'"{path}" is not valid', detail=f"Line {number} is neither a section nor a key."
                )
            value = _value(match[2] or "")
            self._define(section, match[1], value, path, number)
            if section == "include" and match[1].lower() == "path":
                # Beside the file that says so; one that is not there is none.
                self.file(path.parent / Path(value).expanduser(), depth + 1)

    def _define(self, section: str, name: str, value: str, path: Path, line: int) -> None:
        # Keys are of either case, but those of variables are names.
        key = f"{section}.{name if section.endswith('variables') else name.lower()}"
        if self._origins.get(key) == path and section.partition(".")[0] in _SAID_ONCE:
            raise ConfigurationError(
                f'"{path}" sets {key} twice',
                detail=f"Line {line} is the second. Sqitch refuses it as well: multiple values.",
                hint="Remove one of the two.",
            )
        self.values[key] = value
        self._origins[key] = path


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
