"""What is told of a run: findings, answers, and how much was tried."""

from collections import Counter
from dataclasses import dataclass, field

from userscope.audit.baseline import Sorted
from userscope.probe.coverage import Coverage
from userscope.probe.findings import LEVELS, Finding


@dataclass(frozen=True)
class Report:
    """A run, and what was answered of it."""

    sorted: Sorted[Finding]
    coverage: Coverage
    matrix: list[tuple[str, str, str]]
    """Who (with the role), what, and whose rows of it they see."""
    seed: tuple[str, ...] = ()
    """The statements that put the rows in."""
    looks: list[tuple[str, str, str, tuple[str, ...], str]] = field(default_factory=list)
    """Each line of the matrix with the statements that show it: the login, and a query of what ``seen`` says."""

    @property
    def findings(self) -> list[Finding]:
        """What was found and not answered."""
        return self.sorted.open

    def failed(self, at: str) -> bool:
        """Whether something was found of a level, or worse: error, question, warning, note."""
        return any(LEVELS.index(found.level) <= LEVELS.index(at) for found in self.findings)

    def counted(self) -> str:
        """Return how many findings of each level there are, in words."""
        counts = Counter(found.level for found in self.findings)
        told = [f"{counts[level]} {level}{'' if counts[level] == 1 else 's'}" for level in LEVELS if counts[level]]
        return ", ".join(told) or "nothing found"
