"""Guesses by conditions, plans and errors: on the coordinator, and on workers by the names of shards and copies.

What is fenced answers alike, whether Bob has what is guessed or not, and a shard answers with one's own rows alone. Of
todos a patient guesser who writes SQL learns what lies in the same shard, as on one node of the whole table.
"""

import re
from collections.abc import Iterator
from uuid import UUID, uuid4

import psycopg
import pytest

from tests.citus.rig import Distributed
from tests.clusters import Database

_GUESSES = (
    "select 1 from app.{view} where {column} >= 'bob' and {column} < 'bog'",
    "explain (analyze, costs off, timing off, summary off) select 1 from app.{view} where {column} >= 'bob'",
    "explain (costs) select 1 from app.{view} where {column} = 'bob'",
    "select 1 from app.{view} where case when {column} like 'bob%' then (select 1 / (select 0) = 1) end",
    "select 1 from app.{view} where {column} in ('bob', 'bob@x.io') and set_config('app.user_seal', 'x', true) <> ''",
    "select count(*) from app.{view} as a, app.{view} as b where a.{column} < b.{column}",
    "select 1 from app.{view} where {column} >= 'bob' union all select 1 from app.{view} where {column} < 'bob'",
    "select 1 from app.{view} order by {column} limit 1",
    "update app.{view} set {column} = {column} where {column} >= 'bob'",
    "select 1 from app.todos, app.{view} where {column} >= 'bob'",
)
_FENCED = [("account", "email"), ("account", "name"), ("memberships", "slug"), ("memberships", "role")]
_CLOSED = ("users", "organizations", "members", "invitations", "sessions", "accounts")


@pytest.fixture(scope="module")
def people(distributed: Distributed) -> Iterator[tuple[UUID, UUID]]:
    """Alice, who guesses, and Bob, whose rows lie in the same shard."""
    alice = uuid4()
    bob = next(each for each in iter(uuid4, None) if _shard(distributed, each) == _shard(distributed, alice))
    for user, name in ((alice, "alice"), (bob, "bob")):
        distributed.execute(
            f"insert into app.users (id, name, email) values ('{user}', '{name}', '{name}@x.io'); "
            f"insert into app.organizations (id, name, slug) values ('{user}', '{name}', '{name}'); "
            f"insert into app.members (organization_id, user_id, role) values ('{user}', '{user}', 'owner'); "
            f"insert into app.todos (owner_id, title) values ('{user}', '{name} 1'), ('{user}', '{name} 2')"
        )
    yield alice, bob
    distributed.execute("delete from app.users; delete from app.organizations")


def _shard(distributed: Distributed, user: UUID) -> object:
    return distributed.execute("select get_shard_id_for_distribution_column('app.todos', %s)", [user])


def answers(node: Database, alice: UUID, view: str, column: str) -> list[str]:
    """Everything that guesses are answered: rows, plans and errors, but for what differs by itself."""
    found = []
    for guess in _GUESSES:
        with node.connect("service") as service:
            service.execute("begin")
            service.execute("select app.set_user_id(%s)", [str(alice)])
            for setting in ("enable_indexscan", "enable_bitmapscan"):
                service.execute(f"set local {setting} = off".encode())
            try:
                done = service.execute(guess.format(view=view, column=column).encode())
                said = str(done.fetchall() if done.description else done.rowcount)
            except psycopg.Error as error:
                said = f"{error.sqlstate} {error.diag.message_primary}"
            found.append(re.sub(r"Buffers: [^']*|Memory: \\d+kB|Tuple data received[^']*", "", said))
    return found


@pytest.mark.parametrize(("view", "column"), _FENCED)
def test_what_is_fenced_tells_nothing(
    distributed: Distributed, people: tuple[UUID, UUID], view: str, column: str
) -> None:
    alice, bob = people
    changes = {
        "email": (
            "update app.users set email = 'zoe@x.io' where id = %s",
            "update app.users set email = 'bob@x.io' where id = %s",
        ),
        "name": ("update app.users set name = 'zoe' where id = %s", "update app.users set name = 'bob' where id = %s"),
        "slug": (
            "update app.organizations set slug = 'zoe' where id = %s",
            "update app.organizations set slug = 'bob' where id = %s",
        ),
        "role": (
            "update app.members set role = 'owner,bob' where user_id = %s",
            "update app.members set role = 'owner' where user_id = %s",
        ),
    }
    there, back = changes[column]
    before = answers(distributed.coordinator, alice, view, column)
    assert any("1" in each for each in before), "she sees her own"
    distributed.execute(there, [bob])
    try:
        assert answers(distributed.coordinator, alice, view, column) == before
    finally:
        distributed.execute(back, [bob])


@pytest.mark.parametrize("table", _CLOSED)
def test_tables_and_copies_are_closed(distributed: Distributed, people: tuple[UUID, UUID], table: str) -> None:
    alice, _ = people
    ((copy,),) = distributed.execute(
        f"select 'app.{table}_' || shardid from pg_dist_shard where logicalrelid = 'app.{table}'::regclass"
    )
    for node in distributed.all:
        for relation in (f"app.{table}", str(copy)):
            with node.superuser_connection() as superuser:
                if superuser.execute("select to_regclass(%s)", [relation]).fetchone() == (None,):
                    continue
            with node.connect("service") as service, service.transaction(force_rollback=True):
                service.execute("select app.set_user_id(%s)", [str(alice)])
                with pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied"):
                    service.execute(f"select 1 from {relation}".encode())


def test_a_shard_by_its_own_name(distributed: Distributed, people: tuple[UUID, UUID]) -> None:
    """A session on the worker reads and changes its own rows there, and no others."""
    alice, bob = people
    shard, node = distributed.shard_of(alice)
    with node.superuser_connection() as superuser:
        owners = superuser.execute(f"select owner_id, count(*) from {shard} group by 1".encode()).fetchall()
        assert set(owners) >= {(alice, 2), (bob, 2)}
    with node.connect("service") as service:
        assert service.execute(f"select 1 from {shard}".encode()).fetchall() == []
        with service.transaction(force_rollback=True):
            service.execute("select app.set_user_id(%s)", [str(alice)])
            assert service.execute(f"select owner_id from {shard}".encode()).fetchall() == [(alice,)] * 2
            ctid = f"select ctid from {shard}"
            with pytest.raises(psycopg.errors.InsufficientPrivilege), service.transaction():
                service.execute(ctid.encode())
            service.execute("set local citus.enable_manual_changes_to_shards = on")
            with service.transaction():
                service.execute("select app.set_user_id(%s)", [str(alice)])
                service.execute("set local citus.enable_manual_changes_to_shards = on")
                assert service.execute(f"update {shard} set title = 'mine'".encode()).rowcount == 2
    assert {title for (title,) in distributed.execute("select title from app.todos where owner_id = %s", [bob])} == {
        "bob 1",
        "bob 2",
    }


def test_what_a_guess_tells_of_todos(distributed: Distributed, people: tuple[UUID, UUID]) -> None:
    """The control: todos are not fenced, and what tells nothing of accounts tells of a neighbour's todo."""
    alice, _ = people

    def told(title: str) -> str:
        with distributed.coordinator.connect("service") as service:
            service.execute("begin")
            service.execute("select app.set_user_id(%s)", [str(alice)])
            for setting in ("enable_indexscan", "enable_bitmapscan"):
                service.execute(f"set local {setting} = off".encode())
            try:
                guess = (
                    f"select 1 from app.todos where case when title = '{title}' then (select 1 / (select 0) = 1) end"
                )
                return str(service.execute(guess.encode()).fetchall())
            except psycopg.Error as error:
                return str(error.sqlstate)

    assert (told("bob 1"), told("bob 3")) == ("22012", "[]")
