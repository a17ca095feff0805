"""A table that exists, as far as protecting it needs to know it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import psycopg
from psycopg.rows import class_row

from userscope.errors import ConfigurationError
from userscope.postgres.sql import named

type Connection = psycopg.Connection[Any]

# Whose tables nobody's rows are in.
_RESERVED = ("pg_catalog", "information_schema", "app_private", "app_fenced", "sqitch")
_NOT_TABLES = {
    "v": ("a view", "Protect the tables that it reads, and let it read as its reader: security_invoker."),
    "m": ("a materialized view", "Protect the tables that it reads; no policy judges what it keeps."),
    "f": ("a foreign table", "Row-level security is the other server's business: protect the table there."),
    "p": (
        "a partitioned table",
        "A partition can be named itself, past the policies of the whole: write its by hand.",
    ),
    "S": ("a sequence", "Name a table."),
    "i": ("an index", "Name a table."),
    "c": ("a type", "Name a table."),
}


@dataclass(frozen=True)
class Column:
    """A column. ``ident`` is its name as SQL writes it, ``statistics`` its target, -1 where it has none of its own."""

    name: str
    ident: str
    type: str
    not_null: bool
    numbered: bool
    """Whether it is generated, an identity or a sequence's: the database's to fill in."""
    sequence: str | None
    """The sequence that an insert draws from, and for which it needs a right."""
    in_key: bool
    statistics: int
    writable: bool
    """Whether app_user may write it into a new row."""
    indexed: bool
    """Whether an index on every row begins with it."""


@dataclass(frozen=True)
class Relation:
    """What it is. ``name`` has its schema, both as SQL writes them."""

    name: str
    schema: str
    schema_ident: str
    relname: str
    relname_ident: str
    kind: str
    owner: str
    ours: bool
    """Whether whoever reads this may do what its owner may."""
    inherits: bool
    enabled: bool
    forced: bool
    shut: bool
    """Whether app_user has to be let into the schema."""
    may_open: bool
    """Whether whoever reads this may let somebody into the schema."""
    may_make: bool
    """Whether whoever reads this may make an index there."""
    grants: Sequence[str]
    policies: Sequence[str]
    every_row: Sequence[str]
    """Roles that policies show every row."""
    judged: str | None
    """What the policy that app_user reads by compares."""


@dataclass(frozen=True)
class LiveTable:
    """A table with its columns, by their names."""

    oid: int
    relation: Relation
    columns: Mapping[str, Column]
    expressions: Sequence[tuple[str, int, int]]
    """The indexes of expressions, each with the number of the expression, and its target of statistics."""

    @property
    def name(self) -> str:
        """Its name with its schema, as SQL writes it."""
        return self.relation.name

    def before(self) -> "LiveTable":
        """Return a protected table as it is without that."""
        return replace(
            self,
            relation=replace(self.relation, enabled=False, forced=False, shut=False, grants=[], policies=[]),
            columns={name: replace(column, statistics=-1) for name, column in self.columns.items()},
            expressions=[(index, number, -1) for index, number, _ in self.expressions],
        )

    def column(self, name: str) -> Column:
        """Return a column. Raises ConfigurationError where there is none."""
        if name not in self.columns:
            raise ConfigurationError(f'{self.name} has no column "{name}"', hint=f"It has {', '.join(self.columns)}.")
        return self.columns[name]

    def without(self, connection: Connection, column: Column) -> int:
        """Count the rows in which a column is null."""
        counted = connection.execute(f"select count(*) from {self.name} where {column.ident} is null".encode())  # noqa: S608  # as PostgreSQL quotes them
        return int((counted.fetchone() or (0,))[0])


def find(connection: Connection, name: str) -> LiveTable:
    """Find a table by ``schema.table``. Raises ConfigurationError for what is none, or cannot be protected."""
    try:
        found = connection.execute("select to_regclass(%s)::oid", [name]).fetchone()
    except psycopg.errors.InsufficientPrivilege as error:
        raise ConfigurationError(
            f'"{name}" cannot be looked at',
            detail=f"PostgreSQL said: {error.diag.message_primary}.",
            hint="Let ADMIN_DATABASE_URL name the table's owner.",
        ) from None
    except (psycopg.errors.InvalidName, psycopg.errors.SyntaxError, psycopg.errors.FeatureNotSupported):
        found = None
    if found is None or found[0] is None:
        raise ConfigurationError(
            f'there is no table "{name}"', hint='Name it with its schema, as SQL does: "public.item".'
        )
    return read(connection, found[0])


def read(connection: Connection, oid: int) -> LiveTable:
    """Read a table by its oid. Raises ConfigurationError for what cannot be protected."""
    known: dict[str, Any] = {"relation": oid}
    relation = connection.cursor(row_factory=class_row(Relation)).execute(_sql("relation"), known).fetchone()
    if relation is None:
        raise ConfigurationError("the table is gone", hint="Say it again.")
    if relation.kind in _NOT_TABLES:
        what, cure = _NOT_TABLES[relation.kind]
        raise ConfigurationError(f"{relation.name} is {what}, and cannot be protected", hint=cure)
    if relation.inherits:
        raise ConfigurationError(
            f"{relation.name} is part of an inheritance, and cannot be protected",
            hint="A partition or child can be named itself, past the policies of its parent: write them by hand.",
        )
    if relation.schema in _RESERVED or relation.schema.startswith("pg_"):
        raise ConfigurationError(f"{relation.name} is no table of an application's", hint="Name one of your own.")
    columns = connection.cursor(row_factory=class_row(Column)).execute(_sql("columns"), known).fetchall()
    expressions = connection.execute(_sql("expressions"), known).fetchall()
    return LiveTable(oid, relation, {column.name: column for column in columns}, expressions)


def parent(connection: Connection, table: LiveTable, column: Column) -> tuple[LiveTable, str]:
    """Return the table that a column refers to, and its key as SQL writes it. Raises ConfigurationError."""
    found = _parent(connection, table, column)
    if found is None:
        raise ConfigurationError(
            f"column {column.ident} of {table.name} refers to no table",
            hint="Rows are reached through a foreign key. Where the column itself names the owner, say --owner.",
        )
    oid, width, key = found
    if width > 1:
        raise ConfigurationError(
            f"column {column.ident} of {table.name} refers to a table with others beside it",
            hint="Where one of them names the owner, say that by --owner.",
        )
    return read(connection, oid), key


def referred(connection: Connection, table: LiveTable, column: Column) -> str | None:
    """Return the table that a column refers to by itself, with its schema, if it does."""
    found = _parent(connection, table, column)
    if found is None or found[1] > 1:
        return None
    row = connection.execute("select %s::oid::regclass::text", [found[0]]).fetchone()
    return str(row[0]) if row else None


def _parent(connection: Connection, table: LiveTable, column: Column) -> tuple[int, int, str] | None:
    return connection.execute(_sql("parent"), {"relation": table.oid, "column": column.name}).fetchone()


def beyond(
    connection: Connection,
    table: LiveTable,
    owner: Column,
    written: Sequence[str],
    every_row: Sequence[str],
    *,
    directly: bool,
) -> list[tuple[str, str]]:
    """Return what no policy changes, each with its cure; ``directly``: the column names the owner, and no parent."""
    known = {"relation": table.oid, "owner": owner.name, "written": list(written), "directly": directly}
    known["every_row"] = list(every_row)
    return connection.execute(_sql("beyond"), known).fetchall()


def _sql(name: str) -> bytes:
    return named("userscope.generate.live", f"{name}.sql").encode()
