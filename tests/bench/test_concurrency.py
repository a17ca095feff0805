"""Many clients are measured by ways that read the same, in the round trips that are said; any other is an error."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest

from bench.concurrency import KINDS, TRIPS, AtOnce, counted, measured, prepare
from tests.clusters import Database
from userscope.postgres.url import ConnectionURL


@pytest.fixture
def people(database: Database) -> list[UUID]:
    """Whose todos are read."""
    return prepare(database.url("admin"))


@pytest.mark.parametrize("kind", KINDS)
def test_measured(database: Database, people: list[UUID], kind: str) -> None:
    """Trips, throughput and the slowest page of a hundred, for more clients than there are connections."""
    admin, service = database.url("admin"), database.url("service")
    assert counted(KINDS[kind], admin, service, people[0]).counts == {f"trips.{way}": n for way, n in TRIPS.items()}
    with KINDS[kind](admin, service) as by:
        found = measured(by, 16, people, pages=48, rounds=1)
    assert found.ratios.keys() == {
        "where/reader", "where/session", "reader_p99/where_p99", "session_p99/where_p99",
    }  # fmt: skip
    assert all(figure > 0 for figure in (*found.ratios.values(), *found.medians.values()))
    assert all(found.medians[f"{way}_p99"] > found.medians[way] for way in TRIPS)  # a page waits for its turn


@pytest.mark.parametrize(("way", "instead", "refused"), [
    ("session", "where", "the round trips are not what was expected"),
    ("reader", None, "these read something else"),
])  # fmt: skip
def test_refused(database: Database, people: list[UUID], way: str, instead: str | None, refused: str) -> None:
    """A way with other trips, or with other rows, is not measured."""

    @contextmanager
    def ways(admin: ConnectionURL, service: ConnectionURL) -> Iterator[dict[str, AtOnce]]:
        with KINDS["threads"](admin, service) as by:
            yield {**by, way: by[instead] if instead else lambda clients, people: [(clients * 1.0, {people[0]})]}

    with pytest.raises(RuntimeError, match=refused):
        counted(ways, database.url("admin"), database.url("service"), people[0])
