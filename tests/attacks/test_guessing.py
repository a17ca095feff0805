"""What a condition tells of rows that a policy hides: on a table without a fence, anything; behind a fence, nothing."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.attacks.arena import Arena, run
from tests.attacks.conftest import Grounds
from tests.attacks.guessing import SCANNED, TARGETS, WAYS, Target, Way
from tests.attacks.world import ALICE, BOB
from tests.clusters import Connection

PLANNED_WHOLE = [way for way in WAYS if "cursor" not in way.name]
"""Ways whose plan is for all of their rows; a cursor's is for the first ones, and reads somewhat larger tables whole."""


@contextmanager
def acting(arena: Arena) -> Iterator[Connection]:
    """A service's connection in a transaction of Alice's that leaves nothing behind."""
    with arena.service() as connection:
        arena.acting_for(connection, ALICE)
        yield connection
        connection.execute("rollback")


def answered(arena: Arena, way: Way, target: Target, guess: str) -> str:
    """What comes back, without the guess itself."""
    with acting(arena) as connection:
        steps = [target.written(step, guess) for step in way.steps]
        return "\n".join(run(connection, steps)).replace(guess, "(the guess)")


@pytest.mark.parametrize("target", TARGETS, ids=[target.table for target in TARGETS])
@pytest.mark.parametrize("way", WAYS, ids=[way.name for way in WAYS])
def test_guess(grounds: Grounds, way: Way, target: Target) -> None:
    """A right guess is answered otherwise than a wrong one exactly where there is no fence."""
    arena = grounds.arena(sealed=True, unmoved=False)
    right, wrong = (answered(arena, way, target, guess) for guess in (target.right, target.wrong))
    assert "42601" not in right + wrong
    assert "42501" not in right + wrong
    assert (right == wrong) is target.fenced, f"{right}\n--- wrong ---\n{wrong}"


SPOILT = "select set_config('app.user_seal', 'x', true)"
COUNTED = "select relname, seq_scan, idx_scan, seq_tup_read, idx_tup_fetch from pg_stat_xact_user_tables order by 1"


@pytest.mark.parametrize("planned", [SCANNED, ("set local enable_seqscan = off",)], ids=["whole", "by an index"])
@pytest.mark.parametrize("call", ["by_id('{guess}')", "page(20, '{of}', '{guess}')"])
def test_guess_by_function(grounds: Grounds, call: str, planned: tuple[str, ...]) -> None:
    """A fence's functions ask who acts before they look for what is wanted: of another's id they tell nothing."""
    arena = grounds.arena(sealed=True, unmoved=False)
    row = arena.superuser.execute("select id, created_at from app_fenced.secrets where owner_id = %s limit 1", [BOB])
    ((id_, of),) = row.fetchall()
    told = []
    for guess in (str(id_), str(id_)[::-1].translate({ord("-"): None})):
        asked = f"select 1 from app.secrets_{call.format(guess=guess, of=of)}"
        with acting(arena) as connection:
            told.append([*run(connection, [*planned, asked, COUNTED, SPOILT, asked, COUNTED])])
    assert told[0] == told[1]
    assert told[0][-2].startswith("28000")


class Oracle:
    """Answers whether a condition holds for a row of anybody's, by spoiling Alice's own seal or by EXPLAIN ANALYZE."""

    def __init__(self, connection: Connection, table: str, *, spoil: bool) -> None:
        self._connection, self._table, self._spoil, self.asked = connection, table, spoil, 0
        list(run(connection, [*SCANNED, *(["select set_config('app.user_seal', 'x', true)"] if spoil else [])]))

    def holds(self, condition: str) -> bool:
        """Ask."""
        self.asked += 1
        explain = "" if self._spoil else "explain (analyze, costs off, timing off, summary off, buffers off) "
        answer = "\n".join(run(self._connection, [f"{explain}select 1 from {self._table} where {condition}"]))
        return answer.startswith("28000") if self._spoil else "never executed" not in answer

    def text(self, column: str, of: str, length: int = 20) -> str:
        """The largest value of ``column`` in rows for which ``of`` holds, letter by letter, printable ASCII alone."""
        found = ""
        while len(found) < length and self.holds(f"{of} and {column} collate \"C\" > '{found}'"):
            low, high = 32, 126
            while low < high:
                middle = (low + high + 1) // 2
                low, high = (
                    (middle, high)
                    if self.holds(f"{of} and {column} collate \"C\" >= '{found}{_letter(middle)}'")
                    else (low, middle - 1)
                )
            found += chr(low)
        return found


def _letter(code: int) -> str:
    return chr(code).replace("'", "''")


@pytest.mark.parametrize("spoil", [True, False], ids=["spoilt seal", "EXPLAIN ANALYZE"])
def test_read_letter_by_letter(grounds: Grounds, spoil: bool) -> None:
    """A title of Bob's is read exactly through app.todos, and nothing through the fence."""
    arena = grounds.arena(sealed=True, unmoved=False)
    bobs = f"owner_id >= '{BOB}' and owner_id <= '{BOB}'"
    title = 'select max(title collate "C") from app.todos where owner_id = %s'
    (truth,) = arena.superuser.execute(title, [BOB]).fetchone() or ("",)
    with acting(arena) as connection:
        todos, secrets = (Oracle(connection, table, spoil=spoil) for table in ("app.todos", "app.secrets"))
        assert todos.text("title", bobs) == truth
        assert todos.asked < 200
        told = {secrets.holds(condition) for condition in (bobs, f"{bobs} and title > 'b'", f"{bobs} and title > 'x'")}
        assert len(told) == 1


@pytest.mark.parametrize("way", PLANNED_WHOLE, ids=[way.name for way in PLANNED_WHOLE])
def test_default_plan(grounds: Grounds, way: Way) -> None:
    """On a table of some 400 rows and more, who cannot change the planner's settings has only their own rows tried."""
    arena = grounds.arena(sealed=True, unmoved=False)
    ways = Way(way.name, tuple(step for step in way.steps if step not in SCANNED))
    right, wrong = (answered(arena, ways, TARGETS[0], guess) for guess in (TARGETS[0].right, TARGETS[0].wrong))
    assert right == wrong
