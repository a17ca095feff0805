"""Looking: which of the rows that were put in somebody sees."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

import psycopg

from userscope.probe.catalog import read
from userscope.probe.catalog.model import Relation, Rights
from userscope.probe.filling import Filling, Place
from userscope.probe.stage import Actor, Stage
from userscope.probe.worlds import WORLDS, Row, World

type Seen = set[tuple[Relation, World]]
"""Of which tables and views rows are seen, and whose."""
type Errors = dict[Relation, psycopg.Error]


def of(world: World, seen: Seen) -> list[Relation]:
    """Return that of which a world's rows are seen, by name."""
    return sorted((relation for relation, whose in seen if whose is world), key=lambda relation: relation.label)


@dataclass
class Sight:
    """What everybody sees of a filling. Rows are known again by where they lie; those of a view by what is in them."""

    stage: Stage
    filling: Filling
    rights_by_role: dict[str, dict[int, Rights]] = field(default_factory=dict)
    contents: dict[tuple[int, tuple[str, ...]], dict[str, Row]] = field(default_factory=dict)

    def rights(self, role: str, relation: Relation) -> Rights:
        """Return what a role may do with a relation."""
        if role not in self.rights_by_role:
            catalog = self.filling.values.catalog
            self.rights_by_role[role] = read.rights(self.stage.connection, catalog, role)
        return self.rights_by_role[role].get(relation.oid) or Rights.none(relation.oid)

    def prepare(self, roles: Collection[str]) -> None:
        """Read what needs the superuser, before anybody acts."""
        for role in roles:
            for relation in self._relations():
                rights = self.rights(role, relation)
                if relation.table and rights.select and not rights.whole:
                    self._contents(relation, tuple(rights.select))

    def by(self, actor: Actor, *, tables_only: bool = False) -> tuple[Seen, Errors]:
        """Return what somebody sees, and which reads failed."""
        with self.stage.acting(actor):
            return self.now(actor.role, tables_only=tables_only)

    def now(self, role: str, only: Collection[int] | None = None, *, tables_only: bool = False) -> tuple[Seen, Errors]:
        """Return what is seen at this moment, while ``role`` acts; of the relations ``only``, if they are given."""
        asked = [
            relation
            for relation in self._relations()
            if (only is None or relation.oid in only)
            and (relation.table or not tables_only)
            and self.rights(role, relation).select
        ]
        if not asked:
            return set(), {}
        at_once = self.stage.attempt(" union all ".join(self._reading(role, relation) for relation in asked))
        seen: Seen = set()
        errors: Errors = {}
        if at_once.error is None:
            for oid, *what in at_once.rows:
                seen.update(self._known(role, self.filling.values.catalog.relations[oid], *what))
            return seen, errors
        for relation in asked:
            outcome = self.stage.attempt(self._reading(role, relation))
            if outcome.error:
                errors[relation] = outcome.error
            for _, *what in outcome.rows:
                seen.update(self._known(role, relation, *what))
        return seen, errors

    def sees(self, role: str, relation: Relation, place: Place) -> bool:
        """Whether a row that lies at ``place`` is seen at this moment."""
        rights = self.rights(role, relation)
        if rights.whole:
            outcome = self.stage.attempt(f"select tableoid::int8, ctid::text from {relation.sql}")
            return place in {(oid, ctid) for oid, ctid in outcome.rows}
        if not rights.select:
            return False
        row = f"row({_columns(relation, rights)})::text"
        content = self.stage.as_superuser(role, f"select {row} from {relation.sql} where ctid = '{place[1]}'")
        return bool(content) and content[0] in self.stage.attempt(f"select {row} from {relation.sql}").rows

    def _relations(self) -> Iterator[Relation]:
        return iter(self.filling.values.catalog.relations.values())

    def _reading(self, role: str, relation: Relation) -> str:
        rights = self.rights(role, relation)
        if relation.table and rights.whole:
            what = "tableoid::int8, ctid::text, null::text"
        else:
            what = f"null::int8, null::text, row({_columns(relation, rights)})::text"
        return f"(select {relation.oid}::int8, {what} from {relation.sql})"

    def _known(
        self, role: str, relation: Relation, oid: int | None, ctid: str | None, content: str | None
    ) -> Iterator[tuple[Relation, World]]:
        if oid is not None and ctid is not None:
            row = self.filling.places.get((oid, ctid))
        elif relation.table:
            row = self._contents(relation, tuple(self.rights(role, relation).select)).get(content or "")
        else:
            yield from ((relation, world) for world in WORLDS if world.marks(content or ""))
            return
        if row:
            yield (row.table if row.table.slice else relation), row.world

    def _contents(self, relation: Relation, columns: tuple[str, ...]) -> dict[str, Row]:
        """Return the rows by what is in their columns, for who may not ask where they lie; not those that are alike."""
        if (relation.oid, columns) not in self.contents:
            names = ", ".join(relation.columns[name].sql for name in columns)
            found: dict[str, list[Row]] = defaultdict(list)
            for oid, ctid, content in self.stage.rows(
                f"select tableoid::int8, ctid::text, row({names})::text from {relation.sql}"
            ):
                if row := self.filling.places.get((oid, ctid)):
                    found[content].append(row)
            self.contents[relation.oid, columns] = {
                content: rows[0] for content, rows in found.items() if len({row.world for row in rows}) == 1
            }
        return self.contents[relation.oid, columns]


def _columns(relation: Relation, rights: Rights) -> str:
    return ", ".join(relation.columns[name].sql for name in rights.select)
