"""Errors of Citus: shards' names become those of their tables, and what a worker's words name is read off them."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from psycopg.errors import Diagnostic

_NUMBERED = re.compile(r"_[0-9]{6,}$")
_NUMBERS = re.compile(r'_[0-9]{6,}(?=")')
_QUOTED = re.compile(r'"([^"]+)"')

IN_DOUBT = "ErrorIfPostCommitFailedShardPlacements"
"""What says that a worker's COMMIT had no answer: a function of Citus, since words come in many languages."""


@dataclass(frozen=True)
class Named:
    """What an error says and names, as on one node; ``key`` is the constraint's ``schema.table.constraint``."""

    message: str | None
    table: str | None
    column: str | None
    constraint: str | None
    key: str | None
    relayed: bool = False


def named(diag: Diagnostic, known: Collection[str]) -> Named:
    """Tell what an error names; ``known`` are the constraints that have a sentence, by their keys."""
    message, schema, table, constraint = (
        diag.message_primary, diag.schema_name, diag.table_name, diag.constraint_name,
    )  # fmt: skip
    if diag.source_function == "ReportResultError":  # Citus passes a worker's words on, and nothing of what they name
        said = [_plain(name) for name in _QUOTED.findall(message or "")]
        key = next((key for key in known if _fits(key, said)), None)
        column, table = said if diag.sqlstate == "23502" and len(said) == 2 else (None, None)
        constraint = said[:2][-1] if said and diag.sqlstate in ("23503", "23505", "23514") else None
        return Named(_NUMBERS.sub("", message or ""), table, column, constraint, key, relayed=True)
    key = f"{schema}.{table}.{constraint}"
    if table and _NUMBERED.search(table) and not _knows(known, schema, table) and _knows(known, schema, _plain(table)):
        table, constraint = _plain(table), constraint and _plain(constraint)
        message, key = _NUMBERS.sub("", message or ""), f"{schema}.{table}.{constraint}"
    return Named(message, table, diag.column_name, constraint, key)


def _plain(name: str) -> str:
    return _NUMBERED.sub("", name)


def _knows(known: Collection[str], schema: str | None, table: str) -> bool:
    return any(key.startswith(f"{schema}.{table}.") for key in known)


def _fits(key: str, said: list[str]) -> bool:
    """Whether words mean this constraint: of a unique one they name no table."""
    table, _, constraint = key.rpartition(".")
    return constraint in said and (said == [constraint] or table.rpartition(".")[2] in said)
