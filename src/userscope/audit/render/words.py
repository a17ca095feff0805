"""What reports for people say alike: the cells of the matrix, and how much was found."""

import re

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
