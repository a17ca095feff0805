"""An arena for each kind of owner and version, and its twin."""

from collections.abc import Iterator

import pytest

from tests.attacks.arena import Arena
from tests.clusters import MAIN, Cluster, OwnerKind, both_ends, cluster_of

GROUNDS = [
    *both_ends(("attacked", "neon"), ("attacked15", "superuser")),
    *(
        pytest.param(("attacked", kind), id=f"{MAIN}-{kind}", marks=pytest.mark.breadth)
        for kind in ("superuser", "plain")
    ),
]
"""Owners like Neon's first: theirs bypasses row-level security, and is not superuser."""


@pytest.fixture(scope="session")
def attacked() -> Iterator[Cluster]:
    """A server that only attacks see: what one does to roles would reach every database of it.

    Nothing is vacuumed at an instant that nobody chose: what a plan reads of the catalog would show it.
    """
    with cluster_of(autovacuum="off") as made:
        yield made


@pytest.fixture(scope="session")
def attacked15() -> Iterator[Cluster]:
    """Its like of PostgreSQL 15."""
    with cluster_of(version=15, autovacuum="off") as made:
        yield made


class Grounds:
    """The pristine arena of one kind, its twin, and a copy that attacks may spoil."""

    def __init__(self, pristine: Arena, twin: Arena) -> None:
        self.pristine, self.pristine_twin = pristine, twin
        self.twin = twin.clone()
        self._spoilable: Arena | None = None

    def arena(self, *, sealed: bool, unmoved: bool) -> Arena:
        """A copy that is as it should be: the one of the attack before, unless its traces do not go away.

        ``unmoved``: it and its twin were treated alike, so that they differ in nothing but Bob; dead rows
        of an earlier round would show in plans, or not, depending on who else is at work.
        """
        arena = self._spoilable
        if arena is not None and (not arena.mend() or (unmoved and (arena.moved or arena.sealed is not sealed))):
            arena.drop()
            arena = None
        if arena is None:
            arena = self._spoilable = self.pristine.clone()
            if unmoved:
                self.twin.drop()
                self.twin = self.pristine_twin.clone()
        for each in (arena, self.twin):
            if each.sealed is not sealed:
                each.require_seals(sealed)
        arena.moved = not unmoved
        return arena

    def drop(self) -> None:
        """Drop all of them."""
        for arena in (self._spoilable, self.twin, self.pristine, self.pristine_twin):
            if arena:
                arena.drop()


@pytest.fixture(scope="session", params=GROUNDS)
def grounds(request: pytest.FixtureRequest) -> Iterator[Grounds]:
    """A database of each kind."""
    name, kind = request.param
    cluster: Cluster = request.getfixturevalue(name)
    yield from _grounds(cluster, kind)


@pytest.fixture(scope="session")
def plain(attacked: Cluster) -> Iterator[Grounds]:
    """A database of the weakest owner, for holes to be opened in."""
    yield from _grounds(attacked, "plain")


def _grounds(cluster: Cluster, kind: OwnerKind) -> Iterator[Grounds]:
    made = Grounds(Arena.build(cluster, kind), Arena.build(cluster, kind, twin=True))
    yield made
    made.drop()
