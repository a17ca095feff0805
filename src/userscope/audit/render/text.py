"""A report for a terminal."""

import textwrap

from userscope.audit.model import Report
from userscope.audit.render.occasion import Occasion
from userscope.audit.render.words import HEADINGS, cells, count

_GAP = "  "
_NARROWEST = 20  # columns in which a condition can still be read


def as_text(report: Report, occasion: Occasion) -> str:
    """Write who may do what, then the findings in PostgreSQL's form, each with its rule and cure, and count them.

    Where the occasion has a width, lines are broken between words to fit it.
    """
    table = [HEADINGS, *(cells(access, report.columns) for access in report.matrix)]
    blocks = [
        "\n".join(
            _fitted(line, occasion.width)
            for line in (
                f"{found.level.upper()}:  {found.object}: {found.finding} [{found.rule}]",
                f"DETAIL:  {found.detail}",
                f"HINT:  {found.cure}",
            )
        )
        for found in report.findings
    ]
    return "\n\n".join(["\n".join(_lines(table, occasion.width)), *blocks, count(report)])


def _lines(table: list[tuple[str, ...]], width: int) -> list[str]:
    """Write one row a line; in too narrow a place the columns stand below the condition, both broken to fit."""
    widths = [max(len(row[column]) for row in table) for column in range(len(HEADINGS))]
    if not width or sum(widths) + len(_GAP) * (len(widths) - 1) <= width:
        return [_GAP.join(map(str.ljust, row, widths)).rstrip() for row in table]
    lines = []
    for row in table:
        start = "".join(f"{cell.ljust(size)}{_GAP}" for cell, size in zip(row[:3], widths[:3], strict=True))
        rest = max(width - len(start), _NARROWEST)
        below = [f"{_GAP}{line}" for line in _broken(row[4], rest - len(_GAP))]
        both = f"{row[3]}{_GAP}{row[4]}"
        for line in [both] if len(both) <= rest else _broken(row[3], rest) + below:
            lines.append(f"{start}{line}")
            start = " " * len(start)
    return lines


def _fitted(line: str, width: int) -> str:
    return "\n".join(_broken(line, width)) if width else line


def _broken(text: str, width: int) -> list[str]:
    """Break between words alone: an id is to be copied whole."""
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)
