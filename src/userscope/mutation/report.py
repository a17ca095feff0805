"""What the tests noticed: counted as they come, and told at the end."""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from userscope.mutation.execute import Report, Verdict
from userscope.mutation.mutants import Mutant

_EVERY = 30.0
"""Seconds from one line about the progress to the next, where nobody watches a bar."""


@dataclass
class Tally:
    """The verdicts on ``total`` mutants; ``accepted`` are those that may survive, with their reasons.

    ``verbose``: those that were killed are named too.
    """

    accepted: Mapping[str, str]
    total: int = 0
    verbose: bool = False
    verdicts: dict[Mutant, Verdict] = field(default_factory=dict)

    def of(self, verdict: Verdict, *, accepted: bool | None = None) -> list[Mutant]:
        """Return the mutants of a verdict by name: all, or only those that are or are not accepted."""
        found = [mutant for mutant, judged in self.verdicts.items() if judged == verdict]
        wanted = [mutant for mutant in found if accepted in (None, mutant.id in self.accepted)]
        return sorted(wanted, key=lambda mutant: mutant.id)

    @property
    def holes(self) -> list[Mutant]:
        """The mutants that the tests did not notice, or did not come to an end with."""
        return self.of("survived", accepted=False) + self.of("timed out")

    @property
    def missing(self) -> int:
        """How many were to be tried and were not, since somebody interrupted it."""
        return max(0, self.total - len(self.verdicts))

    def json(self) -> str:
        """Return the result as a JSON document."""
        document: dict[str, Any] = {
            "mutants": len(self.verdicts),
            "killed": len(self.of("killed")),
            "survived": [_told(mutant) for mutant in self.of("survived", accepted=False)],
            "accepted": [
                _told(mutant) | {"reason": self.accepted[mutant.id]} for mutant in self.of("survived", accepted=True)
            ],
            "timed_out": [_told(mutant) for mutant in self.of("timed out")],
            "invalid": [_told(mutant) for mutant in self.of("invalid")],
        }
        if self.verbose:
            document["killed_mutants"] = [mutant.id for mutant in self.of("killed")]
        if self.missing:
            document["not_tried"] = self.missing
        return json.dumps(document, ensure_ascii=False, indent=2)

    def text(self) -> str:
        """Return the result as text: each hole with its statements, the promise it breaks and an idea for a test."""
        lines: list[str] = []
        for mutant in self.holes:
            lines += [f"{self.verdicts[mutant].upper()}  {mutant.id}"]
            lines += [f"    {statement};" for statement in mutant.ddl]
            lines += [f"    breaks  {mutant.promise}", f"    test    {mutant.idea}", ""]
        by_reason: dict[str, list[str]] = {}
        for mutant in self.of("survived", accepted=True):
            by_reason.setdefault(self.accepted[mutant.id], []).append(mutant.id)
        for reason, names in by_reason.items():
            lines += [f"ACCEPTED  {reason}", *(f"    {name}" for name in names), ""]
        if self.verbose and self.of("killed"):
            lines += ["KILLED", *(f"    {mutant.id}" for mutant in self.of("killed")), ""]
        for mutant in self.of("killed"):
            if mutant.id in self.accepted:
                lines += [f"killed, though accepted: {mutant.id} (take it off the list)", ""]
        if self.missing:
            lines += [f"interrupted: {len(self.verdicts)} of {self.total} mutants were tried", ""]
        counts = {
            "killed": len(self.of("killed")),
            "survived": len(self.of("survived", accepted=False)),
            "accepted": len(self.of("survived", accepted=True)),
            "timed out": len(self.of("timed out")),
            "invalid": len(self.of("invalid")),
        }
        said = ", ".join(f"{count} {word}" for word, count in counts.items() if count or word in ("killed", "survived"))
        tried = len(self.verdicts)
        return "\n".join([*lines, f"{tried} mutant{'s' * (tried != 1)}: {said}"])


def _told(mutant: Mutant) -> dict[str, Any]:
    return {"mutant": mutant.id, "ddl": list(mutant.ddl), "promise": mutant.promise, "test": mutant.idea}


@contextmanager
def progress(total: int, tally: Tally, *, quiet: bool = False) -> Iterator[Report]:
    """Show on standard error how far it is, and each hole as it is found; yield what to report to.

    On a terminal it is a bar; elsewhere, as in the log of a CI, a line every half minute; nothing if ``quiet``.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True, highlight=False, quiet=quiet)
    with Progress(*columns, console=console, disable=quiet or not sys.stderr.isatty()) as shown:
        task = shown.add_task("mutants", total=total)
        said = monotonic()

        def report(mutant: Mutant, verdict: Verdict) -> None:
            nonlocal said
            tally.verdicts[mutant] = verdict
            if mutant in tally.holes:
                console.print(f"{verdict}: {mutant.id}", markup=False, soft_wrap=True)
            shown.advance(task)
            if shown.disable and monotonic() - said > _EVERY:
                console.print(f"{len(tally.verdicts)} of {total} mutants tried")
                said = monotonic()

        yield report
