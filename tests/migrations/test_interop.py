"""Real Sqitch cannot tell our registry from its own: same rows, same dump, and either continues the other's work."""

from pathlib import Path

import pytest

from tests.clusters import Cluster, Database, OwnerKind, first_of
from tests.migrations import sqitch
from tests.migrations.conftest import NASTY, ROOT, Rows, copied, dump, rows
from userscope.migrations import inspection, runner
from userscope.migrations.plan.plan import Change
from userscope.migrations.projects import Project, find

OURS = {"ours": (ROOT, "schema", "policies"), "nasty": (NASTY, "store", "access")}


@pytest.fixture(params=first_of(*OURS))
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> list[Project]:
    """The repository's two projects, and the nasty pair."""
    source, *names = OURS[request.param]
    return copied(source, tmp_path, *names)


def by_sqitch(database: Database, pair: list[Project]) -> None:
    """Deploy both projects by Sqitch."""
    for project in pair:
        sqitch.run(project.folder, database.url(), "deploy", "--verify")


def test_same_rows_and_dump(any_cluster: Cluster, pair: list[Project]) -> None:
    """Deployed by either, every row of the registry and the whole definition of the database are the same.

    It may take ten seconds: Sqitch starts psql for every script.
    """
    theirs, ours = any_cluster.database(), any_cluster.database()
    by_sqitch(theirs, pair)
    runner.migrate(ours.url(), pair)
    assert rows(ours) == rows(theirs)
    assert dump(ours) == dump(theirs)
    for project in reversed(pair):
        sqitch.run(project.folder, theirs.url(), "revert", "-y")
    runner.revert(ours.url(), pair, to=None, confirm=lambda _: True)
    assert rows(ours) == rows(theirs)
    assert dump(ours) == dump(theirs)
    assert {row[0] for row in rows(ours)["events"]} == {"deploy", "revert"}
    theirs.drop()
    ours.drop()


@pytest.mark.parametrize("kind", first_of("neon", "plain"))
def test_owners(any_cluster: Cluster, kind: OwnerKind) -> None:
    """Owners that are no superusers, as on Neon, migrate, verify and revert as well."""
    database = any_cluster.database(kind)
    assert len(runner.migrate(database.url())) == 11
    assert runner.migrate(database.url()) == []
    verified, _ = inspection.verify(database.url())
    assert not any(result.problems for result in verified)
    assert len(runner.revert(database.url(), to=None, confirm=lambda _: True)) == 11
    database.drop()


def test_sqitch_on_ours(empty: Database, pair: list[Project]) -> None:
    """Sqitch finds a database that we deployed up to date, verified and unchanged, and has nothing to do."""
    runner.migrate(empty.url(), pair)
    before = rows(empty)
    for project in pair:
        assert "up-to-date" in sqitch.run(project.folder, empty.url(), "status").output
        assert "Verify successful" in sqitch.run(project.folder, empty.url(), "verify").output
        assert "Check successful" in sqitch.run(project.folder, empty.url(), "check").output
        assert "up-to-date" in sqitch.run(project.folder, empty.url(), "deploy").output
    assert rows(empty) == before


def test_ours_on_sqitch(empty: Database, pair: list[Project]) -> None:
    """We find a database that Sqitch deployed up to date, verified and unchanged, and have nothing to do."""
    by_sqitch(empty, pair)
    before = rows(empty)
    assert runner.migrate(empty.url(), pair) == []
    assert not any(status.pending or status.problem for status in inspection.status(empty.url(), pair))
    verified, pending = inspection.verify(empty.url(), pair)
    assert [result.change for result in verified] == [
        change.label for project in pair for change in project.plan.changes
    ]
    assert not pending
    assert not any(result.problems for result in verified)
    assert not any(check.diverges for check in inspection.check(empty.url(), pair))
    assert rows(empty) == before


@pytest.fixture(scope="module")
def whole(cluster: Cluster) -> dict[str, tuple[Rows, str, Rows, str]]:
    """Rows and dumps of both pairs, deployed and then reverted by Sqitch alone."""
    found = {}
    for name, (source, *names) in OURS.items():
        database, pair = cluster.database(), find([source / folder for folder in names])
        by_sqitch(database, pair)
        deployed = rows(database), dump(database)
        for project in reversed(pair):
            sqitch.run(project.folder, database.url(), "revert", "-y")
        found[name] = (*deployed, rows(database), dump(database))
        database.drop()
    return found


_POINTS = [
    *(("nasty", first, point) for first in ("sqitch", "userscope") for point in range(10)),
    *(("ours", ("sqitch", "userscope")[point % 2], point) for point in range(12)),
]
_FIRST = [("ours", "sqitch", 6)]


@pytest.mark.parametrize(
    ("name", "first", "point"),
    [pytest.param(*case, marks=[] if case in _FIRST else pytest.mark.breadth) for case in _POINTS],
)
def test_continue(
    empty: Database, whole: dict[str, tuple[Rows, str, Rows, str]], name: str, first: str, point: int
) -> None:
    """At every change either continues the other's half-done deploy, and then the other's half-done revert.

    The first takes ten seconds: Sqitch starts psql for every script, and there is a whole run to compare with.
    """
    source, *names = OURS[name]
    pair = find([source / folder for folder in names])
    steps = [(project, change) for project in pair for change in project.plan.changes]
    assert len(steps) == {"nasty": 9, "ours": 11}[name], "a change was added: add a point for it"
    deployed, deployed_dump, reverted, reverted_dump = whole[name]
    if first == "sqitch":
        _sqitch_to(empty, pair, steps[:point])
        runner.migrate(empty.url(), pair)
    else:
        _ours_to(empty, pair, steps[:point])
        by_sqitch(empty, [project for project in pair if any(owner is project for owner, _ in steps[point:])])
    assert rows(empty) == deployed
    assert dump(empty) == deployed_dump
    if first == "sqitch":
        _sqitch_back(empty, pair, steps[:point])
        runner.revert(empty.url(), pair, to=None, confirm=lambda _: True)
    else:
        _ours_back(empty, pair, steps[:point])
        _sqitch_back(empty, [project for project in pair if _last(project, steps[:point])], [])
    assert rows(empty) == reverted
    assert dump(empty) == reverted_dump


type Steps = list[tuple[Project, Change]]


def _last(project: Project, steps: Steps) -> str | None:
    """The id of the last of the steps that belongs to a project."""
    return next((change.id for owner, change in reversed(steps) if owner is project), None)


def _sqitch_to(database: Database, pair: list[Project], steps: Steps) -> None:
    for project in pair:
        if last := _last(project, steps):
            sqitch.run(project.folder, database.url(), "deploy", "--verify", "--to", last)


def _ours_to(database: Database, pair: list[Project], steps: Steps) -> None:
    for project in pair:
        if last := _last(project, steps):
            runner.migrate(database.url(), pair, to=f"{project.name}:{last}")


def _sqitch_back(database: Database, pair: list[Project], kept: Steps) -> None:
    for project in reversed(pair):
        last = _last(project, kept)
        if last != project.plan.changes[-1].id:
            sqitch.run(project.folder, database.url(), "revert", "-y", *(["--to", last] if last else []))


def _ours_back(database: Database, pair: list[Project], kept: Steps) -> None:
    for project in reversed(pair):
        last = _last(project, kept)
        to = f"{project.name}:{last}" if last else None
        runner.revert(database.url(), [project], to=to, confirm=lambda _: True)
