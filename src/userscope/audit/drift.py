"""What the live database has beyond or below its migrations: compared with a scratch deployment, by meaning.

Both sides are what PostgreSQL says of itself, so spelling, order and comments play no part.
"""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql

from userscope.admin import nodes, seals
from userscope.audit.model import Finding
from userscope.audit.run import connect
from userscope.errors import ConfigurationError
from userscope.migrations.projects import Project
from userscope.migrations.runner import migrate
from userscope.postgres.sql import named
from userscope.postgres.url import ConnectionURL

type Fact = tuple[str, str]
type Facts = dict[Fact, tuple[str, bool]]

_FACTS = named(__package__, "drift.sql")
_SETTINGS = ("userscope.audit_schemas", "userscope.audit_private_schemas")


def drifted(url: ConnectionURL, projects: Sequence[Project] | None = None) -> list[Finding]:
    """Compare the database of ``url`` with a scratch one that ``projects``, or ours, are deployed to.

    The scratch database is made on the same server as the same login and dropped again; where the login may make none,
    on an embedded server of the same major version. Raises Unavailable, MigrationError or ConfigurationError.
    """
    with connect(url) as live:
        if nodes.distributed(live):
            raise ConfigurationError(
                "a database on several nodes is not compared with a scratch one",
                detail="That would be on one node, where its migrations make other tables and functions.",
                hint='"userscope verify" compares what each change made, "userscope nodes --check" the nodes.',
            )
        with _scratch(live, url) as scratch_url:
            migrate(scratch_url, projects)
            seals.copy_required(live, scratch_url)
            settings = {name: _setting(live, name) for name in _SETTINGS}
            with connect(scratch_url) as scratch:
                return compare(facts(live, settings), facts(scratch, settings))


def facts(connection: "psycopg.Connection[Any]", settings: dict[str, str]) -> Facts:
    """Read everything that a migration decides: (kind, object) → (definition, whether a difference is serious)."""
    with connection.transaction(force_rollback=True):
        connection.execute("set local search_path = pg_catalog, pg_temp")
        for name, value in settings.items():
            connection.execute("select set_config(%s, %s, true)", [name, value])
        rows = connection.execute(_FACTS.encode()).fetchall()
    return {(kind, name): (definition, serious) for kind, name, definition, serious in rows}


def compare(live: Facts, migrated: Facts) -> list[Finding]:
    """Tell every difference."""
    found = []
    for key in sorted(live.keys() | migrated.keys()):
        here, there = live.get(key), migrated.get(key)
        if here == there:
            continue
        definition, serious = here or there or ("", False)
        found.append(_finding(key, "error" if serious else "warning", here and definition, there and there[0]))
    return found


def _finding(key: Fact, level: str, here: str | None, there: str | None) -> Finding:
    kind, name = key
    if there is None:
        told = "beyond the migrations", f"Here: {here}", "drop it, or write a change"
    elif here is None:
        told = "missing from the database", f"Migrations: {there}", "run userscope migrate, or make it"
    else:
        both = f"Here: {here}. Migrations: {there}"
        told = "not as the migrations make it", both, "undo the difference, or write a change that makes it"
    return Finding(level, "drift", f"{kind} {name}", *told)


def _setting(connection: "psycopg.Connection[Any]", name: str) -> str:
    row = connection.execute("select coalesce(current_setting(%s, true), '')", [name]).fetchone()
    return row[0] if row else ""


@contextmanager
def _scratch(live: "psycopg.Connection[Any]", url: ConnectionURL) -> Iterator[ConnectionURL]:
    """Make an empty database for the time of the block."""
    name = f"userscope_drift_{secrets.token_hex(4)}"
    try:
        # The one locale that every encoding and server has.
        live.execute(
            sql.SQL("create database {} template template0 encoding 'UTF8' lc_collate 'C' lc_ctype 'C'").format(
                sql.Identifier(name)
            )
        )
    except psycopg.errors.InsufficientPrivilege:
        with _embedded(live) as made:
            yield made
        return
    try:
        yield url.on(name)
    finally:
        live.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


@contextmanager
def _embedded(live: "psycopg.Connection[Any]") -> Iterator[ConnectionURL]:
    from userscope.local.throwaway import throwaway

    with throwaway() as server:
        made = server.url("admin")
        with connect(made) as connection:
            majors = [one.info.server_version // 10000 for one in (live, connection)]
        if majors[0] != majors[1]:
            raise ConfigurationError(
                f'role "{live.info.user}" may not create a scratch database',
                detail=f"PostgreSQL {majors[0]} words definitions in its own way, and the embedded one is {majors[1]}.",
                hint=f'A superuser runs: alter role "{live.info.user}" createdb.',
            )
        yield made
