"""Every trace that docs/threat-model.md lists is there, and needs the other session: without it nothing is told."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress

import psycopg
import pytest

from tests.attacks.arena import Arena, run, seal
from tests.attacks.conftest import Grounds
from tests.attacks.traces import TRACES, Trace
from tests.attacks.world import ALICE, BOB
from tests.clusters import Connection, both_ends

on_both_ends = pytest.mark.parametrize(
    "grounds", both_ends(("attacked", "neon"), ("attacked15", "superuser")), indirect=True
)


def _begin(connection: Connection, user: str) -> None:
    connection.execute("begin isolation level serializable")
    connection.execute("select app.set_user_id(%s, %s)", [user, seal(user)])


@contextmanager
def _open(connection: Connection, step: str) -> Iterator[None]:
    """A COPY that is under way; it ends with the connection."""
    with suppress(psycopg.Error), connection.cursor().copy(step.encode()) as copy:
        copy.read()
        yield
        connection.close()


def _told(arena: Arena, trace: Trace, *, left: bool) -> str:
    first, then = (ALICE, BOB) if trace.by_alice else (BOB, ALICE)
    steps = trace.left if left else ()
    with arena.service() as connection, arena.service() as other:
        _begin(connection, first)
        copies = [step for step in steps if step.startswith("copy ")]
        list(run(connection, [step for step in steps if step not in copies]))
        with _open(connection, copies[0]) if copies else nullcontext():
            asking = other if trace.beside else connection
            if not trace.beside:
                list(run(connection, ["commit", "discard all"]))
            _begin(asking, then)
            answers = list(run(asking, [trace.seen]))
        return answers[0]


@on_both_ends
@pytest.mark.parametrize("trace", TRACES, ids=[trace.name for trace in TRACES])
def test_trace(grounds: Grounds, trace: Trace) -> None:
    """It is told, sealed and wiped too, from the version on that has it; before, where nothing was left, it is not."""
    arena = grounds.pristine.clone(trace.needs)
    arena.require_seals(True)
    there = arena.database.cluster.version >= trace.since
    try:
        assert not _told(arena, trace, left=False).startswith(trace.told)
        assert _told(arena, trace, left=True).startswith(trace.told) == there
    finally:
        arena.drop()
