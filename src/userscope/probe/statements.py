"""The statements that are tried and shown, with every value written out."""

from collections.abc import Mapping

from userscope.probe.catalog.model import Relation
from userscope.probe.worlds import Row


def literal(value: str | None) -> str:
    """Write a value as SQL."""
    if value is None:
        return "null"
    return ("e" if "\\" in value else "") + "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def insert(table: Relation, values: Mapping[str, str | None]) -> str:
    """Return the statement that inserts a row."""
    if not values:
        return f"insert into {table.sql} default values"
    names = ", ".join(table.columns[name].sql for name in values)
    overriding = "overriding system value " if any(table.columns[name].identity for name in values) else ""
    return f"insert into {table.sql} ({names}) {overriding}values ({', '.join(map(literal, values.values()))})"


def update(relation: Relation, column: str, value: str | None, where: str = "") -> str:
    """Return the statement that sets a column."""
    return f"update {relation.sql} set {relation.columns[column].sql} = {literal(value)}" + (
        where and f" where {where}"
    )


def delete(relation: Relation, where: str = "") -> str:
    """Return the statement that deletes rows."""
    return f"delete from {relation.sql}" + (where and f" where {where}")


def where(relation: Relation, values: Mapping[str, str | None]) -> str:
    """Return the condition that a row of these values alone fulfils; every row where it has no key."""
    columns = [name for name in relation.primary if values.get(name) is not None]
    if not columns:
        keyed = ("uuid", "text", "int4", "int8")
        columns = [n for n, c in relation.columns.items() if values.get(n) is not None and c.type in keyed][:3]
    return " and ".join(f"{relation.columns[name].sql} = {literal(values[name])}" for name in columns) or "true"


def same_keys(relation: Relation, values: Mapping[str, str | None]) -> str:
    """Return the condition of the rows that stand in the way of a new one, by any of its keys."""
    taken = [
        " and ".join(f"{relation.columns[name].sql} = {literal(values[name])}" for name in key)
        for key in relation.unique
        if all(values.get(name) is not None for name in key)
    ]
    return " or ".join(f"({condition})" for condition in taken) or "false"


def ended(statement: str) -> str:
    """Return a statement as psql is given it, with what is said beside it."""
    code, comment, words = statement.partition("  -- ")
    return f"{code};{comment}{words}"


def line(row: Row) -> str:
    """Return the condition of a row that was put in."""
    return where(row.table, row.values)
