"""Two made-up worlds with nothing in common, and the values that stand in a column in each of them."""

import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from userscope.probe import words
from userscope.probe.catalog.model import Catalog, Column, Relation
from userscope.probe.meaning import Meaning

_NUMBERS = ("int2", "int4", "int8", "numeric", "float4", "float8", "oid", "money")
_FIXED = {
    "bool": "false", "date": "2026-06-01", "timestamp": "2026-06-01", "timestamptz": "2026-06-01", "time": "12:00",
    "timetz": "12:00", "interval": "1 day", "bytea": "\\x00", "point": "(1,1)",
}  # fmt: skip
_LATER = "2099-01-01"
_DEPTH = 8


@dataclass(frozen=True)
class World:
    """One person with all that is theirs: user, organization, tenant and the key of every first row are one value."""

    name: str
    uuid: str
    number: int
    address: int

    @property
    def mail(self) -> str:
        """Its address."""
        return f"{self.name}@example.com"

    @property
    def person(self) -> str:
        """What a finding calls it."""
        return self.name.capitalize()

    def marks(self, text: str) -> bool:
        """Whether a text tells of this world."""
        return (
            self.uuid in text or self.mail in text or f"{self.name} " in text
            or re.search(rf"\b{self.number}\b", text) is not None
        )  # fmt: skip

    def another(self, number: int, salt: str = "") -> str:
        """Return a uuid of this world's other rows; the world's own for 0."""
        return str(uuid.uuid5(uuid.UUID(self.uuid), f"{salt}{number}")) if number else self.uuid


ALICE = World("alice", "a11ce000-0000-4000-8000-000000000001", 1001, 1)
BOB = World("bob", "b0b00000-0000-4000-8000-000000000002", 1002, 2)
WORLDS = (ALICE, BOB)


@dataclass(frozen=True, eq=False)
class Row:
    """A row that was put in: its values as texts, and those of them that were given."""

    table: Relation
    world: World
    values: Mapping[str, str | None]
    given: Mapping[str, str | None]


@dataclass
class Values:
    """What a column holds in a world; what refers to a table holds what the table's own row has."""

    catalog: Catalog
    meaning: Meaning
    rows: dict[tuple[Relation, World], Row] = field(default_factory=dict)
    """The first row of each table in each world."""

    def row(self, table: Relation, world: World, number: int = 0) -> dict[str, str | None]:
        """Return the values of a row; columns are left out that the database fills, or that may stay empty."""
        found: dict[str, str | None] = {}
        for name, column in table.columns.items():
            if column.generated or (self._left_alone(table, column) and name not in table.primary):
                continue
            found[name] = self.value(table, column, world, number)
            if (allowed := _allowed(column.domain_check)) and name not in table.parents:
                found[name] = words.modest(allowed)[0]
        for check in table.checks:
            (name, *others) = check.columns or ("",)
            if not others and name in found and name not in table.parents and (allowed := _allowed(check.definition)):
                found[name] = words.modest(allowed)[0]
        return found

    def _left_alone(self, table: Relation, column: Column) -> bool:
        name = column.name
        if name in table.parents and table.parent(name) is table and not column.required:
            return True
        identifies = column.type == "uuid" or (
            self.meaning.identifying(name) and column.type in ("text", "int4", "int8")
        )
        if column.default and not (name in table.parents or name in table.unique_columns or identifies):
            return True
        return not column.required and (column.type in ("timestamptz", "timestamp", "date") or column.kind == "e")

    def value(self, table: Relation, column: Column, world: World, number: int = 0, depth: int = 0) -> str | None:
        """Return a column's value; ``number`` tells other rows than the first apart where a key must differ."""
        name = column.name
        if name in table.parents and depth < _DEPTH:
            parent, key = table.parents[name]
            row = self.rows.get((parent, world))
            if row and row.values.get(key) is not None:
                return row.values[key]
            return self.value(parent, parent.columns[key], world, 0, depth + 1)
        unique = name in table.unique_columns
        return self.scalar(column, world, table, number if unique else 0, key=unique)

    def scalar(
        self, column: Column, world: World, table: Relation | None = None, number: int = 0, *, key: bool = False
    ) -> str | None:
        """Return a value of a column's type."""
        name, kind, label = column.name, column.type, table.sql if table else ""
        if column.kind == "e":
            return words.modest(list(self.catalog.labels[column.type_oid]))[0]
        if column.category == "A" and kind.startswith("_"):
            return self._array(column, world, table, number)
        if kind == "uuid":
            return world.another(number, name)
        if kind in _NUMBERS:
            return str((world.number if key or self.meaning.identifying(name) else 1) + (number * 10 if key else 0))
        if column.textual or kind == "name":
            return self._text(column, world, label, number, key=key)
        if kind in _FIXED:
            return _LATER if column.category == "D" and words.EXPIRY.search(name) else _FIXED[kind]
        if kind in ("json", "jsonb"):
            return json.dumps({"whose": f"{world.name} {label}.{name}"})
        if kind in ("inet", "cidr"):
            return f"10.0.0.{world.address}"
        if kind == "vector":
            return "[" + ",".join(["0"] * max(column.modifier, 1)) + "]"
        return {"tsvector": world.name}.get(kind, "empty" if column.category == "R" else None)

    def _text(self, column: Column, world: World, label: str, number: int, *, key: bool) -> str:
        name, more = column.name, str(number or "")
        known = [v for v in sorted(self.meaning.literals.get(name, ())) if v]
        known = [v for v in known if not words.PRIVILEGED.search(v) and not words.PUBLIC.search(v)]
        if known and not key:
            text = known[0]
        elif re.search("mail", name, re.IGNORECASE):
            text = f"{world.name}{more}@example.com"
        elif self.meaning.identifying(name) or (key and name == "sub"):
            text = world.uuid if not number else f"{world.uuid[:-3]}{number:03}"
        elif words.PATH.search(name):
            text = f"{world.uuid}/{world.uuid}/{world.name} {label}.{name}{more}"
        else:
            text = f"{world.name} {label}.{name}{more}"
        most = column.modifier - 4 if column.modifier > 4 and column.type != "text" else 0
        return text[-most:] if most else text

    def _array(self, column: Column, world: World, table: Relation | None, number: int) -> str:
        if labels := self.catalog.labels.get(column.element):
            value: str | None = labels[0]
        else:
            kind = self.catalog.type_names.get(column.element, "text")
            one = replace(column, type=kind, kind="b", category="X", modifier=-1)
            value = self.scalar(one, world, table, number, key=True)
        if value is None:
            return "{}"
        return f"{{{value}}}" if re.fullmatch(r"[\w.-]+", value) else '{"' + value.replace('"', "") + '"}'


def _allowed(definition: str) -> list[str]:
    """Return the values that a CHECK lists, if it lists any."""
    listed = re.search(r"ARRAY\[([^\]]*)\]", definition)
    return re.findall(r"'([^']*)'", listed[1]) if listed else []
