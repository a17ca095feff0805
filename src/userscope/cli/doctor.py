"""``userscope doctor``: what a report of a bug is asked for."""

import sys

import typer

from userscope.cli._ledger import print_json
from userscope.cli._options import Json
from userscope.cli._paint import painted

_COLOURS = {"ok": "green", "wrong": "red", "unknown": "red", "skipped": "yellow"}


def doctor(*, as_json: Json = False) -> None:
    """Tell what a report of a bug is asked for; no secret.

    Versions, settings, logins, seals, pending changes, the audit's summary, the pool. It starts and changes nothing.
    Exit code 1 if something is wrong, 2 if something could not be looked at.

    Example: userscope doctor --json
    """
    from dataclasses import asdict

    from userscope.cli import _examination

    found = _examination.examine()
    if as_json:
        print_json(asdict(found))
        raise typer.Exit(found.code)
    for heading, values in (("versions", found.versions), ("settings", found.settings)):
        print(painted(heading, "bold", sys.stdout))
        width = max(map(len, values), default=0)
        for name, value in values.items():
            print(f"  {name:<{width}}  {value}")
        if not values:
            print("  none is set")
    print(painted("checks", "bold", sys.stdout))
    width = max(len(check.name) for check in found.checks)
    for check in found.checks:
        state = painted(f"{check.state:<7}", _COLOURS[check.state], sys.stdout)
        print(f"  {check.name:<{width}}  {state}  {check.said}")
        if check.hint:
            print(f"  {'':<{width}}  {'':<7}  HINT:  {check.hint}")
    raise typer.Exit(found.code)
