"""What an audit found."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

LEVELS = ("error", "warning", "info")


@dataclass(frozen=True, order=True)
class Finding:
    """One thing that is wrong: error (rows are open, or can come to be), warning (unwise), info (could not be seen).

    ``rule`` is the question that found it, by its file's name, or "drift".
    """

    level: str
    rule: str
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


@dataclass(frozen=True)
class Report:
    """Who may do what, and what is wrong with it, errors first; ``columns`` are all of each table's."""

    matrix: list[Access]
    findings: list[Finding]
    columns: dict[str, list[str]]

    @property
    def failed(self) -> bool:
        """Whether there is an error among the findings."""
        return any(found.level == "error" for found in self.findings)

    def with_findings(self, more: Iterable[Finding]) -> "Report":
        """Return the same with ``more`` findings."""
        return replace(self, findings=by_level([*self.findings, *more]))


def by_level(findings: Iterable[Finding]) -> list[Finding]:
    """Sort: errors first, then by object."""
    return sorted(findings, key=lambda found: (LEVELS.index(found.level), found.object, found.finding, found.detail))
