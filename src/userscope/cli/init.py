"""``userscope init``: an empty folder becomes a project."""

from pathlib import Path
from typing import Annotated

import typer


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where; it is made if need be.")] = Path(),
    *,
    table: Annotated[
        str | None,
        typer.Option(metavar="'NAME COLUMN:TYPE …'", help="Also a first table, with its class and its test."),
    ] = None,
    core: Annotated[
        bool, typer.Option("--core", help="Roles and identities alone of ours: you have users of your own.")
    ] = False,
) -> None:
    """Make a project of a folder.

    Two Sqitch projects of your own, what says so in pyproject.toml, conftest.py; nothing is overwritten.

    Example: userscope init shop --table 'orders title:text:200 total:numeric'
    """
    from userscope.generate import start
    from userscope.generate.table import Table
    from userscope.settings import Settings

    words = (table or "").split()
    owner = Settings().userscope_user_id if core else "uuid"
    first = Table.of(words[0], words[1:], owner=owner, users=not core) if words else None
    for path in start.start(folder, ours="core" if core else "all", table=first):
        print(f"  + {path}")
    there = "" if folder == Path() else f"cd {folder} && "
    tested = " && pytest" if first else ""
    print(f'Next: "{there}userscope migrate{tested}"; "userscope new-table" adds {"more" if first else "a table"}.')
