"""What is mutated: each operator makes what it says, ours and a project's own."""

import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.clusters import Database
from tests.mutation.running import OURS, Mutate, planted
from userscope.errors import AuditError
from userscope.mutation import selection
from userscope.mutation.mutants import Mutant, every


@pytest.fixture
def catalog(any_database: Database) -> Iterator[tuple[psycopg.Connection, list[Mutant]]]:
    with any_database.superuser_connection() as connection:
        yield connection, every(connection, [OURS])


def test_every_mutant_of_ours_can_be_planted(catalog: tuple[psycopg.Connection, list[Mutant]]) -> None:
    """None of our own database's mutants is invalid, on either version, and none has the name of another."""
    connection, mutants = catalog
    assert len({mutant.id for mutant in mutants}) == len(mutants) > 700
    for mutant in mutants:
        with planted(connection, mutant):
            pass


PARTED = """
create role "50% o'role";
create table public.parents (id int primary key);
create table public.parted (
    owner text not null, note text not null, nr bigint generated always as identity, part int not null check (part > 0),
    parent int references public.parents on delete cascade, primary key (owner, part)
) partition by list (part);
create table public.parted_1 partition of public.parted for values in (1);
alter table public.parted enable row level security;
alter table public.parted_1 enable row level security;
create policy own on public.parted to "50% o'role" using (owner = current_user);
"""


def test_what_is_inherited(database: Database) -> None:
    """What a partition has of its parent is no defect to plant there; nor may an identity be null."""
    with database.superuser_connection() as connection, connection.transaction(force_rollback=True):
        before = set(every(connection))
        connection.execute(PARTED.encode())
        made = set(every(connection)) - before
        for mutant in made:
            with planted(connection, mutant):
                pass
    names = {mutant.id for mutant in made}
    assert names >= {"may be null: public.parted.note", "constraint dropped: parted_pkey on public.parted"}
    assert "may be null: public.parted.nr" not in names
    assert not [name for name in names if name.startswith(("may", "constraint")) and "parted_1" in name]


def test_every_operator_is_there(catalog: tuple[psycopg.Connection, list[Mutant]]) -> None:
    """Each way to be wrong that fits our database is tried: a change of the helper's text must not lose one unseen."""
    operators = {re.sub(r"\bapp_\w+|\w+ for \w+", "…", mutant.operator) for mutant in catalog[1]}
    assert operators >= {
        "policy dropped", "using true", "using false", "using negated", "using or no identity",
        "using or another column", "using …", "with check true", "with check false", "with check negated",
        "with check or no identity", "with check or another column", "with check …", "to public", "to …",
        "permissive or restrictive", "for all commands", "row security disabled", "row security not forced",
        "owned by …", "bypasses row security", "granted", "granted to public", "revoked", "constant", "volatile",
        "only reads app.user_id", "only reads app.user_seal", "search_path not pinned", "security invoker or definer",
        "definer view", "definer function",
        "does not cascade", "constraint dropped", "may be null", "without default", "with statistics",
        "trigger disabled",
    }  # fmt: skip


def test_every_cut_cuts(catalog: tuple[psycopg.Connection, list[Mutant]]) -> None:
    """Each part of identity.sql that schema/mutants/identity.sql would cut out is still found in a helper's text."""
    connection, mutants = catalog
    beside = set(mutants) - set(every(connection))
    written = re.findall(r"\('([a-z ]+)', ", (OURS / "identity.sql").read_text(encoding="utf-8"))
    assert sorted(mutant.operator for mutant in beside) == sorted(written)
    assert len(written) == 11


OPERATOR = """
select 'shows what is old' as operator, target, array['select 1'] as ddl, 'p' as promise, 'i' as idea
  from policies where relation = 'app.todos';
"""


@pytest.mark.breadth
def test_an_operator_of_ones_own(mutate: Mutate, database: Database, tmp_path: Path) -> None:
    """A file in a project's folder "mutants" is an operator beside ours; --list tells what it makes."""
    plan = "%syntax-version=1.0.0\n%project=db\n\nnothing 2026-12-01T09:00:00Z Y <y@x.io> # N\n"
    (tmp_path / "sqitch.plan").write_text(plan, encoding="utf-8")
    (tmp_path / "mutants").mkdir()
    (tmp_path / "mutants" / "old.sql").write_text(OPERATOR, encoding="utf-8")
    code, output, errors = mutate(database, "--project", str(tmp_path), "--list")
    assert code == 0, errors
    listed = output.splitlines()
    with database.superuser_connection() as connection:
        assert listed == [mutant.id for mutant in every(connection, [OURS, tmp_path / "mutants"])]
    own = [name for name in listed if name.startswith("shows what is old: ")]
    assert len(own) == 4
    assert "shows what is old: update_own on app.todos" in own


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("select 'x' as operator, nothing", 'PostgreSQL said: column "nothing" does not exist.'),
        ("select 'x' as operator", "It selects operator, target, ddl, promise, idea and perhaps undo"),
        (OPERATOR.replace("array['select 1']", "'select 1'"), "ddl and undo are text[]"),
        (OPERATOR.replace("target,", "'t' as target,"), 'two mutants are named "shows what is old: t"'),
    ],
)
def test_no_operator(database: Database, tmp_path: Path, text: str, words: str) -> None:
    """A file that selects no mutants, or two of one name, is refused with its name."""
    (tmp_path / "wrong.sql").write_text(text, encoding="utf-8")
    with database.superuser_connection() as connection, pytest.raises(AuditError) as refused:
        every(connection, [tmp_path])
    assert words in str(refused.value)
    assert str(tmp_path / "wrong.sql") in str(refused.value)


def test_a_seed(catalog: tuple[psycopg.Connection, list[Mutant]]) -> None:
    """A sample is drawn by its seed: the same for the same, in the order of names, and another for another."""
    samples = [selection.some(catalog[1], "*", 20, seed) for seed in (1, 1, 2)]
    assert samples[0] == samples[1] != samples[2]
    assert all(sample == sorted(sample, key=lambda mutant: mutant.id) for sample in samples)
