"""``userscope add | tag | rework``: what Sqitch's commands of these names write."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from userscope.cli._options import Projects, planned, shown

if TYPE_CHECKING:
    from userscope.migrations.authoring import Written
    from userscope.migrations.projects import Project

Name = Annotated[str, typer.Argument(metavar="[PROJECT:]NAME", show_default=False, help="The change.")]
Note = Annotated[list[str], typer.Option("--note", "-n", "-m", metavar="NOTE", help="What it is for.")]
Requires = Annotated[
    list[str] | None,
    typer.Option("--requires", "-r", metavar="CHANGE", help="What must be deployed before; may be repeated."),
]
Conflicts = Annotated[
    list[str] | None,
    typer.Option("--conflicts", "-x", metavar="CHANGE", help="What must not be deployed; may be repeated."),
]


def add(
    name: Name, *, note: Note, requires: Requires = None, conflicts: Conflicts = None, project: Projects = None
) -> None:
    """Plan a change, and write its scripts as Sqitch does.

    Example: userscope add schema:notes -r users -n "Adds notes"
    """
    from userscope.migrations import authoring

    chosen, name = _chosen(name, project)
    written = authoring.add(chosen, name, "\n\n".join(note), requires or (), conflicts or ())
    for path in sorted([*written.files, *written.skipped], key=lambda path: path.parent):
        print(f"Skipped {shown(path)}: already exists" if path in written.skipped else f"Created {shown(path)}")
    print(f'Added "{written.what}" to {shown(written.plan)}')


def tag(
    name: Annotated[str, typer.Argument(metavar="[PROJECT:]TAG", show_default=False, help="The tag, such as v1.0.")],
    change: Annotated[
        str | None, typer.Argument(metavar="CHANGE", help="What to tag.", show_default="the last change")
    ] = None,
    *,
    note: Note,
    project: Projects = None,
) -> None:
    """Tag a change of a plan, such as a release.

    Example: userscope tag schema:v1.0 -n "First release"
    """
    from userscope.migrations import authoring

    chosen, name = _chosen(name, project)
    written = authoring.tag(chosen, name, "\n\n".join(note), change)
    print(f'Tagged "{written.what}" with @{name.removeprefix("@")} in {shown(written.plan)}')


def rework(
    name: Name, *, note: Note, requires: Requires = None, conflicts: Conflicts = None, project: Projects = None
) -> None:
    """Plan a change once more; its old scripts are kept.

    Example: userscope rework policies:notes -n "Completed notes are out of sight"
    """
    from userscope.migrations import authoring

    chosen, name = _chosen(name, project)
    _print_reworked(authoring.rework(chosen, name, "\n\n".join(note), requires or (), conflicts or ()))


def _print_reworked(written: "Written") -> None:
    print(f'Added "{written.what}" to {shown(written.plan)}.')
    print("Modify this file as appropriate:" if len(written.files) == 1 else "Modify these files as appropriate:")
    for path in written.files:
        print(f"  * {shown(path)}")


def rebase() -> None:
    """Refused: it is two commands here, revert and migrate.

    Example: userscope rebase
    """
    from userscope.errors import ConfigurationError

    raise ConfigurationError(
        "rebase is two commands here",
        detail="The one reverts, with the data in the tables; the other deploys.",
        hint='Run "userscope revert --to PROJECT:CHANGE", then "userscope migrate".',
    )


def _chosen(name: str, folders: Sequence[Path] | None) -> "tuple[Project, str]":
    """Return the project that a name is of, and the rest of the name."""
    from userscope.errors import ConfigurationError

    found = planned(folders)
    before, colon, after = name.partition(":")
    if colon:
        for project in found:
            if project.name == before:
                return project, after
    elif len(found) == 1:
        return found[0], name
    names = ", ".join(f'"{project.name}"' for project in found)
    raise ConfigurationError(f'"{name}" names no project', hint=f"Write PROJECT:NAME, where PROJECT is one of {names}.")
