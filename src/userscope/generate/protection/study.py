"""Looks at a live table, and says what would protect it, what would not, and why it cannot be."""

from collections.abc import Sequence
from dataclasses import dataclass

from userscope.admin.logins import unfit
from userscope.errors import ConfigurationError
from userscope.generate.live import table as live
from userscope.generate.live.table import Column, Connection, LiveTable
from userscope.generate.protection import ownership
from userscope.generate.protection.scripts import INDEXED, OWN, Protection
from userscope.postgres.connect import connect
from userscope.postgres.sql import ident
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
    organization: bool = False
    """Whether ``owner`` names an organization."""


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
    _permitted(connection, table, asked.every_row)
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
    if asked.organization:
        _organizations(connection, asked)
    organization = ownership.by_organization(table) if protected and owner and not through else asked.organization
    whose = ownership.resolve(connection, table, owner, through, organization=organization)
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
    if index and not protected and not relation.may_make:
        raise ConfigurationError(
            f'"{connection.info.user}" may not make an index in schema {relation.schema_ident}',
            detail=f"Every policy looks for {whose.column.ident}, and no index of {table.name} begins with it.",
            hint="Have the schema's owner run: "
            f"grant create on schema {relation.schema_ident} to {ident(connection.info.user)}.",
        )
    read_only, every_row = asked.read_only, asked.every_row
    if protected:
        read_only = [c.name for c in table.columns.values() if not c.numbered and not c.writable]
        every_row, table = relation.every_row, table.before()
    protection = Protection(table, whose, read_only, every_row, index)
    beyond = [(f"rows without an owner, which nobody sees: {ownerless}", "give each an owner")] if ownerless else []
    beyond += _around(protection)
    written = [column.name for column in protection.written]
    beyond += live.beyond(connection, table, whose.column, written, every_row, directly=not whose.parents)
    return Found(protection, protected, beyond)


def _permitted(connection: Connection, table: LiveTable, roles: Sequence[str]) -> None:
    """Raise ConfigurationError where whoever studies a table could not deploy what protects it."""
    relation, who = table.relation, connection.info.user
    if not relation.ours:
        raise ConfigurationError(
            f'"{who}" does not own {table.name}, and may not protect it',
            detail=f"Only its owner can, and who has the owner's rights: {relation.owner}.",
            hint=f"Let ADMIN_DATABASE_URL name {relation.owner}, or have a superuser run: "
            f"grant {ident(relation.owner)} to {ident(who)}.",
        )
    # By the catalog, which whoever may not use schema app reads too.
    if not connection.execute("select from pg_namespace where nspname = 'app_private'").rowcount:
        raise ConfigurationError(
            "the database has not been migrated yet",
            detail="Policies call functions of schema app, and are written for its roles.",
            hint='Run "userscope migrate" first.',
        )
    core = connection.execute(
        "select pg_get_userbyid(nspowner)::text from pg_namespace"
        " where nspname = 'app_private' and not has_schema_privilege(oid, 'usage')"
    ).fetchone()
    if core:
        raise ConfigurationError(
            f'"{who}" may not use what "userscope migrate" deployed, and policies call it',
            hint=f"Let ADMIN_DATABASE_URL name {core[0]}, who deployed it, and have the rights of {relation.owner}: "
            f"grant {ident(relation.owner)} to {ident(core[0])}.",
        )
    if relation.shut and not relation.may_open:
        raise ConfigurationError(
            f'"{who}" may not let app_user into schema {relation.schema_ident}',
            hint=f"Have the schema's owner run: grant usage on schema {relation.schema_ident} to app_user.",
        )
    for role in roles:
        if why := unfit(connection, role):
            raise ConfigurationError(
                f"{role} cannot reach every row",
                detail=f"It {why}, and no login could be made of it.",
                hint='Name a role of your own without attributes: "userscope create-login --role" makes its logins.',
            )
    makes = "select rolsuper or rolcreaterole from pg_roles where rolname = current_user"
    missing = [
        role
        for role in roles
        if connection.execute("select to_regrole(%s) is null", [ident(role)]).fetchone() == (True,)
    ]
    if missing and connection.execute(makes).fetchone() != (True,):
        raise ConfigurationError(
            f'"{who}" may not make the role {missing[0]}',
            hint=f"Have somebody with CREATEROLE run: create role {ident(missing[0])} nologin.",
        )


def _organizations(connection: Connection, asked: Asked) -> None:
    """Raise ConfigurationError where nothing would answer for organizations."""
    if asked.owner is None:
        raise ConfigurationError(
            "--organization says what --owner names",
            hint="Say --owner COLUMN as well. A parent that is protected says by itself whose its rows are.",
        )
    known = connection.execute("select to_regprocedure('app.current_organization_id(text[])') is not null").fetchone()
    if known != (True,):
        raise ConfigurationError(
            "organizations are not deployed here",
            hint='They are with ours = "all" in [tool.userscope] of pyproject.toml: userscope migrate.',
        )


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
        if made and comment in [(text, table.oid) for text in INDEXED]:
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
