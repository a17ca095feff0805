"""Migrating and reverting: the order of changes over two projects, and how far either goes."""

from pathlib import Path

import pytest

from tests.clusters import Database
from tests.migrations import sqitch
from tests.migrations.conftest import deployed, dump, rows
from tests.migrations.sketch import Sketch, write
from tests.processes import eventually
from userscope.errors import ConfigurationError, MigrationError, PlanError, RegistryError
from userscope.migrations import inspection, runner
from userscope.migrations.projects import Project
from userscope.migrations.statements import Timeouts
from userscope.testing.proxy import Proxy

A, B, C = Sketch.table("a"), Sketch.table("b", "a"), Sketch.table("c")


def revert(database: Database, projects: list[Project], to: str | None = None) -> list[str]:
    """Revert without being asked."""
    return runner.revert(database.url(), projects, to=to, confirm=lambda _: True)


@pytest.fixture
def woven(tmp_path: Path) -> list[Project]:
    """Two projects that need each other: a change of s stands between two of p."""
    s = write(tmp_path / "s", A, "@v1", Sketch.table("b", "a p:x"), Sketch.table("c"), name="s", day=1)
    p = write(tmp_path / "p", Sketch.table("x", "s:a@v1"), Sketch.table("y", "s:b"), Sketch.table("z"), name="p", day=2)
    return [s, p]


def test_order(empty: Database, woven: list[Project]) -> None:
    """Required changes come first, whichever project they are of; else what was planned first."""
    order = ["s:a", "p:x", "s:b", "s:c", "p:y", "p:z"]
    assert [label.split()[0] for label in runner.migrate(empty.url(), woven)] == order
    assert deployed(empty) == order
    assert [label.split()[0] for label in revert(empty, woven)] == order[::-1]
    assert deployed(empty) == []


def test_order_by_planning_time(empty: Database, tmp_path: Path) -> None:
    """Changes that do not need each other are deployed in the order in which they were planned."""
    s = write(tmp_path / "s", A, C, name="s", day=5)
    p = write(tmp_path / "p", Sketch.table("x"), Sketch.table("y"), name="p", day=3)
    assert runner.migrate(empty.url(), [s, p]) == ["p:x", "p:y", "s:a", "s:c"]


def test_to(empty: Database, woven: list[Project]) -> None:
    """--to deploys up to a change, with what that needs of the other project and nothing else."""
    assert runner.migrate(empty.url(), woven, to="s:b") == ["s:a @v1", "p:x", "s:b"]
    assert runner.migrate(empty.url(), woven, to="s:b") == []
    assert runner.migrate(empty.url(), woven, to="p:@HEAD^") == ["p:y"]
    with pytest.raises(MigrationError, match='"s:@v1" is deployed already, and so are later changes'):
        runner.migrate(empty.url(), woven, to="s:@v1")
    assert runner.migrate(empty.url(), woven) == ["s:c", "p:z"]


@pytest.mark.parametrize(
    ("to", "message"),
    [
        ("s:nowhere", 'unknown change: "s:nowhere"'),
        ("q:a", '"q:a" names no change'),
        ("a", '"a" names no change'),
        ("s:", '"s:" names no change'),
        ("s:a@v9", 'unknown tag "@v9"'),
    ],
)
def test_to_nowhere(empty: Database, woven: list[Project], to: str, message: str) -> None:
    """A change that is not there is refused, forward and back."""
    with pytest.raises(MigrationError, match=message) as refused:
        runner.migrate(empty.url(), woven, to=to)
    assert refused.value.hint or isinstance(refused.value, PlanError)
    runner.migrate(empty.url(), woven)
    with pytest.raises(MigrationError):
        revert(empty, woven, to)
    assert len(deployed(empty)) == 6


def test_to_without_project(empty: Database, tmp_path: Path) -> None:
    """Where there is but one project, it need not be named."""
    assert runner.migrate(empty.url(), [write(tmp_path / "p", A, B, C)], to="b") == ["p:a", "p:b"]


def test_dry_run(empty: Database, woven: list[Project]) -> None:
    """--dry-run tells what would be deployed, and leaves no trace."""
    runner.migrate(empty.url(), woven, to="s:a")
    before = rows(empty), dump(empty)
    told: list[str] = []
    would = runner.migrate(empty.url(), woven, dry_run=True, report=lambda event: told.append(event.text))
    assert would[:2] == ["p:x", "s:b"]
    assert told[1:3] == ["  + p:x", "  + s:b"]
    assert (rows(empty), dump(empty)) == before


def test_revert_to(empty: Database, woven: list[Project]) -> None:
    """--to keeps the change; what needs a reverted one goes as well, with what came after it in its project."""
    runner.migrate(empty.url(), woven)
    assert [label.split()[0] for label in revert(empty, woven, "s:a")] == ["p:z", "p:y", "s:c", "s:b"]
    assert deployed(empty) == ["s:a", "p:x"]
    assert revert(empty, woven, "s:a") == []


def test_revert_leaves_alone_what_it_can(empty: Database, woven: list[Project]) -> None:
    """What does not need a reverted change stays."""
    runner.migrate(empty.url(), woven)
    assert revert(empty, woven, "s:b") == ["s:c"]
    assert revert(empty, woven, "p:y") == ["p:z"]
    assert deployed(empty) == ["s:a", "p:x", "s:b", "p:y"]


def test_revert_of_what_another_project_needs(empty: Database, woven: list[Project]) -> None:
    """A project that was not named is never reverted: it is in the way."""
    runner.migrate(empty.url(), woven)
    with pytest.raises(RegistryError, match='"s:b" is required by "p:y"') as refused:
        revert(empty, woven[:1])
    assert "--project" in (refused.value.hint or "")
    assert len(deployed(empty)) == 6


def test_revert_asks(empty: Database, woven: list[Project]) -> None:
    """Nothing is reverted before the question is answered; it lists what would go."""
    runner.migrate(empty.url(), woven)
    asked: list[list[str]] = []

    def no(labels: list[str]) -> bool:
        asked.append(labels)
        return False

    assert runner.revert(empty.url(), woven, to="s:b", confirm=no) == []
    assert asked == [["s:c"]]
    assert len(deployed(empty)) == 6


def test_revert_of_nothing(empty: Database, woven: list[Project]) -> None:
    """Without a registry there is nothing to revert, and with an empty one neither."""
    with pytest.raises(RegistryError, match="has no registry"):
        revert(empty, woven)
    runner.migrate(empty.url(), woven)
    revert(empty, woven)
    assert revert(empty, woven) == []
    with pytest.raises(MigrationError, match='change not deployed: "s:a"'):
        revert(empty, woven, "s:a")


def test_revert_offsets(empty: Database, woven: list[Project]) -> None:
    """Offsets count deployed changes; a reworked name needs its tag."""
    runner.migrate(empty.url(), woven)
    assert revert(empty, woven, "s:@HEAD^") == ["s:c"]
    assert revert(empty, woven, "p:@ROOT~") == ["p:z"]
    assert deployed(empty) == ["s:a", "p:x", "s:b", "p:y"]


def test_reworked(empty: Database, nasty: list[Project]) -> None:
    """A reworked change is found by its tag, and its name alone is ambiguous."""
    runner.migrate(empty.url(), nasty)
    with pytest.raises(RegistryError, match='change "users" is ambiguous') as refused:
        revert(empty, nasty, "store:users")
    assert refused.value.hint == "It was reworked; name one of users@HEAD, users@v1.0.0."
    assert revert(empty, nasty, "store:users@v1.1.0")[-1] == "store:titles @v1.1.0 @v1.1.0-final"


def test_missing_requirement(empty: Database, woven: list[Project]) -> None:
    """What a project needs of one that was not named has to be deployed already; nothing runs otherwise."""
    with pytest.raises(RegistryError, match=r'a required change is missing: "s:b" requires "p:x"') as refused:
        runner.migrate(empty.url(), woven[:1])
    assert "--project" in (refused.value.hint or "")
    assert rows(empty) == {}


def test_conflict(empty: Database, tmp_path: Path) -> None:
    """A change does not meet what it conflicts with, be it deployed or about to be."""
    s = write(tmp_path / "s", A, name="s")
    p = write(tmp_path / "p", Sketch.table("x", "!s:a"), name="p", day=2)
    with pytest.raises(RegistryError, match='"p:x" conflicts with "s:a"'):
        runner.migrate(empty.url(), [s, p])
    assert rows(empty) == {}
    runner.migrate(empty.url(), [s])
    with pytest.raises(RegistryError, match='"p:x" conflicts with "s:a"'):
        runner.migrate(empty.url(), [p])


def test_conflict_with_nothing(empty: Database, tmp_path: Path) -> None:
    """A conflict with a change of the own project that its plan does not hold is refused, as by Sqitch."""
    project = write(tmp_path / "p", Sketch.table("x", "!nowhere"))
    with pytest.raises(RegistryError, match='conflicts with "nowhere", which is not in the plan'):
        runner.migrate(empty.url(), [project])
    assert sqitch.run(project.folder, empty.url(), "deploy", check=False).returncode == 2


def test_late_tag(empty: Database, other: Database, tmp_path: Path) -> None:
    """A tag that was set after the deploy is recorded by the next run, as by Sqitch."""
    for database in (empty, other):
        runner.migrate(database.url(), [write(tmp_path / "p", A, C)])
    project = write(tmp_path / "p", A, C, "@v1", "@v2")
    assert runner.migrate(empty.url(), [project]) == []
    sqitch.run(project.folder, other.url(), "deploy")
    assert rows(empty) == rows(other)
    assert len(rows(empty)["tags"]) == 2


def test_round_trips(empty: Database, tmp_path: Path) -> None:
    """A change takes one round trip: script, verification and bookkeeping travel together, and so does a revert."""
    changes = [Sketch.table(f"t{number}") for number in range(3)]
    looking, registry = 2, 1
    locked = "select from pg_locks join pg_database on oid = database where locktype = 'advisory' and datname = %s"
    # What a busy client sends in two pieces must not be answered in between.
    with Proxy(empty.url(), delay=0.02) as proxy, empty.superuser_connection() as superuser:
        with proxy.counting() as count:
            runner.migrate(proxy.url, [write(tmp_path / "p", changes[0])])
        assert count.trips == 1 + registry + 1
        project = write(tmp_path / "p", *changes)
        for work, trips in (
            (lambda: runner.migrate(proxy.url, [project]), 2),
            (lambda: runner.migrate(proxy.url, [project]), 0),
            (lambda: inspection.verify(proxy.url, [project]), 3),
            (lambda: inspection.status(proxy.url, [project]), 0),
            (lambda: runner.revert(proxy.url, [project], to="p:t0", confirm=lambda _: True), 2),
        ):
            # On a busy machine the backend before may still be ending, and its lock would be asked for once more.
            eventually(lambda: not superuser.execute(locked, [empty.name]).fetchall())
            with proxy.counting() as count:
                work()
            assert (count.connections, count.trips) == (1, looking + trips)


@pytest.mark.parametrize("value", ["5 parsecs", "", "-1", "1.5s", "5s; drop table x"])
def test_bad_timeouts(value: str) -> None:
    """What is no time is refused before anything is sent."""
    with pytest.raises(ConfigurationError, match="is no lock timeout"):
        Timeouts(lock=value)
    with pytest.raises(ConfigurationError, match="is no statement timeout"):
        Timeouts(statement=value)
