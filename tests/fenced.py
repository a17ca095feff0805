"""Fenced tables for tests: written by ``new-table --fenced``, as those of adopters are."""

from tests.clusters import Connection
from userscope.generate.table import Table

COLUMNS = ["title:text:200", "description:text:10000:null", "completed:boolean", "due_at:timestamptz:null"]
"""Those of todos."""


def add_fenced(owner: Connection, name: str, one: str) -> None:
    """Add a fenced table with the columns of todos, as the owner who migrates; its verifications must find nothing."""
    scripts = Table.of(name, COLUMNS, one, fenced=True).scripts("schema", "policies")
    for project in ("schema", "policies"):
        for kind in ("deploy", "verify"):
            owner.execute(scripts[project, kind].encode())
