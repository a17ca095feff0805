"""What stands behind the matrix: the policies as they would be written, and how PostgreSQL plans an example of each."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from psycopg.rows import class_row

from userscope.audit.conditions import encloses
from userscope.audit.model import Report
from userscope.audit.run import connect
from userscope.postgres.sql import named
from userscope.postgres.url import ConnectionURL

_PLANS = named(__package__, "examples.sql")
_POLICIES = """
select format('%I.%I', nspname, relname) as object, polname::text as name, polpermissive as permissive, command,
       array(select coalesce(rolname::text, 'public') from unnest(polroles) as member
               left join pg_roles on pg_roles.oid = member) as roles,
       format('create policy %I on %I.%I%s%s    for %s to %s', polname, nspname, relname,
              case when not polpermissive then ' as restrictive' end, chr(10), lower(command),
              (select string_agg(coalesce(quote_ident(rolname), 'public'), ', ') from unnest(polroles) as member
                 left join pg_roles on pg_roles.oid = member)) as made,
       pg_get_expr(polqual, polrelid) as using, pg_get_expr(polwithcheck, polrelid) as check,
       obj_description(pg_policy.oid, 'pg_policy') as comment
  from pg_policy join pg_class on pg_class.oid = polrelid join pg_namespace on pg_namespace.oid = relnamespace,
       lateral (select case polcmd when 'r' then 'SELECT' when 'a' then 'INSERT' when 'w' then 'UPDATE'
                                   when 'd' then 'DELETE' else 'ALL' end as command) as commands
 order by 1, 2
"""
_PREPARE = (
    "begin transaction isolation level repeatable read read only",
    "set local search_path = pg_catalog, pg_temp",
    "set local statement_timeout = '30s'",
    "set local lock_timeout = '2s'",
)
_MOST = 4000
"""Examples that are planned at most; beyond that a page is no picture any more."""


@dataclass(frozen=True)
class Policy:
    """A policy of a table, ``made`` by this; ``permissive`` false: it takes away from what others let through."""

    object: str
    name: str
    permissive: bool
    command: str
    roles: list[str]
    made: str
    using: str | None
    check: str | None
    comment: str | None

    def statement(self) -> str:
        """Return the statement that makes it."""
        lines = [self.made]
        lines += [f"    using {_enclosed(self.using)}"] if self.using is not None else []
        lines += [f"    with check {_enclosed(self.check)}"] if self.check is not None else []
        return "\n".join(lines) + ";"


@dataclass(frozen=True)
class Examples:
    """Policies by their table, and by role, table and command an example with its plan."""

    policies: Mapping[str, Sequence[Policy]] = field(default_factory=dict)
    plans: Mapping[tuple[str, str, str], tuple[str, str]] = field(default_factory=dict)


def examples(url: ConnectionURL, report: Report) -> Examples:
    """Ask for the policies, and for a plan of each access that rows can be found by; nothing is executed.

    A role that the login of ``url`` may not act as has no plans. Raises Unavailable or ConfigurationError.
    """
    # Nobody in particular has no plan, and what is inserted is not looked for.
    asked = {
        (one.role, one.object, one.command): {
            name: getattr(one, name) for name in ("role", "object", "command", "columns")
        }
        for one in report.matrix
        if one.role != "public" and one.command != "INSERT"
    }
    wanted = json.dumps(list(asked.values())[:_MOST])
    with connect(url) as connection:
        with connection.pipeline():
            for statement in _PREPARE:
                connection.execute(statement.encode())
            found = connection.cursor(row_factory=class_row(Policy)).execute(_POLICIES.encode())
            connection.execute("select set_config('userscope.examples', %s, true)", [wanted])
            connection.execute(_PLANS.encode())
            planned = connection.execute("select current_setting('userscope.examples')")
            connection.execute("rollback")
        policies: dict[str, list[Policy]] = {}
        for policy in found:
            policies.setdefault(policy.object, []).append(policy)
        (plans,) = planned.fetchone() or ("[]",)
    return Examples(policies, {key: (told, plan) for key, (told, plan) in zip(asked, json.loads(plans), strict=False)})


def _enclosed(condition: str) -> str:
    return condition if encloses(condition) else f"({condition})"
