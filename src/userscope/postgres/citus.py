"""Citus: whether a database is on several nodes, and what is said where a worker is asked, not the coordinator."""

from userscope.errors import ConfigurationError
from userscope.postgres.sql import named

PLACE = named(__package__, "citus.sql").strip()
"""One row: whether Citus is there, and whether this node is a worker."""


def a_worker() -> ConfigurationError:
    """Return what is said of a connection to a worker."""
    return ConfigurationError(
        "this node of Citus is a worker",
        detail="What was deployed, whether seals are required, and what fences answer is the coordinator's to tell.",
        hint="Name the coordinator's host in the URL.",
    )
