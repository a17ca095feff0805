"""Reading a schema's catalog, by the queries beside this file."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg.rows import class_row, dict_row

from userscope.audit.names import SUPABASE
from userscope.postgres.sql import named
from userscope.probe.catalog.model import Catalog, Check, Column, Function, Policy, Relation, Rights

PLATFORMS = (*SUPABASE, "information_schema", "pgrst", "sqitch")
"""Schemas that a platform or a tool brings along: nobody's to act on."""

type Connection = psycopg.Connection[tuple[Any, ...]]


def read(connection: Connection, outside: Sequence[str] = ()) -> Catalog:
    """Read all schemas but those of PostgreSQL, of platforms, and those named."""
    left_out = {"outside": [*PLATFORMS, *outside]}
    with connection.transaction():
        connection.execute("set local search_path = pg_catalog, pg_temp")  # so that names come with their schema
        relations = {found.oid: found for found in _ask(connection, Relation, "relations", left_out)}
        which = {"relations": list(relations)}
        for column in _ask(connection, Column, "columns", which):
            relations[column.relation].columns[column.name] = column
        for policy in _ask(connection, Policy, "policies", which):
            relations[policy.relation].policies.append(policy)
        rows = connection.cursor(row_factory=dict_row).execute(_query("constraints"), which).fetchall()
        for row in rows:
            _constrain(relations, row)
        labels: dict[int, list[str]] = defaultdict(list)
        for oid, label in connection.execute(
            "select enumtypid::int8, enumlabel from pg_enum order by enumtypid, enumsortorder"
        ):
            labels[oid].append(label)
        types = connection.execute("select oid::int8, typname from pg_type").fetchall()
        return Catalog(
            relations,
            _ask(connection, Function, "functions", left_out),
            labels,
            dict(types),
        )


def rights(connection: Connection, catalog: Catalog, role: str) -> dict[int, Rights]:
    """Return what a role may do, by relation; without those whose schema it may not enter."""
    given = {"role": role, "relations": list(catalog.relations)}
    return {found.relation: found for found in _ask(connection, Rights, "rights", given)}


def callable_by(connection: Connection, catalog: Catalog, role: str) -> list[Function]:
    """Return the functions that a role may execute."""
    query = (
        "select p.oid::int8 from pg_proc as p where p.oid = any (%s::oid[]) "
        "and has_function_privilege(%s, p.oid, 'execute') and has_schema_privilege(%s, p.pronamespace, 'usage')"
    )
    oids = [function.oid for function in catalog.functions]
    allowed = {oid for (oid,) in connection.execute(query, [oids, role, role])}
    return [function for function in catalog.functions if function.oid in allowed and not function.of_trigger]


def _ask[T](connection: Connection, kind: type[T], name: str, parameters: dict[str, Any]) -> list[T]:
    return connection.cursor(row_factory=class_row(kind)).execute(_query(name), parameters).fetchall()


def _query(name: str) -> bytes:
    return named(__package__, f"{name}.sql").encode()


def _constrain(relations: dict[int, Relation], row: dict[str, Any]) -> None:
    relation, columns = relations[row["relation"]], tuple(row["columns"])
    match row["type"]:
        case "p":
            relation.primary = columns
            relation.unique.append(columns)
        case "u" if columns and columns not in relation.unique:
            relation.unique.append(columns)
        case "c":
            relation.checks.append(Check(row["name"], columns, row["definition"]))
        case "f" if row["parent"] in relations:
            for column, parent in zip(columns, row["parents"], strict=True):
                relation.parents.setdefault(column, (relations[row["parent"]], parent))


def first_with_rows(connection: Connection) -> str | None:
    """Return the first table that holds a row; None where all are empty."""
    tables = sorted((found for found in read(connection).tables), key=lambda table: table.sql)
    full = (
        table.sql for table in tables if connection.execute(f"select 1 from {table.sql} limit 1".encode()).fetchone()
    )
    return next(full, None)
