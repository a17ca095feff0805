"""Nothing that Alice sends tells apart two worlds that differ in what others own; the short run, and its controls."""

from collections.abc import Iterator
from itertools import islice

import pytest

from tests.clusters import Cluster, Database, cloned, first_of
from tests.search.faults import FAULTS
from tests.search.probes import Probes
from tests.search.search import Search
from tests.search.words import ACCOUNT, SECRETS, TODOS, Table, Words
from tests.search.worlds import Change, alice_seal, pair, prepare

SEED = 20261128
OTHERS = 60
PROBES = first_of(800, 1200, 3000)
FORMS = (
    "select 1 from", " for update", " for key share", "update app.secrets", "update app.account", "delete from", "merge into",
    "insert into", "on conflict", " do update set", "returning", " union all ", " except ", " intersect ", "lateral", " over (",
    "group by", "having", "with w as", "declare c", "prepare p", "explain (analyze", "format json",
    "copy (", "do $do$", "query_to_xml", "case when", "in (select", "exists (select", " is null", " in (", "= any (", "between symmetric",
    "secrets_by_id(", "secrets_page(20,", "::jsonb)[", "array[", "jsonb", "set_config('app.user_seal'", "pg_try_advisory_xact_lock", "1 / (select 0)", "$1", "collate",
)  # fmt: skip
"""What a run must have sent."""
NEWER = {"generic_plan": 16, "serialize": 17, "by source": 17}
"""The same, from a version on."""


@pytest.fixture(scope="module")
def ground(cluster: Cluster) -> Iterator[Database]:
    with cloned(cluster) as made:
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


@pytest.mark.parametrize("probes", PROBES)
def test_fenced(ground: Database, words: Words, probes: int) -> None:
    """Answers, errors, plans, counters and locks are alike, letter for letter."""
    found = search(ground, words, (SECRETS, ACCOUNT), probes)
    assert found.told_apart == [], found.told_apart[0]
    assert found.foreign == [], found.foreign[0]
    assert found.errors < found.probes / 2  # most of them are statements that work
    assert len(found.by_chance) < found.probes / 100


@pytest.mark.breadth
def test_unfenced(ground: Database, words: Words) -> None:
    """No answer holds a value of another's, no row of theirs is changed; plans and errors tell, and are found to."""
    found = search(ground, words, (TODOS,), 500)
    assert found.foreign == [], found.foreign[0]
    assert found.rows_apart == [], found.rows_apart[0]
    assert len(found.told_apart) > 3


@pytest.mark.parametrize("probes", PROBES)
def test_breadth(words: Words, probes: int) -> None:
    """The short run sends every form of statement, and tries every leakproof operator."""
    every = Probes(SEED, words, (SECRETS, ACCOUNT), alice_seal())
    sent = [every.probe(number) for number in range(probes)]
    text = "\n".join(probe.statement for probe in sent)
    forms = [*FORMS, *(form for form, version in NEWER.items() if words.version >= version)]
    assert [form for form in forms if form not in text] == []
    operators = {(name, left, right) for each in words.operators.values() for name, left, right in each}
    assert {name for name, _, _ in operators} >= {"=", "<>", "<", "<=", ">", ">=", "^@", "~<~"}
    assert [name for name, _, _ in operators if f" {name} " not in text] == []
    settings = "\n".join(probe.before for probe in sent)
    assert [setting.name for setting in words.settings if f"set local {setting.name} = " not in settings] == []
    assert "isolation level serializable" in settings


@pytest.mark.parametrize(("change", "table"), FAULTS.values(), ids=FAULTS)
def test_control(ground: Database, words: Words, change: Change, table: Table) -> None:
    """A fence that lacks one of its parts is found within the short run."""
    assert search(ground, words, (table,), 1500, change).found
