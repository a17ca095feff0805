"""``userscope demo``: two people reach for each other's rows."""

import sys

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(demo)


def demo() -> None:
    """Show two users who each reach only their own rows.

    Example: userscope migrate && userscope demo
    """
    from rich.console import Console
    from rich.table import Table

    from userscope.local.demo import Step, run
    from userscope.settings import Settings

    steps: list[Step] = []
    ids = run(Settings(), steps.append)

    console = Console(highlight=False)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title, share in (("who", 1), ("sends", 6), ("PostgreSQL answers", 4)):
        table.add_column(title, ratio=share if console.is_terminal else None, overflow="fold")
    shown = {str(value): name for name, value in ids.items()}
    last = ""
    for step in steps:
        if last and step.who != last:
            table.add_section()
        sql = step.sql
        for user_id, name in shown.items():
            sql = sql.replace(f"'{user_id}'", f"<{name}>")
        answer = step.answer if step.right else f"{step.answer}   ← WRONG"
        table.add_row("" if step.who == last else step.who, sql, answer, style=None if step.right else "bold red")
        last = step.who
    console.print(table)

    wrong = sum(not step.right for step in steps)
    console.print()
    if wrong:
        console.print(f"{wrong} of {len(steps)} answers are wrong: rows are not isolated.", style="bold red")
        sys.exit(1)
    console.print("Nobody reached a row of anybody else. Try it by hand:")
    for name, user_id in ids.items():
        console.print(f"  userscope psql --as {user_id}   # {name}")
