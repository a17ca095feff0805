"""Scripts: split into statements by PostgreSQL's own parser, and sorted by what they do to transactions.

Rules, which docs/migrations.md explains:

- ``begin … commit`` with no other transaction control inside is one transaction: it runs, is verified and is recorded
  as one.
- Anything else runs statement by statement, as psql runs it.
- Refused by name: a script that ends inside a transaction, one that ends in ``rollback``.

What is written in psql's language is read before, in ``psql``.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NoReturn

from userscope.errors import ScriptError
from userscope.migrations.psql import copying, lexer, reader
from userscope.migrations.psql.pieces import Piece, Places, mistaken
from userscope.migrations.psql.session import Brought
from userscope.migrations.registry.write import Statement
from userscope.postgres.parser import postgast

Kind = Literal["deploy", "revert", "verify"]
Control = Literal["", "begin", "commit", "rollback"]

_LEAVES_SETTINGS = re.compile(
    r"\bset_config\s*\(|\bset\s+(?:session\s+|local\s+)?\"?\w+\"?\s*\.|\bload\s+'", re.IGNORECASE
)
_RESETS = re.compile(r"\balter\s+(?:database|role|user)\b[^;]*\breset\b", re.IGNORECASE)
# Beginnings of what does something to transactions, or goes through the client: nothing else is looked at closely.
_LOOKED_AT = re.compile(
    r"(?:\s|--[^\n]*\n)*(?:/\*|begin|start|commit|end|abort|rollback|prepare|set|alter|copy)", re.IGNORECASE
)

_PART = 1 << 18
_CUT = re.compile(r";\s*\n")


@dataclass(frozen=True, slots=True)
class ScriptStatement(Statement):
    """One statement as the script writes it, ready to be sent."""

    tokens: tuple[str, ...] = ()
    """The names of its tokens, where it may do something to the transaction; else none."""

    @property
    def control(self) -> Control:
        """What it does to the transaction: ``prepare transaction`` ends one like a commit; savepoints do nothing."""
        first, second = (*self.tokens, "", "")[:2]
        if first == "BEGIN_P" or (first, second) == ("START", "TRANSACTION"):
            return "begin"
        if (first == "COMMIT" and second != "PREPARED") or first == "END_P":
            return "commit"
        if (first, second) == ("PREPARE", "TRANSACTION"):
            return "commit"
        if first == "ABORT_P" or (first == "ROLLBACK" and second != "PREPARED" and "TO" not in self.tokens[:3]):
            return "rollback"
        return ""

    @property
    def chains(self) -> bool:
        """Whether it begins the next transaction at once: ``commit and chain``."""
        return self.tokens[-1:] == ("CHAIN",) and "NO" not in self.tokens

    @property
    def is_plain_begin(self) -> bool:
        """Whether it begins a transaction without options."""
        return self.control == "begin" and len(self.tokens) <= 2

    @property
    def reads_only(self) -> bool:
        """Whether it makes its transaction one that cannot write."""
        return (self.control == "begin" or self.sets_transaction) and "READ ONLY" in " ".join(self.tokens)

    @property
    def sets_transaction(self) -> bool:
        """Whether it sets what its transaction is like."""
        return self.tokens[:2] == ("SET", "TRANSACTION")

    @property
    def adds_enum_value(self) -> bool:
        """Whether it adds a value to an enum, which cannot be used before the transaction commits."""
        return self.tokens[:2] == ("ALTER", "TYPE_P") and "ADD_P VALUE_P" in " ".join(self.tokens)


@dataclass(frozen=True)
class Script:
    """A script that may run: ``path`` is for messages."""

    path: Path
    statements: tuple[ScriptStatement, ...] = ()
    leaves_settings: bool = False
    """Whether its session may keep what ``reset all`` does not undo: custom settings, loaded libraries."""
    takes_settings_back: bool = False
    """Whether it may ``reset`` settings of database or role, which only a new session shows."""
    said: tuple[str, ...] = ()
    """What it echoes."""

    @property
    def is_transaction(self) -> bool:
        """Whether it is one transaction from its first statement to its last."""
        if not self.statements:
            return True
        first, *inside = self.statements
        if first.control != "begin" or any(statement.reads_only for statement in self.statements):
            return False
        if inside and inside[-1].control and not inside[-1].chains and inside[-1].tokens[0] != "PREPARE":
            inside.pop()
        return not any(statement.control for statement in inside)

    @property
    def body(self) -> tuple[ScriptStatement, ...]:
        """The statements between ``begin`` and the end of a script that is one transaction, or holds none."""
        return tuple(statement for statement in self.statements if not statement.control)

    @property
    def begin(self) -> str:
        """How a script that is one transaction begins it: the isolation level may matter."""
        return self.statements[0].sql if self.statements else "begin"

    @property
    def folds(self) -> bool:
        """Whether a verification can run inside another transaction, in a savepoint."""
        if not any(statement.control for statement in self.statements):
            return True
        return self.is_transaction and self.statements[0].is_plain_begin

    @property
    def adds_enum_value(self) -> bool:
        """Whether a verification must wait for the commit, since it may use a new enum value."""
        return any(statement.adds_enum_value for statement in self.statements)


def load(path: Path, kind: Kind, brought: "Brought | None" = None) -> Script:
    """Read and check a script, with the variables that were ``brought`` for it.

    Raises ScriptError, which names the line, for what cannot run; FileNotFoundError where there is none.
    """
    reading = reader.read(path, brought or Brought(path.parent))
    statements = tuple(statement for piece in reading.pieces for statement in _split(piece, path))
    texts = [piece.text for piece in reading.pieces]
    script = Script(
        path,
        statements,
        any(_LEAVES_SETTINGS.search(text) for text in texts),
        any(_RESETS.search(text) for text in texts),
        tuple(reading.said),
    )
    if kind != "verify":
        _check_end(script)
    return script


def split(text: str, path: Path) -> Iterator[ScriptStatement]:
    """Split plain SQL into statements. Raises ScriptError for what is not SQL."""
    return _split(Piece(text, [(0, path, 1)]), path)


def _split(piece: Piece, script: Path) -> Iterator[ScriptStatement]:
    text = piece.text
    statements = list(_parsed(piece))
    end, places, last = 0, Places(piece), len(statements) - 1
    for number, sql in enumerate(statements):
        start = text.index(sql, end)
        end = start + len(sql)
        file, line = places.at(start)
        tokens = copying.tokens(sql) if _LOOKED_AT.match(sql) else ()
        data = piece.data if number == last else None
        if data is None and (copy := copying.through_client(tokens)):
            mistaken(file, line, f"has {copy} without data", 'Write "copy … from stdin;" with its data below it.')
        yield ScriptStatement(sql, (), script, line, file, data, tokens)


def _parsed(piece: Piece) -> Iterator[str]:
    """Split a piece part by part: the parser takes much memory. A part that ends inside a statement is no SQL."""
    text, start, size = piece.text, 0, _PART
    while start < len(text):
        cut = _CUT.search(text, start + size)
        end = cut.end() if cut else len(text)
        try:
            statements = postgast.split(text[start:end])
        except postgast.PgQueryError as error:
            if end == len(text):
                _explain(piece, start, error)
            size *= 4
        else:
            yield from statements
            start, size = end, _PART


def _explain(piece: Piece, start: int, error: Any) -> NoReturn:
    """Name what made the parser stop: a variable that is not set, or a mistake."""
    at = start + max(error.cursorpos - 1, 0)  # it counts characters
    path, line = Places(piece).at(at)
    if match := lexer.REFERENCE.match(piece.text, at):
        name = match["plain"] or match["literal"] or match["identifier"] or match["defined"]
        mistaken(
            path,
            line,
            f'uses the psql variable "{match[0]}", which is not set',
            f"Set it by --set {name}=VALUE, or in [deploy.variables] of sqitch.conf.",
        )
    raise ScriptError(
        f'script "{path}" cannot be parsed: {error.message}',
        detail=f"This is line {line}. Nothing was run.",
        hint="Correct the script. It is read as PostgreSQL 18 would read it.",
    )


def _check_end(script: Script) -> None:
    """Refuse a script whose work would be lost, though psql and Sqitch call it a success."""
    opened: ScriptStatement | None = None
    for statement in script.statements:
        if statement.control == "begin":
            opened = statement
        elif statement.control:
            opened = statement if statement.chains else None
    if opened is not None:
        raise ScriptError(
            f'script "{script.path}" ends inside a transaction, so its work would be lost',
            detail=f'The transaction begins on line {opened.line} with "{opened.sql}". Nothing was run.',
            hint='Was "commit;" forgotten at the end?',
        )
    if script.statements and script.statements[-1].control == "rollback":
        raise ScriptError(
            f'script "{script.path}" ends in "{script.statements[-1].sql}", so its work would be lost',
            detail=f"This is line {script.statements[-1].line}. Nothing was run.",
            hint='End it with "commit;". Only verifications end in "rollback;".',
        )
