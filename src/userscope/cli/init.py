"""``userscope init``: an empty folder becomes a project."""

from pathlib import Path
from typing import Annotated, Literal

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
    owner_type: Annotated[
        Literal["uuid", "bigint", "text"],
        typer.Option(help="What your users are known by, with --core.", envvar="USERSCOPE_USER_ID", show_envvar=False),
    ] = "uuid",
) -> None:
    """Make a project of a folder.

    Two Sqitch projects of your own, what says so in pyproject.toml, conftest.py; nothing is overwritten.

    Example: userscope init shop --table 'orders title:text:200 total:numeric'
    """
    from userscope.errors import ConfigurationError
    from userscope.generate import start
    from userscope.generate.table import Table

    if owner_type != "uuid" and not core:
        raise ConfigurationError(
            f"users are known by uuids, and not by {owner_type}",
            detail="app.users, which is deployed without --core, has such ids.",
            hint="Say --core, where you have users of your own.",
        )
    words = (table or "").split()
    first = Table.of(words[0], words[1:], owner=owner_type, users=not core) if words else None
    for path in start.start(folder, ours="core" if core else "all", table=first):
        print(f"  + {path}")
    there = "" if folder == Path() else f"cd {folder} && "
    tested = " && pytest" if first else ""
    kind = ""
    if owner_type != "uuid":
        kind = f"export USERSCOPE_USER_ID={owner_type} && "
        print(f"Services, tests and new-table are told of such ids by USERSCOPE_USER_ID={owner_type}.")
    print(
        f'Next: "{there}{kind}userscope migrate{tested}"; "userscope new-table" adds {"more" if first else "a table"}.'
    )
