"""What one borrower of a connection leaves on it is gone before the next one's first statement."""

import psycopg
import pytest

from tests.attacks.arena import Arena, run
from tests.attacks.conftest import Grounds
from tests.attacks.poisoning import HARVEST, OBSERVATIONS, PLANTS, WITHOUT_IDENTITY, Plant
from tests.attacks.world import ALICE, BOB, MARKS
from tests.clusters import Connection, both_ends

on_both_ends = pytest.mark.parametrize(
    "grounds", both_ends(("attacked", "neon"), ("attacked15", "superuser")), indirect=True
)


def borrow(arena: Arena, connection: Connection, *, clean: bool) -> list[str]:
    """Work for Bob, as Database does (``clean``) or without its DISCARD ALL; return what he noticed."""
    if clean:
        connection.execute("discard all")
    noticed = list(run(connection, ["begin", WITHOUT_IDENTITY, "commit"]))
    try:
        arena.acting_for(connection, BOB)
    except psycopg.Error as error:  # what was left may spoil this as well
        return [*noticed, str(error)]
    return [*noticed, *run(connection, [*OBSERVATIONS, "commit"])]


def poison(arena: Arena, plant: Plant, *, clean: bool) -> tuple[bool, str]:
    """Whether Bob notices what Alice left, or she takes something of his home; and what was seen."""
    with arena.service() as fresh, arena.service() as connection:
        expected = borrow(arena, fresh, clean=True)
        arena.acting_for(connection, ALICE)
        left = list(run(connection, [*map(arena.written, plant.steps), "commit"]))
        noticed = borrow(arena, connection, clean=clean)
        if clean:
            connection.execute("discard all")
        harvest = "".join(run(connection, [HARVEST]))
    taken = any(mark in harvest for mark in MARKS)
    return noticed != expected or taken, f"left {left}\nnoticed {noticed}\nexpected {expected}\ntaken {harvest}"


@on_both_ends
@pytest.mark.parametrize("plant", PLANTS, ids=[plant.name for plant in PLANTS])
def test_poisoning(grounds: Grounds, plant: Plant) -> None:
    """With a clean slate before each transaction the next borrower notices nothing; without, it is noticed."""
    arena = grounds.pristine.clone(plant.needs) if plant.needs else grounds.arena(sealed=True, unmoved=False)
    if plant.needs:
        arena.require_seals(True)
    try:
        poisoned, seen = poison(arena, plant, clean=True)
        assert not poisoned, seen
        poisoned, seen = poison(arena, plant, clean=False)
        assert poisoned, seen  # the control: it was DISCARD ALL that removed it
    finally:
        if plant.needs:
            arena.drop()


def test_stolen(plain: Grounds) -> None:
    """The worst of them, seen from both ends: without a clean slate Alice reads Bob's titles and his seal."""
    arena = plain.arena(sealed=True, unmoved=False)
    hijack = next(plant for plant in PLANTS if plant.name == "the next borrower's prepared statement")
    _, seen = poison(arena, hijack, clean=False)
    assert "bob secret 1" in seen.rpartition("taken")[2]
    assert "k1." in seen.rpartition("taken")[2]


_NOON = (
    "create function app.noon() returns text language plpgsql as "
    "$$ begin return timestamptz '2026-01-01 12:00' at time zone 'utc';end $$"
)
_IS_NUMBER = (
    "create function app.is_number(value text) returns boolean language plpgsql {pinned} as "
    r"$$ begin return value ~ '^\d+$';end $$"
)
_REWRITE = ("set standard_conforming_strings = off", "set escape_string_warning = off", "select app.is_number('1')")


def _told(grounds: Grounds, function: str, steps: list[str], scrub: list[str], query: str) -> list[str]:
    """What a function of an adopter answers Bob, after Alice took these steps on the same connection."""
    arena = grounds.pristine.clone(function)
    try:
        with arena.service() as connection:
            arena.acting_for(connection, ALICE)
            list(run(connection, [*steps, "commit", *scrub]))
            return list(run(connection, [query]))[-1:]
    finally:
        arena.drop()


@on_both_ends
def test_literal_in_a_plan(grounds: Grounds) -> None:
    """A literal read in Alice's time zone is read anew for Bob, which takes all of DISCARD ALL: its plans as well."""
    steps = ["set timezone = 'Asia/Tokyo'", "select app.noon()"]
    untouched = _told(grounds, _NOON, [], [], "select app.noon()")
    cheaper = ["reset all", "deallocate all", "close all", "unlisten *", "discard temp", "discard sequences"]
    assert _told(grounds, _NOON, steps, ["discard all"], "select app.noon()") == untouched
    assert _told(grounds, _NOON, steps, cheaper, "select app.noon()") != untouched  # why nothing cheaper is sent


@on_both_ends
def test_backslash_in_a_body(grounds: Grounds) -> None:
    """What a backslash in a function's body means can be changed for the next borrower; pinned, it cannot."""
    scrub, query = ["discard all"], "select app.is_number('1')"
    plain, pinned = (_IS_NUMBER.format(pinned=text) for text in ("", "set standard_conforming_strings = on"))
    assert "True" in str(_told(grounds, plain, [], scrub, query))
    assert "False" in str(_told(grounds, plain, list(_REWRITE), scrub, query))  # hence the audit's function_backslash
    assert "True" in str(_told(grounds, pinned, list(_REWRITE), scrub, query))
