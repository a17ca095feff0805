"""Whatever befalls a replica, everybody sees what they wrote, and nobody an error; the short form of the soak."""

import pytest

from tests.replicas.soak import ReplicaSoak
from tests.versions import MAIN


@pytest.mark.breadth
def test_soak() -> None:
    """Nothing wrong; without a position some did see less, so that the replica was behind."""
    soak = ReplicaSoak(operations=4000, users=50, chaos=1)
    soak.carry_out(MAIN)
    assert soak.truth.faults == []
    assert soak.truth.outcomes == {"committed": soak.operations}
    assert soak.disasters.get("pause")
    assert soak.stale > 0
    assert min(soak.answered.values()) > 0
