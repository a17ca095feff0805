"""Citus: a coordinator with two workers, one trio for each module and worker of pytest's.

Neither pip nor apt has a package of Citus, so these tests run where CITUS_BIN names the folder of a PostgreSQL's
programs that has it, and are left out elsewhere.
"""

import os
from collections.abc import Iterator

import pytest

from tests.citus.arena import Arena, arena_of
from tests.citus.rig import Distributed, Nodes, nodes_of
from userscope.admin import nodes as nodes_work

collect_ignore_glob = [] if os.environ.get("CITUS_BIN") else ["test_*.py"]


@pytest.fixture(scope="session")
def nodes() -> Iterator[Nodes]:
    """The servers; databases and more servers are made in them."""
    with nodes_of() as made:
        yield made


@pytest.fixture(scope="module")
def distributed(nodes: Nodes) -> Iterator[Distributed]:
    """A migrated database on a coordinator and two workers, for a module's tests."""
    made = nodes.database()
    made.migrate()
    yield made
    made.drop()


@pytest.fixture
def ready(distributed: Distributed) -> Distributed:
    """The same, with nodes that have all that they need."""
    assert [node.problems for node in nodes_work.apply(distributed.coordinator.url())] == [()] * 3
    return distributed


@pytest.fixture(scope="module")
def arena(distributed: Distributed) -> Arena:
    """One with somebody who attacks and somebody who has what they are after."""
    return arena_of(distributed)
