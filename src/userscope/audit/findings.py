"""What an audit found, and how it reads: as text, as Markdown."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

LEVELS = ("error", "warning", "info")
HEADINGS = ("role", "table", "command", "which rows", "columns")

type Columns = dict[str, list[str]]


@dataclass(frozen=True, order=True)
class Finding:
    """One thing that is wrong: error (rows are open, or can come to be), warning (unwise), info (could not be seen)."""

    level: str
    object: str
    finding: str
    detail: str
    cure: str


@dataclass(frozen=True)
class Access:
    """What one role may do to one object by one command and one policy.

    ``columns`` is empty for DELETE. ``using`` and ``check`` say which rows, "true" for every row and "false" for none;
    None where the command asks no such thing. ``policy`` is None where none lets a row through, or none is needed.
    """

    role: str
    object: str
    command: str
    columns: list[str]
    policy: str | None
    using: str | None
    check: str | None


def by_level(findings: Iterable[Finding]) -> list[Finding]:
    """Sort: errors first, then by object."""
    return sorted(findings, key=lambda found: (LEVELS.index(found.level), found.object, found.finding, found.detail))


def as_text(matrix: Sequence[Access], findings: Sequence[Finding], columns: Columns) -> str:
    """Write who may do what, then the findings in PostgreSQL's form, each with its cure, and count them."""
    table = [HEADINGS, *(_cells(access, columns) for access in matrix)]
    widths = [max(len(row[column]) for row in table) for column in range(len(HEADINGS))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]
    blocks = [
        f"{found.level.upper()}:  {found.object}: {found.finding}\nDETAIL:  {found.detail}\nHINT:  {found.cure}"
        for found in findings
    ]
    return "\n\n".join(["\n".join(lines), *blocks, _count(findings)])


def _count(findings: Sequence[Finding]) -> str:
    if not findings:
        return "Nothing found."
    counts = {level: sum(found.level == level for found in findings) for level in LEVELS}
    return ", ".join(f"{count} {level}{'s' * (count != 1)}" for level, count in counts.items() if count)


def as_markdown(matrix: Sequence[Access], findings: Sequence[Finding], columns: Columns) -> str:
    """Write the matrix and what was found; ``columns`` are all of each object's."""
    lines = ["## Who may do what", "", matrix_table(matrix, columns), "", "## Findings", ""]
    if not findings:
        return "\n".join([*lines, "Nothing found."])
    lines += ["| level | object | finding | detail | cure |", "|---|---|---|---|---|"]
    lines += [
        _markdown_row((found.level, found.object, found.finding, found.detail, f"`{found.cure}`")) for found in findings
    ]
    return "\n".join([*lines, "", _count(findings)])


def matrix_table(matrix: Sequence[Access], columns: Columns) -> str:
    """Write who may do what as a Markdown table; which rows it is about is told by the policies' conditions."""
    lines = [f"| {' | '.join(HEADINGS)} |", "|---" * len(HEADINGS) + "|"]
    lines += [_markdown_row(_cells(access, columns, code="`")) for access in matrix]
    return "\n".join([*lines, "", "Whatever is not listed is refused."])


def _markdown_row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(' '.join(cell.split()).replace('|', chr(92) + '|') for cell in cells)} |"


def _cells(access: Access, columns: Columns, *, code: str = "") -> tuple[str, ...]:
    granted = "the row" if access.command == "DELETE" else _granted(access.columns, columns[access.object])
    return access.role, access.object, access.command, _which(access, code), granted


def _which(access: Access, code: str) -> str:
    conditions = dict.fromkeys(condition for condition in (access.using, access.check) if condition is not None)
    words = {"true": "every row", "false": "no row"}
    return " → ".join(words.get(condition, f"{code}{_short(condition)}{code}") for condition in conditions)


def _short(condition: str) -> str:
    """Take off what PostgreSQL adds when it writes a condition: outer parentheses, and the name of a sub-select."""
    text = re.sub(r"\( SELECT (\S*\(\)) AS [^\s()]+\)", r"(select \1)", " ".join(condition.split()))
    return text[1:-1] if _encloses(text) else text


def _encloses(text: str) -> bool:
    """Whether the text begins with a parenthesis that its last character closes."""
    depth = 0
    for position, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if depth == 0:
            return text.startswith("(") and position == len(text) - 1
    return False


def _granted(granted: list[str], every: list[str]) -> str:
    closed = [name for name in every if name not in granted]
    if len(closed) < len(granted):
        return f"all but {', '.join(closed)}" if closed else "all"
    return ", ".join(granted)
