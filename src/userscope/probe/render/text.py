"""A run as text: each finding with its proof, then what was tried, and what was not."""

import json
from collections.abc import Iterator

from userscope.probe.render.report import Report
from userscope.probe.statements import ended


def as_text(report: Report) -> str:
    """Return the report, worst first."""
    return "\n".join(_lines(report))


def _lines(report: Report) -> Iterator[str]:
    for found in report.findings:
        yield f"{found.level.upper()}  {found.object}: {found.sentence}"
        if found.level != "note":
            yield from (f"    {ended(statement)}" for statement in found.proof)
        if found.level == "question":
            yield "    meant so:"
            told = {"rule": found.rule, "object": found.object, "finding": found.basis}
            yield from (f"        {name} = {json.dumps(text, ensure_ascii=False)}" for name, text in told.items())
        yield ""
    for found, entry in report.sorted.accepted:
        yield f"accepted  {found.object}: {found.sentence} ({entry.reason}: {entry.by})"
    for note in report.sorted.notes:
        yield f"note  {note.object}: {note.finding}. {note.detail}"
    coverage = report.coverage
    yield (
        f"{report.counted()}: tried as {', '.join(coverage.roles) or 'nobody'}; {coverage.filled} of {coverage.tables} "
        f"tables filled, {coverage.met} of {coverage.policies} policies met"
    )
    if coverage.not_tried:
        yield "not shown by this run:"
        yield from (f"    {line}" for line in coverage.not_tried)
    yield from (f"too little was tried: {said}" for said in coverage.too_little)


def as_matrix(report: Report) -> str:
    """Return who sees whose rows, a line for each object and person."""
    width = max((len(thing) for _, thing, _ in report.matrix), default=0)
    longest = max((len(who) for who, _, _ in report.matrix), default=0)
    return "\n".join(f"{thing:{width}}  {who:{longest}}  {sees}" for who, thing, sees in report.matrix)
