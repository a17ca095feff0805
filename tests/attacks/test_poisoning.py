"""Why nothing cheaper than DISCARD ALL is sent, and the one thing that outlives it; tests/pooling tries every plant."""

import pytest

from tests.attacks.arena import run
from tests.attacks.conftest import Grounds
from tests.attacks.world import ALICE
from tests.clusters import both_ends

on_both_ends = pytest.mark.parametrize(
    "grounds", both_ends(("attacked", "neon"), ("attacked15", "superuser")), indirect=True
)


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
