"""Several projects in one run are as many runs of Sqitch: what is required comes first, else the order given."""

from pathlib import Path

import pytest

from tests.clusters import Database
from tests.migrations import sqitch
from tests.migrations.conftest import deployed, dump, rows
from tests.migrations.sketch import Sketch, write
from userscope.migrations import inspection, runner
from userscope.migrations.projects import find

NAMES = ("base", "shop", "mail", "stock", "bills", "people", "files", "search", "jobs", "extra")


def ten(folder: Path) -> list[Path]:
    """Ten projects: the later ones were planned earlier; mail needs people, and bills what shop has under a tag."""
    needs = {"mail": "people:people_1", "bills": "shop:shop_1@v1 base:@v1 !extra:nowhere"}
    for day, name in enumerate(NAMES):
        first, second = (Sketch.table(f"{name}_{number}", needs.get(name, "")) for number in (1, 2))
        write(folder / name, first, "@v1", second, name=name, day=len(NAMES) - day)
    # Nothing says so in any plan: each run relies on the ones before it.
    script = folder / "shop/deploy/shop_1.sql"
    script.write_text("begin;\ncreate table public.shop_1 as table public.base_2;\ncommit;\n", encoding="utf-8")
    return [folder / name for name in NAMES]


def test_ten(empty: Database, other: Database, tmp_path: Path) -> None:
    """One run of ours over ten projects leaves what ten runs of Sqitch leave; either verifies and reverts it."""
    folders = ten(tmp_path)
    order = ("base", "shop", "people", "mail", *NAMES[3:5], *NAMES[6:])
    expected = [f"{name}:{name}_{number}" for name in order for number in (1, 2)]
    projects = find(folders)
    assert [label.split()[0] for label in runner.migrate(empty.url(), projects)] == expected
    for name in order:
        sqitch.run(tmp_path / name, other.url(), "deploy", "--verify")
    assert deployed(other) == deployed(empty) == expected
    assert rows(empty) == rows(other)
    assert dump(empty) == dump(other)
    found, pending = inspection.verify(other.url(), projects)
    assert (len(found), pending) == (20, [])
    assert not any(each.problems for each in found)
    for name in reversed(order):
        sqitch.run(tmp_path / name, empty.url(), "revert", "-y")
    runner.revert(other.url(), projects, to=None, confirm=lambda _: True)
    assert rows(empty) == rows(other)
    assert dump(empty) == dump(other)


def test_as_given(empty: Database, tmp_path: Path) -> None:
    """What --project names is deployed in that order; the projects of one folder by their planning times."""
    first, second = (
        write(tmp_path / name, Sketch.table(name), name=name, day=9 - day) for day, name in enumerate("pq")
    )
    folders = [first.folder, second.folder]
    assert runner.migrate(empty.url(), find(folders), dry_run=True) == ["p:p", "q:q"]
    assert runner.migrate(empty.url(), find(folders[::-1]), dry_run=True) == ["q:q", "p:p"]
    assert runner.migrate(empty.url(), find([tmp_path]), dry_run=True) == ["q:q", "p:p"]


@pytest.mark.parametrize("names", ["pq", "qp"])
def test_requiring_each_other(empty: Database, tmp_path: Path, names: str) -> None:
    """Two that require each other are merged, change by change, however they are given."""
    write(tmp_path / "p", Sketch.table("p1"), Sketch.table("p2", "q:q1"), Sketch.table("p3"), name="p")
    write(tmp_path / "q", Sketch.table("q1", "p:p1"), Sketch.table("q2", "p:p3"), name="q")
    found = find([tmp_path / name for name in names])
    assert runner.migrate(empty.url(), found) == ["p:p1", "q:q1", "p:p2", "p:p3", "q:q2"]
    assert runner.migrate(empty.url(), found, to="q:q2") == []
