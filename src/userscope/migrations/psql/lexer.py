"""How psql reads: where SQL has quotes and comments, and how the arguments of a backslash command are told apart."""

import re
import shlex
from collections.abc import Callable, Mapping

_NAME = r"[A-Za-z0-9_\x80-\U0010ffff]+"
_REFERENCE = (
    rf""":(?:(?P<plain>{_NAME})|'(?P<literal>{_NAME})'|"(?P<identifier>{_NAME})\"|"""
    rf"""\{{\?(?P<defined>{_NAME})\}})"""
)

TOKEN = re.compile(
    rf"""
    (?P<word>(?![eE]')[A-Za-z0-9_\x80-\U0010ffff][A-Za-z0-9_$\x80-\U0010ffff]*)
    |(?P<skip>
        --[^\n\r]*
        |[eE]'[^'\\]*(?:(?:\\.|'')[^'\\]*)*'(?:[ \t\r\f\v]*\n\s*'[^'\\]*(?:(?:\\.|'')[^'\\]*)*')*
        |'[^']*(?:''[^']*)*'
        |"[^"]*(?:""[^"]*)*"
        |\$(?P<tag>(?:[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_\x80-\U0010ffff]*)?)\$.*?\$(?P=tag)\$
        |::|:=)
    |(?P<comment>/\*)
    |(?P<reference>{_REFERENCE})
    |(?P<end>;)
    |(?P<slash>\\)
    |(?P<open>['"])
    """,
    re.VERBOSE | re.DOTALL,
)
"""What matters in SQL, from where a word, a quote or an operator may begin."""

_PLAIN = re.compile(
    r"""
    (?:[\s,;()=<>+*.|!@\#%^&~`?{}\[\]]++
    |(?![eE]')[A-Za-z0-9_\x80-\U0010ffff][A-Za-z0-9_$\x80-\U0010ffff]*+
    |'[^']*+'
    |"[^"]*+"
    |--[^\n\r]*+
    |-(?!-)|/(?!\*)
    |::|:=|:(?![A-Za-z0-9_'"{\x80-\U0010ffff])
    |\$(?P<tag>(?:[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_\x80-\U0010ffff]*+)?)\$.*?\$(?P=tag)\$
    )*+""",
    re.VERBOSE | re.DOTALL,
)
_CLIENT = re.compile(r"\bstd(?:in|out)\b", re.IGNORECASE)


def is_plain(text: str) -> bool:
    """Whether a script surely holds nothing that psql understands otherwise than PostgreSQL: a quick look."""
    match = _PLAIN.match(text)
    return match is not None and match.end() == len(text) and _CLIENT.search(text) is None


REFERENCE = re.compile(_REFERENCE)
NAME = re.compile(_NAME)
_COMMENT = re.compile(r"/\*|\*/")
_ESCAPES = {"n": "\n", "t": "\t", "b": "\b", "r": "\r", "f": "\f"}
_ESCAPE = re.compile(r"\\(?:(?P<octal>[0-7]{1,3})|x(?P<hex>[0-9A-Fa-f]{1,2})|(?P<other>.))|''")
_ARGUMENT = re.compile(
    rf"""(?P<quoted>'(?:[^'\\\n]|\\[^\n]|'')*')|(?P<double>"[^"\n]*")|`(?P<shell>[^`\n]*)`|(?P<reference>{_REFERENCE})"""
    r"|(?P<broken>['\"`])|(?P<char>[^\s\\])"
)

type Shell = Callable[[str], str]


class Unterminated(Exception):
    """A quote does not end on its line."""


def past_comment(text: str, position: int) -> int:
    """Return where the comment that begins at ``position`` ends; comments nest."""
    depth = 0
    for match in _COMMENT.finditer(text, position):
        depth += 1 if match[0] == "/*" else -1
        if not depth:
            return match.end()
    return len(text)


def value(match: re.Match[str], variables: Mapping[str, str]) -> str | None:
    """Return what a reference to a variable stands for, or None where it is not set: psql leaves it."""
    if (name := match["defined"]) is not None:
        return "TRUE" if name in variables else "FALSE"
    found = variables.get(match["plain"] or match["literal"] or match["identifier"])
    if found is None or match["plain"]:
        return found
    return literal(found) if match["literal"] else '"' + found.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Write a text as libpq does, so that it means the same whatever standard_conforming_strings says."""
    quoted = text.replace("'", "''")
    return f" E'{quoted.replace('\\', '\\\\')}'" if "\\" in text else f"'{quoted}'"


def arguments(text: str, position: int, variables: Mapping[str, str], shell: Shell) -> tuple[list[str], int]:
    """Return the arguments of a command, and where they end: at the line's end, or before a backslash.

    Raises Unterminated.
    """
    found: list[str] = []
    while True:
        while position < len(text) and text[position] in " \t\r\f\v":
            position += 1
        if position >= len(text) or text[position] in "\n\\":
            return found, position + 2 * text.startswith("\\\\", position)
        argument = ""
        while match := _ARGUMENT.match(text, position):
            argument += _part(match, variables, shell)
            position = match.end()
        found.append(argument)


def _part(match: re.Match[str], variables: Mapping[str, str], shell: Shell) -> str:
    if match["broken"]:
        raise Unterminated
    if match["quoted"] is not None:
        return _ESCAPE.sub(_unescaped, match["quoted"][1:-1])
    if match["shell"] is not None:
        return shell(REFERENCE.sub(lambda inner: _in_shell(inner, variables), match["shell"]))
    if match["reference"]:
        found = value(match, variables)
        return match[0] if found is None else found
    return match[0]


def _unescaped(match: re.Match[str]) -> str:
    if match["octal"]:
        return chr(int(match["octal"], 8) & 255)
    if match["hex"]:
        return chr(int(match["hex"], 16))
    return _ESCAPES.get(match["other"], match["other"]) if match["other"] else "'"


def _in_shell(match: re.Match[str], variables: Mapping[str, str]) -> str:
    found = variables.get(match["plain"] or match["literal"] or "")
    if found is None:
        return match[0]
    return shlex.quote(found) if match["literal"] else found


def truth(text: str) -> bool | None:
    """Read a Boolean as psql does, by any beginning that tells; None for what is none."""
    word = text.lower()
    for whole, meaning in (("true", True), ("false", False), ("yes", True), ("no", False)):
        if word and whole.startswith(word):
            return meaning
    return {"on": True, "1": True, "of": False, "off": False, "0": False}.get(word)
