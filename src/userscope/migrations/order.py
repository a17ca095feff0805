"""In which order changes of several projects are deployed, and reverted: pure functions of plans and registry."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from userscope.errors import PlanError, RegistryError
from userscope.migrations.plan.plan import Change, Dependency, Plan
from userscope.migrations.projects import Project
from userscope.migrations.registry.read import Deployed, State


@dataclass(frozen=True)
class Step:
    """A change to deploy, with the ids found for what it requires."""

    project: Project
    change: Change
    requires: tuple[tuple[Dependency, str], ...]


def pending(state: State, projects: Sequence[Project], to: tuple[Project, int] | None = None) -> list[Step]:
    """Put what is to be deployed in order: as the plans have it, required changes first, else by rank, then by time.

    Projects of one rank are merged by planning time. A rank comes after those before it, as separate runs would, and
    after those it requires. ``to`` is the last change wanted; what it needs of other projects comes along. ``state``
    becomes what it will be then. Raises RegistryError where something is missing, in conflict or deployed out of order.
    """
    waiting = {project.name: project.plan.changes[state.position(project.plan) + 1 :] for project in projects}
    _refuse_deployed(state, waiting)
    _refuse_moved_tags(state, projects)
    if to is not None:
        waiting = _needed(state, projects, waiting, *to)
    turns = _turns(projects, waiting)
    steps: list[Step] = []
    while any(waiting.values()):
        ready = [project for project in projects if waiting[project.name] and _met(state, waiting[project.name][0])]
        if not ready:
            _refuse_missing(state, waiting)
        project = min(ready, key=lambda project: (turns[project.rank], waiting[project.name][0].timestamp))
        change = waiting[project.name].pop(0)
        _refuse_conflict(state, change)
        found = tuple((dependency, _find(state, change, dependency) or "") for dependency in change.requires)
        steps.append(Step(project, change, found))
        state.deploy(change, (id_ for _, id_ in found))
    return steps


def _turns(projects: Sequence[Project], waiting: dict[str, list[Change]]) -> dict[int, int]:
    """Tell when each rank has its turn: in their order, but after those that hold what it requires."""
    ranks = {project.name: project.rank for project in projects}
    left: dict[int, set[int]] = {rank: set() for rank in sorted(ranks.values())}
    for name, changes in waiting.items():
        required = {ranks[each.project] for change in changes for each in change.requires if waiting.get(each.project)}
        left[ranks[name]] |= required - {ranks[name]}
    turns: dict[int, int] = {}

    def turn(rank: int) -> None:
        # Two that require each other cannot be done whole: they are merged, change by change.
        for required in sorted(left.pop(rank, ())):
            turn(required)
        turns.setdefault(rank, len(turns))

    for rank in tuple(left):
        turn(rank)
    return turns


def to_revert(state: State, projects: Sequence[Project], to: tuple[Project, Deployed] | None) -> list[Deployed]:
    """Put what is to be reverted in order, newest first.

    ``to`` stays, and what was deployed after it in its project goes; so does whatever requires that, with all later
    changes of its project. None means everything. Raises RegistryError where another project is in the way.
    """
    names = {project.name for project in projects}
    # Each project keeps the changes before its cut.
    cut = dict.fromkeys(names, 0)
    if to is not None:
        cut = {name: len(state.of(name)) for name in names}
        cut[to[0].name] = state.of(to[0].name).index(to[1]) + 1
    while True:
        going = [change for name in names for change in state.of(name)[cut[name] :]]
        going.sort(key=lambda change: change.committed_at, reverse=True)
        gone = {change.id for change in going}
        before = dict(cut)
        for change in going:
            for other in state.requiring(change.id):
                if other.id in gone:
                    continue
                if other.project not in names:
                    raise RegistryError(
                        f'change "{change.project}:{change.name}" is required by "{other.project}:{other.name}"',
                        detail=f'Project "{other.project}" was not named.',
                        hint=f'Revert "{other.project}" first, or name it by --project as well.',
                    )
                cut[other.project] = min(cut[other.project], state.of(other.project).index(other))
        if cut == before:
            return going


def _find(state: State, change: Change, dependency: Dependency) -> str | None:
    """Return the id of what a change depends on, if it is deployed."""
    if dependency.project != change.project:
        return state.resolve(dependency)
    found = change.plan.find(dependency.key)
    if found is None:
        raise RegistryError(
            f'change "{change.project}:{change.name}" conflicts with "{dependency.key}", which is not in the plan',
            hint="Correct the name, or remove the conflict.",
        )
    return found.id if found.id in state.ids() else None


def _met(state: State, change: Change) -> bool:
    return all(_find(state, change, dependency) for dependency in change.requires)


def _needed(
    state: State, projects: Sequence[Project], waiting: dict[str, list[Change]], project: Project, index: int
) -> dict[str, list[Change]]:
    """Cut what waits down to one project's changes up to an index, and to what they need of the others."""
    last = dict.fromkeys(waiting, -1) | {project.name: index}
    plans = {project.name: project.plan for project in projects}
    deployed = state.ids()
    while True:
        chosen = {name: [change for change in waiting[name] if change.index <= last[name]] for name in waiting}
        before = dict(last)
        for changes in chosen.values():
            for dependency in (dependency for change in changes for dependency in change.requires):
                plan = plans.get(dependency.project)
                found = _planned(plan, dependency.key) if plan is not None else None
                if found is not None and found.id not in deployed:
                    last[dependency.project] = max(last[dependency.project], found.index)
        if last == before:
            return chosen


def _planned(plan: Plan, key: str) -> Change | None:
    try:
        return plan.find(key)
    except PlanError:  # an unknown tag: whoever requires it is told by its own name
        return None


def _refuse_deployed(state: State, waiting: dict[str, list[Change]]) -> None:
    deployed = state.ids()
    for changes in waiting.values():
        for change in changes:
            if change.id in deployed:
                raise RegistryError(
                    f'change "{change.label}" is deployed already, before changes that the plan puts before it',
                    hint="Revert to where the plan and the database agree, or bring the plan back.",
                )


def _refuse_moved_tags(state: State, projects: Sequence[Project]) -> None:
    names = {change.id: change.name for change in state.changes}
    for project in projects:
        for change in project.plan.changes:
            for tag in change.tags:
                found = state.tags.get((project.name, tag.label))
                if found is not None and found[0] != change.id and found[0] in names:
                    raise RegistryError(
                        f'tag "{tag.label}" of "{project.name}" was deployed at "{names[found[0]]}", '
                        f'and the plan has it at "{change.name}"',
                        detail="A tag stays where it was deployed. Nothing was run.",
                        hint="Put it back where it was, and give the new place a tag of another name; "
                        f'or "userscope revert --to" a change before "{names[found[0]]}".',
                    )


def _refuse_missing(state: State, waiting: dict[str, list[Change]]) -> NoReturn:
    missing = [
        f'"{change.project}:{change.name}" requires "{dependency.text("")}"'
        for change in (changes[0] for changes in waiting.values() if changes)
        for dependency in change.requires
        if not _find(state, change, dependency)
    ]
    raise RegistryError(
        f"a required change is missing: {missing[0]}",
        detail=f"Nothing was run. Missing: {'; '.join(missing)}.",
        hint="Deploy the project that holds it first, or name both projects by --project.",
    )


def _refuse_conflict(state: State, change: Change) -> None:
    for dependency in change.conflicts:
        if _find(state, change, dependency):
            raise RegistryError(
                f'change "{change.project}:{change.name}" conflicts with "{dependency.text(change.project)}"',
                detail="That is deployed, or would be before it. Nothing was run.",
                hint="Revert the one, or take the other out of the plan.",
            )
