"""A report for a terminal."""

from userscope.audit.model import Report
from userscope.audit.render.words import HEADINGS, cells, count


def as_text(report: Report) -> str:
    """Write who may do what, then the findings in PostgreSQL's form, each with its rule and cure, and count them."""
    table = [HEADINGS, *(cells(access, report.columns) for access in report.matrix)]
    widths = [max(len(row[column]) for row in table) for column in range(len(HEADINGS))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]
    blocks = [
        f"{found.level.upper()}:  {found.object}: {found.finding} [{found.rule}]\n"
        f"DETAIL:  {found.detail}\nHINT:  {found.cure}"
        for found in report.findings
    ]
    return "\n\n".join(["\n".join(lines), *blocks, count(report)])
