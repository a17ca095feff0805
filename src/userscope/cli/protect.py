"""``userscope protect``: what closes a table that exists, and opens it to its rows' owners."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from userscope.cli._options import Projects, admin, again, own_pair, shown, tell_of_nodes

if TYPE_CHECKING:
    from userscope.generate.protection.scripts import Protection
    from userscope.generate.protection.study import Found


def protect(
    table: Annotated[str, typer.Argument(metavar="SCHEMA.TABLE", help="The table, as it is in the database now.")],
    *,
    owner: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="The column that says whose a row is: uuid, bigint or text.")
    ] = None,
    through: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN",
            help="A foreign key to a table whose rows have owners; again for one further on. Its --owner then.",
        ),
    ] = None,
    organization: Annotated[
        bool, typer.Option("--organization", help="That column names an organization: docs/organizations.md.")
    ] = False,
    read_only: Annotated[
        list[str] | None, typer.Option(metavar="COLUMN", help="A column that owners may not write; may be repeated.")
    ] = None,
    every_row: Annotated[
        list[str] | None,
        typer.Option(metavar="ROLE", help="A role that reaches every row, as app_auth or app_admin; may be repeated."),
    ] = None,
    without_owner: Annotated[
        bool, typer.Option("--without-owner", help="Leave rows without an owner where nobody sees them.")
    ] = False,
    form: Annotated[
        Literal["sqitch", "alembic", "sql"],
        typer.Option("--format", help="Two changes, one revision, or a script on standard output."),
    ] = "sqitch",
    revert: Annotated[bool, typer.Option("--revert", help="Write the way back instead.")] = False,
    project: Projects = None,
) -> None:
    """Write what protects a table that exists.

    It reads the admin's database and changes nothing there: what it writes is for you to read and to deploy. Rows,
    constraints and columns stay as they are.

    Example: userscope protect public.item --owner owner_id --format alembic
    """
    from userscope.errors import ConfigurationError
    from userscope.generate.protection import study

    asked = study.Asked(table, owner, through or [], read_only or [], every_row or [], without_owner, organization)
    found = study.study(admin(), asked)
    protection = found.protection
    if found.protected and not revert:
        print(f"{protection.table.name} is protected already.", file=sys.stderr)
        return
    if revert and not found.protected and form != "sql":
        raise ConfigurationError(
            f"{protection.table.name} is not protected, so there is no way back to write",
            hint="What is written but not deployed is taken back by deleting it, and its line in each plan.",
        )
    print(_written(protection, form, project, back=revert), end="")
    if not revert:
        _tell(found, form, project)


def _written(protection: "Protection", form: str, project: list[Path] | None, *, back: bool) -> str:
    from userscope.errors import ConfigurationError
    from userscope.generate import files
    from userscope.generate.protection import revision

    if form == "sql":
        return revision.sql(protection, back=back)
    if form == "alembic":
        return f"  + {shown(revision.write(protection, (project or [Path.cwd()])[0], back=back))}\n"
    try:
        pair = own_pair(project)
    except ConfigurationError as error:
        if not project and Path("alembic.ini").is_file():
            error.hint = "Say --format alembic: alembic.ini stands here."
        raise
    if back:
        scripts = files.way_back(protection, pair)
        lines = "".join(f"  = {shown(path)}\n" for path in scripts)
        change = f"{pair[0].name}:{protection.change}"
        return f'{lines}They are written already. Next: "userscope revert --to" the change before {change}.\n'
    return "".join(f"  + {shown(path)}\n" for path in files.protect(protection, pair))


def _tell(found: "Found", form: str, project: list[Path] | None) -> None:
    """Say what no policy changes, and what is to be done next; beside a script that is printed, on the error output."""
    protection = found.protection
    whose = protection.ownership
    out = sys.stderr if form == "sql" else sys.stdout
    named = f"the organization's that {whose.owner} names" if whose.organization else f"whose {whose.owner} names"
    there = f", in {whose.refers}" if whose.refers else ""
    print(f"Rows of {protection.table.name} are {named}{there}. What this does not change:", file=out)
    for what, cure in found.beyond:
        same = f" --format {form}" if form != "sqitch" and cure.startswith("userscope protect") else ""
        print(f"  ! {what}\n    {cure}{same}", file=out)
    if not found.beyond:
        print("  nothing was found", file=out)
    if whose.kind != "uuid":
        print(f"Services say who acts by such an id with USERSCOPE_USER_ID={whose.kind}.", file=out)
    if form == "alembic" and protection.index:
        index = f'Index("{protection.index}", "{whose.column.name}")'
        print(f"Name the index in the model as well, or autogenerate drops it: {index}.", file=out)
    deploy = {
        "sqitch": f'"{again("migrate", project)}"',
        "alembic": '"alembic upgrade head"',
        "sql": "it as the owner",
    }[form]
    print(f"Next: read {'it' if form == 'sql' else 'what was written'}, and run {deploy}.", file=out)
    if not whose.parents:
        tell_of_nodes(protection.table.name, whose.column.name)
