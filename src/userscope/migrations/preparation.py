"""Scripts are read before anything runs: those to deploy, with what may be needed, and those to revert."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from userscope.errors import ScriptError
from userscope.migrations.order import Step
from userscope.migrations.plan.plan import Change
from userscope.migrations.projects import Project
from userscope.migrations.registry.read import Deployed, State
from userscope.migrations.statements import Deployment, Timeouts

if TYPE_CHECKING:
    from userscope.migrations.script import Kind, Script


type Command = Literal["deploy", "revert", "verify"]


@dataclass(frozen=True)
class Options:
    """How to go about it: ``wait`` is how long another runner is waited for, in seconds."""

    timeouts: Timeouts = field(default_factory=Timeouts)
    wait: float = 60.0
    log_only: bool = False
    verify: bool | None = None
    """Whether to verify what is deployed; None leaves it to sqitch.conf, and that to verify what is run."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """psql variables of the scripts, which go before those of sqitch.conf."""
    backticks: bool = False
    """Whether backticks in scripts run commands."""


@dataclass(frozen=True)
class Preparation:
    """What is deployed, how to go about it, and whom to warn."""

    state: State
    options: Options
    warn: Callable[[str], None]
    command: Command = "deploy"
    """Whose variables of sqitch.conf count: deploy, revert or verify."""
    psql: Mapping[str, str] = field(default_factory=dict)
    """The variables that psql itself would set of its connection."""

    def deployments(self, steps: Sequence[Step]) -> list[Deployment]:
        """Read and check every script of what is to be deployed. Raises ScriptError."""
        deployments = [self._deployment(step) for step in steps]
        self._refuse_same_scripts(deployments)
        return deployments

    def load(self, project: Project, kind: "Kind", path: Path) -> "Script":
        """Read and check a script. Raises ScriptError, or FileNotFoundError where there is none."""
        given = {**project.layout.variables(self.command), **self.options.variables}
        variables = {**given, "registry": project.registry, **self.psql}
        return project.load(kind, path, variables, backticks=self.options.backticks)

    def _deployment(self, step: Step) -> Deployment:
        project, change = step.project, step.change
        deployment = Deployment(project, change, project.script_hash(change), step.requires)
        path, logs_only, verifies = project.script_of("deploy", change), self.options.log_only, self.options.verify
        if verifies is None:
            verifies = project.layout.verifies(default=not logs_only)
        if not logs_only:
            deploy = self._required(project, "deploy", path, f'change "{change.label}"')
            deployment = replace(deployment, deploy=deploy, unverified=not verifies)
        elif deployment.script_hash is None:
            self.warn(f'Deploy script {path} does not exist: "{change.label}" is recorded without its hash')
        verify = self._optional(project, "verify", change) if verifies else None
        deployment = replace(deployment, verify=verify)
        return deployment if verify is None or deployment.verifies_inside else self._revertible(deployment)

    def apart(self, deployment: Deployment) -> Deployment:
        """Return a deployment whose verification comes after the commit, since it cannot run inside."""
        return self._revertible(replace(deployment, apart=True))

    def _revertible(self, deployment: Deployment) -> Deployment:
        """Read the revert script as well: a verification after the commit may have to take the change back."""
        project, change = deployment.project, deployment.change
        if self.options.log_only:
            return deployment
        try:
            return replace(deployment, revert=self._optional(project, "revert", change))
        except ScriptError as error:
            self.warn(f'Should its verification fail, "{change.label}" cannot be reverted: {error.message}')
            return deployment

    def _optional(self, project: Project, kind: "Kind", change: Change) -> "Script | None":
        path = project.script_of(kind, change)
        try:
            return self.load(project, kind, path)
        except FileNotFoundError:
            self.warn(f"{kind.capitalize()} script {path} does not exist")
            return None

    def revert_script(self, project: Project, change: Deployed, label: str) -> "Script | None":
        """Read the script that reverts a deployed change. Raises ScriptError."""
        if self.options.log_only:
            return None
        planned = project.plan.find(change.id)
        path = project.script_of("revert", planned) if planned else project.script("revert", change.name)
        return self._required(project, "revert", path, f'the deployed change "{label}"')

    def _required(self, project: Project, kind: "Kind", path: Path, what: str) -> "Script":
        try:
            return self.load(project, kind, path)
        except FileNotFoundError:
            raise ScriptError(
                f"{what} has no script to run",
                detail=f"There is no file {path}. Nothing was run.",
                hint="Bring the script back.",
            ) from None

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
