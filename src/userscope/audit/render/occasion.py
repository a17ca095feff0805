"""What a report is written for, beside what is in it."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from userscope.audit.places import Place


def nowhere(_: str) -> Place | None:
    """Tell of no place: there is no repository."""
    return None


@dataclass(frozen=True)
class Occasion:
    """From which level on a finding fails, which rules were asked, and where in a repository an object is made."""

    fail_on: str = "error"
    rules: Collection[str] = ()
    place: Callable[[str], Place | None] = nowhere
