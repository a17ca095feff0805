"""Under load and disaster nobody sees or writes another's rows, and no acknowledged write is lost; the short form."""

from collections.abc import Iterator

import pytest

from tests.clusters import Cluster, cluster_of
from tests.soak.broken import bind_once
from tests.soak.soak import Soak
from tests.soak.truth import Truth


@pytest.fixture(scope="module")
def own_cluster() -> Iterator[Cluster]:
    """A server that may be restarted."""
    with cluster_of(None, 18) as made:
        yield made


@pytest.mark.breadth
def test_soak(own_cluster: Cluster) -> None:
    """The library as it is: nothing wrong, whatever breaks."""
    soak = Soak(transactions=1200, users=100, connections=4, chaos=0.5)
    soak.carry_out(own_cluster)
    assert soak.truth.faults == []
    assert sum(soak.truth.outcomes.values()) == soak.transactions
    assert {"committed", "rolled back", "Unavailable"} <= soak.truth.outcomes.keys()
    assert soak.disasters.get("backends killed")
    # Of those that are killed, some still end while PgBouncer has others in their place.
    assert 1 <= soak.most_connections <= 2 * soak.connections < soak.users


@pytest.mark.breadth
def test_broken_build(own_cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: a build that binds an identity once a session, and wipes nothing, is caught."""
    bind_once(monkeypatch)

    def found(truth: Truth) -> bool:
        return any("rows of others" in fault for fault in truth.faults)

    soak = Soak(transactions=50_000, users=5, connections=4, chaos=0, over=found)
    soak.carry_out(own_cluster)
    assert found(soak.truth)
    assert any(" belongs to " in fault for fault in soak.truth.faults)
