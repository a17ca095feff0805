"""Deploys and reverts changes over one connection, each change in one transaction where its scripts allow it."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Literal

from userscope.errors import MigrationError, RegistryError, Unavailable
from userscope.migrations import statements
from userscope.migrations.client import Client, Failed, Rows
from userscope.migrations.failures import wording
from userscope.migrations.plan.plan import Change
from userscope.migrations.preparation import Command, Preparation
from userscope.migrations.preparation import Options as Options
from userscope.migrations.projects import Project
from userscope.migrations.registry.read import Deployed, State
from userscope.migrations.registry.write import SYNC, Batch, Registry
from userscope.migrations.statements import Deployment

if TYPE_CHECKING:
    from userscope.migrations.locks.foreseen import Foreseen
    from userscope.migrations.script import Script

NOT_INSIDE = {"25001", "2D000"}
"""SQLSTATEs of what cannot run inside a transaction, or a savepoint."""
# Waiting for another session's lock, or losing against it: the change was rolled back whole and may be tried again.
_RETRIED = {"55P03", "40P01"}
_ATTEMPTS = 5


@dataclass(frozen=True)
class Event:
    """Something to show: a remark, or what became of a change; ``width`` is the longest label of the run."""

    kind: Literal["remark", "start", "ok", "failed", "warning", "lock"]
    text: str = ""
    sign: str = ""
    width: int = 0
    seconds: float = 0.0
    remark: str = ""
    lock: "Foreseen | None" = None


type Report = Callable[[Event], None]


class Overtaken(RegistryError):
    """Somebody else, who stood in line for the lock, has deployed or reverted between two changes of a run."""

    def __init__(self) -> None:
        super().__init__(
            "somebody else has changed what is deployed meanwhile",
            detail="They stood in line for the lock, and had it between two changes. What this run did stays.",
            hint="Run the command again.",
        )


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
    known: Sequence[str] = ()  # the settings of database and role that this session began with
    _settings: list[str] = field(default_factory=list)
    done: set[str] = field(default_factory=set)  # what this run has deployed or reverted, by id
    _others: bool = False  # whether somebody else may have had the lock meanwhile

    def remark(self, text: str) -> None:
        """Show a line."""
        self.report(Event("remark", text))

    def warn(self, text: str) -> None:
        """Show a warning."""
        self.report(Event("warning", text))

    def read(self) -> None:
        """Read the registry. Raises RegistryError where it does not fit."""
        if self.initialized:
            self.state = self._deployed()
        self.state.check_version()
        for project in self.projects:
            self.state.check_project(project)

    def _deployed(self) -> State:
        return State.parse(self.client.run([self.registry.statement("state")])[0][0]["state"] or "")

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

    def reading(self, command: Command) -> Preparation:
        """Return what reads the scripts for a command."""
        return Preparation(self.state, self.options, self.warn, command, self.client.variables)

    def deploy(self, deployments: Sequence[Deployment]) -> None:
        """Deploy the changes in order; the first that fails ends it, those before it stay.

        Raises ScriptError, RegistryError; Overtaken where somebody else has gone on with it meanwhile.
        """
        width = max(len(deployment.change.label) for deployment in deployments)
        for deployment in deployments:
            remark = "not verified" if deployment.unverified else ""
            with self._ledger("+", deployment.change.label, width, remark):
                self._deploy(deployment)
            self._refuse_others(deployment.change.id)

    def revert(self, changes: Sequence[Deployed]) -> None:
        """Revert the changes in order; the first that fails ends it. Raises ScriptError, RegistryError."""
        projects = {project.name: project for project in self.projects}
        reading = self.reading("revert")
        planned = [
            (change, reading.revert_script(projects[change.project], change, self.label(change))) for change in changes
        ]
        width = max(len(self.label(change)) for change in changes)
        for change, script in planned:
            with self._ledger("-", self.label(change), width):
                self._echo(script)
                try:
                    self.run(statements.revert(change, script, self.registry, self.options.timeouts, self.known))
                    self._renew(leaving=script is not None and script.leaves_settings)
                except Failed as error:
                    raise wording(error, f'reverting "{self.label(change)}"') from None
            self._refuse_others(change.id)

    def _refuse_others(self, done: str) -> None:
        """After a change: the lock may have been somebody else's meanwhile, who stood in line. Raises Overtaken."""
        self.done.add(done)
        if self._others:
            self._others = False
            if (self.state.ids() ^ self._deployed().ids()) - self.done:
                raise Overtaken

    def run(self, trips: Sequence[Batch], *, retry: bool = False) -> None:
        """Run trips one after the other; with ``retry`` again from the first, where another session's lock won."""
        for attempt in count(1):
            try:
                for trip in trips:
                    self._heard(trip, self.client.run(trip))
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

    def knows(self, settings: Rows) -> None:
        """Keep what was answered of the settings that this session began with."""
        self.known = self._settings = [row["setting"] or "" for row in settings]

    def _heard(self, trip: Batch, answers: Sequence[Rows]) -> None:
        """Keep what was answered of the settings that a new session would have."""
        asked = [message for message in trip if message is not SYNC]
        for message, rows in zip(asked, answers, strict=True):
            if message.sql == self.registry.settings(None).sql:
                self._settings = [row["setting"] or "" for row in rows]

    def _renew(self, *, leaving: bool) -> None:
        """Begin a new session where the next script would notice that this one is not: psql has one for each."""
        if leaving or self._settings != list(self.known):
            self._others |= self.client.renew()
            self.known = self._settings

    def _deploy(self, deployment: Deployment) -> None:
        timeouts, change = self.options.timeouts, deployment.change
        if not deployment.apart:
            self._echo(deployment.deploy)
        try:
            self.run(statements.deploy(deployment, self.registry, timeouts, self.known), retry=deployment.is_atomic)
        except Failed as error:
            if _cannot_run_inside(error, deployment):
                return self._deploy(self.reading("deploy").apart(deployment))
            self._record_failure(change)
            raise self._worded(error, deployment, rolled_back=deployment.is_atomic) from None
        self._renew(leaving=deployment.leaves_settings)
        if not (deployment.is_atomic and deployment.verifies_inside):
            self._finish(deployment)
        return None

    def _finish(self, deployment: Deployment) -> None:
        """Verify and record what was committed already."""
        timeouts = self.options.timeouts
        try:
            self.run(statements.verify(deployment.verify, timeouts, one_by_one=deployment.apart))
            if not deployment.is_atomic:
                self.run([statements.record(deployment, self.registry, timeouts)])
        except Failed as error:
            if _cannot_run_inside(error, deployment):
                return self._finish(self.reading("deploy").apart(deployment))
            raise self._undo(deployment, self._worded(error, deployment)) from None
        return self._renew(leaving=deployment.leaves_settings)

    def _worded(self, error: Failed, deployment: Deployment, *, rolled_back: bool = True) -> MigrationError:
        verifying = deployment.verify is not None and error.message.path == deployment.verify.path
        hint = "Correct the script; or leave verifications out, as Sqitch does unless asked, by --no-verify."
        return wording(
            error,
            f'change "{deployment.change.label}"',
            rolled_back=rolled_back,
            otherwise=hint if verifying else None,
        )

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

    def create_registry(self, names: set[str]) -> None:
        """Make the registry where there is none, and register these projects. Raises RegistryError."""
        new = [project for project in self.projects if project.name in names - self.state.projects.keys()]
        register = tuple(self.registry.register(project.name, project.plan.uri) for project in new)
        if not self.initialized:
            self.remark(f"Adding registry tables to {self.destination}")
            self.run([self.registry.create(register)])
            self.initialized = True
        elif register:
            self.run([register])

    def _echo(self, script: "Script | None") -> None:
        for text in script.said if script is not None else ():
            self.warn(text)

    @contextmanager
    def _ledger(self, sign: str, label: str, width: int, remark: str = "") -> Iterator[None]:
        self.client.heed()
        self.report(Event("start", label, sign, width))
        began = time.monotonic()
        try:
            yield
        except BaseException:
            self.report(Event("failed", label, sign, width, time.monotonic() - began))
            raise
        self.report(Event("ok", label, sign, width, time.monotonic() - began, remark))


def _cannot_run_inside(error: Failed, deployment: Deployment) -> bool:
    """Whether a verification failed only because it ran inside another transaction."""
    verify = deployment.verify
    return (
        verify is not None
        and not deployment.apart
        and verify.folds
        and error.message.path == verify.path
        and error.sqlstate in NOT_INSIDE
    )
