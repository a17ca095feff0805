"""A run as a suite of pgTAP: who sees whose rows, and each proof as something that must not succeed."""

from collections.abc import Iterator

from userscope.probe import statements
from userscope.probe.findings import LEVELS, Finding
from userscope.probe.render.report import Report
from userscope.probe.render.sql import past_triggers

_SAVE, _UNDO = "savepoint tried;", "rollback to savepoint tried; release savepoint tried;"
"""What pgTAP counts must not be undone, so that it is asked after what was tried has been."""


def as_pgtap(report: Report) -> str:
    """Return the suite, for pg_prove as a superuser, on an empty copy of the schema with pgTAP.

    It fails where a finding is an error or a question, until what it shows is mended, and where somebody comes to see
    more or less than now. Everything is rolled back.
    """
    proofs = [found for found in report.findings if _tried(found)]
    lines = [
        "-- For pg_prove, as a superuser, on an empty copy of the schema. Everything is rolled back.",
        "\\set ON_ERROR_ROLLBACK on",
        "\\set ON_ERROR_STOP off",
        "\\set QUIET on",
        "begin;",
        f"select plan({len(proofs) + len(report.looks)});",
        *past_triggers(report.seed),
    ]
    for who, thing, seen, login, look in report.looks:
        lines += ["", *_look(f"{thing}: {who} sees {seen}", seen, login, look)]
    for found in proofs:
        lines += ["", *_proof(found)]
    return "\n".join([*lines, "", "select * from finish();", "rollback;"])


def _tried(found: Finding) -> bool:
    """Whether a finding can be asserted: a notice is nothing that psql could be asked about."""
    return LEVELS.index(found.level) <= LEVELS.index("question") and found.expected.how != "tells"


def _look(title: str, seen: str, login: tuple[str, ...], look: str) -> Iterator[str]:
    """Count what somebody sees of the two worlds."""
    yield "\\set seen error"
    yield _SAVE
    yield from (f"{statement};" for statement in login)
    yield f"{look} \\gset"
    yield _UNDO
    yield f"select is(:'seen'::text, {statements.literal(seen)}, {statements.literal(title)});"


def _proof(found: Finding) -> Iterator[str]:
    """Try what was shown, and say that it did not succeed."""
    title = statements.literal(f"{found.object}: not that {found.sentence}")
    *before, last = [statement.partition("  -- ")[0] for statement in found.statements]
    yield _SAVE
    if found.setup:
        yield from past_triggers(found.setup)
    whole = "md5(coalesce(string_agg((x.*)::text, ',' order by (x.*)::text), ''))"
    watch = f"select {whole} as {{}} from ({found.expected.what}) as x"
    changes = found.expected.how == "changes"
    if changes:
        yield watch.format("before") + " \\gset"
    yield from (f"{statement};" for statement in before)
    yield f"{last};"
    yield "\\set failed :ERROR"
    yield "\\set state :LAST_ERROR_SQLSTATE"
    yield "\\set rows :ROW_COUNT"
    if found.expected.how == "shows" and found.expected.what and not last.startswith("call "):
        holding = statements.literal(f"%{found.expected.what}%")
        yield "\\set rows 0"
        yield f"select count(*) as rows from ({last}) as x where (x.*)::text like {holding} \\gset"
    if changes:
        yield "reset session authorization;"
        yield watch.format("after") + " \\gset"
    yield _UNDO
    match found.expected.how:
        case "changes":
            yield f"select is(:'after'::text, :'before', {title});"
        case "raises":
            yield f"select ok(not (:'failed'::boolean and :'state' = '{found.expected.what}'), {title});"
        case "passes":
            yield f"select ok(:'failed'::boolean, {title});"
        case _:
            yield f"select ok(:'failed'::boolean or :rows = 0, {title});"
