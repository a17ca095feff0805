"""Requests in flight fail with Unavailable, later ones succeed, and every acknowledged write is there exactly once."""

import pytest

from tests.clusters import Cluster, first_of
from tests.outages.outages import OUTAGES, carry_out

# Of these a service may notice nothing at all.
UNNOTICED = {"one backend killed (-9)", "network slow"}


@pytest.mark.parametrize("name", first_of(*OUTAGES))
def test_outages(own_cluster: Cluster, name: str) -> None:
    """The short form of each: nothing wrong was shown or kept, and the same service serves everybody again."""
    truth = carry_out(OUTAGES[name], own_cluster).truth
    assert truth.faults == []
    assert {"read", "committed"} <= truth.outcomes.keys()
    assert name in UNNOTICED or {"Unavailable", "Unavailable at COMMIT"} & truth.outcomes.keys()
