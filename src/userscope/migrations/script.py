"""Scripts: split into statements by PostgreSQL's own parser, and sorted by what they do to transactions.

Rules, which docs/migrations.md explains:

- ``begin … commit`` with no other transaction control inside is one transaction: it runs, is verified and is recorded
  as one.
- Anything else runs statement by statement, as psql runs it.
- Refused by name: what only psql understands, a script that ends inside a transaction, one that ends in ``rollback``.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Literal, NoReturn

from userscope.errors import MissingExtra, ScriptError

try:
    import postgast
except ModuleNotFoundError:
    raise MissingExtra("postgast", "cli") from None

Kind = Literal["deploy", "revert", "verify"]
Control = Literal["", "begin", "commit", "rollback"]

_TOKEN = postgast.pg_query_pb2.Token
_LEAVES_SETTINGS = re.compile(
    r"\bset_config\s*\(|\bset\s+(?:session\s+|local\s+)?\"?\w+\"?\s*\.|\bload\s+'", re.IGNORECASE
)
_RESETS = re.compile(r"\balter\s+(?:database|role|user)\b[^;]*\breset\b", re.IGNORECASE)
_COMMENTS = {"SQL_COMMENT", "C_COMMENT"}


@dataclass(frozen=True)
class ScriptStatement:
    """One statement as the script writes it, and the line where it begins."""

    sql: str
    line: int
    tokens: tuple[str, ...]

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


def load(path: Path, kind: Kind, variables: Iterable[str] = ()) -> Script:
    """Read and check a script; ``variables`` are psql variables, in lower case, that Sqitch would set.

    Raises ScriptError, which names the line, for what cannot run; FileNotFoundError where there is none.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ScriptError(f'script "{path}" is not UTF-8') from None
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ScriptError(f'cannot read script "{path}"', detail=f"{error.strerror}.") from None
    statements = tuple(split(text, path, frozenset(variables)))
    script = Script(path, statements, _LEAVES_SETTINGS.search(text) is not None, _RESETS.search(text) is not None)
    if kind != "verify":
        _check_end(script)
    return script


def split(text: str, path: Path, variables: frozenset[str] = frozenset()) -> Iterator[ScriptStatement]:
    """Split a script into statements. Raises ScriptError for what is not SQL."""
    data = text.encode()
    if b"\0" in data:
        raise ScriptError(f'script "{path}" holds a zero byte')
    try:
        statements = postgast.split(text)
    except postgast.PgQueryError as error:
        _explain(text, path, error)
    end, line = 0, 1
    for sql in statements:
        start = data.index(sql.encode(), end)
        line += data.count(b"\n", end, start)
        end = start + len(sql.encode())
        statement = ScriptStatement(sql, line, _tokens(sql, path, line, variables))
        line += sql.count("\n")
        if copy := _client_copy(statement.tokens):
            _refuse(path, statement.line, copy)
        yield statement


def _tokens(sql: str, path: Path, line: int, variables: frozenset[str]) -> tuple[str, ...]:
    data = sql.encode()
    tokens = postgast.scan(sql).tokens
    for colon, name in pairwise(tokens):
        # What parses may still be a variable to psql: a slice such as [1:n], where n is set.
        if _TOKEN.Name(colon.token) == "ASCII_58" and colon.end == name.start:
            word = data[name.start : name.end].decode()
            bare = word.strip("'\"")
            if bare.lower() in variables or bare == "registry" or (word == bare and word.isupper() and word.isalpha()):
                _refuse(path, line + data.count(b"\n", 0, colon.start), f'the psql variable ":{word}"')
    names = (_TOKEN.Name(token.token) for token in tokens)
    return tuple(name for name in names if name not in _COMMENTS)


def _explain(text: str, path: Path, error: postgast.PgQueryError) -> NoReturn:
    """Name what made the parser stop: psql's own language, or a mistake."""
    at = max(error.cursorpos - 1, 0)  # it counts characters
    line = text.count("\n", 0, at) + 1
    before, rest = text[:at], text[at:]
    word = rest.split(maxsplit=1)[0] if rest.strip() else ""
    start, tokens = _last_statement(before)
    if copy := _client_copy(tokens):
        _refuse(path, before.encode().count(b"\n", 0, start) + 1, copy)
    if rest.startswith("\\"):
        _refuse(path, line, f'the psql command "{word}"')
    if rest.startswith(":") and rest[1:2] not in ("", " ", ":", "=", "\n"):
        _refuse(path, line, f'the psql variable "{word.rstrip(";,)")}"')
    raise ScriptError(
        f'script "{path}" cannot be parsed: {error.message}',
        detail=f"This is line {line}. Nothing was run.",
        hint="Correct the script. It is read as PostgreSQL 18 would read it.",
    )


def _last_statement(text: str) -> tuple[int, tuple[str, ...]]:
    """Return where the last statement of a text that ends in a semicolon begins, in bytes, and its tokens."""
    last: tuple[int, tuple[str, ...]] = (0, ())
    current: list[str] = []
    start = 0
    for token in postgast.scan(text).tokens:
        name = _TOKEN.Name(token.token)
        if name == "ASCII_59":
            last = (start, tuple(current))
            current.clear()
        elif name not in _COMMENTS:
            start = start if current else token.start
            current.append(name)
    return last


def _client_copy(tokens: tuple[str, ...]) -> str | None:
    """Name a COPY that goes through the client."""
    if tokens[:1] != ("COPY",):
        return None
    for way, end in pairwise(tokens):
        if way in ("FROM", "TO") and end in ("STDIN", "STDOUT"):
            return f"COPY {way} {'STDIN' if way == 'FROM' else 'STDOUT'}"
    return None


def _refuse(path: Path, line: int, what: str) -> NoReturn:
    raise ScriptError(
        f'script "{path}" uses {what}',
        detail=f"This is line {line}. Only psql understands it. Nothing was run.",
        hint="Write it as plain SQL, or deploy this project with Sqitch itself.",
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
