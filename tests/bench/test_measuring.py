"""Turns are taken fairly, ratios are medians of pairs, and a record keeps what other parts found."""

import json
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from bench import record
from bench.__main__ import parts
from bench.distance import distant
from bench.measuring import Figures, Times, refuse_other_rows, take_turns, telling
from bench.operations import OPERATIONS, Operation, anybody, one_by_one, opening, pipelined
from bench.pgbench import latency
from bench.world import fill
from tests.clusters import Database


def test_turns() -> None:
    """Everybody runs once a round, forwards and backwards in turn, and the first round does not count."""
    order: list[str] = []

    def run(name: str) -> Callable[[], float]:
        def work() -> float:
            order.append(name)
            return float(len(order))

        return work

    told: list[str] = []
    token = telling.set(told.append)
    times = take_turns({name: run(name) for name in "abc"}, rounds=2)
    telling.reset(token)
    assert told[1:] == ["round 1 of 2: a and 2 beside it", "round 2 of 2: a and 2 beside it"]
    assert "".join(order) == "abccbaabc"
    assert times.seconds == {"a": [6.0, 7.0], "b": [5.0, 8.0], "c": [4.0, 9.0]}


def test_ratio() -> None:
    """A disturbance that hits both sides of a pair changes nothing; the ratio of the medians would be another."""
    times = Times({"one": [2.0, 2.0, 200.0], "other": [1.0, 4.0, 100.0]})
    assert times.ratio("one", "other") == 2.0
    assert times.figures(("one", "other")) == Figures({"one/other": 2.0}, {"one": 2_000_000.0, "other": 4_000_000.0})


def test_table() -> None:
    """Each ratio is a line that says what it compares, and what both take."""
    medians = {"list.by_hand": 3200.0, "list.ours": 640.0, "whole": 2e6}
    figures = Figures({"list.ours/by_hand": 0.2, "whole/whole": 1.0}, medians)
    assert figures.table().splitlines() == [
        "               takes  beside     takes  times as long",
        "  list, ours  640 µs  by hand  3.20 ms         0.20 ×",
        "  whole       2.00 s  whole     2.00 s         1.00 ×",
    ]


def test_refuse_other_rows() -> None:
    """Ways that read different rows are not measured, nor ways that read none."""
    refuse_other_rows({"where": [1, 2], "ours": [1, 2]})
    with pytest.raises(RuntimeError, match=r"^these read something else: ours$"):
        refuse_other_rows({"where": [1, 2], "ours": [1], "theirs": [1, 2]})
    with pytest.raises(RuntimeError, match=r"^these read something else: where, ours$"):
        refuse_other_rows({"where": [], "ours": []})


def test_busy() -> None:
    """From seven tenths of the processors on, a figure says so."""
    assert record.busy(1.3, 2) == ""
    assert record.busy(1.5, 2) == "The machine was busy before it began (load 0.8 for each processor): measure again."


def test_record(tmp_path: Path) -> None:
    """A part replaces what it found before, and leaves the others'."""
    path = tmp_path / "latest.json"
    record.run("reads", lambda: Figures({"old/x": 1.0, "a/b": 1.0}), quick=True, path=path)
    record.run("growth", lambda: Figures({"c/d": 2.0}, {"c": 5.0}, {"e": 6}), quick=False, path=path)
    record.run("reads", lambda: Figures({"a/b": 3.0}), quick=False, path=path)
    found = json.loads(path.read_text(encoding="utf-8"))
    assert found["ratios"] == {"growth.c/d": 2.0, "reads.a/b": 3.0}
    assert found["medians"] == {"growth.c": 5.0}
    assert found["counts"] == {"growth.e": 6}
    assert {name: run["quick"] for name, run in found["runs"].items()} == {"growth": False, "reads": False}
    assert len(found["runs"]["reads"]["load"]) == 2
    assert found["machine"]["versions"]["psycopg"]


def test_parts() -> None:
    """Every part is found, and says in one sentence what it compares, without what it compares with being installed."""
    assert {"growth", "migrations", "reads", "sealing", "statements"} <= set(parts())
    assert all(sentence.endswith(".") for sentence in parts().values())


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_scripts(database: Database, operation: Operation) -> None:
    """pgbench takes every script, as a user and as the owner, and nothing that it wrote stays."""
    fill(database.url("admin"), 1_000, users=20)
    user = pipelined(*opening(wiped=True), operation.as_user, "rollback")
    owner = one_by_one("begin", operation.as_owner, "rollback")
    for url, script in ((database.url("service"), user), (database.url("admin"), owner)):
        assert latency(url, anybody(script, 10, 100), times=5) > 0
    with database.superuser_connection() as connection:
        assert connection.execute("select count(*) from app.todos").fetchone() == (1_000,)


def test_failure(database: Database) -> None:
    """A statement that fails is an error, not a figure."""
    with pytest.raises(RuntimeError, match="permission denied"):
        latency(database.url("service"), "select * from app_private.seal_keys;\n", times=1)


@pytest.mark.breadth
def test_distance(database: Database) -> None:
    """A network leads to the same server and can be heard to delay; none is the server itself."""
    admin, service = database.url("admin"), database.url("service")
    with distant(0, admin, service) as urls:
        assert urls == (admin, service)
    with distant(1, admin, service) as (one, other):
        assert one.host == other.host != admin.host
        for url, user in ((one, "postgres"), (other, service.user)):
            with psycopg.connect(url.conninfo()) as connection:
                row = connection.execute("select current_user::text, current_database()::text").fetchone()
                assert row == (user, database.name)
