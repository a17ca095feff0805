"""What docs/ and README.md say of the database, read from a migrated one."""

import re
from dataclasses import replace
from itertools import groupby
from typing import Any

from tests.clusters import ROOT, Connection
from userscope.audit.render.markdown import matrix_table
from userscope.audit.run import ask, questions

TABLES = ("users", "todos", "organizations", "members", "invitations", "sessions", "accounts", "verifications", "jwks")
VIEWS = ("account", "organization", "memberships")
COMMANDS = {"r": "SELECT", "a": "INSERT", "w": "UPDATE", "d": "DELETE"}


def replaced(page: str, name: str, text: str) -> str:
    """The page with the part between ``<!-- generated: name -->`` and the next ``<!-- end -->`` replaced."""
    pattern = re.compile(rf"(<!-- generated: {name} -->\n).*?(<!-- end -->)", re.DOTALL)
    new, count = pattern.subn(lambda match: f"{match[1]}\n{text}\n{match[2]}", page)
    assert count == 1, f"the page has one part named {name}"
    return new


def models(connection: Connection) -> str:
    """The ER diagram, each table with its columns, constraints, indexes, policies and grants, and each view."""
    parts = [_diagram(connection), *(_table(connection, table) for table in TABLES)]
    return "\n".join([*parts, *(_view(connection, view) for view in VIEWS)])


def matrix(connection: Connection) -> str:
    """Who may do what, as "userscope audit --format markdown" writes it."""
    return matrix_table(ask(connection, questions(ROOT / "policies" / "audit"))) + "\n"


def services(connection: Connection) -> str:
    """What services may do."""
    report = ask(connection, questions(ROOT / "policies" / "audit"))
    return (
        matrix_table(replace(report, matrix=[access for access in report.matrix if access.role == "app_user"])) + "\n"
    )


def _rows(connection: Connection, query: str, values: list[Any] | None = None) -> list[tuple[Any, ...]]:
    return connection.execute(query.encode(), values or []).fetchall()


def _columns(connection: Connection, table: int, role: str, privilege: str) -> str:
    if privilege == "DELETE":
        return "the row"
    columns = _rows(
        connection,
        "select attname, has_column_privilege(%s::text, attrelid, attnum, %s) from pg_attribute "
        "where attrelid = %s and attnum > 0 and not attisdropped order by attnum",
        [role, privilege, table],
    )
    granted, closed = ([name for name, has in columns if has is wanted] for wanted in (True, False))
    if len(closed) < len(granted):
        return f"all but {', '.join(closed)}" if closed else "all"
    return ", ".join(granted)


def _diagram(connection: Connection) -> str:
    lines = ["```mermaid", "erDiagram"]
    for child, parent in _rows(
        connection,
        "select conrelid::regclass::text, confrelid::regclass::text from pg_constraint where contype = 'f' "
        "and connamespace = 'app'::regnamespace "
        "order by array_position(%s::text[], split_part(conrelid::regclass::text, '.', 2))",
        [list(TABLES)],
    ):
        lines.append(f"    {parent.removeprefix('app.')} ||--o{{ {child.removeprefix('app.')} : has")
    for table in TABLES:
        lines.append(f"    {table} {{")
        for name, kind, key in _rows(
            connection,
            """
            select attname, split_part(format_type(atttypid, atttypmod), ' ', 1),
                   (select string_agg(distinct upper(contype::text) || 'K', ',')
                      from pg_constraint
                     where conrelid = attrelid and attnum = any(conkey) and contype in ('p', 'f', 'u'))
              from pg_attribute
             where attrelid = ('app.' || %s)::regclass and attnum > 0 and not attisdropped order by attnum
            """,
            [table],
        ):
            lines.append(f"        {'timestamptz' if kind == 'timestamp' else kind} {name}{f' {key}' if key else ''}")
        lines.append("    }")
    return "\n".join([*lines, "```", ""])


def _table(connection: Connection, table: str) -> str:
    ((oid, comment),) = _rows(
        connection,
        "select oid::int8, obj_description(oid, 'pg_class') from pg_class where oid = ('app.' || %s)::regclass",
        [table],
    )
    lines = [
        f"## app.{table}",
        "",
        comment,
        "",
        "| column | type | null | default | meaning |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {name} | {kind} | {'yes' if null else ''} | {f'`{default}`' if default else ''} | {meaning or ''} |"
        for name, kind, null, default, meaning in _rows(
            connection,
            """
            select attname, replace(format_type(atttypid, atttypmod), 'timestamp with time zone', 'timestamptz'),
                   not attnotnull, pg_get_expr(adbin, adrelid), col_description(attrelid, attnum)
              from pg_attribute left join pg_attrdef on adrelid = attrelid and adnum = attnum
             where attrelid = %s and attnum > 0 and not attisdropped order by attnum
            """,
            [oid],
        )
    ]
    lines += ["", "| constraint or index | what it says |", "|---|---|"]
    lines += [
        f"| `{name}` {definition} | {sentence} |"
        for name, definition, sentence in _rows(
            connection,
            """
            select conname,
                   case contype
                       when 'c' then 'check'
                       else lower(split_part(pg_get_constraintdef(oid), ' (', 1))
                            || regexp_replace(pg_get_constraintdef(oid), '^[A-Z ]*', ' ')
                   end,
                   obj_description(oid, 'pg_constraint')
              from pg_constraint where conrelid = %s and contype in ('c', 'f', 'p', 'u')
             union all
            select relname, substring(pg_get_indexdef(indexrelid) from 'USING (.*)'),
                   obj_description(indexrelid, 'pg_class')
              from pg_index join pg_class on pg_class.oid = indexrelid
             where indrelid = %s and not indisunique
             order by 1
            """,
            [oid, oid],
        )
    ]
    policies = _rows(
        connection,
        "select polroles[1]::regrole::text, polname, polcmd::text, pg_get_expr(polqual, polrelid), "
        "pg_get_expr(polwithcheck, polrelid), obj_description(oid, 'pg_policy') from pg_policy where polrelid = %s "
        "order by 1 desc, array_position(array['r', 'a', 'w', 'd'], polcmd::text)",
        [oid],
    )
    for role, group in groupby(policies, key=lambda row: row[0]):
        lines += [
            "",
            f"**{role}**",
            "",
            "| policy | using | with check | columns | in words |",
            "|---|---|---|---|---|",
        ]
        for _, name, command, using, check, words in group:
            columns = _columns(connection, oid, role, COMMANDS[command])
            lines.append(f"| `{name}` | {_code(using)} | {_code(check)} | {columns} | {words} |")
    if not any(row[0] == "app_user" for row in policies):
        lines += ["", "**app_user** reaches nothing here."]
    if not any(row[0] == "app_auth" for row in policies):
        lines += ["", "**app_auth** reaches nothing here."]
    return "\n".join([*lines, ""])


def _view(connection: Connection, view: str) -> str:
    ((oid, comment, owner, definition),) = _rows(
        connection,
        "select oid::int8, obj_description(oid, 'pg_class'), pg_get_userbyid(relowner), pg_get_viewdef(oid) "
        "from pg_class where oid = ('app.' || %s)::regclass",
        [view],
    )
    source = " and ".join(dict.fromkeys(re.findall(r"(?:FROM|JOIN) \(?(app\.\w+)", definition)))
    lines = [
        f"## app.{view}",
        "",
        comment,
        "",
        f"A view of {source}, owned by {owner}: it shows what that role sees.",
        "",
    ]
    lines += ["| app_user may | columns |", "|---|---|"]
    lines += [
        f"| {command} | {columns} |"
        for command in COMMANDS.values()
        if (columns := _columns(connection, oid, "app_user", command)) and command != "DELETE"
    ]
    return "\n".join([*lines, ""])


def _code(expression: str | None) -> str:
    if not expression:
        return ""
    text = expression.replace(" AS current_user_id", "").replace("( SELECT", "(select")
    return f"`{text[1:-1] if text.startswith('(') else text}`"
