"""Nothing that Alice sends tells apart two worlds that differ in what others own; the short run, and its controls."""

from collections.abc import Iterator
from itertools import islice

import pytest
from pytest_postgresql.executors import NoopExecutor

from tests.clusters import Cluster, Database, cloned
from tests.search.faults import FAULTS
from tests.search.probes import Probes
from tests.search.search import Search
from tests.search.words import ACCOUNT, SECRETS, TODOS, Table, Words
from tests.search.worlds import Change, alice_seal, pair, prepare

SEED = 20261128
OTHERS = 60


@pytest.fixture(scope="module")
def ground(cluster: Cluster, template18: NoopExecutor) -> Iterator[Database]:
    with cloned(cluster, template18.template_dbname) as made:
        prepare(made)
        yield made


@pytest.fixture(scope="module")
def words(ground: Database) -> Words:
    with ground.superuser_connection() as superuser:
        return Words.of(superuser, OTHERS)


def search(
    ground: Database, words: Words, tables: tuple[Table, ...], probes: int, change: Change | None = None
) -> Search:
    """Carry out a search of this many probes, or until a fault was found."""
    print(f"seed {SEED}")
    with pair(ground, "everything", OTHERS, change) as worlds:
        every = islice(Probes(SEED, words, tables, alice_seal()), probes)
        compared = all(table.fenced for table in tables)
        return Search(worlds, compared).run(every, until_found=change is not None)


def test_fenced(ground: Database, words: Words) -> None:
    """Answers, errors, plans, counters and locks are alike, letter for letter."""
    found = search(ground, words, (SECRETS, ACCOUNT), 1500)
    assert found.told_apart == [], found.told_apart[0]
    assert found.foreign == [], found.foreign[0]
    assert found.errors < found.probes / 2  # most of them are statements that work
    assert len(found.by_chance) < found.probes / 100


def test_unfenced(ground: Database, words: Words) -> None:
    """No answer holds a value of another's, no row of theirs is changed; plans and errors tell, and are found to."""
    found = search(ground, words, (TODOS,), 700)
    assert found.foreign == [], found.foreign[0]
    assert found.rows_apart == [], found.rows_apart[0]
    assert len(found.told_apart) > 3


@pytest.mark.parametrize(("change", "table"), FAULTS.values(), ids=FAULTS)
def test_control(ground: Database, words: Words, change: Change, table: Table) -> None:
    """A fence that lacks one of its parts is found within the short run."""
    assert search(ground, words, (table,), 1500, change).found
