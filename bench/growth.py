"""The same user's work in a table of 10 thousand and of 10 million todos, and the plans by which it is done."""

import hashlib
from functools import partial
from uuid import UUID

import psycopg

from bench.measuring import Figures, take_turns
from bench.operations import OPERATIONS, anybody, ending, opening, pipelined
from bench.pgbench import latency
from bench.plans import plan, problems
from bench.world import EACH, World, fill, world

SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
"""Todos, of 100,000 users: whoever has any has as many in each table, and they lie scattered."""

SURE = 100_000
"""From how many todos on a wrong plan is an error: of fewer, a page is sorted (docs/performance.md)."""


def main(*, quick: bool = False) -> Figures:
    """Fill a database of each size, look at the plans, and measure by turns, each time for random users."""
    sizes = SIZES[:2] if quick else SIZES
    figures = Figures()
    wrong: list[str] = []
    with world() as made:
        for size in sizes:
            fill(made.database(_name(size)), size)
            print(f"  {size:,} todos are there", flush=True)
            for name, found in _problems(made, size).items():
                wrong += [f"{name} of {size:,}: {problem}" for problem in found]
            if wrong and size >= SURE:
                raise RuntimeError(f"plans are not what the indexes are made for: {', '.join(wrong)}")
            figures.counts[f"wrong plans.{size}"] = len(wrong)
            wrong.clear()
        for operation in OPERATIONS:
            identity = opening() if operation.writes else _reading()
            script = pipelined(*identity, operation.as_user, *([ending(operation)] if operation.writes else []))
            kinds = {
                str(size): partial(
                    latency, made.url("service", _name(size)), anybody(script, size // EACH, EACH), times=300
                )
                for size in sizes
            }
            taken = take_turns(kinds, 3 if quick else 15)
            smallest = str(sizes[0])
            figures.take(taken.figures(*((str(size), smallest) for size in sizes[1:])), operation.name)
    return figures


def _reading() -> list[str]:
    """What a reader sends: a transaction of its own, read only."""
    *_, identity = opening()
    return [f"{identity}, pg_catalog.set_config('transaction_read_only', 'on', true)"]


def _problems(made: World, size: int) -> dict[str, list[str]]:
    """What is wrong with each operation's plan, as one of the table's users sees it."""
    with psycopg.connect(made.url("service", _name(size)).conninfo()) as connection:
        connection.execute("select app.set_user_id(%s)", [named("user 7")])
        return {
            operation.name: problems(operation, plan(connection, operation, id=named("todo 3 of 7")))
            for operation in OPERATIONS
        }


def named(name: str) -> str:
    """Return the id of "user <number>" or of "todo <which> of <number>", as ``world.fill`` makes it."""
    return str(UUID(hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()))


def _name(size: int) -> str:
    return f"todos_{size}"
