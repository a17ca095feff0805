"""Projects: a plan with its folders of scripts, and which ones a command means."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from userscope import pyproject
from userscope.errors import ConfigurationError, PlanError
from userscope.migrations.config import read_config
from userscope.migrations.layout import Layout
from userscope.migrations.plan import grammar
from userscope.migrations.plan.plan import Change, Plan, Tag

if TYPE_CHECKING:
    from userscope.migrations.script import Kind, Script

KINDS = ("deploy", "revert", "verify")
OURS = ("schema", "policies")
_DISTRIBUTED = "distributed"
CORE = "@core"
"""The tag that ends, in both plans, what every adopter needs."""
# In the wheel, and in a checkout.
_SHIPPED = (Path(__file__).parents[1] / "projects", Path(__file__).parents[3])


@dataclass(frozen=True)
class Project:
    """A Sqitch project: its plan, its configuration and its scripts."""

    folder: Path
    plan: Plan
    config: dict[str, str] = field(repr=False)
    target: str | None = None
    """The target of its configuration that a command named, if any."""
    rank: int = 0
    """When it is deployed, where nothing else says so: those of the same rank as they were planned."""

    @property
    def name(self) -> str:
        """The name in its plan."""
        return self.plan.project

    @cached_property
    def layout(self) -> Layout:
        """Where its files lie and what they are called."""
        return Layout(self.folder, self.config, self.target)

    @property
    def registry(self) -> str:
        """The schema of the registry that records it."""
        return self.layout.registry

    def script(self, kind: str, name: str, rework_tags: Iterable[Tag] = ()) -> Path:
        """Return the path of a change's script; it need not exist.

        An older instance of a reworked change has its tag in the name: the first of ``rework_tags`` whose deploy
        script exists, or else the first.
        """
        *parents, last = name.split("/")
        extension = self.layout.extension
        choices = [Path(*parents, f"{last}{tag.label}.{extension}") for tag in rework_tags]
        if not choices:
            return self.layout.directory(kind) / Path(*parents, f"{last}.{extension}")
        folders = self.layout.reworked("deploy")
        chosen = next((path for path in choices if any((folder / path).exists() for folder in folders)), choices[0])
        found = [folder / chosen for folder in self.layout.reworked(kind)]
        return next((path for path in found if path.exists()), found[0])

    def script_of(self, kind: str, change: Change) -> Path:
        """Return the path of a planned change's script; it need not exist."""
        return self.script(kind, change.name, change.rework_tags)

    def load(self, kind: "Kind", path: Path, variables: Mapping[str, str], *, backticks: bool = False) -> "Script":
        """Read and check one of its scripts, with psql variables, and ``backticks`` where these may run commands.

        Raises ScriptError, or FileNotFoundError where there is none.
        """
        from userscope.migrations import script  # it loads PostgreSQL's parser, which takes a while
        from userscope.migrations.psql.session import Brought

        return script.load(path, kind, Brought(self.folder, variables, backticks))

    def script_hash(self, change: Change) -> str | None:
        """Return the SHA-1 of the deploy script's bytes, or None where there is no such file."""
        try:
            data = self.script_of("deploy", change).read_bytes()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            return None
        return hashlib.sha1(data, usedforsecurity=False).hexdigest()


def load(folder: Path, target: str | None = None) -> Project:
    """Load the project in ``folder``, as its target has it. Raises PlanError or ConfigurationError."""
    config = read_config(folder)
    layout = Layout(folder, config, target)
    if layout.engine.lower() != "pg":
        raise ConfigurationError(
            f'the project in "{folder}" is for the engine "{layout.engine}", not for PostgreSQL',
            hint="Set core.engine = pg in its sqitch.conf, or deploy it with Sqitch.",
        )
    return Project(folder, grammar.read(layout.plan_file), config, target)


def find(folders: Iterable[Path] = (), target: str | None = None) -> list[Project]:
    """Load the projects that a command means, as their ``target`` has them.

    ``folders`` are projects, or hold projects; none means ours, followed by those that ``[tool.userscope]`` names.
    Raises ConfigurationError where there are none, or two of one name, PlanError for a plan that cannot be read.
    """
    named = [
        replace(load(found, target), rank=rank) for rank, folder in enumerate(folders) for found in _in_folder(folder)
    ]
    return _together(named or _configured(target))


def beside_ours(folders: Iterable[Path] = ()) -> list[Project]:
    """Load as ``find`` does, with ours before the ``folders``, unless a folder holds a project of the same name."""
    named = [load(found) for folder in folders for found in _in_folder(folder)]
    if not named:
        return find()
    names = {project.name for project in named}
    return _together([*(project for project in _ours(pyproject.read(), named) if project.name not in names), *named])


def _configured(target: str | None) -> list[Project]:
    """Load what is meant where nothing is named: ours, then what ``[tool.userscope]`` names beside them."""
    section = pyproject.read()
    own = [load(found, target) for folder in section.projects for found in _in_folder(folder, str(section.file))]
    return [*_ours(section, own, target), *own]


def _ours(section: pyproject.Section, own: Sequence[Project], target: str | None = None) -> list[Project]:
    """Load ``schema/`` and ``policies/`` of the current folder, unless they are ``own``; else what userscope brings.

    For Citus ``distributed/`` comes behind them: of the same folder if there is one, or else userscope's.
    """
    here = Path.cwd()
    own_folders = {project.folder.resolve() for project in own}
    is_ours = _is_pair(here) and not own_folders & {(here / name).resolve() for name in OURS}
    projects = [load((here if is_ours else shipped()) / name, target) for name in OURS]
    if section.distributed:
        is_here = is_ours and is_project(here / _DISTRIBUTED)
        projects.append(load((here if is_here else shipped()) / _DISTRIBUTED, target))
    return projects if section.ours == "all" else [_up_to_core(project) for project in projects]


def _up_to_core(project: Project) -> Project:
    plan = project.plan.until(CORE)
    if plan is None:
        raise PlanError(
            f'the plan of "{project.name}" has no tag {CORE}',
            detail=f'[tool.userscope] says ours = "core", and {project.plan.path} does not say what that is.',
            hint='Write ours = "all", or bring back the tag.',
        )
    return replace(project, plan=plan)


def _together(projects: list[Project]) -> list[Project]:
    names = [project.name for project in projects]
    for name in names:
        if names.count(name) > 1:
            raise ConfigurationError(f'two projects are named "{name}"', hint="Name each project once.")
    registries = {project.registry for project in projects}
    if len(registries) > 1:
        raise ConfigurationError(
            f"the projects use different registries: {', '.join(sorted(registries))}",
            hint="Set the same registry in every sqitch.conf, or migrate them one after the other.",
        )
    return projects


def _in_folder(folder: Path, where: str = "--project") -> list[Path]:
    if folder == Path(_DISTRIBUTED) and not folder.exists():
        folder = shipped() / folder  # to go back to one node, where nobody knows that path
    if not folder.is_dir():
        raise ConfigurationError(
            f'there is no folder "{folder}"', hint=f"Name a folder in {where} that holds a sqitch.plan."
        )
    if is_project(folder):
        return [folder]
    # What exists comes before who may do what: the order decides between changes planned at the same time.
    inside = sorted(filter(is_project, folder.iterdir()), key=lambda path: (path.name != "schema", path.name))
    if not inside:
        raise ConfigurationError(
            f'"{folder}" holds no Sqitch project',
            hint=f"Name a folder in {where} with a sqitch.plan, or one whose folders have one.",
        )
    return inside


def is_project(folder: Path) -> bool:
    """Whether a folder is a Sqitch project, rather than one that may hold some."""
    return (folder / "sqitch.plan").is_file() or (folder / "sqitch.conf").is_file()


def shipped() -> Path:
    """Return the folder of the projects that this installation of userscope brings. Raises PlanError."""
    for base in _SHIPPED:
        if _is_pair(base):
            return base
    raise PlanError(
        "userscope's own projects are missing",
        detail=f"Neither the current folder nor {_SHIPPED[0]} holds schema/sqitch.plan and policies/sqitch.plan.",
        hint="Install userscope anew, or name a project by --project.",
    )


def is_shipped(project: Project) -> bool:
    """Whether userscope brings the project, so that its sqitch.conf is nobody's to edit."""
    return any(project.folder.parent == base for base in _SHIPPED)


def _is_pair(base: Path) -> bool:
    return all((base / name / "sqitch.plan").is_file() for name in OURS)
