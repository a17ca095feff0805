"""``python -m bench.page`` writes the tables of docs/performance.md, and its picture, from bench/latest.json."""

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from bench import picture, record
from bench.concurrency import CLIENTS
from bench.concurrency import KINDS as CLIENTS_ARE
from bench.fences import OPERATIONS as FENCED
from bench.fences import SIZES as SIZES_OF_ONES_OWN
from bench.growth import SIZES as GROWN
from bench.operations import OPERATIONS
from bench.ways import DISTANCES, TRIPS, WAYS

DOCS = Path(__file__).parents[1] / "docs"
PAGE, PICTURE, FENCES = DOCS / "performance.md", DOCS / "performance.svg", DOCS / "fences.md"
TEAMS = DOCS / "organizations.md"

type Record = dict[str, Any]


def write(path: Path = record.LATEST) -> None:
    """Write them. Raises KeyError where a part has not been measured yet."""
    found = record.read(path)
    write_fences(found)
    write_teams(found)
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), found), encoding="utf-8")
    picture.draw(found, PICTURE)


def write_fences(found: Record) -> None:
    """Write the table of docs/fences.md."""
    page = filled(FENCES.read_text(encoding="utf-8"), found, {"fences": _fences})
    FENCES.write_text(page, encoding="utf-8")


def write_teams(found: Record) -> None:
    """Write the table of docs/organizations.md."""
    page = filled(TEAMS.read_text(encoding="utf-8"), found, {"teams": _teams})
    TEAMS.write_text(page, encoding="utf-8")


def filled(page: str, found: Record, tables: Mapping[str, Callable[[Record], str]] | None = None) -> str:
    """Return the page with every table as ``found`` has it."""
    for name, table in (TABLES if tables is None else tables).items():
        places = re.findall(rf"<!-- table: {name} -->.*?<!-- end -->", page, re.DOTALL)
        if len(places) != 1:
            raise ValueError(f'the page has {len(places)} places for the table "{name}"')
        page = page.replace(places[0], f"<!-- table: {name} -->\n\n{table(found)}\n\n<!-- end -->")
    return page


def _fences(found: Record) -> str:
    def cell(size: int, name: str, way: str) -> str:
        return _times(found["ratios"][f"fences.{size}.{name}.{way}/plain"])

    def plain(name: str) -> str:
        return f"{found['medians'][f'fences.{SIZES_OF_ONES_OWN[0]}.{name}.plain'] / 1000:.2f} ms"

    ways = [
        (name, way)
        for name, (_, function) in FENCED.items()
        for way in ("function", "fence")
        if way == "fence" or function
    ]
    return _table(
        ("rows of one's own", "without a fence", *(f"{size:,}" for size in SIZES_OF_ONES_OWN)),
        (
            (
                f"{name}, by {'its function' if way == 'function' else 'the view'}",
                plain(name),
                *(cell(size, name, way) for size in SIZES_OF_ONES_OWN),
            )
            for name, way in ways
        ),
    )


def _teams(found: Record) -> str:
    ratios, medians = found["ratios"], found["medians"]
    kinds = {
        "reader": ("a read by `db.reader(…)`, on the server's socket", ("get", "page")),
        "transaction": ("the whole transaction, by pgbench in one pipeline", ("get", "page", "insert")),
        "statement": ("the statement alone, in the server", ("get", "page", "insert")),
    }
    rows = [
        (f"{words}: {name}", f"{medians[f'teams.{kind}.{name}.user']:.0f} µs",
         _times(ratios[f"teams.{kind}.{name}.organization/user"]))
        for kind, (words, names) in kinds.items()
        for name in names
    ]  # fmt: skip
    return _table(("", "a user's", "an organization's"), rows)


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(head)
    ruler = ["---", *(["--:"] * (len(head) - 1))]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ruler, *rows))


def _times(value: float) -> str:
    return f"{value:.2f} ×"


def _reads(found: Record) -> str:
    ratios, medians = found["ratios"], found["medians"]

    def cell(way: str, distance: int) -> str:
        if way == "reader":
            return f"{medians[f'reads.{distance}ms.reader'] / 1000:.2f} ms"
        if (key := f"reads.{distance}ms.{way}/reader") in ratios:
            return _times(ratios[key])
        return _times(medians[f"reads.{distance}ms.{way}"] / medians[f"reads.{distance}ms.reader"])

    return _table(
        ("a user's 20 todos", "trips", *(f"{distance} ms" for distance in DISTANCES)),
        ((words, str(TRIPS[way]), *(cell(way, distance) for distance in DISTANCES)) for way, words in WAYS.items()),
    )


def _slate(found: Record) -> str:
    rows = []
    for words, pair in (
        ("reader, with its clean slate / without", "reader/reader_unwiped"),
        ("session, with its clean slate / without", "session/session_unwiped"),
        ("reader / AUTOCOMMIT", "reader/autocommit"),
        ("reader / AUTOCOMMIT, nothing prepared", "reader/autocommit_unprepared"),
        ("reader without its clean slate / AUTOCOMMIT", "reader_unwiped/autocommit"),
        ("reader without its clean slate / AUTOCOMMIT, nothing prepared", "reader_unwiped/autocommit_unprepared"),
        ("reader / psycopg, a `WHERE` by hand", "reader/psycopg"),
        ("reader / psycopg, identity and query in one pipeline", "reader/psycopg_pipeline"),
    ):
        rows.append((words, *(_times(found["ratios"][f"reads.{distance}ms.{pair}"]) for distance in DISTANCES)))
    return _table(("", *(f"{distance} ms" for distance in DISTANCES)), rows)


def _concurrency(found: Record) -> str:
    def row(kind: str, clients: int) -> tuple[str, ...]:
        key = f"concurrency.{kind}.{clients}"
        cells = [
            f"{1e6 / found['medians'][f'{key}.where']:,.0f}",
            f"{found['medians'][f'{key}.where_p99'] / 1000:,.0f} ms",
        ]
        for way in ("reader", "session"):
            cells += (_times(found["ratios"][f"{key}.{pair}"]) for pair in (f"where/{way}", f"{way}_p99/where_p99"))
        return (f"{clients} {kind}", *cells)

    head = ("clients", "`WHERE`: pages a second", "99th of 100", "**reader**: pages a second", "99th of 100")
    return _table(
        (*head, "**session**: pages a second", "99th of 100"),
        (row(kind, clients) for kind in CLIENTS_ARE for clients in CLIENTS),
    )


def _growth(found: Record) -> str:
    return _table(
        (f"todos, beside {GROWN[0]:,}", *(f"{size:,}" for size in GROWN[1:])),
        (
            (
                operation.name,
                *(_times(found["ratios"][f"growth.{operation.name}.{size}/{GROWN[0]}"]) for size in GROWN[1:]),
            )
            for operation in OPERATIONS
        ),
    )


def _statements(found: Record) -> str:
    ratios, medians = found["ratios"], found["medians"]
    rows = []
    for name in (operation.name for operation in OPERATIONS):
        key = f"statements.{name}"
        pairs = ("prepared.unsealed/where", "extended.unsealed/where", "extended.unsealed/where_pipelined")
        inside = ("where_pipelined", "unsealed", "sealed", "wiped")
        rows.append(
            (
                name,
                *(_times(ratios[f"{key}.{pair}"]) for pair in pairs),
                *(f"{medians[f'{key}.extended.{kind}']:.0f} µs" for kind in inside),
            )
        )
    head = ("", "prepared", "unprepared", "one pipeline each", "`WHERE`", "unsealed", "sealed", "wiped")
    return _table(head, rows)


def _sealing(found: Record) -> str:
    ratios, medians = found["ratios"], found["medians"]
    loop = {name: medians[f"sealing.empty_loop.{name}"] for name in ("unsealed", "sealed")}
    rows: list[tuple[str, ...]] = [
        ("a reader's read, on a socket", _times(1), _times(ratios["sealing.read.sealed/unsealed"])),
        ("the same, 1 ms away", _times(1), _times(ratios["sealing.read_at_1_ms.sealed/unsealed"])),
    ]
    for words, key, empty in (
        ("asking who it is, in the server", "helper", loop),
        ("a row of an insert of many", "insert", {"unsealed": 0.0, "sealed": 0.0}),
    ):
        rows.append((words, *(f"{medians[f'sealing.{key}.{kind}'] - empty[kind]:.1f} µs" for kind in loop)))
    rows.append(("making the seal, in the service", "", f"{medians['sealing.minting']:.1f} µs"))
    return _table(("", "unsealed", "sealed"), rows)


def _conditions(found: Record) -> str:
    rows = []
    for name, run in sorted(found["runs"].items()):
        if name not in TABLES:
            continue
        before, after = run["load"]
        seconds = f"{run['seconds']} s" + (" (--quick)" if run["quick"] else "")
        busy = " (busy)" if record.busy(before, found["machine"]["processors"]) else ""
        rows.append(
            (f"`{name}`", run["at"].replace("T", " ").rstrip("Z"), seconds, f"{before:.1f} → {after:.1f}{busy}")
        )
    versions = ", ".join(f"{name} {number}" for name, number in found["machine"]["versions"].items() if number)
    machine = found["machine"]
    sentence = (
        f"{machine['processors']} processors ({machine['processor']}), {machine['system']}, Python {machine['python']};"
        f" {versions}. The load is what the system averaged over a minute, before and after: {machine['processors']}"
        " would be every processor busy."
    )
    return _table(("part", "when (UTC)", "took", "load"), rows) + f"\n\n{sentence}"


TABLES: dict[str, Callable[[Record], str]] = {
    "reads": _reads,
    "slate": _slate,
    "concurrency": _concurrency,
    "growth": _growth,
    "statements": _statements,
    "sealing": _sealing,
    "conditions": _conditions,
}
"""The tables of the page by their names."""


if __name__ == "__main__":
    write()
