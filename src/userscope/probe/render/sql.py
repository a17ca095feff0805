"""A run as a script for psql: on an empty copy of the schema it puts the rows in, and shows each finding."""

from collections.abc import Iterator

from userscope.probe.findings import Finding
from userscope.probe.render.report import Report
from userscope.probe.statements import ended


def as_sql(report: Report) -> str:
    """Return the script. It is to be run by a superuser, and leaves nothing behind."""
    return "\n".join(_lines(report))


def _lines(report: Report) -> Iterator[str]:
    yield "-- For psql, as a superuser, on an empty copy of the schema. Everything is rolled back."
    yield "begin;"
    yield from past_triggers(report.seed)
    yield "savepoint filled;"
    for found in report.findings:
        yield ""
        yield from _finding(found)
    yield ""
    yield "rollback;"


def _finding(found: Finding) -> Iterator[str]:
    yield f"\\echo '{_quoted(f'{found.level.upper()}  {found.object}: {found.sentence}')}'"
    if found.setup:
        yield from past_triggers(found.setup)
    yield from map(ended, found.statements)
    yield "rollback to savepoint filled;"


def past_triggers(statements: tuple[str, ...]) -> Iterator[str]:
    """Yield what puts rows in as their owner would, past triggers and foreign keys."""
    yield "set local session_replication_role = replica;"
    yield from (f"{statement};" for statement in statements)
    yield "set local session_replication_role = origin;"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "''")
