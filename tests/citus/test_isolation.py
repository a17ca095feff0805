"""The isolation suite on a coordinator: what fails there is refused by Citus, or in other words, and nothing else."""

import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.citus.rig import Distributed
from tests.clusters import ROOT

_REFUSED = (
    "modifying the partition value of rows is not allowed",
    "functions used in UPDATE queries on distributed tables must not be VOLATILE",
    "non-IMMUTABLE functions are not allowed in the RETURNING clause",
    "cannot perform an INSERT with NULL in the partition column",
    "cannot perform query on placements that were modified in this transaction by a different user",
    "triggers are not supported on reference tables",
    "cannot insert multiple commands into a prepared statement",
    "failure on connection marked as essential",
    # A role made in a transaction that is not committed yet, and a string of statements that goes to workers whole.
    'role "isolation_owner" does not exist',
    'relation "app_private.sealing" does not exist',
    "Actual message: 'permission denied for table todos'",  # which references users
    # The error is the same, and the shard's name stands in it.
    r'new row violates row-level security policy for table "[a-z]+_[0-9]+"',
    "Actual message: \"?'?the identity",
    'invalid input syntax for type uuid: "not-a-uuid"',
)
"""Citus' words. Each property behind them has a test in tests/citus/test_rows.py, or in test_identity.py."""
_OTHERWISE = {
    "test_update": "updated_at is the time that all nodes have in common, which is not the coordinator's now()",
    "test_for_update": "the view reads by a function, and locks nothing: a write compares the row",
    "test_built_as_a_fence": "the view reads by a function",
    "test_columns": "Citus needs rights to columns that have defaults",
    "test_functions": "functions that the views read by, and app.shard_key()",
    "test_functions_are_as_declared": "identities by SET LOCAL",
    "test_private_functions": "functions that distribute",
    "test_nothing_else_stands_in_the_schemas": "app_private.undistributed",
    "test_schemas_and_database": "app_roster enters app_fenced",
    "test_addresses_of_others": "rows are counted by the table's name, and read by the copy's",
    "test_a_lost_row_closes": "workers say that a seal is missing, not that the row is",
    "test_the_row_closes_by_itself": "workers have no row: the audit names one past its trigger",
    "test_what_the_row_says_is_in_effect": "a string of statements goes to workers whole",
}


@pytest.mark.breadth
def test_as_on_one_node(distributed: Distributed, tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    # What the superuser prepares keeps rows in between, which is for no service.
    distributed.execute("alter role postgres set citus.max_intermediate_result_size = -1")
    # Its two owners would wait for each other's writes to one copy, in one thread: test_rows.py has one of its own.
    left_out = "--deselect=tests/isolation/test_organizations.py::test_two_last_owners"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-n0", "-q", f"--junitxml={report}", left_out, "tests/isolation"],
        cwd=ROOT, env={**os.environ, **distributed.coordinator.environment},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    distributed.execute("alter role postgres reset citus.max_intermediate_result_size")
    cases = list(ElementTree.parse(report).getroot().iter("testcase"))  # noqa: S314  # our own
    assert len(cases) > 800, done.stdout[-2000:]
    unexplained = []
    for case in cases:
        name = str(case.get("name"))
        for failure in (*case.iter("failure"), *case.iter("error")):
            text = f"{failure.get('message')} {failure.text}"
            if name.partition("[")[0] not in _OTHERWISE and not any(re.search(words, text) for words in _REFUSED):
                unexplained.append((name, str(failure.get("message"))[:300]))
    assert not unexplained, "\n".join(map(str, unexplained))
