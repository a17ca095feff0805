"""Filling: a row for each table in each world, mended as long as PostgreSQL says what is wrong with it."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import psycopg

from userscope.probe import statements, words
from userscope.probe.catalog.model import Column, Relation
from userscope.probe.stage import Outcome, Stage
from userscope.probe.worlds import WORLDS, Row, Values, World

_ATTEMPTS = 40
_TEXTS = (
    "{uuid}", "{name}", "{name}@example.com", "https://example.com/{name}", "+15550100{digit}", "{digit}", "en", "US",
    "USD", "#aabbcc", "2026-01-01", "abc{digit}", "user_{name}", "a", "",
)  # fmt: skip
_DOCUMENTS = ("{}", "[]", '{"version": "1", "type": "text", "kind": "text", "text": "x"}', None)
_MALFORMED = ("22P02", "22001", "42804", "22007", "22003")

type Place = tuple[int, str]
"""Where a row lies: its table's oid, and its ctid."""


@dataclass
class Filling:
    """What was put in, and where it lies."""

    stage: Stage
    values: Values
    places: dict[Place, Row] = field(default_factory=dict)
    failures: dict[Relation, str] = field(default_factory=dict)
    slices: list[Relation] = field(default_factory=list)

    def fill(self) -> None:
        """Fill all tables, parents first, and commit."""
        with self.stage.connection.transaction():
            self.stage.execute("set local session_replication_role = replica")
            self.stage.execute("set local statement_timeout = '10s'")
            for table in parents_first(self.values.catalog.tables):
                for world in WORLDS:
                    if placed := self.put(table, world):
                        place, row = placed
                        self.places[place] = self.values.rows[table, world] = row
                if table.kind == "p":
                    self._fill_partitions(table)
                if (table.schema, table.name) == ("storage", "objects"):
                    self._fill_buckets(table)

    def clear(self, stage: Stage) -> None:
        """Take out again what was put in, as the superuser of ``stage``."""
        with stage.connection.transaction():
            stage.execute("set local session_replication_role = replica")
            for (oid, ctid), row in self.places.items():
                stage.execute(f"delete from {row.table.sql} where tableoid = {oid} and ctid = '{ctid}'")

    def row(self, relation: Relation, world: World) -> Row | None:
        """Return a table's first row in a world."""
        return self.values.rows.get((relation, world))

    def put(
        self, table: Relation, world: World, number: int = 0, over: Mapping[str, str | None] | None = None
    ) -> tuple[Place, Row] | None:
        """Put one row in, as the superuser and past triggers; None where it cannot be."""
        given = {**self.values.row(table, world, number), **(over or {})}
        # The whole row is asked for with a star: a column may have its table's name.
        returned = (
            "tableoid::int8, ctid::text, coalesce("
            f"(select jsonb_object_agg(key, value) from jsonb_each_text(to_jsonb({table.sql}.*))), '{{}}')"
        )
        outcome = self.fitted(self.stage, table, world, number, given, returned)
        if outcome.error is None:
            relation, ctid, values = outcome.rows[0]
            values = {**values, **{name: value for name, value in given.items() if value is not None}}
            return (relation, ctid), Row(table, world, values, given)
        if not over and not number:
            self.failures[table] = said(outcome.error)
        return None

    def fitted(
        self, stage: Stage, table: Relation, world: World, number: int, given: dict[str, str | None], returned: str
    ) -> Outcome:
        """Insert ``given`` as whoever acts on ``stage``, mended in place until it fits; the last outcome."""
        tried: Counter[str] = Counter()
        for _ in range(_ATTEMPTS):
            outcome = stage.attempt(f"{statements.insert(table, given)} returning {returned}")
            if outcome.error is None or not self._mend(table, world, number, given, outcome.error, tried):
                break
        return outcome

    def _mend(
        self, table: Relation, world: World, number: int, given: dict[str, str | None], error: psycopg.Error,
        tried: Counter[str],
    ) -> bool:  # fmt: skip
        """Change one of the values that may be what an error is about; False where there is none."""
        diag, names = error.diag, list[str]()
        if error.sqlstate == "23502" and diag.column_name:
            empty = [table.columns[diag.column_name]]
            if empty[0].generated:  # of what was left out
                empty = [column for name, column in table.columns.items() if column.settable and name not in given]
            given.update({column.name: self.values.value(table, column, world, number) for column in empty})
            tried["empty"] += 1
            return tried["empty"] <= len(table.columns)
        if error.sqlstate == "23514" and "no partition" in (diag.message_primary or ""):
            tried["partition"] += 1
            return tried["partition"] == 1 and self._choose_partition(table, given)
        if error.sqlstate == "23514":
            names = [name for check in table.checks if check.name == diag.constraint_name for name in check.columns]
            names = names or [name for check in table.checks for name in check.columns]
        elif error.sqlstate in _MALFORMED:
            names = [name for name in given if table.columns[name].type != "uuid" and name not in table.parents]
        names = [name for name in names if table.columns[name].settable] or list(given)
        names = [name for name in names if name not in table.parents] or names
        if not names:
            return False
        turn = tried["turns"]
        tried["turns"] += 1
        name, again = names[turn % len(names)], turn // len(names)
        given[name] = self._other(table, table.columns[name], world, number, again, given.get(name))
        return True

    def _other(
        self, table: Relation, column: Column, world: World, number: int, again: int, old: str | None
    ) -> str | None:
        if column.kind == "e":
            labels = self.values.catalog.labels[column.type_oid]
            return labels[again % len(labels)]
        if column.textual and again < len(_TEXTS):
            return _TEXTS[again].format(uuid=world.uuid, name=world.name, digit=world.number % 10 + number)
        if column.type == "bool":
            return ("true", "false", None)[again % 3]
        if column.type.startswith(("int", "numeric", "float")):
            return (str(world.number + number), "0", "1", "10", "-1", "100")[again % 6]
        if column.type in ("json", "jsonb"):
            return _DOCUMENTS[again % 4]
        if not column.required:
            return None if again % 2 == 0 else self.values.value(table, column, world, number)
        return old

    def _fill_partitions(self, table: Relation) -> None:
        """Put a row of each world into each partition that has none, where its bounds can be read."""
        for number, (leaf, key) in enumerate(self._partitions(table).items(), 70):
            if any(oid == leaf for oid, _ in self.places):
                continue
            for world in WORLDS:
                if placed := self.put(table, world, number, key):
                    self.places[placed[0]] = placed[1]

    def _choose_partition(self, table: Relation, given: dict[str, str | None]) -> bool:
        """Give the key of the first partition; whether there is one that can be read."""
        key = next(iter(self._partitions(table).values()), {})
        given.update(key)
        return bool(key)

    def _partitions(self, table: Relation) -> dict[int, dict[str, str]]:
        """The partitions that rows lie in, by name: the values with which a row comes there, from above."""
        tree = self.stage.rows(
            "select c.oid::int8, t.parentrelid::int8, t.isleaf, a.attname, pg_get_expr(c.relpartbound, c.oid) "
            f"from pg_partition_tree({table.oid}) as t join pg_class as c on c.oid = t.relid "
            "join pg_partitioned_table as p on p.partrelid = t.parentrelid "
            "left join pg_attribute as a on a.attrelid = p.partrelid and a.attnum = p.partattrs[0] "
            'order by t.level, c.relname collate "C"'
        )
        keys: dict[int, dict[str, str]] = {table.oid: {}}
        for oid, parent, _, column, bound in tree:
            value = re.search(r"(?:FROM|IN) \('?([^',)]*)'?", bound)
            if column and value and value[1] not in ("MINVALUE", "NULL") and parent in keys:
                keys[oid] = {**keys[parent], column: value[1]}
        leaves = [oid for oid, _, leaf, *_ in tree if leaf and oid in keys]
        return {oid: keys[oid] for oid in leaves[:24]}

    def _fill_buckets(self, objects: Relation) -> None:
        """Files lie in one table, and each bucket has policies of its own: each is looked at as a table."""
        for number, bucket in enumerate(sorted(self.values.meaning.literals.get("bucket_id", ()))[:12], 30):
            slice_ = replace(objects, slice=bucket)
            for world in WORLDS:
                path = f"{world.uuid}/{world.uuid}/{world.name} {objects.sql}.name{number}"
                if placed := self.put(objects, world, number, {"bucket_id": bucket, "name": path}):
                    place, row = placed
                    self.places[place] = self.values.rows[slice_, world] = Row(slice_, world, row.values, row.given)
            self.slices.append(slice_)
            self.values.meaning.owned.add(slice_)


def said(error: psycopg.Error) -> str:
    """Return the first line of what PostgreSQL said."""
    return (error.diag.message_primary or str(error)).splitlines()[0]


def parents_first(tables: list[Relation]) -> Iterator[Relation]:
    """Order tables so that what is referred to comes first; in a circle, by name."""
    left = list(tables)
    while left:
        ready = [
            table
            for table in left
            if all(parent is table or parent not in left for parent, _ in table.parents.values())
        ] or left[:1]
        for table in ready:
            left.remove(table)
            yield table


def variants(values: Values, table: Relation) -> Iterator[tuple[str, str | None]]:
    """Yield what may be otherwise in a row of a table and decide about who sees it: a column and its value."""
    asked = " ".join(policy.using for policy in table.policies)
    for name, column in table.columns.items():
        if column.generated:
            continue
        if column.type == "bool" and (name in asked or name in values.catalog.function_text):
            yield from ((name, "true"), (name, "false"))
        elif (column.kind == "e" or column.type in ("text", "varchar")) and name not in table.parents:
            yield from ((name, value) for value in sorted(values.meaning.literals.get(name, ()))[:6])
        elif not column.required and name in words.words(asked):
            if column.category == "D":
                yield name, "2020-01-01"
            elif name in table.parents or column.type == "uuid":
                yield name, None
