"""The defects to plant: each a row that an operator's file selects."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import class_row

from userscope.errors import AuditError

_OPERATORS = files(__package__) / "operators"
_SHARED = (_OPERATORS / "shared.sql").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Mutant:
    """A defect: the statements that plant it, the promise it breaks, and a test that would notice.

    ``undo`` takes back what concerns the whole server, such as a role's attribute; the rest goes with its database.
    """

    operator: str
    target: str
    ddl: Sequence[str] = field(compare=False)
    promise: str = field(compare=False)
    idea: str = field(compare=False)
    undo: Sequence[str] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        if isinstance(self.ddl, str) or isinstance(self.undo, str):
            raise TypeError("ddl and undo are lists")

    @property
    def id(self) -> str:
        """What ``--only`` and the list of accepted mutants name it by; the same in every run."""
        return f"{self.operator}: {self.target}"


def every(connection: psycopg.Connection[Any], folders: Iterable[Path] = ()) -> list[Mutant]:
    """Return the mutants of a database by name: those of our operators, and of the files in projects' ``folders``.

    Raises AuditError for a file that does not select mutants, and for two mutants of one name.
    """
    found: dict[Mutant, str] = {}
    with connection.transaction(force_rollback=True):
        connection.execute("set local search_path = pg_catalog, pg_temp")  # so that names come with their schema
        for name, text in _operators(folders):
            for mutant in _ask(connection, name, text):
                if mutant in found:
                    raise AuditError(
                        f'two mutants are named "{mutant.id}"',
                        detail=f'They come from "{found[mutant]}" and "{name}".',
                        hint="Name the operator of one otherwise.",
                    )
                found[mutant] = name
    return sorted(found, key=lambda mutant: mutant.id)


def _ask(connection: psycopg.Connection[Any], name: str, text: str) -> list[Mutant]:
    query = "\n".join((_SHARED, "select * from (", text.strip().removesuffix(";"), ") as mutants"))
    try:
        return connection.cursor(row_factory=class_row(Mutant)).execute(query.encode()).fetchall()
    except (psycopg.Error, TypeError) as error:
        said = error.diag.message_primary if isinstance(error, psycopg.Error) else None
        raise AuditError(
            f'"{name}" does not select mutants',
            detail=f"PostgreSQL said: {said}." if said else None,
            hint="It selects operator, target, ddl, promise, idea and perhaps undo; ddl and undo are text[].",
        ) from error


def _operators(folders: Iterable[Path]) -> Iterator[tuple[str, str]]:
    for ours in _OPERATORS.iterdir():
        if ours.name != "shared.sql":
            yield ours.name, ours.read_text(encoding="utf-8")
    for folder in folders:
        for path in sorted(folder.glob("*.sql")):
            yield str(path), path.read_text(encoding="utf-8")
