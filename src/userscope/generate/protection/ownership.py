"""Whose a row is: a column that is compared with who acts, in the table itself or at the end of foreign keys."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from userscope.errors import ConfigurationError
from userscope.generate.columns import ACTING, ORGANIZATION
from userscope.generate.live import table as live
from userscope.generate.live.table import Column, Connection, LiveTable

# Of each type of an owner: what USERSCOPE_USER_ID calls it, who acts in a script, and as PostgreSQL writes that.
_KINDS = {
    "uuid": ("uuid", *ACTING["uuid"]),
    **dict.fromkeys(("smallint", "integer", "bigint"), ("bigint", *ACTING["bigint"])),
    **dict.fromkeys(("text", "character varying"), ("text", *ACTING["text"])),
}
# What a policy of ours compares: a column with who acts or the organization, or with the keys of a parent's rows.
_JUDGED = re.compile(
    r'\(\(?(?P<column>"(?:[^"]|"")+"|[\w$]+)\)?(?:::text)? = '
    r"(?:\( SELECT .*app\.current_(?P<who>user|organization)_|ANY \(ARRAY\( SELECT )"
)


@dataclass(frozen=True)
class Ownership:
    """How the rows of a table come to their owner: by ``column``, through ``parents``, from the nearest on."""

    column: Column
    parents: Sequence[LiveTable]
    owner: str
    """The column that is compared with who acts, with its table where that is another one."""
    kind: str
    """What USERSCOPE_USER_ID calls ids of that type."""
    organization: bool
    """Whether that column names an organization, and no user."""
    condition: str
    """What a policy says, as a script writes it."""
    deparsed: str
    """The same as PostgreSQL writes it."""
    refers: str | None = None
    """The table whose rows that column names, where a foreign key says it."""


def resolve(
    connection: Connection, table: LiveTable, owner: str | None, steps: Sequence[str], *, organization: bool = False
) -> Ownership:
    """Find out whose the rows of ``table`` are: by its column ``owner``, or that of the table where ``steps`` lead.

    ``organization``: that column names an organization. Without ``owner``, whatever the table at the end of the steps
    is protected by. Raises ConfigurationError.
    """
    if owner is None and not steps:
        raise ConfigurationError(
            f"nothing says whose a row of {table.name} is",
            detail="A table whose rows have no owner, neither by a column nor through a parent, cannot be protected.",
            hint="Say --owner COLUMN, or --through COLUMN, a foreign key to a table whose rows have owners. "
            "What everybody reads, and teams: docs/existing.md.",
        )
    way: list[tuple[LiveTable, Column, str]] = []
    at = table
    for step in steps:
        at = _follow(connection, at, at.column(step), way)
    while owner is None:
        column, who = _judged(at)
        if who:
            owner, organization = column.name, who == "organization"
        else:
            at = _follow(connection, at, column, way)
    named = live.referred(connection, at, at.column(owner))
    if named in ("app.users", "app.organizations") and organization != (named == "app.organizations"):
        raise ConfigurationError(
            f"column {at.column(owner).ident} of {at.name} refers to {named}",
            hint="Leave --organization out: such a row belongs to a user."
            if organization
            else "Say --organization as well: such a row belongs to an organization.",
        )
    return replace(_written(at, at.column(owner), way, organization=organization), refers=named)


def known(table: LiveTable) -> tuple[str | None, list[str]]:
    """Return the owner's column of a protected table, or its step to a parent. Raises ConfigurationError."""
    column, who = _judged(table)
    return (column.name, []) if who else (None, [column.name])


def by_organization(table: LiveTable) -> bool:
    """Return whether a protected table's own column names an organization. Raises ConfigurationError."""
    return _judged(table)[1] == "organization"


def _follow(
    connection: Connection, table: LiveTable, column: Column, way: list[tuple[LiveTable, Column, str]]
) -> LiveTable:
    parent, key = live.parent(connection, table, column)
    way.append((table, column, key))
    if parent.relation.relname in {passed.relation.relname for passed, _, _ in way}:
        raise ConfigurationError(
            f"the way from {way[0][0].name} leads through two tables named {parent.relation.relname}",
            hint="Write the policies of such a table by hand: docs/extending.md.",
        )
    return parent


def _judged(table: LiveTable) -> tuple[Column, str | None]:
    """Return the column that a protected table's policy compares, and with whom: None for the keys of a parent."""
    found = _JUDGED.match(table.relation.judged or "") if table.relation.enabled else None
    column = next((c for c in table.columns.values() if found and c.ident == found["column"]), None)
    if found is None or column is None:
        raise ConfigurationError(
            f"{table.name} is not protected, so nothing says whose its rows are",
            hint=f"Protect it first, or say which of its columns names the owner: --owner COLUMN of {table.name}.",
        )
    return column, found["who"]


def _written(
    table: LiveTable, owner: Column, way: Sequence[tuple[LiveTable, Column, str]], *, organization: bool
) -> Ownership:
    if owner.type not in _KINDS:
        raise ConfigurationError(
            f"column {owner.ident} of {table.name} is of type {owner.type}, and cannot name an owner",
            hint=f"Who acts can be compared with {', '.join(_KINDS)}.",
        )
    if organization and owner.type != "uuid":
        raise ConfigurationError(
            f"column {owner.ident} of {table.name} is of type {owner.type}, and cannot name an organization",
            hint="Organizations have uuids: app.organizations.",
        )
    kind, acting, shown = ("uuid", *ORGANIZATION) if organization else _KINDS[owner.type]
    ident = f"{_ident(table)}.{owner.ident}" if way else owner.ident
    written = f"({ident})::text" if owner.type == "character varying" else ident
    condition, deparsed = f"{ident} = (select {acting})", f"({written} = ( SELECT {shown}))"
    parents = [*(passed for passed, _, _ in way[1:]), table]
    for depth in range(len(way), 0, -1):
        child, column, key = way[depth - 1]
        parent = parents[depth - 1]
        own = _ident(parent)
        ident = f"{_ident(child)}.{column.ident}" if depth > 1 else column.ident
        condition = f"{ident} = any (array(select {own}.{key} from {parent.name} where {condition}))"  # noqa: S608  # as PostgreSQL quotes them
        pad = " " * 8 * (depth - 1)
        query = f" SELECT {own}.{key}\n{pad}   FROM {parent.name}\n{pad}  WHERE {deparsed}"  # noqa: S608  # as above
        deparsed = f"({ident} = ANY (ARRAY({query})))"
    return Ownership(
        column=way[0][1] if way else owner,
        parents=parents if way else [],
        owner=f"{table.name}.{owner.ident}" if way else owner.ident,
        kind=kind,
        organization=organization,
        condition=condition,
        deparsed=deparsed,
    )


def _ident(table: LiveTable) -> str:
    return table.relation.relname_ident
