"""People whom sample data is for, and what stands in their rows: drawn by chance, the same for the same seed."""

import random
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self
from uuid import UUID, uuid5

from userscope.demo.words import THINGS, VERBS
from userscope.identity import Kind
from userscope.probe.catalog.model import Column, Relation
from userscope.probe.worlds import Values, World

_SPACE = UUID("5a3e1d0c-0000-4000-8000-000000000000")
_MAIL = re.compile("mail", re.IGNORECASE)
_BASE = datetime(2026, 1, 1, 9, tzinfo=UTC)
_NUMBERS = ("int2", "int4", "int8", "numeric", "float4", "float8")


@dataclass(frozen=True)
class Person:
    """Somebody who has rows: the id that a session acts for, and what their values are made of."""

    user_id: str
    world: World

    @classmethod
    def of(cls, user_id: str, name: str, number: int) -> Self:
        """Make them; a uuid of theirs is made from an id that is none."""
        try:
            mark = str(UUID(user_id))
        except ValueError:
            mark = str(uuid5(_SPACE, user_id))
        return cls(user_id, World(name.lower(), mark, number + 1, number % 250 + 1))

    @classmethod
    def numbered(cls, kind: Kind, seed: int, number: int, name: str, uuid: UUID) -> Self:
        """Make one of those that sample data is for, where no table of ours knows them."""
        high = 2_000_000_000 + seed * 10_000 + number  # above whoever is there, and within an int
        ids = {"uuid": str(uuid), "bigint": str(high), "text": f"userscope_sample_{seed}_{number}"}
        return cls.of(ids[kind], f"{name}-{seed}-{number}", number)


class SampleValues(Values):
    """What a column holds: drawn by chance, the same for the same seed."""

    draw: random.Random
    rows_each = 1

    def drawn_for(self, *what: object) -> None:
        """Draw from here on what is always the same for this."""
        self.draw = random.Random("/".join(map(str, what)))  # noqa: S311  # no secret

    def scalar(
        self, column: Column, world: World, table: Relation | None = None, number: int = 0, *, key: bool = False
    ) -> str | None:
        """Return a value of a column's type."""
        if key and column.type in _NUMBERS:
            return str(world.number * self.rows_each + number)
        if key and column.textual and not self.meaning.identifying(column.name) and not _MAIL.search(column.name):
            return _cut(f"{self._phrase()} {world.number}-{number}", column, tail=True)
        if key or self.meaning.identifying(column.name) or _MAIL.search(column.name):
            return super().scalar(column, world, table, number, key=key)
        if column.type in _NUMBERS:
            return str(self.draw.randint(1, 99))
        if column.type == "bool":
            return str(self.draw.random() < 0.4).lower()
        if column.type in ("date", "timestamp", "timestamptz"):
            return f"{_BASE + timedelta(hours=self.draw.randrange(24 * 365)):%Y-%m-%d %H:%M:00+00}"
        if column.kind == "e":
            return self.draw.choice(self.catalog.labels[column.type_oid])
        if column.textual and not self.meaning.literals.get(column.name):
            return _cut(self._phrase(), column)
        return super().scalar(column, world, table, number, key=key)

    def _phrase(self) -> str:
        return f"{self.draw.choice(VERBS)} the {self.draw.choice(THINGS)}"


def _cut(text: str, column: Column, *, tail: bool = False) -> str:
    """Return what of a text fits into a column; its ``tail`` tells rows apart."""
    most = column.modifier - 4 if column.modifier > 4 and column.type != "text" else len(text)
    return text[-most:].strip() if tail else text[:most].strip()
