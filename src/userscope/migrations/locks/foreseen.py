"""Which tables that exist pending scripts lock, and for how long at worst, by their sizes now."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from userscope.migrations.locks.kinds import KINDS, SPEED, Kind, Lock
from userscope.migrations.registry.write import Statement
from userscope.migrations.statements import Deployment
from userscope.postgres.sql import named

if TYPE_CHECKING:
    from userscope.migrations.locks.reading import Effect
    from userscope.migrations.script import Script

LONG = 1.0
"""Seconds from which on a lock that others wait for is warned of."""
_DROPPED = Kind(Lock.ACCESS_EXCLUSIVE, "moment", "is no longer referenced")
_MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Foreseen:
    """One table, locked by one transaction of a change; without a table where code is run that nobody looked into."""

    change: str
    line: int
    table: str | None = None
    lock: Lock | None = None
    what: str = "runs code of its own, which may lock anything"
    seconds: float = 0.0
    rows: int = 0
    bytes: int = 0
    instead: str = ""

    @property
    def is_long(self) -> bool:
        """Whether somebody has to wait for long."""
        return self.lock is not None and self.lock.strength >= Lock.SHARE.strength and self.seconds >= LONG

    def __str__(self) -> str:
        if self.lock is None:
            return f"line {self.line} {self.what}"
        time = f"for some {self.seconds:,.0f} s" if self.seconds >= LONG else "for a moment"
        rows = f"{self.rows:,} rows, " if self.rows else ""  # none known before the first analyze
        size = f"{rows}{self.bytes / _MEGABYTE:,.0f} MB"
        return f"{self.lock} on {self.table} ({size}) {time}: line {self.line} {self.what}; {self.lock.meaning}"

    def as_dict(self) -> dict[str, object]:
        """What --json prints of it."""
        return {**asdict(self), "seconds": round(self.seconds, 1)}


@dataclass(frozen=True)
class Locked:
    """A table that one statement locks."""

    table: str
    kind: Kind
    line: int
    rows: int
    heap: int
    whole: int

    @property
    def seconds(self) -> float:
        """How long the work takes that its size makes."""
        size = self.heap if self.kind.work == "scan" else self.whole
        return 0.0 if self.kind.work == "moment" else size / SPEED[self.kind.work]


@dataclass(frozen=True)
class _Named:
    """A table as a script names it: in which transaction of which change, and where it is looked for."""

    change: str
    transaction: int
    line: int
    effect: "Effect"
    path: Sequence[str] | None


def question(deployments: Sequence[Deployment]) -> "tuple[Statement, list[_Named | Foreseen]]":
    """Read the scripts; return what is to be asked of the server, and what the answer is for."""
    found = [each for one in deployments if one.deploy for each in _named(one.change.label, one.deploy)]
    asked = [
        {"name": each.effect.name, "schemas": each.path or [], "constraint": each.effect.dropped}
        for each in found
        if isinstance(each, _Named)
    ]
    return Statement(named(__package__, "tables.sql"), (json.dumps(asked),)), found


def answer(found: "Sequence[_Named | Foreseen]", rows: Iterable[Mapping[str, str | None]]) -> list[Foreseen]:
    """Put the answer to the question with what it was for, in the order of the scripts."""
    told = [each for each in found if isinstance(each, Foreseen)]
    for (change, _), locked in locks(found, rows).items():
        told += _told(change, locked)
    order = {change: place for place, change in enumerate(dict.fromkeys(each.change for each in found))}
    return sorted(told, key=lambda each: (order[each.change], each.line))


def locks(
    found: "Sequence[_Named | Foreseen]", rows: Iterable[Mapping[str, str | None]]
) -> dict[tuple[str, int], list[Locked]]:
    """Return every lock of each transaction of a change, in the order in which they are taken."""
    known: dict[int, list[Mapping[str, str | None]]] = {}
    for row in rows:
        known.setdefault(int(row["number"] or 0), []).append(row)
    transactions: dict[tuple[str, int], list[Locked]] = {}
    for number, each in enumerate((each for each in found if isinstance(each, _Named)), start=1):
        kind = KINDS[each.effect.kind]
        transactions.setdefault((each.change, each.transaction), []).extend(
            Locked(
                row["table"] or "",
                _DROPPED if row["referenced"] == "true" else kind,
                each.line,
                *(int(row[size] or 0) for size in ("rows", "heap", "whole")),
            )
            for row in known.get(number, ())
        )
    return transactions


def _told(change: str, locked: Sequence[Locked]) -> Iterator[Foreseen]:
    """Tell of each table that a transaction locks: its strongest lock, held from there to the transaction's end."""
    for table in dict.fromkeys(each.table for each in locked):
        own = [each for each in locked if each.table == table]
        strongest = max(own, key=lambda each: (each.kind.lock.strength, each.seconds))
        first = next(each for each in own if each.kind.lock is strongest.kind.lock)
        seconds = sum(each.seconds for each in locked[locked.index(first) :])
        if strongest.kind.lock.strength < Lock.SHARE.strength and seconds < LONG:
            continue
        yield Foreseen(
            change,
            strongest.line,
            table,
            strongest.kind.lock,
            strongest.kind.what,
            seconds,
            strongest.rows,
            strongest.whole,
            strongest.kind.instead,
        )


def _named(change: str, script: "Script") -> "Iterator[_Named | Foreseen]":
    from userscope.migrations.locks import reading  # it loads PostgreSQL's parser, which takes a while

    path: Sequence[str] | None = None
    transaction, inside = 0, False
    for statement in script.statements:
        if statement.tokens and (control := statement.control):
            inside = control == "begin" or statement.chains
        transaction += not inside
        if not reading.may_lock(statement.sql) or statement.data is not None:
            continue
        path = reading.search_path(statement.sql) or path
        try:
            for effect in reading.effects(statement.sql):
                yield _Named(change, transaction, statement.line, effect, [effect.schema] if effect.schema else path)
        except reading.Unknown:
            yield Foreseen(change, statement.line)
