"""``userscope demo``: two people reach for each other's rows."""

import os
import sys
from typing import Annotated

import typer

from userscope.cli._options import start_migrated


def demo(
    table: Annotated[
        str | None, typer.Option("--table", metavar="NAME", help="A table of your own, rather than todos.")
    ] = None,
) -> None:
    """Show two users who each reach only their own rows.

    With ours = "core" the first table of your own is taken. Each of the two has two rows in it, which stay.

    Example: userscope migrate && userscope demo
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from userscope import pyproject
    from userscope.demo import own_demo
    from userscope.demo.demo import Step, run, sign_up
    from userscope.settings import Settings

    settings = Settings()
    settings.require_local("userscope demo")
    start_migrated(settings)
    steps: list[Step] = []
    accounts = pyproject.read().ours == "all"
    if accounts and table is None:
        ids = {name: str(made) for name, made in run(settings, steps.append).items()}
    else:
        signed_up = sign_up(settings, steps.append) if accounts else {}
        known = {name: str(made) for name, made in signed_up.items()}
        ids = own_demo.run(settings, known, table, steps.append)

    console = Console(
        color_system=None if os.environ.get("NO_COLOR") else "auto",
        highlight=False,
        width=None if sys.stdout.isatty() else 120,
    )
    ledger = Table(box=None, pad_edge=False, header_style="bold")
    headings = ("who", "sends", "PostgreSQL answers")
    for title in headings:
        # An answer may be an id, which nobody could copy out of two lines.
        ledger.add_column(title, overflow="fold", no_wrap=title == headings[-1])
    shown = {value: name for name, value in ids.items()}
    last = ""
    for step in steps:
        if last and step.who != last:
            ledger.add_section()
        sql = step.sql
        for user_id, name in shown.items():
            sql = sql.replace(f"'{user_id}'", f"<{name}>")
        answer = step.answer if step.right else f"{step.answer}  ← wrong"
        who = "" if step.who == last else step.who
        ledger.add_row(who, Text(sql), Text(answer), style=None if step.right else "bold red")
        last = step.who
    console.print(ledger)

    wrong = sum(not step.right for step in steps)
    console.print()
    if wrong:
        console.print(f"{wrong} of {len(steps)} answers are wrong: rows are not isolated.", style="bold red")
        sys.exit(1)
    console.print("Nobody reached a row of anybody else. Try it by hand:")
    for name, made in ids.items():
        console.print(f"  userscope psql --as {made}   # {name}", soft_wrap=True)
