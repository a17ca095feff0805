"""Ask the questions of ``policies/audit/``: every file in one pipeline, in one transaction that only reads."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import class_row, tuple_row

from userscope.audit.model import Access, Finding, Report, by_level
from userscope.errors import AuditError, ConfigurationError, DatabaseError
from userscope.migrations import projects
from userscope.postgres import connect as postgres
from userscope.postgres.sql import literal, with_shared
from userscope.postgres.url import ConnectionURL

MATRIX = "access_matrix"
NODES = "nodes"
"""The rule of what a node of Citus lacks, which is asked of each of them."""
_SHARED = "shared"

# The same for every caller, so that every name below is written with its schema; whoever asks may set what is audited.
_PREPARE = (
    "begin transaction isolation level repeatable read read only",
    "set local search_path = pg_catalog, pg_temp",
    "set local jit = off",
)
_COLUMNS = """
select format('%I.%I', nspname, relname), array_agg(attname::text order by attnum)
  from pg_class join pg_namespace on pg_namespace.oid = relnamespace join pg_attribute on attrelid = pg_class.oid
 where attnum > 0 and not attisdropped and relkind in ('r', 'p', 'v', 'm', 'f')
   and nspname <> 'information_schema' and nspname !~ '^pg_'
 group by nspname, relname
"""


def questions(folder: Path | None = None) -> dict[str, str]:
    """Read the questions in ``folder``, or those that userscope brings, by name: each a statement on its own.

    Raises ConfigurationError.
    """
    folder = folder or _folder()
    found = {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.sql"))}
    for name in (MATRIX, _SHARED):
        if name not in found:
            raise ConfigurationError(f'"{folder}" holds no {name}.sql', hint="Install userscope anew.")
    shared = with_shared(found.pop(_SHARED)).strip()
    return {
        name: f"{shared}\n{_columns(name)} from (\n{text.strip().removesuffix(';')}\n) as found;\n"
        for name, text in found.items()
    }


def _columns(name: str) -> str:
    if name == MATRIX:
        return "select *"
    return f"select level, {literal(name)} as rule, object, finding, detail, cure"


def script(asked: Mapping[str, str]) -> str:
    """Return one script that asks them all, as psql runs it."""
    return "".join([*(f"{statement};\n" for statement in _PREPARE), *asked.values(), "rollback;\n"])


def _folder() -> Path:
    """The folder beside the scripts of a project, the current folder's or the ones that userscope brings."""
    for project in projects.find():
        folder = project.folder / "audit"
        if folder.is_dir():
            return folder
    raise ConfigurationError("the questions of policies/audit are missing", hint="Install userscope anew.")


def audit(url: ConnectionURL, asked: Mapping[str, str] | None = None, profile: str | None = None) -> Report:
    """Ask everything, or ``asked``, as the login of ``url``, whoever that is, and judge the policies.

    ``profile`` is the platform; None: the one that the database looks like. Raises Unavailable, ConfigurationError,
    MissingExtra, or AuditError where there is nothing to audit, which is no good news.
    """
    from userscope.admin import nodes
    from userscope.audit.judge import JUDGED_TOO, judged, ours

    standard = questions()
    asked = asked or standard
    with connect(url) as connection:
        with _reading(connection, "the catalog could not be read", "PostgreSQL 15 and later can be audited."):
            _begin(connection)
            verdicts = judged(connection, profile)
            connection.execute("rollback")
        if verdicts.empty:
            raise AuditError(
                "there is nothing to audit",
                detail="The database has no table and no view of anybody's own.",
                hint='Run "userscope migrate" first, or set ADMIN_DATABASE_URL to the database that is meant.',
            )
        report = ask(connection, ours(verdicts.profile, asked, standard), verdicts.settings)
    known = {finding.object for finding in verdicts.findings}
    told = [finding for finding in report.findings if finding.rule not in JUDGED_TOO or finding.object not in known]
    told += [
        Finding(
            "error",
            NODES,
            f"node {node.node}",
            problem,
            "Rows of its shards are kept apart by less.",
            "userscope nodes",
        )
        for node in nodes.found(url)
        for problem in node.problems
    ]
    return replace(report, findings=by_level([*told, *verdicts.findings]), verdicts=verdicts.verdicts)


def ask(
    connection: "psycopg.Connection[Any]", asked: Mapping[str, str], settings: Mapping[str, str] | None = None
) -> Report:
    """Ask on a connection that is in no transaction, with ``settings`` for it alone."""
    found: list[psycopg.Cursor[Finding]] = []
    hint = 'Run what "userscope audit --sql" prints in psql to see which.'
    with _reading(connection, "a question could not be asked", hint), connection.pipeline():
        _begin(connection)
        for name, value in (settings or {}).items():
            connection.execute("select set_config(%s, %s, true)", [name, value])
        matrix = connection.cursor(row_factory=class_row(Access)).execute(asked[MATRIX].encode())
        columns = connection.cursor(row_factory=tuple_row).execute(_COLUMNS.encode())
        for name, question in asked.items():
            if name != MATRIX:
                found.append(connection.cursor(row_factory=class_row(Finding)).execute(question.encode()))
        connection.execute("rollback")
    findings = [finding for cursor in found for finding in cursor]
    return Report(matrix.fetchall(), by_level(findings), dict(columns.fetchall()))


def _begin(connection: "psycopg.Connection[Any]") -> None:
    for statement in _PREPARE:
        connection.execute(statement.encode())


@contextmanager
def _reading(connection: "psycopg.Connection[Any]", message: str, hint: str) -> "Iterator[None]":
    """Word what PostgreSQL refuses, and leave no transaction behind."""
    try:
        yield
    except psycopg.Error as error:
        connection.rollback()
        detail = f"PostgreSQL said: {error.diag.message_primary or error}."
        raise DatabaseError(message, detail=detail, hint=hint, sqlstate=error.sqlstate) from error


@contextmanager
def connect(url: ConnectionURL) -> "Iterator[psycopg.Connection[Any]]":
    """Connect in autocommit, and prepare nothing. Raises Unavailable or ConfigurationError."""
    with postgres.connect(url, autocommit=True) as connection:
        connection.prepare_threshold = None
        yield connection
