"""Errors of Citus: shards' names become those of their tables, and what a worker's words name is read off them."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from psycopg.errors import Diagnostic

_NUMBERED = re.compile(r"\b(\w+?)_[0-9]{6,}\b")
_QUOTED = re.compile(r'"([^"]+)"')
_OF_CONSTRAINTS = ("23503", "23505", "23514")

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
    message, table, constraint = diag.message_primary or "", diag.table_name, diag.constraint_name
    key = f"{diag.schema_name}.{table}.{constraint}"
    # Citus passes a worker's words on, and nothing of what they name.
    relayed = diag.source_function == "ReportResultError"
    if not relayed and (key in known or not _NUMBERED.search(message)):
        return Named(message, table, diag.column_name, constraint, key)
    names = {name for key in known for name in key.split(".")[1:]}

    def plain(text: str) -> str:
        return _NUMBERED.sub(lambda found: found[1] if relayed or found[1] in names else found[0], text)

    message = plain(message)
    if not relayed:
        table, constraint = plain(table or "") or None, plain(constraint or "") or None
        return Named(message, table, diag.column_name, constraint, f"{diag.schema_name}.{table}.{constraint}")
    said = _QUOTED.findall(message)
    column, table = said if diag.sqlstate == "23502" and len(said) == 2 else (None, None)
    constraint = said[:2][-1] if said and diag.sqlstate in _OF_CONSTRAINTS else None
    meant = next((key for key in known if _fits(key, said)), None)
    return Named(message, table, column, constraint, meant, relayed=True)


def _fits(key: str, said: list[str]) -> bool:
    """Whether words mean this constraint: of a unique one they name no table."""
    table, _, constraint = key.rpartition(".")
    return constraint in said and (said == [constraint] or table.rpartition(".")[2] in said)
