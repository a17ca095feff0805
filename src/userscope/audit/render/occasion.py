"""What a report is written for, beside what is in it."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from userscope.audit.examples import Examples
from userscope.audit.model import Report
from userscope.audit.places import Place


def nowhere(_: str) -> Place | None:
    """Tell of no place: there is no repository."""
    return None


@dataclass(frozen=True)
class Occasion:
    """From which level on a finding fails, which rules were asked, and where in a repository an object is made.

    A page is also told of the database's name, when it is written, what stands behind the matrix and what was before.
    ``width`` is how many columns a terminal has; 0 where lines may be of any length.
    """

    fail_on: str = "error"
    rules: Collection[str] = ()
    place: Callable[[str], Place | None] = nowhere
    database: str = ""
    when: str = ""
    examples: Examples = field(default_factory=Examples)
    before: Report | None = None
    width: int = 0
