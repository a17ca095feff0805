"""Under load and disaster nobody sees or writes another's rows, and no acknowledged write is lost; the short form."""

from collections.abc import Iterator

import pytest

from tests.clusters import Cluster, cluster_of
from tests.soak.soak import Soak
from userscope.connection.scope import Command, Scope


@pytest.fixture(scope="module")
def own_cluster() -> Iterator[Cluster]:
    """A server that may be restarted."""
    with cluster_of(None, 18) as made:
        yield made


def test_soak(own_cluster: Cluster) -> None:
    """The library as it is: nothing wrong, whatever breaks."""
    soak = Soak(transactions=1200, users=100, connections=4, chaos=0.5)
    soak.carry_out(own_cluster)
    assert soak.truth.faults == []
    assert sum(soak.truth.outcomes.values()) == soak.transactions
    assert {"committed", "rolled back", "Unavailable"} <= soak.truth.outcomes.keys()
    assert soak.disasters.get("backends killed")
    assert 1 <= soak.most_connections <= soak.connections


def test_broken_build(own_cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: a build that binds an identity once a session, and wipes nothing, is caught."""
    bound: list[Scope] = []  # kept, so that no two have the same id()

    def opening(scope: Scope) -> list[Command]:
        begin: list[Command] = [] if scope.single else [(b"begin", None)]
        if any(scope is each for each in bound):
            return begin
        bound.append(scope)
        who, values = scope._identity()
        if scope.user_id is None:
            return [*begin, (who, values)]
        assert values
        remember = b"select set_config('app.user_id', $1, false), set_config('app.user_seal', $2, false)"
        return [*begin, (remember, values[:2])]

    monkeypatch.setattr(Scope, "opening", opening)
    soak = Soak(transactions=300, users=30, connections=4, chaos=0)
    soak.carry_out(own_cluster)
    assert any("rows of others" in fault for fault in soak.truth.faults)
    assert any(" belongs to " in fault for fault in soak.truth.faults)
