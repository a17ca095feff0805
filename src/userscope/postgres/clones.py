"""Clones of a database within one server, with its privileges and defaults, which CREATE DATABASE leaves out."""

import re
from contextlib import suppress

import psycopg
from psycopg import sql

from userscope.postgres.connect import connect
from userscope.postgres.url import ConnectionURL

_ACL = """
select coalesce(quote_ident(rolname), 'public'), item.privilege_type
  from pg_catalog.pg_database, pg_catalog.aclexplode(coalesce(datacl, acldefault('d', datdba))) as item
  left join pg_catalog.pg_roles on pg_roles.oid = item.grantee
 where datname = %s and item.grantee <> datdba
"""
_DEFAULTS = """
select rolname, setting
  from pg_catalog.pg_db_role_setting left join pg_catalog.pg_roles on pg_roles.oid = setrole
 cross join unnest(setconfig) as setting
 where setdatabase = coalesce((select oid from pg_catalog.pg_database where datname = %s), 0)
"""
_OWNER = "select pg_get_userbyid(datdba)::text from pg_catalog.pg_database where datname = %s"

type Default = tuple[str | None, str]
"""A role, or None for every one, and ``name=value``."""


def clone(superuser: ConnectionURL, template: str, name: str) -> ConnectionURL:
    """Make the database ``name`` from ``template``, to which nobody may be connected; return its URL.

    Unlike after a plain CREATE DATABASE, it has the template's owner, who may clone it again, and what PUBLIC lost on
    the template it has lost on the clone as well. Files are
    copied, not logged: the checkpoints that this takes have little to write on a server of clones.
    """
    with connect(superuser.on("postgres"), autocommit=True) as connection:
        names = [sql.Identifier(each) for each in (name, template, owner(connection, template))]
        connection.execute(sql.SQL("create database {} template {} strategy file_copy owner {}").format(*names))
        set_acl(connection, name, acl(connection, template))
        set_defaults(connection, defaults(connection, template), name)
    return superuser.on(name)


def owner(connection: psycopg.Connection, database: str) -> str:
    """Return whose a database is."""
    (name,) = connection.execute(_OWNER, [database]).fetchone() or ("",)
    return str(name)


def acl(connection: psycopg.Connection, database: str) -> list[tuple[str, str]]:
    """Return who but the owner has which privilege on a database itself: (quoted role or public, privilege)."""
    return [(role, privilege) for role, privilege in connection.execute(_ACL, [database])]


def set_acl(connection: psycopg.Connection, database: str, granted: list[tuple[str, str]]) -> None:
    """Grant that, and nothing else to PUBLIC."""
    name = sql.Identifier(database)
    connection.execute(sql.SQL("revoke all on database {} from public").format(name))
    for role, privilege in granted:
        to = sql.SQL(f"grant {privilege} on database {{}} to {role}")
        connection.execute(to.format(name))


def defaults(connection: psycopg.Connection, database: str | None = None) -> list[Default]:
    """Return what sessions in a database begin with, or those of roles in any."""
    return connection.execute(_DEFAULTS, [database]).fetchall()


def set_defaults(connection: psycopg.Connection, given: list[Default], database: str | None = None) -> None:
    """Have sessions begin with that, in a database or in any; what the server's version does not know is left out."""
    for role, setting in given:
        name, _, value = setting.partition("=")
        # A search_path is kept as a list, in which a name is not written empty; every other value is one string.
        path = sql.SQL(re.sub(r'(^|, )""(?=, |$)', r"\1''", value))
        text = path if name == "search_path" else sql.Literal(value)
        named = [("role", role), ("database", database)]
        whose = [sql.SQL(f"{kind} {{}}").format(sql.Identifier(each)) for kind, each in named if each]
        alter = sql.SQL("alter {} set {} = {}").format(sql.SQL(" in ").join(whose), sql.SQL(name), text)
        with suppress(psycopg.errors.UndefinedObject):
            connection.execute(alter)


def databases(superuser: ConnectionURL) -> list[str]:
    """Return the names of a server's databases."""
    with connect(superuser.on("postgres")) as connection:
        return [name for (name,) in connection.execute("select datname from pg_catalog.pg_database order by 1")]


def drop(superuser: ConnectionURL, name: str) -> None:
    """Drop a database, whoever is connected to it."""
    with connect(superuser.on("postgres"), autocommit=True) as connection:
        connection.execute("update pg_catalog.pg_database set datistemplate = false where datname = %s", [name])
        connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))
