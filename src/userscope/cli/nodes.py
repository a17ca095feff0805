"""``userscope nodes``: what each node of a database that Citus distributes needs, applied and checked."""

from typing import TYPE_CHECKING, Annotated

import typer

from userscope.cli._ledger import print_json
from userscope.cli._options import Json, admin

if TYPE_CHECKING:
    from collections.abc import Sequence

    from userscope.admin.nodes import Node


def nodes(
    *,
    only_check: Annotated[bool, typer.Option("--check", help="Change nothing: tell what each node lacks.")] = False,
    as_json: Json = False,
) -> None:
    """Give every node of Citus what keeps users apart. Exit code 1 if one lacks it.

    Run it after "userscope migrate", after adding a node, and after an update of Citus. It closes Citus' own functions
    to services, and sets what a database keeps for each node; sessions that are open keep what they had.

    Example: userscope nodes --check
    """
    from userscope.admin import nodes as work

    found = (work.check if only_check else work.apply)(admin())
    if as_json:
        print_json([vars(node) for node in found])
    else:
        show(found)
    raise typer.Exit(int(any(node.problems for node in found)))


def show(found: "Sequence[Node]") -> None:
    """Print a line for each node, and one for each thing that it lacks."""
    for node in found:
        print(f"  {node.node}{' (coordinator)' if node.coordinator else ''} .. {'not ok' if node.problems else 'ok'}")
        for problem in node.problems:
            print(f"    {problem}")
