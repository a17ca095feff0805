"""What an audit found."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

LEVELS = ("error", "warning", "info")
VERDICTS = ("tied", "function", "public", "open")

type Clause = tuple[str, str, str]
"""A table, a policy of it, and USING or WITH CHECK."""


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
class Entry:
    """What somebody accepted: one thing, or several of one reason, that may stay as it is.

    ``until`` is the last day that it counts, None: for ever; ``finding`` the words that are accepted, None: any.
    """

    rules: tuple[str, ...]
    objects: tuple[str, ...]
    reason: str
    by: str
    until: date | None = None
    finding: str | None = None

    def accepts(self, rule: str, thing: str, finding: str) -> bool:
        """Whether it is about this, however old it is."""
        return rule in self.rules and thing in self.objects and self.finding in (None, finding)


@dataclass(frozen=True)
class Report:
    """Who may do what, and what is wrong with it, errors first; ``columns`` are all of each table's.

    ``accepted`` are the findings that a baseline accepts, each with its entry; None where there was no baseline.
    """

    matrix: list[Access]
    findings: list[Finding]
    columns: dict[str, list[str]]
    accepted: list[tuple[Finding, Entry]] | None = field(default=None, kw_only=True)
    verdicts: Mapping[Clause, str] = field(default_factory=dict, kw_only=True)
    """What the judge says of each policy that serves a service: one of VERDICTS, the best first."""

    def failed(self, at: str = "error") -> bool:
        """Whether there is a finding of level ``at``, or worse."""
        return any(LEVELS.index(found.level) <= LEVELS.index(at) for found in self.findings)

    def about(self, rules: Collection[str]) -> "Report":
        """Return the same with the findings of these rules only."""
        accepted = self.accepted and [(found, entry) for found, entry in self.accepted if found.rule in rules]
        return replace(self, findings=[found for found in self.findings if found.rule in rules], accepted=accepted)

    def with_findings(self, more: Iterable[Finding]) -> "Report":
        """Return the same with ``more`` findings."""
        return replace(self, findings=by_level([*self.findings, *more]))


def by_level(findings: Iterable[Finding]) -> list[Finding]:
    """Sort: errors first, then by object."""
    return sorted(findings, key=lambda found: (LEVELS.index(found.level), found.object, found.finding, found.detail))
