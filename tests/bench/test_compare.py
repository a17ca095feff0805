"""``python -m bench compare``: two commits are measured by turns, each by its own code."""

import subprocess
import sys

import pytest

from bench import compare
from bench.measuring import Times
from bench.operations import OPERATIONS
from tests.clusters import ROOT


@pytest.mark.breadth
def test_compare() -> None:
    """The source beside itself: every kind is measured on both sides, and what is added is a share of it."""
    found = compare.compare(".", ".", rounds=1, quick=True)
    assert {"reader", "reader sealed", "list, where", "delete, sealed"} <= found.keys()
    assert all(len(times.seconds[name]) == 1 and times.median(name) > 0 for times in found.values() for name in "AB")


def test_added() -> None:
    """Half of what the other one added to a WHERE, whatever a WHERE takes."""
    found = {}
    for number, operation in enumerate(OPERATIONS, 1):
        found[f"{operation.name}, where"] = Times({"A": [number], "B": [2 * number]})
        found[f"{operation.name}, ours"] = Times({"A": [number + 4], "B": [2 * number + 2]})
    assert compare.added(found, "ours") == 0.5


def test_no_commit() -> None:
    """What is no commit is said, and nothing is started."""
    command = [sys.executable, "-m", "bench", "compare", "nowhere", "."]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("ERROR:  nowhere cannot be measured\nDETAIL:  ")
