"""``userscope audit``: who may do what in the live database, and what is wrong with it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from userscope.cli._ledger import print_json
from userscope.cli._options import Json, admin

if TYPE_CHECKING:
    from userscope.migrations.projects import Project


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(audit)


def audit(
    *,
    as_json: Json = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown, with who may do what.")] = False,
    drift: Annotated[
        bool, typer.Option("--drift", help="Also compare with a scratch deployment of the migrations.")
    ] = False,
    project: Annotated[
        list[Path] | None,
        typer.Option(
            "--project", metavar="DIR", help="With --drift: projects of your own beside ours; may be repeated."
        ),
    ] = None,
    folder: Annotated[
        Path | None, typer.Option("--questions", metavar="DIR", help="Questions other than policies/audit/*.sql.")
    ] = None,
) -> None:
    """Ask who may do what, and what is wrong with it. Exit code 1 if there is an error among the findings.

    Other schemas and roles: alter database app set userscope.audit_schemas = 'app, billing' (docs/audit.md).

    Example: userscope audit --json
    """
    from userscope.audit import run
    from userscope.errors import ConfigurationError

    if as_json and markdown:
        raise ConfigurationError("--json and --markdown exclude each other", hint="Choose one of them.")
    url = admin()
    report = run.audit(url, folder=folder)
    if drift:
        from userscope.audit.drift import drifted

        report = report.with_findings(drifted(url, _beside_ours(project or [])))
    if as_json:
        print_json(report.as_json())
    elif markdown:
        print(report.as_markdown())
    else:
        print(report.as_text())
    raise typer.Exit(int(report.failed))


def _beside_ours(folders: list[Path]) -> "list[Project]":
    """Load projects, with ours before them unless they are named themselves."""
    from userscope.migrations.projects import find

    named = find(folders) if folders else []
    names = {project.name for project in named}
    return [*(project for project in find() if project.name not in names), *named]
