"""``userscope new-table``: the files of a table whose rows each belong to one user."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from userscope.cli._options import Projects, again, own_pair, shown, tell_of_nodes


def new_table(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The table, in the plural: notes.")],
    columns: Annotated[
        list[str] | None,
        typer.Argument(metavar="COLUMN:TYPE", help="What its owner writes: title:text:200 due_at:timestamptz:null …"),
    ] = None,
    *,
    fenced: Annotated[
        bool, typer.Option("--fenced", help="What must not even be guessed at: docs/fences.md says what that costs.")
    ] = False,
    owner_type: Annotated[
        Literal["uuid", "bigint", "text"] | None,
        typer.Option(help="What users are known by.", show_default="USERSCOPE_USER_ID"),
    ] = None,
    organization: Annotated[
        bool, typer.Option("--organization", help="Rows belong to organizations: docs/organizations.md.")
    ] = False,
    delete_by: Annotated[
        str | None,
        typer.Option(
            metavar="ROLES", help="Which members delete, with --organization: owner,admin.", show_default="all"
        ),
    ] = None,
    references: Annotated[
        str | None, typer.Option(metavar="TABLE", help="Each row belongs to one of that table, of the same owner.")
    ] = None,
    one: Annotated[str | None, typer.Option(metavar="WORD", help='What one row is called: "note".')] = None,
    mapping: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where its Python class goes.", show_default="NAME.py")
    ] = None,
    test: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write a test of who reaches what, for pytest.")
    ] = None,
    project: Projects = None,
) -> None:
    """Write the files of a table whose rows each have an owner.

    Three scripts and a line of the plan in schema/, and as many in policies/; --project or pyproject.toml names others.

    Example: userscope new-table notes body:text:2000 done:boolean --test tests/test_notes.py
    """
    from userscope import pyproject
    from userscope.errors import ConfigurationError
    from userscope.generate import files, parent
    from userscope.generate.table import Table
    from userscope.generate.team import TeamTable
    from userscope.settings import Settings

    owner = owner_type or Settings().userscope_user_id
    pair = own_pair(project)
    above = parent.find(references, pair[0]) if references is not None else None
    whole = pyproject.read().ours == "all"
    if organization and (above or owner != "uuid" or not whole):
        raise ConfigurationError(
            "--organization goes neither with --references nor with users of your own",
            hint='Organizations are those of app.organizations; ours = "all" deploys it.',
        )
    if delete_by is not None and not organization:
        raise ConfigurationError(
            "--delete-by goes with --organization", hint="A user has no role in what is their own."
        )
    table = (
        TeamTable.of_organization(name, columns or [], one, delete_by=delete_by, fenced=fenced)
        if organization
        else Table.of(name, columns or [], one, fenced=fenced, owner=owner, users=whole, parent=above)
    )
    for path in files.write(table, pair, mapping or Path(f"{name}.py"), test):
        print(f"  + {shown(path)}")
    print(f'Next: read them, add what is your own, and run "{again("migrate", project)}".')
    tell_of_nodes(*table.distributed)
