"""A report as Markdown: two tables."""

from collections.abc import Iterable

from userscope.audit.model import Report
from userscope.audit.render.words import HEADINGS, cells, count


def as_markdown(report: Report) -> str:
    """Write who may do what, and what was found."""
    lines = ["## Who may do what", "", matrix_table(report), "", "## Findings", ""]
    if not report.findings:
        return "\n".join([*lines, count(report)])
    lines += ["| level | rule | object | finding | detail | cure |", "|---|---|---|---|---|---|"]
    lines += [
        _row((found.level, f"`{found.rule}`", found.object, found.finding, found.detail, f"`{found.cure}`"))
        for found in report.findings
    ]
    return "\n".join([*lines, "", count(report)])


def matrix_table(report: Report) -> str:
    """Write who may do what; which rows it is about is told by the policies' conditions."""
    lines = [f"| {' | '.join(HEADINGS)} |", "|---" * len(HEADINGS) + "|"]
    lines += [_row(cells(access, report.columns, code="`")) for access in report.matrix]
    return "\n".join([*lines, "", "Whatever is not listed is refused."])


def _row(texts: Iterable[str]) -> str:
    return f"| {' | '.join(' '.join(text.split()).replace('|', chr(92) + '|') for text in texts)} |"
