"""Deploys and reverts changes over one connection, each change in one transaction where its scripts allow it."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from userscope.errors import MigrationError, ScriptError, Unavailable
from userscope.migrations import statements
from userscope.migrations.client import Client, Failed
from userscope.migrations.failures import wording
from userscope.migrations.order import Step
from userscope.migrations.plan.plan import Change
from userscope.migrations.projects import Project
from userscope.migrations.registry.read import Deployed, State
from userscope.migrations.registry.write import Batch, Registry
from userscope.migrations.statements import Deployment, Timeouts

if TYPE_CHECKING:
    from userscope.migrations.script import Kind, Script

# Waiting for another session's lock, or losing against it: the change was rolled back whole and may be tried again.
_RETRIED = {"55P03", "40P01"}
_ATTEMPTS = 5


@dataclass(frozen=True)
class Event:
    """Something to show: a remark, or what became of a change; ``width`` is the longest label of the run."""

    kind: Literal["remark", "start", "ok", "failed", "warning"]
    text: str = ""
    sign: str = ""
    width: int = 0
    seconds: float = 0.0


type Report = Callable[[Event], None]


@dataclass(frozen=True)
class Options:
    """How to go about it: ``wait`` is how long another runner is waited for, in seconds."""

    timeouts: Timeouts = field(default_factory=Timeouts)
    wait: float = 60.0
    log_only: bool = False


@dataclass
class Engine:
    """A client with the projects, and the registry as it stood when it was read."""

    client: Client
    projects: Sequence[Project]
    registry: Registry
    report: Report
    destination: str
    options: Options
    initialized: bool = False
    functions: Sequence[Mapping[str, str | None]] = ()  # those that verify scripts may call
    state: State = field(default_factory=State)

    def remark(self, text: str) -> None:
        """Show a line."""
        self.report(Event("remark", text))

    def warn(self, text: str) -> None:
        """Show a warning."""
        self.report(Event("warning", text))

    def read(self) -> None:
        """Read the registry. Raises RegistryError where it does not fit."""
        if self.initialized:
            self.state = State.parse(self.client.run([self.registry.statement("state")])[0][0]["state"] or "")
        self.state.check_version()
        for project in self.projects:
            self.state.check_project(project)

    def label(self, change: Deployed) -> str:
        """``project:name @tag …`` of a deployed change."""
        return " ".join([f"{change.project}:{change.name}", *self.state.tags_of(change.id)])

    def record_tags(self) -> None:
        """Record tags that were set since on the changes where the projects stand, as Sqitch does."""
        for project in self.projects:
            position = self.state.position(project.plan)
            tags = project.plan.changes[position].tags if position >= 0 else []
            missing = [tag for tag in tags if (project.name, tag.label) not in self.state.tags]
            if missing:
                self.client.run([self.registry.tag(tag) for tag in missing])

    def deploy(self, steps: Sequence[Step]) -> None:
        """Deploy the changes in order; the first that fails ends it, those before it stay.

        Every script is read before the first runs. Raises ScriptError, RegistryError.
        """
        deployments = [self._prepare(step) for step in steps]
        self._refuse_same_scripts(deployments)
        self._create_registry({deployment.change.project for deployment in deployments})
        width = max(len(deployment.change.label) for deployment in deployments)
        for deployment in deployments:
            with self._ledger("+", deployment.change.label, width):
                self._deploy(deployment)

    def revert(self, changes: Sequence[Deployed]) -> None:
        """Revert the changes in order; the first that fails ends it. Raises ScriptError, RegistryError."""
        projects = {project.name: project for project in self.projects}
        planned = [(change, self._revert_script(projects[change.project], change)) for change in changes]
        width = max(len(self.label(change)) for change in changes)
        for change, script in planned:
            with self._ledger("-", self.label(change), width):
                try:
                    self.run(statements.revert(change.id, script, self.registry, self.options.timeouts))
                except Failed as error:
                    raise wording(error, f'reverting "{self.label(change)}"') from None

    def run(self, trips: Sequence[Batch], *, retry: bool = False) -> None:
        """Run trips one after the other; with ``retry`` again from the first, where another session's lock won."""
        for attempt in count(1):
            try:
                for trip in trips:
                    self.client.run(trip)
            except Failed as error:
                self.client.roll_back()
                if self.client.stopped:
                    raise KeyboardInterrupt from None
                if not retry or error.sqlstate not in _RETRIED or attempt >= _ATTEMPTS:
                    raise
                self.warn(f"{error.primary}; trying again ({attempt + 1} of {_ATTEMPTS})")
                self.client.pause(2.0 ** (attempt - 2))
            else:
                self.client.roll_back()  # a verification may end inside its transaction
                return

    def _prepare(self, step: Step) -> Deployment:
        project, change = step.project, step.change
        deployment = Deployment(change, project.script_hash(change), step.requires)
        if self.options.log_only:
            return deployment
        deploy = _required(project, "deploy", project.script_of("deploy", change), f'change "{change.label}"')
        deployment = replace(deployment, deploy=deploy, verify=self._optional(project, "verify", change))
        if deployment.verifies_inside:
            return deployment
        # A verification after the commit may have to take the change back.
        return replace(deployment, revert=self._optional(project, "revert", change))

    def _optional(self, project: Project, kind: "Kind", change: Change) -> "Script | None":
        path = project.script_of(kind, change)
        try:
            return project.load(kind, path)
        except FileNotFoundError:
            self.warn(f"{kind.capitalize()} script {path} does not exist")
            return None

    def _revert_script(self, project: Project, change: Deployed) -> "Script | None":
        if self.options.log_only:
            return None
        planned = project.plan.find(change.id)
        path = project.script_of("revert", planned) if planned else project.script("revert", change.name)
        return _required(project, "revert", path, f'the deployed change "{self.label(change)}"')

    def _deploy(self, deployment: Deployment) -> None:
        timeouts = self.options.timeouts
        what = f'change "{deployment.change.label}"'
        try:
            self.run(statements.deploy(deployment, self.registry, timeouts), retry=deployment.is_atomic)
        except Failed as error:
            self._record_failure(deployment.change)
            raise wording(error, what, rolled_back=deployment.is_atomic) from None
        if deployment.is_atomic and deployment.verifies_inside:
            return
        try:
            self.run(statements.verify(deployment.verify, timeouts))
            if not deployment.is_atomic:
                self.run([statements.record(deployment, self.registry, timeouts)])
        except Failed as error:
            raise self._undo(deployment, wording(error, what)) from None

    def _undo(self, deployment: Deployment, cause: MigrationError) -> MigrationError:
        """Take back what was committed before the verification failed; return the cause, or what is worse."""
        try:
            self.run(statements.undo(deployment, self.registry, self.options.timeouts))
        except Failed as error:
            worse = wording(error, f'reverting "{deployment.change.label}"', rolled_back=False)
            worse.detail = f"Its verification had failed: {cause.message}. {worse.detail}"
            worse.hint = "The change is still there: repair it by hand, then run the command again."
            return worse
        return cause

    def _record_failure(self, change: Change) -> None:
        try:
            self.client.run(statements.failed(change, self.registry, self.options.timeouts))
        except (Failed, Unavailable):  # the failure itself is what has to be told
            return

    def _create_registry(self, names: set[str]) -> None:
        new = [project for project in self.projects if project.name in names - self.state.projects.keys()]
        register = tuple(self.registry.register(project.name, project.plan.uri) for project in new)
        if not self.initialized:
            self.remark(f"Adding registry tables to {self.destination}")
            self.run([self.registry.create(register)])
        elif register:
            self.run([register])

    def _refuse_same_scripts(self, deployments: Sequence[Deployment]) -> None:
        taken = {(row.project, row.script_hash): row.name for row in self.state.changes if row.script_hash}
        for deployment in deployments:
            if deployment.script_hash is None:
                continue
            key = (deployment.change.project, deployment.script_hash)
            if key in taken:
                raise ScriptError(
                    f'change "{deployment.change.label}" has the same deploy script as "{taken[key]}"',
                    detail="Sqitch's registry takes a script only once in a project. Nothing was run.",
                    hint="Tell the two apart, be it by a comment.",
                )
            taken[key] = deployment.change.name

    @contextmanager
    def _ledger(self, sign: str, label: str, width: int) -> Iterator[None]:
        self.client.heed()
        self.report(Event("start", label, sign, width))
        began = time.monotonic()
        try:
            yield
        except BaseException:
            self.report(Event("failed", label, sign, width, time.monotonic() - began))
            raise
        self.report(Event("ok", label, sign, width, time.monotonic() - began))


def _required(project: Project, kind: "Kind", path: Path, what: str) -> "Script":
    try:
        return project.load(kind, path)
    except FileNotFoundError:
        raise ScriptError(
            f"{what} has no script to run",
            detail=f"There is no file {path}. Nothing was run.",
            hint="Bring the script back.",
        ) from None
