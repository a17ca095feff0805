"""Turns a script into plain SQL, as psql would send it: variables put in, files included, COPY beside its data."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from userscope.migrations.psql import commands, copying, lexer
from userscope.migrations.psql.conditions import Conditions
from userscope.migrations.psql.pieces import Builder, Piece, mistaken, read_text
from userscope.migrations.psql.session import Brought, Session


@dataclass
class Reading:
    """What one script has come to: its pieces, and what it echoes."""

    session: Session
    pieces: list[Piece] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)
    """The files that are being read, each included by the one before it."""


def read(path: Path, brought: Brought) -> Reading:
    """Read a script. Raises ScriptError, or FileNotFoundError where there is none."""
    text = read_text(path)
    reading = Reading(Session(brought, path))
    if lexer.is_plain(text):
        reading.pieces.append(Piece(text, [(0, path, 1)]))
    else:
        File(path, text, reading).read()
    return reading


class File:
    """One file as it is read; what it includes is read by another one."""

    def __init__(self, path: Path, text: str, reading: Reading) -> None:
        self.path, self.text, self.reading = path, text, reading
        self.conditions = Conditions()
        self.position = 0
        self._taken = 0  # up to where the text was put into the piece
        self._counted, self._line = 0, 1
        self._builder = Builder()
        self._statement = 0  # where the current one begins in the piece
        self._first = ""  # its first word

    @property
    def line(self) -> int:
        """The line of the position."""
        return self._line_of(self.position)

    def read(self) -> None:
        """Read it to its end. Raises ScriptError."""
        self.reading.files.append(self.path.resolve())
        while self.position < len(self.text):
            match = lexer.TOKEN.search(self.text, self.position)
            if match is None:
                break
            self._step(match)
        self.position = len(self.text)
        if self.conditions.open:
            self.fail("ends inside \\if", 'Is an "\\endif" missing?')
        self._take(len(self.text))
        self.flush()
        self.reading.files.pop()

    def _step(self, match: re.Match[str]) -> None:
        kind, self.position = match.lastgroup, match.end()
        if kind == "word":
            if not self._first and self.conditions.active:
                self._first = match[0]
        elif kind == "comment":
            self.position = lexer.past_comment(self.text, match.start())
        elif kind == "end":
            self._end(match.end())
        elif kind == "slash":
            self._slash(match.start())
        elif kind == "open":  # a quote without an end: PostgreSQL's parser words it
            self.position = len(self.text)
        elif match["reference"] and self.conditions.active:
            self._put(match)

    def _put(self, match: re.Match[str]) -> None:
        """Put a variable's value in; what is not set stays, as with psql."""
        found = lexer.value(match, self.reading.session.variables)
        if found is None:
            return
        self._take(match.start())
        if match["plain"]:
            found = self._expanded(found, (match["plain"],))
        self._first = "" if found.rstrip().endswith(";") else self._first or found
        self._builder.add(found, self.path, self.line)
        self._taken = match.end()

    def _expanded(self, text: str, names: tuple[str, ...]) -> str:
        """Expand the variables in the value of one; one that holds itself stays. Raises ScriptError."""
        result, position = "", 0
        for match in lexer.TOKEN.finditer(text):
            if match.lastgroup in ("slash", "open", "comment") or match[0].startswith("--"):
                self.fail(
                    f'puts in the value of ":{names[0]}", which holds "{match[0][:2]}"',
                    "A value is a part of SQL; quote a text by :'name', a name by :\"name\".",
                )
            if not match["reference"] or match["plain"] in names:
                continue
            found = lexer.value(match, self.reading.session.variables)
            if found is not None and match["plain"]:
                found = self._expanded(found, (*names, match["plain"]))
            result += text[position : match.start()] + (match[0] if found is None else found)
            position = match.end()
        return result + text[position:]

    def _end(self, end: int) -> None:
        """End a statement; a COPY takes its data."""
        if not self.conditions.active:
            return
        first, self._first = self._first.lower(), ""
        if first == "copy":
            self._take(end)
            statement, line = self._builder.text(self._statement), self._line_of(end)
            if copying.from_client(statement, self.path, line):
                data, self.position = copying.inline(self.text, end, self.path, line)
                self._taken = self.position
                self.flush(data)
                return
        self._statement = self._builder.length + end - self._taken

    def _slash(self, start: int) -> None:
        self._take(start)
        commands.run(self)
        self._taken = self.position

    def include(self, name: str, *, relative: bool) -> None:
        """Read another file where a command names it. Raises ScriptError."""
        if self._first:
            self.fail("includes a file inside a statement", "End the statement before it by a semicolon.")
        self.flush()
        path = self.path_of(name, relative=relative)
        File(path, read_text(path), self.reading).read()

    def path_of(self, name: str, *, relative: bool) -> Path:
        """Return the file that a command names: one of the project, and none that is being read. Raises ScriptError."""
        folder = self.reading.session.folder
        path = (self.path.parent if relative else folder) / Path(name)
        if not path.resolve().is_relative_to(folder.resolve()):
            self.fail(f'reads "{name}", which is outside of its project', "Bring the file into the project's folder.")
        if path.resolve() in self.reading.files:
            self.fail(f'reads "{name}", which is being read already', "A file cannot include itself.")
        if not path.is_file():
            below = "the script's" if relative else "the project's"
            self.fail(f'reads "{name}", which does not exist', f"It is looked for from {below} folder.")
        return path

    def quit(self) -> None:
        """End the reading of this file, as psql ends that of the script alone."""
        self.conditions = Conditions()
        self.position = self._taken = len(self.text)

    def copy(self, statement: str, data: bytes, line: int) -> None:
        """Add a COPY of psql's own with its data."""
        if self._first:
            self.fail("copies inside a statement", "End the statement before it by a semicolon.")
        self.flush()
        self._builder.add(statement, self.path, line)
        self.flush(data)

    def fail(self, what: str, hint: str) -> NoReturn:
        """Refuse what the script does at this position. Raises ScriptError."""
        mistaken(self.path, self.line, what, hint)

    def flush(self, data: bytes | None = None) -> None:
        """End the piece: what follows is split by itself."""
        if self._builder.length:
            self.reading.pieces.append(self._builder.piece(data))
        self._builder, self._statement, self._first = Builder(), 0, ""

    def _take(self, end: int) -> None:
        """Put the text up to here into the piece, where no condition leaves it out."""
        if self.conditions.active and end > self._taken:
            self._builder.add(self.text[self._taken : end], self.path, self._line_of(self._taken))
        self._taken = max(self._taken, end)

    def _line_of(self, position: int) -> int:
        self._line += self.text.count("\n", self._counted, position)
        if position < self._counted:
            self._line -= self.text.count("\n", position, self._counted)
        self._counted = position
        return self._line
