"""The backslash commands that are understood; every other one is refused by its name."""

import re
from typing import TYPE_CHECKING

from userscope.migrations.psql import copying, lexer
from userscope.migrations.psql.pieces import PLAIN, refuse

if TYPE_CHECKING:
    from userscope.migrations.psql.reader import File

_COMMAND = re.compile(r"\\([^\s\\]*)")
# What changes nothing but how psql shows things.
_SHOWN = {"a", "f", "H", "html", "pset", "t", "T", "timing", "x", "C"}
_WAYS_OUT = {
    "gexec": 'Write it as a "do" block: execute format(…).',
    "gset": "Bring the value by --set NAME=VALUE, or ask for it in SQL.",
    "setenv": "Write it as plain SQL; a secret comes by --set NAME=VALUE.",
    "getenv": "Bring the value by --set NAME=VALUE.",
    "prompt": "Bring the value by --set NAME=VALUE.",
    "c": "Give each database a project, and deploy one after the other.",
    "connect": "Give each database a project, and deploy one after the other.",
}
_CONDITIONS = {"if", "elif", "else", "endif"}


def run(file: "File") -> None:
    """Obey the command at the file's position, and go past it. Raises ScriptError."""
    start = file.position - 1
    match = _COMMAND.match(file.text, start)
    name = match[1] if match else ""
    line = file.line
    if name[:1] in (";", ":"):
        if file.conditions.active:
            refuse(file.path, line, f'"\\{name[0]}"', PLAIN)
        file.position += 1
        return
    file.position = start + 1 + len(name)
    session = file.reading.session
    if session.key is not None and name != "unrestrict":
        file.fail(f'uses "\\{name}" behind \\restrict', "It is allowed behind the \\unrestrict alone.")
    if name in _CONDITIONS:
        _condition(file, name)
    elif not file.conditions.active:
        _arguments(file, active=False)
    elif name == "copy":
        _copy(file, line)
    elif name in ("q", "quit"):
        file.quit()
    else:
        _command(file, name, line)


def _command(file: "File", name: str, line: int) -> None:
    known = {
        "set": _set,
        "unset": _unset,
        "restrict": _restrict,
        "unrestrict": _unrestrict,
        "echo": _echo,
        "qecho": _echo,
        "warn": _echo,
    }
    if name in known:
        known[name](file, _arguments(file))
    elif name in ("i", "include", "ir", "include_relative"):
        _include(file, _arguments(file), relative="r" in name)
    elif name == "encoding":
        if [word.upper().replace("-", "") for word in _arguments(file)] != ["UTF8"]:
            refuse(file.path, line, "an encoding other than UTF8", "Save the script as UTF-8.")
    elif name in _SHOWN:
        _arguments(file)
    else:
        refuse(file.path, line, f'the psql command "\\{name}"', _WAYS_OUT.get(name, PLAIN))


def _arguments(file: "File", *, active: bool = True) -> list[str]:
    session = file.reading.session
    try:
        shell = session.shell if active else str
        found, file.position = lexer.arguments(file.text, file.position, session.variables, shell)
    except lexer.Unterminated:
        file.fail("has a quote that does not end on its line", "End it.")
    return found


def _set(file: "File", words: list[str]) -> None:
    if not words:
        return
    if problem := file.reading.session.set(words[0], "".join(words[1:])):
        file.fail(f'sets "{words[0]}", which {problem}', "Remove it, or deploy this project with Sqitch itself.")


def _unset(file: "File", words: list[str]) -> None:
    for word in words[:1]:
        if problem := file.reading.session.unset(word):
            file.fail(f'unsets "{word}", which {problem}', "Remove it, or deploy this project with Sqitch itself.")


def _restrict(file: "File", words: list[str]) -> None:
    if not words:
        file.fail("restricts itself without a key", "Write what pg_dump has written.")
    file.reading.session.key = words[0]


def _unrestrict(file: "File", words: list[str]) -> None:
    if file.reading.session.key is None or words[:1] != [file.reading.session.key]:
        file.fail("ends no \\restrict of this key", "Write what pg_dump has written.")
    file.reading.session.key = None


def _echo(file: "File", words: list[str]) -> None:
    file.reading.said.append(" ".join(words[1:] if words[:1] == ["-n"] else words))


def _include(file: "File", words: list[str], *, relative: bool) -> None:
    if not words:
        file.fail("includes no file", "Name one.")
    file.include(words[0].rstrip(";"), relative=relative)


def _condition(file: "File", name: str) -> None:
    conditions = file.conditions
    asks = conditions.active if name == "if" else conditions.asks
    words = _arguments(file, active=asks) if name in ("if", "elif") else []
    met = True
    if name in ("if", "elif") and asks:
        judged = lexer.truth(" ".join(words))
        if judged is None:
            file.fail(
                f'asks \\{name} of "{" ".join(words)}", which is neither true nor false',
                "psql would take it as false: write so, or bring the variable by --set NAME=VALUE.",
            )
        met = judged
    if name == "if":
        conditions.begin(met=met)
    elif not (conditions.end() if name == "endif" else conditions.turn(met=met, last=name == "else")):
        file.fail(f"has an \\{name} without its \\if", "Remove it.")


def _copy(file: "File", line: int) -> None:
    end = file.text.find("\n", file.position)
    end = len(file.text) if end < 0 else end
    statement, source = copying.command(file.text[file.position : end], file.path, line)
    file.position = end
    if source is None:
        data, file.position = copying.inline(file.text, end, file.path, line)
    else:
        data = file.path_of(source, relative=False).read_bytes()
    file.copy(statement, data, line)
