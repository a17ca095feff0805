"""Where attacks are tried: the filled copy, who acts in it, what they see before, and what was found."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from userscope.probe import sight, statements, words
from userscope.probe.catalog.model import Catalog, Relation, Rights
from userscope.probe.filling import Filling
from userscope.probe.findings import Expected, Findings, Level
from userscope.probe.identities import Identities
from userscope.probe.meaning import Meaning
from userscope.probe.sight import Seen, Sight
from userscope.probe.stage import Actor, Stage
from userscope.probe.worlds import ALICE, BOB, WORLDS, Row, Values, World


@dataclass
class Scene:
    """Everything that an attack works with."""

    stage: Stage
    catalog: Catalog
    meaning: Meaning
    filling: Filling
    sight: Sight
    identities: Identities
    actors: list[Actor] = field(default_factory=list)
    """Alice, and those without an identity, as every role."""
    seen: dict[Actor, Seen] = field(default_factory=dict)
    """What each of them sees before anything is done."""
    findings: Findings = field(default_factory=Findings)
    not_tried: list[str] = field(default_factory=list)
    new: dict[Relation, dict[World, Row]] = field(default_factory=dict)
    """Rows that could be inserted, were it not for policies; they are not there."""
    taken_out: set[Relation] = field(default_factory=set)
    """Lists of those who may do more, which Alice is not in."""
    arranged: list[str] = field(default_factory=list)
    """What is otherwise for the moment than it was filled, as statements of the owner."""
    _meant: dict[str, set[str]] = field(default_factory=dict)

    @cached_property
    def truncating(self) -> set[str]:
        """The roles that are granted TRUNCATE on every table to come: the platform's way, and said once."""
        query = (
            "select rolname from pg_default_acl, aclexplode(defaclacl) as a join pg_roles on pg_roles.oid = a.grantee "
            "where a.privilege_type = 'TRUNCATE'"
        )
        return {role for (role,) in self.stage.rows(query)}

    def meant(self, role: str) -> set[str]:
        """Return the roles whose policies are meant for a role: its own, or else those of what it is a member of."""
        if role not in self._meant:
            query = f"select rolname from pg_roles where pg_has_role({statements.literal(role)}, oid, 'usage')"
            named = any(role in policy.roles for policy in self.catalog.policies)
            self._meant[role] = {role} if named else {above for (above,) in self.stage.rows(query)}
        return self._meant[role]

    @property
    def values(self) -> Values:
        """What stands in a column in each world."""
        return self.filling.values

    @property
    def tables(self) -> list[Relation]:
        """The tables that were filled, and their slices."""
        return [*self.catalog.tables, *self.filling.slices]

    @property
    def relations(self) -> list[Relation]:
        """Everything that may be looked at or written to."""
        return [*self.catalog.relations.values(), *self.filling.slices]

    def row(self, relation: Relation, world: World) -> Row | None:
        """Return a table's first row in a world."""
        return self.filling.row(relation, world)

    def where(self, relation: Relation, world: World) -> str:
        """Return the condition of a table's first row in a world."""
        row = self.row(relation, world)
        return statements.line(row) if row else "true"

    def owned(self, relation: Relation) -> bool:
        """Whether a table's rows are somebody's."""
        return relation in self.meaning.owned or relation.partition

    def rights(self, actor: Actor, relation: Relation) -> Rights:
        """Return what somebody may do with a relation at all."""
        return self.sight.rights(actor.role, relation)

    def sees(self, actor: Actor, relation: Relation, world: World) -> bool:
        """Whether somebody saw a world's rows of a relation before anything was done."""
        return (relation, world) in self.seen.get(actor, set())

    def alice(self, role: str) -> Actor:
        """Alice, as a role."""
        return next(a for a in self.actors if a.alice and a.role == role)

    def gained(self, actor: Actor, changed: Relation | None = None, of: World = BOB, told: str = "") -> list[Relation]:
        """Return of what somebody who acts sees Bob's rows now (or those ``of`` another), and did not before.

        A view that only repeats what was ``told`` of him, by a statement or a call, shows nothing of his.
        """
        only = self.meaning.affected(changed) if changed else None
        seen, _ = self.sight.now(actor.role, only)
        new = sight.of(of, seen - self.seen.get(actor, set()))
        return [each for each in new if each in self.meaning.owned or not (each.table or self._repeats(each, of, told))]

    def _repeats(self, view: Relation, of: World, told: str) -> bool:
        marks = (of.uuid, of.mail, f"{of.name} ")
        untold = [mark for mark in marks if mark not in told]
        if len(untold) == len(marks):
            return False
        shown = str(self.stage.attempt(f"select (x.*)::text from {view.sql} as x").rows)
        return not any(mark in shown for mark in untold)

    def bob_sees(self, relation: Relation, values: dict[str, str | None]) -> bool:
        """Whether Bob is shown a row; he and who acts are in one transaction."""
        condition = statements.where(relation, values)
        for role in self.identities.members:
            self.stage.become(self.identities.person(BOB, role))
            if self.stage.attempt(f"select 1 from {relation.sql} where {condition}").rows:
                return True
        return False

    def bobs(self, actor: Actor, relation: Relation | None = None) -> list[Row]:
        """Return which of Bob's rows no longer lie where they lay, of a table or, for a view, of any; the superuser
        looks."""
        tables = [relation] if relation and relation.table else self.catalog.tables
        query = " union all ".join(f"(select tableoid::int8, ctid::text from {table.sql})" for table in tables)
        now = {(oid, ctid) for oid, ctid in self.stage.as_superuser(actor.role, query)}
        among = {table.oid for table in tables}
        return [
            row
            for place, row in self.filling.places.items()
            if row.world is BOB and row.table.oid in among and place not in now
        ]

    def hit(self, actor: Actor, table: Relation, statement: str) -> list[Row]:
        """Try a statement as somebody, and return which of Bob's rows of a table it has changed."""
        with self.stage.acting(actor):
            return self.bobs(actor, table) if self.stage.attempt(statement).did else []

    def freed(self, actor: Actor, table: Relation, values: Mapping[str, str | None]) -> list[str]:
        """Delete, while somebody acts, what has the keys of a new row; return the statement for it."""
        statement = statements.delete(table, statements.same_keys(table, values))
        with self.stage.superuser(actor.role):
            self.stage.arrange(statement)
        return [statement]

    def tell(
        self, level: Level, kind: str, relation: Relation, actor: Actor, sentence: str, *steps: str,
        expected: Expected, setup: Iterable[str] = (), detail: str = "",
    ) -> bool:  # fmt: skip
        """Keep what was shown."""
        return self.findings.add(
            level, kind, relation.label, actor, sentence, steps, expected, setup=[*self.arranged, *setup], detail=detail
        )

    def reading(self, actor: Actor, relation: Relation) -> str:
        """Return the statement that reads of a relation what somebody may."""
        shown = self.rights(actor, relation).select
        whole = len(shown) == len(relation.columns)
        return f"select {'*' if whole else self._columns(actor, relation)} from {relation.sql}"

    def look(self, relation: Relation, actor: Actor, of: World = BOB) -> tuple[str, Expected]:
        """Return the statement by which somebody is shown a row ``of`` another, and what is expected of it."""
        reading, shown = self.reading(actor, relation), self.rights(actor, relation).select
        rows = {world: row for world in WORLDS if not relation.partition and (row := self.row(relation, world))}
        where = {
            world: statements.where(relation, {name: row.values[name] for name in shown if name in row.values})
            for world, row in rows.items()
        }
        if of in where and where[of] != "true" and len({*where.values()}) == len(where):
            return f"{reading} where {where[of]}  -- {of.person}'s row", Expected("shows")
        return f"{reading}  -- {of.person}'s rows among them", Expected("shows", self.mark(relation, actor, of))

    def mark(self, relation: Relation, actor: Actor, of: World = BOB) -> str:
        """Return what tells somebody's rows of a view or a partition, in what may be read of it."""
        rows = self.stage.rows(f"select row({self._columns(actor, relation)})::text from {relation.sql}")
        return of.uuid if any(of.uuid in text for (text,) in rows) else of.name

    def _columns(self, actor: Actor, relation: Relation) -> str:
        return ", ".join(relation.columns[name].sql for name in self.rights(actor, relation).select)

    def stranger(self, actor: Actor) -> bool:
        """Whether somebody has not signed in at all."""
        return actor.role in self.identities.strangers

    def links(self, table: Relation) -> list[str]:
        """Return the columns that name a person."""
        return [
            name
            for name in table.columns
            if self.meaning.personal(table, name) and (name in table.parents or self.meaning.identifying(name))
        ]

    def scope(self, table: Relation) -> Sequence[str]:
        """Return the columns by which a row belongs to somebody's tenant."""
        others = self.meaning.owned - self.meaning.users
        return [
            name
            for name, column in table.columns.items()
            if not self.meaning.personal(table, name)
            and table.primary != (name,)
            and (
                table.parent(name) in others
                or (
                    name not in table.parents
                    and column.type in ("uuid", "int4", "int8")
                    and (words.TENANT.search(name) is not None or name.endswith("_id"))
                )
            )
        ]

    @property
    def filled_by_alice(self) -> list[Relation]:
        """The tables in which Alice has a row."""
        return [table for table in self.tables if self.row(table, ALICE)]
