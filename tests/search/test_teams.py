"""Organizations in the search: what answers for Alice's own tells nothing of the others, their sizes and members."""

from collections.abc import Iterator
from itertools import islice

import pytest

from tests.attacks.arena import add_boards, run
from tests.attacks.guessing import SCANNED
from tests.clusters import Cluster, Database, cloned
from tests.search.people import ALICE
from tests.search.probes import Probes
from tests.search.search import Search
from tests.search.teams import ACME, BOARDS, FAULTS, TEAMS, claiming, fill, with_teams
from tests.search.words import Table, Words
from tests.search.worlds import Change, alice_seal, pair, prepare

SEED, OTHERS = 20261130, 60


@pytest.fixture(scope="module")
def ground(cluster: Cluster) -> Iterator[Database]:
    with cloned(cluster) as made:
        prepare(made)
        add_boards(made)
        yield made


def search(ground: Database, tables: tuple[Table, ...], probes: int) -> Search:
    print(f"seed {SEED}")
    with ground.superuser_connection() as superuser:
        words = with_teams(Words.of(superuser, OTHERS))
    with pair(ground, "everything", OTHERS, fill) as worlds:
        every = islice(Probes(SEED, words, tables, alice_seal()), probes)
        return Search(worlds, all(table.fenced for table in tables)).run(map(claiming, every))


@pytest.mark.breadth
def test_fenced(ground: Database) -> None:
    """Answers, errors, plans, counters and locks are alike, letter for letter."""
    found = search(ground, TEAMS, 3000)
    assert found.told_apart == [], found.told_apart[0]
    assert found.foreign == [], found.foreign[0]
    assert found.errors < found.probes * 0.6
    assert len(found.by_chance) < found.probes / 100


@pytest.mark.breadth
def test_rows(ground: Database) -> None:
    """Of rows of organizations, without a fence, no answer holds another's, and none is changed."""
    found = search(ground, (BOARDS,), 1000)
    assert found.foreign == [], found.foreign[0]
    assert found.rows_apart == [], found.rows_apart[0]
    assert len(found.told_apart) > 3


_ANALYZE = "explain (analyze, costs off, timing off, summary off, buffers off)"
_IN_ORDER = tuple(f"set local enable_{way} = off" for way in ("nestloop", "hashjoin", "seqscan", "bitmapscan", "sort"))
_COUNTED = "select relid::regclass, idx_tup_fetch from pg_stat_xact_user_tables where idx_tup_fetch > 0 order by relid"
_ASKED = ("app.organization", "app.memberships", "app.colleagues()", "app.my_invitations()")
AIMED = {
    "guessed": (
        *SCANNED, f"{_ANALYZE} select 1 from app.memberships where slug = 'bob-0'",
        f"{_ANALYZE} select 1 from app.memberships where name = 'bad plan 0003'",
        *(f"set local enable_{way}" for way in ("indexscan = on", "seqscan = off", "sort = off")),
        f"{_ANALYZE} select 1 from app.organization where slug >= 'bob-0' and slug <= 'bob-0' order by slug",
    ),
    "in order": (*_IN_ORDER, *(step for each in _ASKED for step in (f"select count(*) from {each}", _COUNTED))),
}  # fmt: skip
"""What is told where a part is missing, of whatever is there."""


def told(ground: Database, steps: tuple[str, ...], change: Change) -> list[list[str]]:
    answers = []
    with pair(ground, "everything", OTHERS, change) as worlds:
        for world in worlds:
            with world.alice.transaction():
                world.alice.execute("select app.set_user_id(%s, %s)", [ALICE, alice_seal()])
                world.alice.execute("select app.set_organization_id(%s)", [ACME])
                answers.append(list(run(world.alice, steps)))
    return answers


@pytest.mark.parametrize("aimed", AIMED)
def test_aimed(ground: Database, aimed: str) -> None:
    """What finds each fault finds nothing of what is deployed."""
    one, other = told(ground, AIMED[aimed], fill)
    assert one == other
    assert not all(each.startswith("42501") for each in one)


@pytest.mark.parametrize("fault", FAULTS)
def test_control(ground: Database, fault: str) -> None:
    """A fence that lacks a part is found, every time."""
    one, other = told(ground, AIMED["in order" if "order" in fault else "guessed"], FAULTS[fault])
    assert one != other
