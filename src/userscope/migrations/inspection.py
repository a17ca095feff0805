"""What is deployed, whether it still holds, and what happened: reading only, without Sqitch's lock."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from userscope.errors import MigrationError, RegistryError
from userscope.migrations import statements
from userscope.migrations.client import Failed
from userscope.migrations.engine import NOT_INSIDE, Engine, Event, Options, Report
from userscope.migrations.failures import wording
from userscope.migrations.projects import OURS, Project
from userscope.migrations.runner import connected, silent
from userscope.migrations.verification import refuse_changed_functions
from userscope.postgres.url import ConnectionURL

if TYPE_CHECKING:
    from userscope.migrations.script import Script


_IN_PLACE_OF = re.compile(r"^-- in place of: *(.*)$", re.MULTILINE)
"""By which a verify script says what its change alters so that their own verifications would fail."""


@dataclass(frozen=True)
class Status:
    """Where one project stands: nothing of ``change`` to ``committer`` is set where nothing is deployed."""

    project: str
    change_id: str | None
    change: str | None
    tags: list[str]
    deployed_at: str | None
    committer: str | None
    pending: list[str]
    problem: str | None = None
    hint: str | None = None


@dataclass(frozen=True)
class Verification:
    """What became of one change: no problems means that it holds."""

    change: str
    problems: list[str]


@dataclass(frozen=True)
class Check:
    """Whether deployed scripts are the ones in the files: ``diverges`` names the first that is not."""

    project: str
    deployed: int
    diverges: str | None


def status(url: ConnectionURL, projects: Sequence[Project] | None = None, *, report: Report = silent) -> list[Status]:
    """Tell where each project stands. Raises MigrationError, Unavailable, ConfigurationError."""
    with connected(url, projects, report=report) as engine:
        return [_status(engine, project) for project in engine.projects]


def _status(engine: Engine, project: Project) -> Status:
    deployed = engine.state.of(project.name)
    changes = project.plan.changes
    if not deployed:
        return Status(project.name, None, None, [], None, None, [change.label for change in changes])
    newest = deployed[-1]
    pending, problem, hint = [], None, None
    try:
        pending = [change.label for change in changes[engine.state.position(project.plan) + 1 :]]
    except RegistryError as error:
        problem, hint = error.message, error.hint
    return Status(
        project.name,
        newest.id,
        newest.name,
        engine.state.tags_of(newest.id),
        newest.committed_at,
        f"{newest.committer_name} <{newest.committer_email}>",
        pending,
        problem,
        hint,
    )


def verify(
    url: ConnectionURL,
    projects: Sequence[Project] | None = None,
    *,
    options: Options | None = None,
    report: Report = silent,
) -> tuple[list[Verification], list[str]]:
    """Run the verification of every deployed change; return what became of each, and the labels of pending changes.

    Older instances of reworked changes are not verified: the newer one replaced what they checked. Nor is what the
    verify script of a deployed change names behind ``-- in place of:``. Raises MigrationError, Unavailable,
    ConfigurationError.
    """
    with connected(url, projects, report=report, options=options) as engine:
        for project in engine.projects:
            if project.name in OURS:  # what another version deployed cannot hold as ours says it
                engine.state.position(project.plan)
        refuse_changed_functions(engine.functions)
        results: list[Verification] = []
        pending: list[str] = []
        width = max((len(engine.label(change)) for change in engine.state.changes), default=0)
        replaced = {name for project in engine.projects for name in _replaced(engine, project)}
        for project in engine.projects:
            results += _verify(engine, project, width, replaced)
            pending += _undeployed(engine, project)[1]
    return results, pending


def _replaced(engine: Engine, project: Project) -> list[str]:
    """Return what deployed changes of a project are verified in place of, as ``PROJECT:CHANGE``."""
    paths = [project.script("verify", row.name) for row in engine.state.of(project.name)]
    texts = [path.read_text(encoding="utf-8", errors="replace") for path in paths if path.is_file()]
    return [name for text in texts for line in _IN_PLACE_OF.findall(text) for name in line.split()]


def _verify(engine: Engine, project: Project, width: int, replaced: set[str]) -> list[Verification]:
    results, reading = [], engine.reading("verify")
    for position, row in enumerate(engine.state.of(project.name)):
        label = engine.label(row)
        engine.report(Event("start", label, "*", width))
        problems: list[str] = []
        change = project.plan.find(row.id)
        if change is None:
            problems.append("Not present in the plan")
        elif change.index != position:
            problems.append("Out of order")
        if (change is None or not change.is_reworked) and f"{row.project}:{row.name}" not in replaced:
            path = project.script_of("verify", change) if change else project.script("verify", row.name)
            try:
                run_verification(engine, reading.load(project, "verify", path))
            except FileNotFoundError:
                engine.warn(f"Verify script {path} does not exist")
            except Failed as error:
                problems.append(str(wording(error, "the verification")))
            except MigrationError as error:
                problems.append(str(error))
        for problem in problems:
            engine.warn(problem)
        engine.report(Event("failed" if problems else "ok", label, "*", width))
        results.append(Verification(label, problems))
    for label in _undeployed(engine, project)[0]:
        engine.report(Event("start", label, "*", width))
        engine.warn("Not deployed")
        engine.report(Event("failed", label, "*", width))
        results.append(Verification(label, ["Not deployed"]))
    return results


def run_verification(engine: Engine, script: "Script") -> None:
    """Run a verification, statement by statement where it cannot run in one transaction. Raises Failed."""
    timeouts = engine.options.timeouts
    try:
        engine.run(statements.verify(script, timeouts, replica=True))
    except Failed as error:
        if error.sqlstate not in NOT_INSIDE or not script.folds:
            raise
        engine.run(statements.verify(script, timeouts, replica=True, one_by_one=True))
    if script.leaves_settings:
        engine.client.renew()


def _undeployed(engine: Engine, project: Project) -> tuple[list[str], list[str]]:
    """Return the labels of changes that are missing among the deployed ones, and of those still to come."""
    deployed = {row.id for row in engine.state.of(project.name)}
    try:
        position = engine.state.position(project.plan)
    except RegistryError:
        position = len(project.plan.changes) - 1
    missing = [change.label for change in project.plan.changes[: position + 1] if change.id not in deployed]
    return missing, [change.label for change in project.plan.changes[position + 1 :]]


def check(url: ConnectionURL, projects: Sequence[Project] | None = None, *, report: Report = silent) -> list[Check]:
    """Compare the hashes of deployed scripts with the files. Raises MigrationError, Unavailable, ConfigurationError."""
    with connected(url, projects, report=report) as engine:
        return [_check(engine, project) for project in engine.projects]


def _check(engine: Engine, project: Project) -> Check:
    deployed, changes = engine.state.of(project.name), project.plan.changes
    for row, change in zip(deployed, changes, strict=False):
        if row.script_hash != project.script_hash(change):
            return Check(project.name, len(deployed), engine.label(row))
    more = deployed[len(changes) :]
    return Check(project.name, len(deployed), engine.label(more[0]) if more else None)


def log(
    url: ConnectionURL, projects: Sequence[Project] | None = None, *, limit: int | None = None, report: Report = silent
) -> list[dict[str, Any]]:
    """Return the projects' events, newest first: the columns of Sqitch's ``events``, arrays as lists.

    Raises MigrationError, Unavailable, ConfigurationError.
    """
    with connected(url, projects, report=report) as engine:
        if not engine.initialized:
            return []
        names = {project.name for project in engine.projects}
        rows = engine.client.run([engine.registry.statement("events")])[0]
    events: list[dict[str, Any]] = [dict(row) for row in rows if row["project"] in names][:limit]
    for event in events:
        for column in ("requires", "conflicts", "tags"):
            event[column] = json.loads(event[column])
    return events
