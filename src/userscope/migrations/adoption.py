"""How much of the plans a database holds that was made without them: what verifications say of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from userscope.errors import MigrationError
from userscope.migrations.client import Failed
from userscope.migrations.engine import Engine, Event, Options, Report
from userscope.migrations.failures import wording
from userscope.migrations.inspection import run_verification
from userscope.migrations.plan.plan import Change
from userscope.migrations.projects import Project
from userscope.migrations.runner import connected, silent
from userscope.migrations.verification import refuse_changed_functions
from userscope.postgres.url import ConnectionURL


@dataclass(frozen=True)
class Standing:
    """Up to which pending change a project's verifications hold: ``last``, named with its tag where that is needed."""

    project: str
    pending: int
    last: str | None = None
    held: int = 0
    problem: str | None = None
    """Why the change after it does not hold."""

    @property
    def sentence(self) -> str:
        """The same in words."""
        if not self.pending:
            return "everything is recorded"
        if self.last is None:
            return f"nothing that is pending is there ({self.pending} pending)"
        return f'"{self.last}" and what is planned before it is there ({self.held} of {self.pending} pending)'


def standing(
    url: ConnectionURL, projects: Sequence[Project], *, options: Options | None = None, report: Report = silent
) -> list[Standing]:
    """Run verifications of pending changes, each rolled back, up to the first of each project that fails.

    A change without a verification, or whose verification asks nothing, is taken along with a later one that holds, and
    so is the older instance of a reworked one. Raises MigrationError, Unavailable, ConfigurationError.
    """
    with connected(url, projects, report=report, options=options) as engine:
        refuse_changed_functions(engine.functions)
        return [_standing(engine, project) for project in engine.projects]


def _standing(engine: Engine, project: Project) -> Standing:
    pending = project.plan.changes[engine.state.position(project.plan) + 1 :]
    width = max((len(change.label) for change in pending), default=0)
    found = Standing(project.name, len(pending))
    for number, change in enumerate(pending, start=1):
        problem = _problem(engine, project, change)
        if problem is None:
            continue
        engine.report(Event("start", change.label, "*", width))
        engine.report(Event("failed" if problem else "ok", change.label, "*", width))
        if problem:
            engine.warn(problem)
            return Standing(found.project, found.pending, found.last, found.held, problem)
        found = Standing(project.name, len(pending), _named(project, change), number)
    return found


def _named(project: Project, change: Change) -> str:
    several = len(project.plan.lookup[change.name]) > 1
    return project.plan.tagged_name(change.index) if several else change.name


def _problem(engine: Engine, project: Project, change: Change) -> str | None:
    """Return why a change does not hold; empty if it does, None if nothing tells."""
    if change.is_reworked:
        return None
    try:
        script = engine.reading("verify").load(project, "verify", project.script_of("verify", change))
        if not script.body:
            return None
        run_verification(engine, script)
    except FileNotFoundError:
        return None
    except Failed as error:
        return str(wording(error, "the verification"))
    except MigrationError as error:
        return str(error)
    return ""
