"""What trying has shown: each with the statements that show it, and what they are to show."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Self

from userscope.postgres.sql import ident
from userscope.probe.stage import Actor
from userscope.probe.statements import line
from userscope.probe.worlds import Row

type Level = Literal["error", "question", "warning", "note"]
LEVELS: tuple[Level, ...] = ("error", "question", "warning", "note")


@dataclass(frozen=True)
class Expected:
    """What the last statement of a proof does.

    ``shows``: it has rows (that contain ``what``, if that is given); ``changes``: the superuser finds other rows by
    the query ``what`` afterwards; ``raises``: it fails with the SQLSTATE ``what``; ``tells``: ``what`` stands in a
    notice or in its error; ``works``: it touches a row; ``passes``: it does not fail.
    """

    how: Literal["shows", "changes", "raises", "tells", "works", "passes"]
    what: str = ""

    @classmethod
    def moved(cls, row: Row) -> Self:
        """A row lies elsewhere afterwards, as what was changed does, or nowhere."""
        return cls("changes", f"select ctid::text from {row.table.sql} where {line(row)}")


@dataclass(frozen=True)
class Finding:
    """Something that was shown. ``setup`` is done by the owner first: what had to be so, for example a free key."""

    id: str
    rule: str
    level: Level
    object: str
    finding: str
    role: str
    who: str
    setup: tuple[str, ...]
    statements: tuple[str, ...]
    expected: Expected
    basis: str = ""
    """A fingerprint of what decides: an answer to a question is one to these policies, and to no others."""
    shown_again: bool = True
    """Whether its proof came out the same in a session of its own."""

    @property
    def proof(self) -> list[str]:
        """The statements, as they are to be given to psql."""
        return [f"{statement}  -- as the owner" for statement in self.setup] + list(self.statements)

    @property
    def sentence(self) -> str:
        """Who did what, as which role."""
        return f"{self.who} ({self.role}) {self.finding}"


@dataclass
class Findings:
    """All that was shown, each kind once an object."""

    found: list[Finding] = field(default_factory=list)
    _told: set[tuple[str, str, str]] = field(default_factory=set)

    def add(
        self, level: Level, kind: str, object_: str, actor: Actor, sentence: str, steps: Sequence[str],
        expected: Expected, *, setup: Iterable[str] = (), detail: str = "", login: bool = True,
    ) -> bool:  # fmt: skip
        """Keep a finding, unless its kind was found in this object; ``detail`` tells apart what is several times so."""
        key = (kind, object_, detail)
        if key in self._told:
            return False
        self._told.add(key)
        rule = re.sub(r"\W+", "_", kind)
        name = ":".join([rule, object_, *([detail] if detail else [])])
        statements = (*(actor.login if login else ()), *steps)
        self.found.append(
            Finding(name, rule, level, object_, sentence, actor.role, actor.who, tuple(setup), statements, expected)
        )
        return True

    def has(self, object_: str, *kinds: str) -> bool:
        """Whether one of these kinds was found in an object, or any, where none is named."""
        return any(told == object_ and (not kinds or kind in kinds) for kind, told, _ in self._told)

    def summed_up(self, kind: str, most: int = 3) -> None:
        """Make one finding of many of a kind: what is the platform's way is said once."""
        many = [found for found in self.found if found.rule == kind]
        if len(many) <= most:
            return
        objects = ", ".join(found.object for found in many)
        one = replace(
            many[0], id=f"{kind}:many", object=f"{len(many)} tables", finding=f"{many[0].finding}; so in {objects}"
        )
        self.found = [found for found in self.found if found not in many] + [one]


def by_level(found: Iterable[Finding]) -> list[Finding]:
    """Return findings in the order in which they are told: what is worst first, then by name."""
    return sorted(found, key=lambda each: (LEVELS.index(each.level), each.object, each.id))


def becoming(role: str) -> str:
    """Return the statement that a session of a role begins with."""
    return f"set session authorization {ident(role)}"
