"""Sqitch plans: the changes of one project in order, their tags and dependencies, and the ids that Sqitch gives them.

An id is the SHA-1 of a change's own words and of its parent's id, so editing any line changes every later id.
"""

import hashlib
import re
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TypeGuard

from userscope.errors import PlanError
from userscope.migrations.plan.uri import canonical, escaped

_HEX_ID = re.compile(r"[0-9a-f]{40}")
# A key may end in "^" (the one before), "~" (the one after), either doubled, or either with a count.
_OFFSET = re.compile(r"(?<![-!\"#$%&'()*+,./:;<=>?@\[\]^`{|}~])([~^])(?:(\1)|(\d+))?\Z")


def is_true(text: str | None) -> TypeGuard[str]:
    """Tell what Perl takes for true: ids and headers leave out what it takes for false, "0" among it."""
    return text not in (None, "", "0")


@dataclass(frozen=True)
class Dependency:
    """What a change requires, or conflicts with: a change, a tag, a change as of a tag, or an id, of any project."""

    project: str
    change: str | None = None
    tag: str | None = None
    id: str | None = None
    conflict: bool = False

    @property
    def key(self) -> str:
        """The dependency as its own project looks it up: ``change``, ``@tag``, ``change@tag`` or an id."""
        tag = f"@{self.tag}" if self.tag else ""
        return (self.change or "") + tag or self.id or ""

    def text(self, project: str) -> str:
        """The dependency as a plan of ``project`` writes it, without the ``!`` of a conflict."""
        return self.key if self.project == project else f"{self.project}:{self.key}"


@dataclass(frozen=True, eq=False)
class Tag:
    """A tag, set on the change before it."""

    name: str
    note: str
    timestamp: str
    planner_name: str
    planner_email: str
    change: "Change" = field(repr=False)

    @property
    def label(self) -> str:
        """The name as Sqitch shows and stores it."""
        return f"@{self.name}"

    @cached_property
    def info(self) -> str:
        """The text whose hash is the id."""
        lines = [*self.change.plan.identity, f"tag {self.label}", f"change {self.change.id}", *_planned(self)]
        return "\n".join([*lines, *_noted(self.note)])

    @cached_property
    def id(self) -> str:
        """The id that Sqitch gives it."""
        return _object_id("tag", self.info)


@dataclass(eq=False)
class Change:
    """One change: scripts that deploy, verify and revert it, and what must be there before it."""

    plan: "Plan" = field(repr=False)
    index: int
    name: str
    note: str
    timestamp: str
    planner_name: str
    planner_email: str
    requires: tuple[Dependency, ...] = ()
    conflicts: tuple[Dependency, ...] = ()
    tags: list[Tag] = field(default_factory=list)
    rework_tags: list[Tag] = field(default_factory=list, repr=False)
    line: int = 0

    @property
    def project(self) -> str:
        """The project it belongs to."""
        return self.plan.project

    @property
    def label(self) -> str:
        """``project:name @tag …``, as ledgers show it."""
        return " ".join([f"{self.project}:{self.name}", *(tag.label for tag in self.tags)])

    @property
    def is_reworked(self) -> bool:
        """Whether a later change of the same name replaces it."""
        return bool(self.rework_tags)

    @cached_property
    def info(self) -> str:
        """The text whose hash is the id; the same that ``sqitch show change`` prints."""
        lines = [*self.plan.identity, f"change {self.name}"]
        if self.index:
            lines.append(f"parent {self.plan.changes[self.index - 1].id}")
        lines += _planned(self)
        if self.requires:
            lines += ["requires", *(f"  + {dependency.text(self.project)}" for dependency in self.requires)]
        if self.conflicts:
            lines += ["conflicts", *(f"  - {dependency.text(self.project)}" for dependency in self.conflicts)]
        return "\n".join([*lines, *_noted(self.note)])

    @cached_property
    def id(self) -> str:
        """The id that Sqitch gives it."""
        return _object_id("change", self.info)


@dataclass(eq=False)
class Plan:
    """A parsed plan. ``lookup`` maps names, tags (with ``@``) and ids to the indexes of changes."""

    path: Path
    project: str
    raw_uri: str | None = None
    changes: list[Change] = field(default_factory=list, repr=False)
    beyond: frozenset[str] = field(default=frozenset(), repr=False)
    """The ids of changes that ``until`` left out."""

    def until(self, tag: str) -> "Plan | None":
        """Return the plan up to the change with this tag (``@core``); None where no change has it."""
        index = self.lookup.get(tag, [None])[0]
        if index is None:
            return None
        left_out = frozenset(change.id for change in self.changes[index + 1 :])
        return replace(self, changes=self.changes[: index + 1], beyond=left_out)

    @property
    def uri(self) -> str | None:
        """The URI as Sqitch stores it with the project: escaped, but not canonical."""
        return escaped(self.raw_uri) if is_true(self.raw_uri) else None

    @cached_property
    def identity(self) -> tuple[str, ...]:
        """The first lines of every id: the project and its canonical URI."""
        uri = canonical(self.uri) if self.uri is not None else ""
        return (f"project {self.project}", f"uri {uri}") if is_true(uri) else (f"project {self.project}",)

    @cached_property
    def lookup(self) -> dict[str, list[int]]:
        """Where every name, tag and id stands."""
        found: dict[str, list[int]] = {}
        for index, change in enumerate(self.changes):
            found.setdefault(change.name, []).append(index)
            found[change.id] = [index]
            for tag in change.tags:
                found[tag.label] = found[tag.id] = [index]
        if self.changes:
            found["HEAD"] = found["@HEAD"] = [len(self.changes) - 1]
            found["ROOT"] = found["@ROOT"] = [0]
        return found

    def index_of(self, key: str) -> int | None:
        """Find ``name``, ``@tag``, ``name@tag`` or an id, each with an offset such as ``^`` or ``~2``.

        Raises PlanError where a reworked name needs a tag, or the tag is unknown.
        """
        key, offset = split_offset(key)
        index = self._index_of(key)
        if index is None or not 0 <= index + offset < len(self.changes):
            return None
        return index + offset

    def _index_of(self, key: str) -> int | None:
        name, at, tag = key.partition("@")
        if at and not name:
            return self.lookup.get(key, [None])[0]
        found = self.lookup.get(name, [])
        if at:
            until = self.lookup.get(f"@{tag}")
            if until is None:
                raise PlanError(f'unknown tag "@{tag}"', detail=f'Project "{self.project}" has no such tag.')
            return next((index for index in reversed(found) if index <= until[0]), None)
        if len(found) > 1:
            choices = ", ".join(f'"{self.tagged_name(index)}"' for index in reversed(found))
            raise PlanError(f'change "{key}" is ambiguous', hint=f"It was reworked; name one of {choices}.")
        return found[0] if found else None

    def find(self, key: str) -> Change | None:
        """Find like ``index_of``, but take the first instance of a reworked name: how dependencies are resolved."""
        if "@" in key:
            index = self.index_of(key)
        else:
            key, offset = split_offset(key)
            found = self.lookup.get(key)
            index = None if found is None else found[0] + offset
        return self.changes[index] if index is not None and 0 <= index < len(self.changes) else None

    def tagged_name(self, index: int) -> str:
        """The name with the first tag at or after it: the way to name one instance of a reworked change."""
        change = self.changes[index]
        tags = change.tags or change.rework_tags
        return change.name + (tags[0].label if tags else "@HEAD")


def split_offset(key: str) -> tuple[str, int]:
    """Split ``key^2`` into ``key`` and -2; ``~`` counts forward."""
    match = _OFFSET.search(key)
    if match is None:
        return key, 0
    count = int(match[3]) if match[3] is not None else 2 if match[2] else 1
    return key[: match.start()], -count if match[1] == "^" else count


def is_id(key: str) -> bool:
    """Whether the key has the form of an id."""
    return _HEX_ID.fullmatch(key) is not None


def _planned(item: Change | Tag) -> list[str]:
    return [f"planner {item.planner_name} <{item.planner_email}>", f"date {item.timestamp}"]


def _noted(note: str) -> list[str]:
    return ["", note] if is_true(note) else []


def _object_id(kind: str, info: str) -> str:
    text = info.encode()
    # Sqitch's ids are SHA-1, like Git's: they identify, they do not protect.
    return hashlib.sha1(b"%s %d\0%s" % (kind.encode(), len(text), text), usedforsecurity=False).hexdigest()
