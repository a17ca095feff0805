"""Whether the planner does what the indexes were made for, as a user of the table sees it."""

import re
from collections.abc import Iterator
from typing import Any

import psycopg

from bench.operations import Operation

_SORTS = ("Sort", "Incremental Sort")
_PARALLEL = ("Gather", "Gather Merge")
_IDENTITIES = {"update": 2}
"""How often a statement asks who it acts for, where that is not once: for the old row and for the new one."""


def plan(connection: psycopg.Connection[Any], operation: Operation, **values: str) -> dict[str, Any]:
    """EXPLAIN it as the user for whom ``connection`` acts."""
    statement = re.sub(r"(?<!:):(\w+)", r"%(\1)s", operation.as_user)
    row = connection.execute(f"explain (format json) {statement}".encode(), values).fetchone()
    assert row is not None  # noqa: S101 -- EXPLAIN answers with one row
    found: dict[str, Any] = row[0][0]["Plan"]
    return found


def problems(operation: Operation, plan: dict[str, Any], leader: str = "owner_id") -> list[str]:
    """Return what is wrong with a plan: nothing, if it finds the user's rows by an index that ``leader`` leads.

    Each answer names the node, so that whoever reads it knows where to look.
    """
    nodes = list(_nodes(plan))
    found = [f"{node['Node Type']} on {node['Relation Name']}" for node in nodes if node["Node Type"] == "Seq Scan"]
    found += [f"{node['Node Type']} of what an index could order" for node in nodes if node["Node Type"] in _SORTS]
    found += [f"{node['Node Type']}: workers for one user's rows" for node in nodes if node["Node Type"] in _PARALLEL]
    identities = [node for node in nodes if node.get("Parent Relationship") == "InitPlan"]
    if operation.name != "insert":
        if len(identities) != _IDENTITIES.get(operation.name, 1):
            found.append(f"{len(identities)} InitPlans")
        scans = [node for node in nodes if "Index Name" in node]
        if not scans:
            found.append("no index is used")
        for scan in scans:
            if not re.match(rf"\(*{leader} = (\(InitPlan \d+\)\.col1|\$\d+)", scan.get("Index Cond", "")):
                found.append(f"{scan['Index Name']} is not led by {leader}: {scan.get('Index Cond')}")
    return found


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from _nodes(child)
