"""What PostgreSQL says of a database, read once in a few statements, by name."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from psycopg.rows import class_row, dict_row

from userscope.postgres.sql import ident, named

if TYPE_CHECKING:
    import psycopg

PEOPLE = ("users", "user", "profiles")
"""Tables in which everybody who is signed in has a row."""
COMMANDS = {"r": "SELECT", "a": "INSERT", "w": "UPDATE", "d": "DELETE"}


@dataclass(frozen=True)
class Role:
    """A role; ``becomes`` are the roles that it is, inherits or may set itself to."""

    oid: int
    name: str
    superuser: bool
    bypasses: bool
    logs_in: bool
    becomes: list[int]


@dataclass(frozen=True)
class Schema:
    """A schema, and which services may enter it, or make things there."""

    name: str
    owner: int
    entered: list[int]
    planted: list[int]


@dataclass(frozen=True)
class Column:
    """A column of a table or view."""

    name: str
    type: str
    required: bool
    default: str | None


@dataclass(frozen=True)
class Key:
    """What is unique (p, u), or what refers to ``target`` (f). A column is None where an expression stands."""

    relation: int
    kind: str
    columns: list[str | None]
    target: int | None
    name: str
    whole: bool


@dataclass(frozen=True)
class Policy:
    """A policy; ``command`` is PostgreSQL's letter, ``*`` for all."""

    relation: int
    name: str
    command: str
    permissive: bool
    roles: list[int]
    using: str | None
    check: str | None
    calls: list[int]

    def serves(self, letter: str) -> bool:
        """Whether it is asked for a command."""
        return self.command in ("*", letter)


@dataclass(frozen=True, eq=False)
class Relation:
    """A table or view; privileges are letters by role.

    ``checked``: what is written through a view must be shown by it; ``written``: a view's rows can be.
    """

    oid: int
    schema: str
    name: str
    kind: str
    owner: int
    secured: bool
    forced: bool
    invoker: bool
    checked: bool
    written: bool
    definition: str | None
    columns: list[list[Any]]
    privileges: dict[str, str]
    by_column: list[list[Any]]
    triggers: list[int]
    fired: list[list[int]]
    sources: list[int]
    shared: bool
    keys: list[Key] = field(default_factory=list)
    policies: list[Policy] = field(default_factory=list)

    @property
    def full(self) -> str:
        """Its name with its schema, as findings write it."""
        return f"{ident(self.schema)}.{ident(self.name)}"

    @cached_property
    def fields(self) -> dict[str, Column]:
        """Its columns by name."""
        return {column[0]: Column(*column) for column in self.columns}

    @property
    def foreign(self) -> list[Key]:
        """What it refers to."""
        return [key for key in self.keys if key.kind == "f"]

    @property
    def unique(self) -> list[Key]:
        """What is unique in it, whatever else holds."""
        return [key for key in self.keys if key.kind != "f" and key.whole]

    def may(self, role: int, letter: str, column: str | None = None) -> bool:
        """Whether a role may do something to the table, to a column of it, or (None) to any."""
        if letter in self.privileges.get(str(role), ""):
            return True
        return any(
            who == role and what == letter and (column is None or column in names)
            for who, what, names in self.by_column
        )


@dataclass(frozen=True, eq=False)
class Function:
    """A function of somebody's own."""

    oid: int
    schema: str
    name: str
    signature: str
    entry: str
    names: list[str]
    modes: list[str]
    arguments: int
    defaults: list[str | None]
    language: str
    definer: bool
    volatility: str
    leakproof: bool
    settings: list[str]
    owner: int
    returns: str
    many: bool
    body: str
    standard: bool
    types: list[str]
    runners: list[int]

    @property
    def inputs(self) -> list[str]:
        """The names of what it is called with, empty where one has none."""
        taken = [
            name for place, name in enumerate(self.names) if not self.modes or self.modes[place] in ("i", "b", "v")
        ]
        return (taken + [""] * self.arguments)[: self.arguments]

    @property
    def triggers(self) -> bool:
        """Whether nobody can call it: it runs as a trigger."""
        return self.returns in ("trigger", "event_trigger")


@dataclass
class Catalog:
    """A database."""

    roles: dict[int, Role]
    schemas: dict[str, Schema]
    relations: dict[int, Relation]
    functions: dict[int, Function]
    published: list[dict[str, Any]]
    births: list[dict[str, Any]]
    rewrites: list[dict[str, Any]]

    @cached_property
    def by_name(self) -> dict[str, list[Relation]]:
        """Relations by their name without a schema."""
        found = defaultdict(list)
        for relation in self.relations.values():
            found[relation.name].append(relation)
        return found

    @cached_property
    def called(self) -> dict[str, list[Function]]:
        """Functions by their name without a schema."""
        found = defaultdict(list)
        for function in self.functions.values():
            found[function.name].append(function)
        return found

    @cached_property
    def people(self) -> set[int]:
        """The tables whose rows are users: one called users, and those that are keyed by what refers to it."""
        found = {relation.oid for relation in self.relations.values() if relation.name in PEOPLE}
        return found | {
            relation.oid
            for relation in self.relations.values()
            for key in relation.foreign
            if key.target in found and any(one.columns == key.columns for one in relation.unique)
        }

    def persons(self, relation: Relation) -> set[str]:
        """The columns of a table that refer to users."""
        return {column for key in relation.foreign if key.target in self.people for column in key.columns if column}

    def relation(self, name: Sequence[str], near: str = "public") -> Relation | None:
        """Find a relation by its name, with or without a schema: ``near`` is looked in first."""
        found = self.by_name.get(name[-1], [])
        if len(name) > 1:
            return next((one for one in found if one.schema == name[-2]), None)
        return next((one for one in found if one.schema == near), found[0] if found else None)

    def function(
        self, name: Sequence[str], arguments: int, near: str = "public", known: Collection[int] = ()
    ) -> Function | None:
        """Find a function by its name, how many arguments it is called with, and which are ``known`` to be called."""
        found = [
            one
            for one in self.called.get(name[-1], [])
            if (len(name) < 2 or one.schema == name[-2])
            and one.arguments >= arguments
            and all(one.defaults[place] is not None for place in range(arguments, one.arguments))
        ]
        return min(found, key=lambda one: (one.oid not in known, one.schema != near, one.arguments), default=None)

    def above(self, role: int, relation: Relation) -> bool:
        """Whether no policy of a table binds a role."""
        who = self.roles.get(role)
        if who is None:
            return False
        owns = relation.owner in who.becomes and not relation.forced
        return who.superuser or who.bypasses or owns or not relation.secured


def asked(connection: "psycopg.Connection[Any]") -> dict[str, Any]:
    """Read what this database was told to audit."""
    (row,) = connection.cursor(row_factory=dict_row).execute(_text("asked")).fetchall()
    return row


def roles(connection: "psycopg.Connection[Any]") -> dict[int, Role]:
    """Read the roles of the server."""
    return {role.oid: role for role in connection.cursor(row_factory=class_row(Role)).execute(_text("roles"))}


def read(connection: "psycopg.Connection[Any]", known: dict[int, Role], about: Sequence[int]) -> Catalog:
    """Read everything else, with what each of the roles ``about`` may do."""
    bound = {"roles": list(about)}
    with connection.pipeline():
        schemas = connection.cursor(row_factory=class_row(Schema)).execute(_text("schemas"), bound)
        relations = connection.cursor(row_factory=class_row(Relation)).execute(_text("relations"), bound)
        policies = connection.cursor(row_factory=class_row(Policy)).execute(_text("policies"))
        keys = connection.cursor(row_factory=class_row(Key)).execute(_text("keys"))
        functions = connection.cursor(row_factory=class_row(Function)).execute(_text("functions"), bound)
        published = connection.cursor(row_factory=dict_row).execute(_text("published"))
        births = connection.cursor(row_factory=dict_row).execute(_text("births"), bound)
        rewrites = connection.cursor(row_factory=dict_row).execute(_text("rewrites"))
    tables = {relation.oid: relation for relation in relations}
    for policy in policies:
        if policy.relation in tables:
            tables[policy.relation].policies.append(policy)
    for key in keys:
        if key.relation in tables:
            tables[key.relation].keys.append(key)
    return Catalog(
        known,
        {schema.name: schema for schema in schemas},
        tables,
        {function.oid: function for function in functions},
        published.fetchall(),
        births.fetchall(),
        rewrites.fetchall(),
    )


def _text(name: str) -> bytes:
    return named(__package__, f"sql/{name}.sql").encode()
