"""All commands in one application; a command imports what it uses when it runs, so that ``--help`` is quick."""

from collections.abc import Callable
from typing import Annotated

import typer

from userscope.cli import (
    audit,
    demo,
    doctor,
    init,
    inspection,
    migrations,
    mutate,
    new_table,
    nodes,
    planning,
    probe,
    protect,
    seals,
    server,
    services,
)

app = typer.Typer(
    help="A user reaches only their own rows: kept by PostgreSQL itself.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)


def _version(*, asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        print(f"userscope {version('userscope')}")
        raise typer.Exit


@app.callback()
def userscope(
    *,
    version: Annotated[  # its callback answers
        bool,
        typer.Option("--version", callback=lambda asked: _version(asked=asked), is_eager=True, help="Tell it."),
    ] = False,
) -> None:
    """A user reaches only their own rows: kept by PostgreSQL itself."""


COMMANDS: list[Callable[..., None]] = [
    *(server.up, server.down, server.url, server.psql),
    *(migrations.migrate, migrations.revert),
    *(inspection.status, inspection.verify, inspection.check, inspection.log, inspection.plan),
    *(planning.add, planning.tag, planning.rework, planning.rebase),
    doctor.doctor,
    *(services.health, services.create_login, services.sample_data),
    nodes.nodes,
    demo.demo,
    audit.audit,
    mutate.mutate,
    probe.probe,
    init.init,
    new_table.new_table,
    protect.protect,
]
for command in COMMANDS:
    # What follows "--" is another program's, its options too.
    passing = {"ignore_unknown_options": True} if command is mutate.mutate else None
    app.command(context_settings=passing)(command)

seal_key = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Keys that seal identities, and whether a seal is required."
)
for name, command in seals.COMMANDS.items():
    seal_key.command(name)(command)
app.add_typer(seal_key, name="seal-key")
