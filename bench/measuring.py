"""Taking turns: whatever disturbs the machine disturbs both sides of a ratio."""

import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

type Measured = Callable[[], float]
"""Does the work once, and returns what it took, in seconds."""


@dataclass
class Figures:
    """What a part of the benchmark found.

    ``ratios`` is what counts: each compares two things of one run, and "where/reader" is the time of the one divided by
    the time of the other. ``medians`` are the microseconds they come from, and ``counts`` whatever is exact.
    """

    ratios: dict[str, float] = field(default_factory=dict)
    medians: dict[str, float] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def take(self, other: "Figures", prefix: str) -> None:
        """Take in everything of ``other``, named ``<prefix>.<its name>``."""
        for mine, others in ((self.ratios, other.ratios), (self.medians, other.medians)):
            mine |= {f"{prefix}.{name}": figure for name, figure in others.items()}
        self.counts |= {f"{prefix}.{name}": count for name, count in other.counts.items()}


@dataclass(frozen=True)
class Times:
    """Seconds by name, one for each round."""

    seconds: Mapping[str, list[float]]

    def median(self, name: str) -> float:
        """The median over all rounds, in seconds."""
        return statistics.median(self.seconds[name])

    def ratio(self, one: str, other: str) -> float:
        """How many times as long ``one`` took as ``other``: the median of the rounds' own ratios."""
        pairs = zip(self.seconds[one], self.seconds[other], strict=True)
        return statistics.median(a / b for a, b in pairs)

    def figures(self, *pairs: tuple[str, str]) -> Figures:
        """Return these ratios, and everything's median."""
        return Figures(
            {f"{one}/{other}": round(self.ratio(one, other), 3) for one, other in pairs},
            {name: round(self.median(name) * 1e6, 1) for name in self.seconds},
        )


def take_turns(kinds: Mapping[str, Measured], rounds: int) -> Times:
    """Run all kinds in every round, forwards and backwards in turn; a first round warms up and is not counted."""
    seconds: dict[str, list[float]] = {name: [] for name in kinds}
    order = list(kinds)
    for turn in range(rounds + 1):
        for name in reversed(order) if turn % 2 else order:
            took = kinds[name]()
            if turn:
                seconds[name].append(took)
    return Times(seconds)
