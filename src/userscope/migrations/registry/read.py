"""What Sqitch's registry says about a database."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Self

from userscope.errors import RegistryError
from userscope.migrations.plan.plan import Change, Dependency, Plan, is_id, split_offset
from userscope.migrations.projects import OURS, Project

VERSION = "1.1"
UNRELEASED = "A database of an unreleased userscope hands its rows to a new one (docs/upgrading.md)."


@dataclass(frozen=True)
class Deployed:
    """A deployed change, as its row tells; ``committed_at`` sorts as text."""

    id: str
    name: str
    project: str
    committed_at: str
    script_hash: str | None = None
    note: str = ""
    committer_name: str = ""
    committer_email: str = ""


@dataclass
class State:
    """The registry's rows, changes in the order of their commits. None of it where nothing was ever deployed."""

    version: str | None = None
    projects: dict[str, str | None] = field(default_factory=dict)
    changes: list[Deployed] = field(default_factory=list)
    # (project, @tag) → (change id, committed at)
    tags: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    # change id → ids that it requires
    requires: dict[str, set[str]] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the answer to the statement ``state``."""
        data: dict[str, Any] = json.loads(text)
        state = cls(data["version"], data["projects"] or {})
        state.changes = [Deployed(**row) for row in data["changes"] or []]
        for row in data["tags"] or []:
            state.tags[row["project"], row["tag"]] = (row["change_id"], row["committed_at"])
        for row in data["dependencies"] or []:
            state.requires.setdefault(row["change_id"], set()).add(row["requires"])
        return state

    def of(self, project: str) -> list[Deployed]:
        """The deployed changes of one project, oldest first."""
        return [change for change in self.changes if change.project == project]

    def ids(self) -> set[str]:
        """The ids of all deployed changes."""
        return {change.id for change in self.changes}

    def tags_of(self, change_id: str) -> list[str]:
        """The tags of a deployed change."""
        return [tag for (_, tag), (id_, _) in self.tags.items() if id_ == change_id]

    def check_version(self) -> None:
        """Raise RegistryError for a registry of another version than ours."""
        if self.version is None or float(self.version) == float(VERSION):
            return
        if float(self.version) > float(VERSION):
            raise RegistryError(
                f"the registry is of version {self.version}, and {VERSION} is the latest known",
                hint="Update userscope, or go on with the Sqitch that made it.",
            )
        raise RegistryError(
            f"the registry is of version {self.version}, not {VERSION}",
            hint='Upgrade it with Sqitch 1.0 or newer: "sqitch upgrade".',
        )

    def check_project(self, project: Project) -> None:
        """Raise RegistryError where the registry knows the project by another URI, or its URI by another name."""
        uri = project.plan.uri
        known = self.projects.get(project.name, uri)
        if known != uri:
            raise RegistryError(
                f'project "{project.name}" is registered with {_worded(known)}',
                detail=f"Its plan {project.plan.path} has {_worded(uri)}: it may be another project.",
                hint="Connect to the project's own database, or correct %uri in the plan.",
            )
        for name, taken in self.projects.items():
            if uri is not None and taken == uri and name != project.name:
                raise RegistryError(
                    f'project "{name}" is registered with the URI of "{project.name}"',
                    detail=f"The URI is {uri}.",
                    hint="Give each project its own %uri.",
                )

    def position(self, plan: Plan) -> int:
        """Return the index of the newest deployed change in the plan, -1 where there is none.

        Raises RegistryError where the plan does not hold it.
        """
        deployed = self.of(plan.project)
        if not deployed:
            return -1
        newest = deployed[-1]
        found = plan.find(newest.id)
        if found is None and newest.id in plan.beyond:
            raise RegistryError(
                f'the newest deployed change, "{plan.project}:{newest.name}", is beyond what is wanted of ours',
                detail='[tool.userscope] in pyproject.toml says ours = "core".',
                hint=f'Write ours = "all", or take the rest back: '
                f'"userscope revert --to {plan.project}:{plan.changes[-1].name}".',
            )
        if found is None:
            hint = "Bring back the plan as it was deployed; changes are added at its end."
            raise RegistryError(
                f'the newest deployed change, "{plan.project}:{newest.name}", is not in the plan',
                detail=f"Its id is {newest.id}. Was {plan.path} edited since, or is it another one?",
                hint=f"{hint} {UNRELEASED}" if plan.project in OURS else hint,
            )
        return found.index

    def find(self, project: str, key: str, plan: Plan) -> Deployed | None:
        """Find a deployed change by ``name``, ``@tag``, ``name@tag`` or id, each with an offset.

        Raises RegistryError where the name is ambiguous.
        """
        key, offset = split_offset(key)
        name, _, tag = key.partition("@")
        rows = self.of(project)
        if tag:
            id_ = self.resolve(Dependency(project, name or None, tag))
        elif is_id(key):
            id_ = key
        elif key in ("HEAD", "ROOT"):
            id_ = self.resolve(Dependency(project, None, key))
        else:
            same = [row.id for row in rows if row.name == name]
            if len(same) > 1:
                choices = (plan.tagged_name(plan.lookup[id_][0]) for id_ in reversed(same) if id_ in plan.lookup)
                raise RegistryError(
                    f'change "{key}" is ambiguous', hint=f"It was reworked; name one of {', '.join(choices)}."
                )
            id_ = same[0] if same else None
        index = next((index for index, row in enumerate(rows) if row.id == id_), None)
        if index is None or not 0 <= index + offset < len(rows):
            return None
        return rows[index + offset]

    def resolve(self, dependency: Dependency) -> str | None:
        """Return the id of the deployed change that a dependency on another project means, as Sqitch finds it."""
        if dependency.id:
            return dependency.id if dependency.id in self.ids() else None
        rows = self.of(dependency.project)
        tagged = self.tags.get((dependency.project, f"@{dependency.tag}"))
        if not dependency.change:
            ends = {"HEAD": rows[-1:], "ROOT": rows[:1]}.get(dependency.tag or "")
            if ends is not None:
                return ends[0].id if ends else None
            return tagged[0] if tagged else None
        same = [row for row in rows if row.name == dependency.change]
        if dependency.tag == "HEAD":
            same = same[-1:]
        elif dependency.tag is not None:
            same = [row for row in same if tagged and row.committed_at <= tagged[1]][-1:]
        return same[0].id if same else None

    def requiring(self, change_id: str) -> list[Deployed]:
        """The deployed changes of any project that require this one."""
        return [change for change in self.changes if change_id in self.requires.get(change.id, ())]

    def deploy(self, change: Change, ids: Iterable[str]) -> None:
        """Count a change as deployed: after all others, "~" sorts behind every time."""
        at = f"~{len(self.changes):09}"
        self.changes.append(Deployed(change.id, change.name, change.project, at))
        self.requires[change.id] = set(ids)
        for tag in change.tags:
            self.tags[change.project, tag.label] = (change.id, at)


def _worded(uri: str | None) -> str:
    return "no URI" if uri is None else f"the URI {uri}"
