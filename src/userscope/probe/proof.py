"""Showing it once more: a proof's statements in a session of their own, in which nothing else ever happened."""

from collections.abc import Iterable
from dataclasses import replace

from userscope.probe.findings import Expected, Finding
from userscope.probe.stage import Outcome, Stage


def again(stage: Stage, found: Iterable[Finding]) -> list[Finding]:
    """Return the findings; one whose proof does not come out the same becomes a note that says so."""
    return [_shown(stage, finding) for finding in found]


def _shown(stage: Stage, finding: Finding) -> Finding:
    """Show one again, with as little done beforehand as shows it: nothing, what was done to its own table, or all."""
    own = tuple(statement for statement in finding.setup if f" {finding.object} " in statement)
    for setup in dict.fromkeys(((), own, finding.setup)):
        shorter = replace(finding, setup=setup)
        if _same(stage, shorter):
            return shorter
    return _unsure(finding)


def _unsure(finding: Finding) -> Finding:
    said = f"{finding.finding} (once; not again in a session of its own)"
    return replace(finding, level="note", finding=said, shown_again=False)


def _same(stage: Stage, finding: Finding) -> bool:
    with stage.anew() as fresh, fresh.undone():
        fresh.execute(f"set local statement_timeout = '{stage.limit:g}s'")
        if finding.setup:
            fresh.arrange(*finding.setup)
        watch = finding.expected.what if finding.expected.how == "changes" else ""
        before = fresh.rows(watch) if watch else []
        outcome = Outcome((), None, 0)
        for number, statement in enumerate(finding.statements, 1):
            outcome = fresh.attempt(statement)
            if outcome.error and number < len(finding.statements):
                return False
        fresh.execute("reset session authorization")
        after = fresh.rows(watch) if watch else []
        return before != after if watch else _as_expected(fresh, finding.expected, outcome)


def _as_expected(stage: Stage, expected: Expected, outcome: Outcome) -> bool:
    match expected.how:
        case "raises":
            return outcome.state == expected.what
        case "tells":
            return expected.what in " ".join([*stage.notices, str(outcome.error)])
        case "shows":
            return outcome.error is None and any(expected.what in str(row) for row in outcome.rows)
        case "passes":
            return outcome.error is None
        case _:
            return outcome.did
