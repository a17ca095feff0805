"""What a policy costs in the server: each operation as a user, and by its owner with a WHERE written by hand."""

import re
from functools import partial

import psycopg

from bench.growth import named
from bench.measuring import Figures, Measured, refuse_other_rows, take_turns
from bench.operations import OPERATIONS, READING, Operation, ending, one_by_one, opening, pipelined
from bench.pgbench import Mode, latency
from bench.world import World, fill, world
from userscope.admin import seals
from userscope.postgres.url import ConnectionURL

TODOS = 100_000
USERS = 1_000
PERSON = 7


def main(*, quick: bool = False) -> Figures:
    """Measure each operation in four ways of each kind."""
    figures = Figures()
    with world() as made:
        admin = made.url("admin")
        fill(admin, TODOS, users=USERS)
        key, _ = seals.add(admin)
        person = named(f"user {PERSON}")
        values = {"owner": person, "id": named(f"todo 3 of {PERSON}")}
        sealed = values | {"seal": key.seal(person, life=3600)}
        for read in READING:
            ours = {kind: (opening(kind)[-1], read.as_user) for kind in ("unsealed", "sealed")}
            rows = {kind: _rows(made.url("service"), sealed, *asked) for kind, asked in ours.items()}
            refuse_other_rows({"where": _rows(admin, values, read.as_owner), **rows})
        for operation in OPERATIONS:
            for mode in ("extended", "prepared"):
                kinds = _kinds(made, operation, mode, values, sealed)
                taken = take_turns(kinds, 3 if quick else 11)
                pairs = [(ours, "where") for ours in ("unsealed", "sealed")]
                pairs += [("unsealed", "where_pipelined"), ("sealed", "unsealed")]
                if "wiped" in kinds:
                    pairs += [("wiped", "where"), ("wiped", "unsealed")]
                figures.take(taken.figures(*pairs), f"{operation.name}.{mode}")
    return figures


def _rows(url: ConnectionURL, values: dict[str, str], *statements: str) -> list[tuple[object, ...]]:
    """What the last of these reads, in one transaction."""
    with psycopg.connect(url.conninfo()) as connection:
        for statement in statements:
            cursor = connection.execute(re.sub(r"(?<!:):(\w+)", r"%(\1)s", statement).encode(), values)
        return cursor.fetchall()


def _kinds(
    made: World, operation: Operation, mode: Mode, values: dict[str, str], sealed: dict[str, str]
) -> dict[str, Measured]:
    """Ours goes out in one pipeline, as userscope sends it; one by hand waits for each answer, or does not."""
    end = ending(operation)
    by_hand = ("begin", operation.as_owner, end)
    owner = partial(latency, made.url("admin"), mode=mode, values=values)
    user = partial(latency, made.url("service"), mode=mode)
    kinds: dict[str, Measured] = {
        "where": partial(owner, one_by_one(*by_hand)),
        "where_pipelined": partial(owner, pipelined(*by_hand)),
        "unsealed": partial(user, pipelined(*opening(), operation.as_user, end), values=values),
        "sealed": partial(user, pipelined(*opening("sealed"), operation.as_user, end), values=sealed),
    }
    if mode == "extended":  # DISCARD ALL takes prepared statements away
        kinds["wiped"] = partial(user, pipelined(*opening(wiped=True), operation.as_user, end), values=values)
    return kinds
