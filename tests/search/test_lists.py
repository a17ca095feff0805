"""The tables of docs/sharing.md in the search: what is shared with others tells Alice nothing."""

from collections.abc import Iterator
from itertools import islice

import pytest

from tests.attacks.arena import run
from tests.clusters import Cluster, Database, cloned
from tests.search.lists import add_lists, fill, joined_in_order
from tests.search.people import ALICE
from tests.search.probes import Probes
from tests.search.search import Search
from tests.search.words import LISTS, SHARED, Table, Words
from tests.search.worlds import Change, alice_seal, pair, prepare

SEED, OTHERS = 20261129, 60
pytestmark = pytest.mark.breadth


@pytest.fixture(scope="module")
def ground(cluster: Cluster) -> Iterator[Database]:
    with cloned(cluster) as made:
        prepare(made)
        add_lists(made)
        yield made


def search(ground: Database, table: Table, probes: int, change: Change = fill, *, until_found: bool = False) -> Search:
    print(f"seed {SEED}")
    with ground.superuser_connection() as superuser:
        words = Words.of(superuser, OTHERS)
    with pair(ground, "everything", OTHERS, change) as worlds:
        every = islice(Probes(SEED, words, (table,), alice_seal()), probes)
        return Search(worlds, table.fenced).run(every, until_found=until_found)


def test_functions(ground: Database) -> None:
    """What answers for sharing is alike, letter for letter, with plans, counters and errors."""
    found = search(ground, SHARED, 2000)
    assert found.told_apart == [], found.told_apart[0]
    assert found.foreign == [], found.foreign[0]
    assert found.errors < found.probes / 2


def test_lists(ground: Database) -> None:
    """A list is as any row without a fence: no answer holds another's."""
    found = search(ground, LISTS, 1000)
    assert found.foreign == [], found.foreign[0]
    assert found.rows_apart == [], found.rows_apart[0]


IN_ORDER = (
    *(f"set local enable_{way} = off" for way in ("nestloop", "hashjoin", "seqscan", "bitmapscan", "sort")),
    "select count(*) from app.shared_lists()",
    "select idx_tup_fetch from pg_stat_xact_user_tables where relid = 'app.lists'::regclass",
)


@pytest.mark.parametrize(("change", "alike"), [(fill, True), (joined_in_order, False)])
def test_in_order(ground: Database, change: Change, alike: bool) -> None:
    """How many lists sort before those that are shared is not counted, whatever the plan; a join tells."""
    told = []
    with pair(ground, "everything", OTHERS, change) as worlds:
        for world in worlds:
            with world.alice.transaction():
                world.alice.execute("select app.set_user_id(%s, %s)", [ALICE, alice_seal()])
                told.append(list(run(world.alice, IN_ORDER)))
    assert told[0][-2] == told[1][-2] == "3"
    assert (told[0] == told[1]) is alike
