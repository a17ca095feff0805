"""All commands in one application; a command imports what it uses when it runs, so that ``--help`` is quick."""

import importlib

import typer

app = typer.Typer(
    help="A user reaches only their own rows: kept by PostgreSQL itself.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)

# Each module holds the commands of one concern and adds them by its register(app).
for _concern in ("server", "migrations", "inspection", "seals", "services", "demo", "audit", "mutate", "new_table"):
    importlib.import_module(f"userscope.cli.{_concern}").register(app)
