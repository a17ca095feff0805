"""Looks at a live table, and says what would protect it, what would not, and why it cannot be."""

from collections.abc import Sequence
from dataclasses import dataclass

from userscope.errors import ConfigurationError
from userscope.generate.live import table as live
from userscope.generate.live.table import Column, Connection, LiveTable
from userscope.generate.protection import ownership
from userscope.generate.protection.scripts import OWN, Protection
from userscope.postgres.connect import connect
from userscope.postgres.url import ConnectionURL


@dataclass(frozen=True)
class Asked:
    """What somebody wants: a ``table`` by its name, and whose its rows are."""

    table: str
    owner: str | None = None
    through: Sequence[str] = ()
    read_only: Sequence[str] = ()
    every_row: Sequence[str] = ()
    without_owner: bool = False
    """Whether rows whose owner is null may stay, where nobody sees them."""


@dataclass(frozen=True)
class Found:
    """What would protect it, whether it is ``protected`` already, and what no policy changes, each with its cure."""

    protection: Protection
    protected: bool
    beyond: Sequence[tuple[str, str]]


def study(url: ConnectionURL, asked: Asked) -> Found:
    """Read the table as the admin of ``url``; write nothing. Raises ConfigurationError for what cannot be protected."""
    with connect(url) as connection:
        connection.execute("set transaction read only")
        connection.execute("set local search_path = pg_catalog, pg_temp")
        return _study(connection, asked)


def _study(connection: Connection, asked: Asked) -> Found:
    table = live.find(connection, asked.table)
    relation = table.relation
    protected = relation.enabled and relation.forced and set(OWN) <= set(relation.policies)
    owner, through = asked.owner, asked.through
    if protected and owner is None and not through:
        owner, through = ownership.known(table)
    if relation.policies and not protected:
        raise ConfigurationError(
            f"{table.name} has policies already: {', '.join(relation.policies)}",
            detail="Policies for one command are joined by OR: the widest one would count.",
            hint=f"Drop them first: drop policy {relation.policies[0]} on {table.name}.",
        )
    whose = ownership.resolve(connection, table, owner, through)
    for name in asked.read_only:
        table.column(name)
    for role in asked.every_row:
        if role in ("app_user", "app_gate", "public"):
            raise ConfigurationError(
                f"{role} cannot reach every row", hint="Services act for one user at a time. Name a role of your own."
            )
    ownerless = table.without(connection, whose.column) if not whose.column.not_null and not protected else 0
    if ownerless and not asked.without_owner:
        raise ConfigurationError(
            f"{table.name} has rows without an owner: {ownerless}",
            detail=f"{whose.column.ident} is null, and nobody would see them.",
            hint="Give each an owner or delete it; or say --without-owner, and they stay where nobody sees them.",
        )
    index = None if whose.column.indexed and not protected else _index(connection, table, whose.column, made=protected)
    read_only, every_row = asked.read_only, asked.every_row
    if protected:
        read_only = [c.name for c in table.columns.values() if not c.numbered and not c.writable]
        every_row, table = relation.every_row, table.before()
    protection = Protection(table, whose, read_only, every_row, index)
    beyond = [(f"rows without an owner, which nobody sees: {ownerless}", "give each an owner")] if ownerless else []
    beyond += _around(protection)
    beyond += live.beyond(connection, table, whose.column, [column.name for column in protection.written])
    return Found(protection, protected, beyond)


def _index(connection: Connection, table: LiveTable, column: Column, *, made: bool) -> str | None:
    """Return the name of the index on the owner that is to be made; of a protected table, of the one that was."""
    name = f"{table.relation.relname}_{column.name}_idx".encode()[:63].decode(errors="ignore")
    for choice in (name, f"{name[:59]}_own"):
        comment = connection.execute(
            "select obj_description(pg_class.oid, 'pg_class'), indrelid::oid"
            " from pg_class left join pg_index on indexrelid = pg_class.oid"
            " where relname = %s and relnamespace = to_regnamespace(%s)",
            [choice, table.relation.schema_ident],
        ).fetchone()
        if made and comment == ("A user's own rows.", table.oid):
            return choice
        if not made and comment is None:
            return choice
    if made:
        return None
    raise ConfigurationError(
        f'there are relations named "{name}" and "{name[:59]}_own" already',
        hint=f"Make an index on {table.name} ({column.ident}) yourself, and say it again.",
    )


def _around(protection: Protection) -> list[tuple[str, str]]:
    table, whose = protection.table, protection.ownership
    found = [
        (f"{parent.name} is not protected yet, and says whose these rows are", "deploy what protects it first")
        for parent in whose.parents
        if not (parent.relation.enabled and parent.relation.forced)
    ]
    found += [
        (
            f"{grant.removeprefix('grant ')} is taken back, and given again by the way back",
            "services need less",
        )
        for grant in table.relation.grants
    ]
    found += [
        (f"sequence {column.sequence} tells app_user how many rows everybody makes", "an identity column, or a uuid")
        for column in table.columns.values()
        if column.sequence
    ]
    return found
