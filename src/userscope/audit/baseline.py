"""What somebody has looked at and accepted, each with its reason: one file format for findings, answers and mutants.

    [[accepted]]
    rule = "policy_open"
    object = "policy read_all on app.news"
    reason = "news are for everybody"
    by = "Ada Love"
    until = 2030-06-30  # that day included; without it, for ever
    finding = "is always true"  # only what is told in these words; without it, whatever the rule finds there

``rule`` and ``object`` may be lists: one reason for several.
"""

import tomllib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from userscope.audit.model import Entry, Finding, Report
from userscope.errors import ConfigurationError

RULE = "baseline"
"""The rule of what is wrong with the file itself."""

type Key = tuple[str, str, str]
"""What an entry is compared with: rule, object and finding."""

_ENTRIES = "accepted"
_NEEDED = ("rule", "object", "reason", "by")


@dataclass(frozen=True)
class Sorted[T]:
    """What was found: ``open`` as before, ``accepted`` with its entry; ``notes`` are warnings about the entries."""

    open: list[T]
    accepted: list[tuple[T, Entry]]
    notes: list[Finding]


@dataclass(frozen=True)
class Baseline:
    """The entries of a file, by their number in it; ``name`` is how warnings call the file."""

    name: str = "the baseline"
    entries: Mapping[int, Entry] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> "Baseline":
        """Read a file. Raises ConfigurationError where it is none, or an entry is not whole."""
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeError) as error:
            why = (error.strerror or "").lower() if isinstance(error, OSError) else "it is not UTF-8"
            raise ConfigurationError(
                f'cannot read "{path}": {why}',
                hint=f"It is a TOML file of entries: [[{_ENTRIES}]] with {', '.join(_NEEDED)} and perhaps until.",
            ) from error
        try:
            document = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise ConfigurationError(f'"{path}" is not TOML', detail=f"{error}.", hint="Mend that line.") from error
        listed = document.pop(_ENTRIES, [])
        if document or not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
            raise ConfigurationError(
                f'"{path}" holds something other than [[{_ENTRIES}]]',
                detail=f"It has {', '.join(document)}." if document else None,
                hint=f"Begin each entry with a line [[{_ENTRIES}]].",
            )
        return cls(str(path), {number: _entry(one, path, number) for number, one in enumerate(listed, 1)})

    def sort[T](
        self,
        found: Iterable[T],
        key: Callable[[T], Key],
        *,
        known: Collection[str],
        asked: Collection[str] | None = None,
        today: date | None = None,
    ) -> Sorted[T]:
        """Part what is accepted from what is not.

        ``known`` are all rules there are, ``asked`` those that were asked now (all): an entry of another is not
        unused. ``today`` is UTC's where it is not given.
        """
        day = today or datetime.now(UTC).date()
        live = [entry for entry in self.entries.values() if entry.until is None or day <= entry.until]
        sorted_ = Sorted[T]([], [], [])
        every, still = [], []
        for one in found:
            every.append(key(one))
            entry = next((entry for entry in live if entry.accepts(*every[-1])), None)
            if entry:
                sorted_.accepted.append((one, entry))
            else:
                sorted_.open.append(one)
                still.append(every[-1])
        for number, entry in self.entries.items():
            expired = entry not in live
            sorted_.notes.extend(self._notes(number, entry, still if expired else every, known, asked, expired=expired))
        return sorted_

    def _notes(
        self,
        number: int,
        entry: Entry,
        keys: list[Key],
        known: Collection[str],
        asked: Collection[str] | None,
        *,
        expired: bool,
    ) -> Iterator[Finding]:
        where = f'It is entry {number} of "{self.name}", by {entry.by}: {entry.reason.rstrip(".")}.'
        unknown = [rule for rule in entry.rules if rule not in known]
        for rule in unknown:
            finding = f'there is no rule "{rule}" to accept something of'
            yield Finding(
                "warning", RULE, ", ".join(entry.objects), finding, where, "mend the name, or remove the entry"
            )
        if len(unknown) == len(entry.rules) or (asked is not None and not set(entry.rules) <= {*asked, *unknown}):
            return
        for thing in entry.objects:
            rules = ", ".join(entry.rules)
            if not any(key[1] == thing and entry.accepts(*key) for key in keys):
                finding = f"what is accepted of {rules} is not found any more"
                yield Finding("warning", RULE, thing, finding, where, "remove it from the file")
            elif expired:
                finding = f"what is accepted of {rules} was so until {entry.until}, and counts again"
                yield Finding(
                    "warning", RULE, thing, finding, where, "cure it, or look at it again and set another day"
                )


def applied(report: Report, baseline: Baseline, *, known: Collection[str], asked: Collection[str]) -> Report:
    """Return the report with what the baseline accepts apart from its findings, and what is wrong with the baseline."""
    found = baseline.sort(
        report.findings, lambda found: (found.rule, found.object, found.finding), known=known, asked=asked
    )
    return replace(report, findings=found.open, accepted=found.accepted).with_findings(found.notes)


def _entry(given: dict[str, Any], path: Path, number: int) -> Entry:
    where = f'entry {number} of "{path}"'
    optional = {"until", "finding"}
    for name in given.keys() - {*_NEEDED, *optional}:
        raise ConfigurationError(
            f'{where} has an unknown key "{name}"', hint=f"There are: {', '.join([*_NEEDED, *sorted(optional)])}."
        )
    missing = [name for name in _NEEDED if not given.get(name)]
    if missing:
        raise ConfigurationError(
            f"{where} has no {' and no '.join(missing)}",
            hint='Write rule and object as the report tells them, and: reason = "why it may stay", by = "who looked".',
        )
    for name in given.keys() - {"until"}:
        lists = name in ("rule", "object")
        texts = given[name] if lists and isinstance(given[name], list) else [given[name]]
        if not all(isinstance(text, str) and text.strip() for text in texts):
            raise ConfigurationError(
                f"{where}: {name} is no text", hint=f'Write: {name} = "…"{" or a list of such" if lists else ""}.'
            )
    return Entry(
        _all(given["rule"]), _all(given["object"]), given["reason"], given["by"],
        until=_day(given.get("until"), where), finding=given.get("finding"),
    )  # fmt: skip


def _all(given: str | list[str]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)


def _day(given: object, where: str) -> date | None:
    if isinstance(given, str):
        try:
            return date.fromisoformat(given)
        except ValueError:
            pass
    elif given is None or (isinstance(given, date) and not isinstance(given, datetime)):
        return given
    raise ConfigurationError(f"{where}: until is no day", hint="Write: until = 2030-12-31.")
