"""Taking turns: whatever disturbs the machine disturbs both sides of a ratio."""

import statistics
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field

type Measured = Callable[[], float]
"""Does the work once, and returns what it took, in seconds."""

telling: ContextVar[Callable[[str], None]] = ContextVar("telling", default=lambda _: None)
"""What is told of each step, for whoever waits."""


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

    def table(self) -> str:
        """The ratios in words, a line each: what took how long, beside what."""
        rows = [("", "takes", "beside", "takes", "times as long")]
        for key, ratio in self.ratios.items():
            where, _, pair = key.rpartition(".")
            one, _, other = pair.partition("/")
            mine, others = (_time(self.medians[f"{where}.{name}" if where else name]) for name in (one, other))
            what = ", ".join(word for word in (*where.split("."), one) if word).replace("_", " ")
            rows.append((what, mine, other.replace("_", " "), others, f"{ratio:.2f} ×"))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join(
            "  " + "  ".join(cell.ljust(w) if column in (0, 2) else cell.rjust(w) for column, (cell, w) in cells)
            for cells in (enumerate(zip(row, widths, strict=True)) for row in rows)
        )


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
        telling.get()(f"round {turn} of {rounds}: {order[0]} and {len(order) - 1} beside it")
        for name in reversed(order) if turn % 2 else order:
            took = kinds[name]()
            if turn:
                seconds[name].append(took)
    return Times(seconds)


def refuse_other_rows(read: Mapping[str, object]) -> None:
    """Refuse to measure ways that read different rows, or none. Raises RuntimeError."""
    first = next(iter(read.values()))
    if wrong := [name for name, rows in read.items() if rows != first or not rows]:
        raise RuntimeError(f"these read something else: {', '.join(wrong)}")


def _time(microseconds: float) -> str:
    for unit, size in (("s", 1e6), ("ms", 1e3)):
        if microseconds >= size:
            return f"{microseconds / size:.2f} {unit}"
    return f"{microseconds:.0f} µs"
