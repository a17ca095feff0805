"""docs/performance.md shows what was measured: every table is there, whole, and is made by a command."""

import re
from collections import defaultdict
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from bench import picture
from bench.concurrency import CLIENTS, KINDS
from bench.growth import SIZES
from bench.operations import OPERATIONS
from bench.page import PAGE, PICTURE, TABLES, filled
from bench.ways import DISTANCES, ISOLATING, OURS, TRIPS, WAYS, in_words

TEXT = PAGE.read_text(encoding="utf-8")
ROWS: dict[str, list[str] | int] = {
    "reads": [*WAYS.values()],
    "slate": 6,
    "concurrency": [f"{clients} {kind}" for kind in KINDS for clients in CLIENTS],
    "growth": [operation.name for operation in OPERATIONS],
    "statements": [operation.name for operation in OPERATIONS],
    "sealing": 4,
    "conditions": 5,
}
"""The first cells of each table, or how many rows it has at least."""

FIGURE = re.compile(r"[-+]?[\d.,]+( [×µm]s?)?|")


def table(page: str, name: str) -> tuple[list[str], list[list[str]]]:
    """The head and the rows of a table."""
    found = re.search(rf"<!-- table: {name} -->\n\n(.*?)\n\n", page, re.DOTALL)
    assert found, name
    head, ruler, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in found[1].splitlines())
    assert all(set(cell) <= {"-", ":"} for cell in ruler)
    return head, rows


def made_up() -> dict[str, Any]:
    """A record that has a figure for everything one asks for."""
    run = {"at": "2026-01-01T00:00:00Z", "load": [0.1, 0.2], "quick": False, "seconds": 3}
    machine = {"processors": 2, "processor": "x", "system": "Linux", "python": "3.13", "versions": {"psycopg": "3"}}
    numbers: dict[str, Any] = {"ratios": defaultdict(lambda: 1.5), "medians": defaultdict(lambda: 250.0)}
    return numbers | {
        "runs": dict.fromkeys(("concurrency", "growth", "reads", "sealing", "statements"), run),
        "machine": machine,
    }


@pytest.mark.parametrize("page", [TEXT, filled(TEXT, made_up())], ids=["as it stands", "as the command writes it"])
@pytest.mark.parametrize("name", TABLES)
def test_tables(page: str, name: str) -> None:
    """A table has its rows, every row has all its cells, and what stands in them are figures."""
    head, rows = table(page, name)
    expected = ROWS[name]
    if isinstance(expected, list):
        assert [row[0] for row in rows] == expected
    else:
        assert len(rows) >= expected
    for row in rows:
        assert len(row) == len(head)
        if name != "conditions":
            assert [cell for cell in row[1:] if not FIGURE.fullmatch(cell)] == []


def test_once() -> None:
    """Writing a page that is written changes nothing but its figures, and a page without a place is refused."""
    found = made_up()
    assert filled(filled(TEXT, found), found) == filled(TEXT, found)
    with pytest.raises(ValueError, match="0 places"):
        filled("", found)


def test_measured() -> None:
    """What is published was measured in full, and no draft is left; the picture belongs to it."""
    assert "--quick)" not in TEXT
    assert not re.search(r"^[A-Z_]{4,}$", TEXT, re.MULTILINE)
    assert f"]({PICTURE.name})" in TEXT


@pytest.mark.parametrize("published", [True, False], ids=["as it stands", "as the command draws it"])
def test_picture(tmp_path: Path, *, published: bool) -> None:
    """The picture names every bar, line and axis, with its unit."""
    drawn = PICTURE if published else tmp_path / "drawn.svg"
    if not published:
        picture.draw(made_up(), drawn)
    words = {each.text for each in ElementTree.parse(drawn).iter() if each.tag.endswith("text")}  # noqa: S314  # ours
    assert words >= {in_words(way) for way in WAYS}
    assert words >= {operation.name for operation in OPERATIONS} | {f"{size:,}" for size in SIZES}
    assert words >= {
        "A user's 20 todos, 5 ms from the server: milliseconds, the median",
        "As the table grows: how many times as long as with 10,000 todos",
        "todos in the table",
        "1.0 ×",
    }


def test_busy() -> None:
    """A part that was measured on a busy machine says so in the table of conditions."""
    found = made_up()
    assert "0.1 → 0.2 |" in filled(TEXT, found)
    found["runs"]["growth"] = found["runs"]["growth"] | {"load": [1.5, 1.6]}
    assert "1.5 → 1.6 (busy) |" in filled(TEXT, found)


def test_ways() -> None:
    """Every way that is counted is shown, but for those without a clean slate, which stand apart."""
    assert set(TRIPS) - set(WAYS) == {way for way in OURS if way.endswith("_unwiped")}
    assert all(3 <= TRIPS[way] <= 7 for way in ISOLATING)
    assert DISTANCES[0] == 0
