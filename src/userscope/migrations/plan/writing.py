"""Plans are written as Sqitch writes them: by the line. What stands in the plan already stays as it is."""

from collections.abc import Sequence
from dataclasses import dataclass

from userscope.errors import PlanError
from userscope.migrations.plan import grammar
from userscope.migrations.plan.plan import Plan


@dataclass(frozen=True)
class Entry:
    """What a new line says: its note, when it was planned and by whom, and what it needs or excludes."""

    note: str
    at: str
    planner: str
    requires: Sequence[str] = ()
    conflicts: Sequence[str] = ()

    def __post_init__(self) -> None:
        if not grammar.noted(self.note):
            raise PlanError("there is no note", hint='Say what it is for: -n "Adds notes".')
        for name in (*self.requires, *self.conflicts):
            if name.startswith("!"):
                raise PlanError(f'"{name}" is no change', hint=f'A conflict is named by "-x {name[1:]}".')

    def line(self, label: str) -> str:
        """Return the line, without its end."""
        note = grammar.noted(self.note).replace("\\", r"\\").replace("\n", r"\n").replace("\r", r"\r")
        return f"{self.content(label)} {self.at} {self.planner} # {note}"

    def content(self, label: str) -> str:
        """Return the label with what is needed and excluded."""
        needs = [*dict.fromkeys(self.requires), *(f"!{name}" for name in dict.fromkeys(self.conflicts))]
        return f"{label} [{' '.join(needs)}]" if needs else label


def added(plan: Plan, name: str, entry: Entry) -> bytes:
    """Return the plan's file with a change more, after a blank line where a tag is the last. Raises PlanError."""
    if not {"", ".", ".."}.isdisjoint(name.split("/")):
        raise PlanError(f'"{name}" is no name', hint='A name is no path: "..", "." and "//" have no place in it.')
    if any(change.name == name for change in plan.changes):
        raise PlanError(
            f'change "{name}" is in plan "{plan.path}" already',
            hint=f'To change what it made, "userscope rework {plan.project}:{name} -n NOTE", after a tag; '
            "else choose another name.",
        )
    data, end = _whole(plan)
    blank = end if plan.changes and plan.changes[-1].tags else ""
    return _appended(plan, data + f"{blank}{entry.line(name)}{end}".encode(), name)


def reworked(plan: Plan, name: str, entry: Entry) -> tuple[bytes, str]:
    """Return the plan's file with a change once more, and the tag that its old scripts have in their names.

    Raises PlanError where there is no such change, or no tag since.
    """
    found = plan.lookup.get(name)
    if found is None or plan.changes[found[-1]].name != name:
        raise PlanError(
            f'change "{name}" is not in plan "{plan.path}"',
            hint=f'To plan it, use "userscope add {plan.project}:{name} -n NOTE".',
        )
    tagged = next((change for change in reversed(plan.changes[found[-1] :]) if change.tags), None)
    if tagged is None:
        raise PlanError(
            f'change "{name}" cannot be reworked: there is no tag since it was planned',
            detail="Its old scripts are kept under the tag's name.",
            hint=f'Set one first: "userscope tag {plan.project}:NAME -n NOTE".',
        )
    tag = tagged.tags[0].label
    data, end = _whole(plan)
    line = needing(entry, f"{name}{tag}").line(name)
    return _appended(plan, data + f"{line}{end}".encode(), name), tag


def needing(entry: Entry, first: str) -> Entry:
    """Return an entry that requires something more, before anything else."""
    return Entry(entry.note, entry.at, entry.planner, [first, *entry.requires], entry.conflicts)


def tagged(plan: Plan, name: str, change: str | None, entry: Entry) -> tuple[bytes, str]:
    """Return the plan's file with a tag at a change, the last one if none is named, and the change's name.

    Raises PlanError.
    """
    label = f"@{name.removeprefix('@')}"
    if label in plan.lookup:
        raise PlanError(f'tag "{label}" is in plan "{plan.path}" already', hint="Choose another name.")
    index = len(plan.changes) - 1 if change is None else plan.index_of(change)
    if index is None or index < 0:
        raise PlanError(
            f'plan "{plan.path}" has no change "{change}"' if change else f'plan "{plan.path}" has no change to tag',
            hint="A tag belongs to a change.",
        )
    at = plan.changes[index]
    data, end = _whole(plan)
    lines = data.decode().split("\n")
    lines.insert(at.line + len(at.tags), entry.line(label) + end[:-1])
    written = "\n".join(lines).encode()
    found = grammar.parse(written, plan.path).lookup.get(label)
    if found != [index]:
        raise _no_name(label)
    return written, at.name


def _whole(plan: Plan) -> tuple[bytes, str]:
    """Return the plan's file, its last line ended, and what ends its lines."""
    data = plan.path.read_bytes()
    end = "\r\n" if b"\r\n" in data else "\n"
    return data if data.endswith(b"\n") else data + end.encode(), end


def _appended(plan: Plan, data: bytes, name: str) -> bytes:
    """Return the data if a plan that ends in this change is what they are. Raises PlanError."""
    now = grammar.parse(data, plan.path)
    if len(now.changes) != len(plan.changes) + 1 or now.changes[-1].name != name or now.changes[-1].tags:
        raise _no_name(name)
    return data


def _no_name(name: str) -> PlanError:
    return PlanError(f'"{name}" is no name', hint=grammar.NAME_HINT)
