"""What several commands take, and what they begin with."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from userscope.login import Login

if TYPE_CHECKING:
    from userscope.migrations.engine import Options
    from userscope.migrations.projects import Project
    from userscope.postgres.url import ConnectionURL
    from userscope.settings import Settings

Projects = Annotated[
    list[Path] | None,
    typer.Option("--project", metavar="DIR", help="A Sqitch project, or a folder of such; may be repeated."),
]
Target = Annotated[
    list[str] | None,
    typer.Option("--target", "-t", metavar="NAME", help="The database and settings of this target in sqitch.conf."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
LockTimeout = Annotated[str, typer.Option(metavar="TIME", help="How long to wait for one lock.")]
StatementTimeout = Annotated[str, typer.Option(metavar="TIME", help="How long a statement may run; 0 for ever.")]
Wait = Annotated[float, typer.Option(metavar="SECONDS", min=0, help="How long to wait for another runner, or Sqitch.")]
Variables = Annotated[
    list[str] | None,
    typer.Option("--set", "-s", metavar="NAME=VALUE", help="A psql variable of the scripts; may be repeated."),
]
AllowShell = Annotated[bool, typer.Option("--allow-shell", help="Let scripts run commands in backticks, as psql does.")]
LogOnly = Annotated[bool, typer.Option("--log-only", help="Record it, but run no script.")]


def admin() -> "ConnectionURL":
    """Return the admin's URL, once the embedded server runs where that is the one."""
    from userscope.settings import Settings

    settings = Settings()
    url = settings.url(Login.ADMIN)
    start_embedded(settings)
    return url


def place(folders: Sequence[Path] | None, target: Sequence[str] | None) -> "tuple[ConnectionURL | None, list[Project]]":
    """Return the projects and, where a --target was given, its URL. Raises ConfigurationError."""
    from userscope.errors import ConfigurationError
    from userscope.migrations import projects, targets
    from userscope.settings import Settings

    if not target:
        return None, find(folders)
    if len(target) > 1:
        raise ConfigurationError(
            f"--target was given {len(target)} times: {', '.join(target)}",
            detail="One run works with one database. Nothing was run.",
            hint="Run the command once for each of them.",
        )
    found = projects.find(folders or (), target[0])
    return replace(targets.url_of(found, target[0]), patience=Settings().database_pool_timeout), found


def start_embedded(settings: "Settings") -> bool:
    """Start the embedded server, unless a URL names another; True if this call started it."""
    if not settings.embedded:
        return False
    from userscope.local.server import Server

    return Server(settings.home).start()


def start_migrated(settings: "Settings") -> None:
    """Start the embedded server that was migrated before, unless a URL names another; make none.

    Raises LocalServerError where there is none yet, or it has no login for services.
    """
    if not settings.embedded:
        return
    from userscope.admin.logins import exists
    from userscope.errors import LocalServerError
    from userscope.postgres.connect import connect

    url = settings.url(Login.ADMIN)
    start_embedded(settings)
    with connect(url) as connection:
        if not exists(connection, settings.url(Login.SERVICE).user):
            raise LocalServerError("the database has not been migrated yet", hint='Run "userscope migrate" first.')


def find(folders: Sequence[Path] | None) -> "list[Project]":
    """Load the projects that --project names, or else ours and those of pyproject.toml."""
    from userscope.migrations import projects

    return projects.find(folders or ())


def beside_ours(folders: Sequence[Path] | None) -> "list[Project]":
    """Load the projects that --project names beside ours, or else those of pyproject.toml."""
    from userscope.migrations import projects

    return projects.beside_ours(folders or ())


def own_pair(folders: Sequence[Path] | None) -> "list[Project]":
    """Load the pair that something is written into: what --project or else pyproject.toml names, or stands here."""
    from userscope import pyproject
    from userscope.migrations import projects

    return projects.find(folders or pyproject.read().projects or [Path.cwd()])


def planned(folders: Sequence[Path] | None) -> "list[Project]":
    """Load what is planned in: what --project names, or the project here, or else what pyproject.toml names."""
    from userscope.migrations import projects

    here = Path.cwd()
    return projects.find([here]) if not folders and projects.is_project(here) else own_pair(folders)


def again(command: str, folders: Sequence[Path] | None) -> str:
    """Return a command as it is to be given next: with the --project that was given, unless that is known anyway."""
    from userscope import pyproject

    known = {folder.resolve() for folder in pyproject.read().projects}
    named = [folder for folder in folders or () if not {folder.resolve(), folder.resolve().parent} & known]
    return " ".join([f"userscope {command}", *(f"--project {folder}" for folder in named)])


def shown(path: Path) -> Path:
    """Return a path as seen from the current folder, where it is inside."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def tell_of_nodes(*distributed: str) -> None:
    """Say on the error output, where pyproject.toml is for Citus, where a table lies and what changes that.

    ``distributed`` are the table and, unless it is to be whole on every node, its owner's column.
    """
    from userscope import pyproject
    from userscope.postgres.sql import literal

    if pyproject.read().distributed:
        call = f"app_private.distribute({', '.join(map(literal, distributed))})"
        print(
            f"On Citus {distributed[0]} stays on the coordinator until a migration says: select {call}; "
            'docs/citus.md, "Your own tables", has what goes with it.',
            file=sys.stderr,
        )


def form_of(form: str, *, as_json: bool) -> str:
    """Return how a report is printed: --json is short for --format json. Raises ConfigurationError for two ways."""
    from userscope.errors import ConfigurationError

    if as_json and form != "text":
        raise ConfigurationError(f"--json and --format {form} exclude each other", hint="Choose one of them.")
    return "json" if as_json else form


def run_options(
    lock: str,
    statement: str,
    wait: float,
    *,
    log_only: bool = False,
    verify: bool | None = None,
    variables: Sequence[str] | None = None,
    backticks: bool = False,
) -> "Options":
    """Return what a run is told. Raises ConfigurationError for a variable that is no NAME=VALUE."""
    from userscope.errors import ConfigurationError
    from userscope.migrations.engine import Options
    from userscope.migrations.statements import Timeouts

    given: dict[str, str] = {}
    for text in variables or ():
        name, sign, value = text.partition("=")
        if not (name and sign):
            raise ConfigurationError(
                "--set has no NAME=VALUE", hint="Write --set NAME=VALUE, and --set NAME= for none."
            )
        given[name] = value
    return Options(
        Timeouts(lock, statement),
        wait=wait,
        log_only=log_only,
        verify=verify,
        variables=given,
        backticks=backticks,
    )
