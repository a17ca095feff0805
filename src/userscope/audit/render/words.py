"""What reports for people say alike: the cells of the matrix, and how much was found."""

from userscope.audit.conditions import shortened
from userscope.audit.model import LEVELS, Access, Report

HEADINGS = ("role", "table", "command", "which rows", "columns")


def count(report: Report) -> str:
    """Write how many findings there are of each level, and how many are accepted."""
    counts = {level: sum(found.level == level for found in report.findings) for level in LEVELS}
    told = [f"{number} {level}{'s' * (number != 1)}" for level, number in counts.items() if number]
    accepted = [f"{len(report.accepted)} accepted"] if report.accepted else []
    if not told:
        return f"Nothing found; {accepted[0]}." if accepted else "Nothing found."
    return ", ".join(told + accepted)


def cells(access: Access, columns: dict[str, list[str]], *, code: str = "") -> tuple[str, ...]:
    """Write one row of the matrix; ``columns`` are all of each object's, ``code`` stands around a condition."""
    granted = "the row" if access.command == "DELETE" else granted_of(access.columns, columns[access.object])
    return access.role, access.object, access.command, which(access, code), granted


def which(access: Access, code: str) -> str:
    """Write which rows: those that are reached, and what is written where that is something else."""
    conditions = dict.fromkeys(condition for condition in (access.using, access.check) if condition is not None)
    words = {"true": "every row", "false": "no row"}
    return " → ".join(words.get(condition, f"{code}{shortened(condition)}{code}") for condition in conditions)


def granted_of(granted: list[str], every: list[str]) -> str:
    """Write which columns are granted, or, where that is shorter, which are not."""
    closed = [name for name in every if name not in granted]
    if len(closed) < len(granted):
        return f"all but {', '.join(closed)}" if closed else "all"
    return ", ".join(granted)
