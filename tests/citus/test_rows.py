"""What tests/isolation asserts in words that Citus refuses, said so that it takes them."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg.errors import CheckViolation, ForeignKeyViolation, InsufficientPrivilege, NotNullViolation

from tests.citus.rig import Distributed
from tests.clusters import Connection

_REFERENCES = [
    ("todos", "owner_id"),
    ("sessions", "user_id"),
    ("sessions", "active_organization_id"),
    ("accounts", "user_id"),
    ("members", "organization_id"),
    ("members", "user_id"),
    ("invitations", "organization_id"),
    ("invitations", "inviter_id"),
]
_TABLES = ("users", "organizations", "members", "invitations", "todos", "sessions", "accounts")
_PERSON = """
insert into app.users (id, name, email) values ('{user}', '{name}', '{user}@x.io');
insert into app.organizations (id, name, slug) values ('{user}', '{name}', '{user}');
insert into app.members (organization_id, user_id, role) values ('{user}', '{user}', 'owner');
insert into app.invitations (organization_id, email, expires_at, inviter_id)
values ('{user}', 'x@x.io', now(), '{user}');
insert into app.todos (owner_id, title) values ('{user}', '{name} 1'), ('{user}', '{name} 2');
insert into app.sessions (user_id, token, expires_at) values ('{user}', '{user}', now());
insert into app.accounts (user_id, account_id, provider_id) values ('{user}', '{user}', 'credential');
"""


@pytest.fixture
def people(distributed: Distributed) -> Iterator[tuple[UUID, UUID]]:
    """Alice and Bob, with rows in every table."""
    alice, bob = uuid4(), uuid4()
    distributed.execute(_PERSON.format(user=alice, name="alice"))
    distributed.execute(_PERSON.format(user=bob, name="bob"))
    yield alice, bob
    distributed.execute("delete from app.users")
    distributed.execute("delete from app.organizations")


@contextmanager
def acting(distributed: Distributed, user: UUID) -> Iterator[Connection]:
    with distributed.coordinator.connect("service") as service, service.transaction():
        service.execute("select app.set_user_id(%s)", [str(user)])
        yield service


def everything(distributed: Distributed) -> dict[str, list[str]]:
    return {
        table: sorted(row for (row,) in distributed.execute(f"select t::text from app.{table} as t"))
        for table in _TABLES
    }


@pytest.fixture
def owner(distributed: Distributed) -> Iterator[str]:
    """A role that may log in everywhere, bypasses nothing, and may be given the tables."""
    distributed.execute("create role citus_owner login")
    distributed.execute("grant usage on schema app to citus_owner")
    distributed.execute("grant execute on function app.current_user_id(), app.current_user_key() to citus_owner")
    yield "citus_owner"
    distributed.execute("drop owned by citus_owner")
    for node in distributed.nodes.servers:
        with node.superuser_connection() as superuser:
            superuser.execute("set citus.enable_ddl_propagation = off")
            superuser.execute("drop role if exists citus_owner")


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize("table", _TABLES)
def test_a_tables_owner_is_under_its_policies(distributed: Distributed, owner: str, table: str) -> None:
    before = everything(distributed)
    assert before[table]
    distributed.execute(f"alter table app.{table} owner to {owner}")
    try:
        with psycopg.connect(
            distributed.coordinator.url().conninfo(user=owner), autocommit=True, prepare_threshold=None
        ) as connection:
            assert connection.execute(f"select * from app.{table}".encode()).fetchall() == []
            column = {"todos": "title", "sessions": "token", "accounts": "account_id", "invitations": "role"}.get(
                table, "role" if table == "members" else "name"
            )
            for statement in (f"update app.{table} set {column} = 'taken'", f"delete from app.{table}"):
                # Citus asks for rights on what foreign keys point to, before it looks for rows.
                with suppress(InsufficientPrivilege):
                    assert connection.execute(statement.encode()).rowcount == 0
    finally:
        distributed.execute(f"alter table app.{table} owner to postgres")
    assert everything(distributed) == before


def test_nobody_gives_a_todo_away_or_takes_one(distributed: Distributed, people: tuple[UUID, UUID]) -> None:
    alice, bob = people
    before = everything(distributed)
    for statement in (
        f"update app.todos set owner_id = '{bob}'",
        f"update app.todos set owner_id = '{alice}' where owner_id = '{bob}'",
    ):
        refused = (psycopg.errors.FeatureNotSupported, InsufficientPrivilege)
        with acting(distributed, alice) as service, pytest.raises(refused), service.transaction():
            service.execute(statement.encode())
    assert everything(distributed) == before


def test_inserts_are_checked_by_the_policy(distributed: Distributed, people: tuple[UUID, UUID]) -> None:
    """Citus needs the right to owner_id: the policy alone says whose a todo may be, and a trigger when it was made."""
    alice, bob = people
    insert = sql.SQL("insert into app.todos (owner_id, title, created_at) values ({}, 'planted', '2001-01-01')")
    with acting(distributed, alice) as service:
        assert service.execute(insert.format(alice)).rowcount == 1
        # A worker's now() is when its own transaction began.
        made = service.execute("select now() - created_at from app.todos where title = 'planted'").fetchone()
        assert made is not None
        assert abs(made[0].total_seconds()) < 60
        with pytest.raises(InsufficientPrivilege, match="row-level security"), service.transaction():
            service.execute(insert.format(bob))
    assert distributed.execute("select owner_id from app.todos where title = 'planted'") == [(alice,)]


def test_updates_are_checked_by_the_policy(distributed: Distributed, people: tuple[UUID, UUID]) -> None:
    """On the shard, where the row's owner could be changed: a session of the service's own on the worker."""
    alice, bob = people
    shard, worker = distributed.shard_of(alice)
    with worker.superuser_connection() as superuser:
        superuser.execute("set citus.enable_ddl_propagation = off")
        superuser.execute("set citus.enable_manual_changes_to_shards = on")
        with superuser.transaction(force_rollback=True):
            superuser.execute(f"grant update (owner_id) on {shard} to app_user".encode())
            superuser.execute("set local role app_user")
            superuser.execute(f"set local app.user_id = '{alice}'".encode())
            give = f"update {shard} set owner_id = '{{}}'"
            assert superuser.execute(give.format(alice).encode()).rowcount == 2
            with pytest.raises(InsufficientPrivilege, match="row-level security"):
                superuser.execute(give.format(bob).encode())


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize(("table", "column"), _REFERENCES)
def test_nothing_belongs_to_nobody(distributed: Distributed, table: str, column: str) -> None:
    statement = f"update app.{table} set {column} = '{uuid4()}'"
    if table == "todos":
        statement = f"insert into app.todos (owner_id, title) values ('{uuid4()}', 'x')"
    with pytest.raises(ForeignKeyViolation, match=f"{table}_{column}_fkey"):
        distributed.execute(statement)


@pytest.mark.parametrize("column", ["title", "completed", "created_at", "updated_at", "id", "owner_id"])
def test_never_null(distributed: Distributed, people: tuple[UUID, UUID], column: str) -> None:
    alice, _ = people
    values = {"owner_id": f"'{alice}'", "id": "gen_random_uuid()", "title": "'x'", "completed": "false"}
    values |= {"created_at": "now()", "updated_at": "now()"} | {column: "null"}
    statement = f"insert into app.todos ({', '.join(values)}) values ({', '.join(values.values())})"
    with pytest.raises((NotNullViolation, psycopg.errors.NullValueNotAllowed)):
        distributed.execute(statement)


def test_a_todo_is_its_makers(distributed: Distributed, people: tuple[UUID, UUID]) -> None:
    alice, _ = people
    with acting(distributed, alice) as service:
        made = service.execute(
            "insert into app.todos (title) values ('new') "
            "returning owner_id, completed, id is not null, created_at = updated_at"
        ).fetchone()
    assert made == (alice, False, True, True)


def test_updated_at_moves(distributed: Distributed, people: tuple[UUID, UUID]) -> None:
    alice, _ = people
    with acting(distributed, alice) as service:
        service.execute("update app.todos set completed = true where title = 'alice 1'")
    moved = distributed.execute("select title, updated_at > created_at from app.todos where owner_id = %s", [alice])
    assert set(moved) == {("alice 1", True), ("alice 2", False)}
    with distributed.coordinator.connect("auth") as auth:
        auth.execute("update app.users set name = 'Alice', updated_at = 'epoch' where id = %s", [alice])
    assert distributed.execute("select updated_at > created_at from app.users where id = %s", [alice]) == [(True,)]


def test_defaults(distributed: Distributed, people: tuple[UUID, UUID]) -> None:
    alice, _ = people
    inserts = {
        "users": ("name, email", "'', 'new@x.io'"),
        "sessions": ("user_id, token, expires_at", f"'{alice}', 'new', now()"),
        "accounts": ("user_id, account_id, provider_id", f"'{alice}', 'new', 'new'"),
        "organizations": ("name, slug", "'new', 'new'"),
        "verifications": ("identifier, value, expires_at", "'new', 'new', now()"),
        "jwks": ("public_key, private_key", "'new', 'new'"),
    }
    with distributed.coordinator.connect("auth") as auth:
        for table, (columns, values) in inserts.items():
            row = auth.execute(
                f"insert into app.{table} ({columns}) values ({values}) returning id, created_at".encode()
            )
            assert None not in (row.fetchone() or (None,)), table


def test_an_account_that_was_changed_meanwhile(distributed: Distributed, people: tuple[UUID, UUID]) -> None:
    """One's own account is written through its view, and only where it is still what was seen: 40001 otherwise."""
    alice, _ = people
    with distributed.coordinator.connect("service") as service:
        service.execute("begin isolation level repeatable read")
        service.execute("select app.set_user_id(%s)", [str(alice)])
        assert service.execute("select name from app.account").fetchall() == [("alice",)]
        distributed.execute("update app.users set image = 'new' where id = %s", [alice])
        with pytest.raises(psycopg.errors.SerializationFailure):
            service.execute("update app.account set name = 'mine'")
        service.execute("rollback")
    with acting(distributed, alice) as service:
        assert service.execute("update app.account set name = 'mine'").rowcount == 1
    assert distributed.everywhere("select distinct name || image from app.users where name = 'mine'") == ["minenew"] * 3


def test_copies_stay_alike(distributed: Distributed, people: tuple[UUID, UUID]) -> None:
    """Whoever writes to what is whole on every node, and by whatever trigger: each node has the same row."""
    alice, _ = people
    for number in range(3):
        with acting(distributed, alice) as service:
            assert service.execute("update app.account set name = %s", [str(number)]).rowcount == 1
        with distributed.coordinator.connect("auth") as auth:
            auth.execute("update app.users set image = %s where id = %s", [str(number), alice])
            auth.execute("update app.organizations set name = %s where id = %s", [str(number), alice])
    for table in ("users", "organizations", "members", "invitations"):
        rows = distributed.everywhere(f"select md5(string_agg(t::text, '' order by id)) from app.{table} as t")
        assert rows == [rows[0]] * 3, table
    moved = distributed.execute(
        "select updated_at > created_at and updated_at <= now() from app.users where id = %s", [alice]
    )
    assert moved == [(True,)]


def test_a_deleted_user_goes_from_every_shard(distributed: Distributed, people: tuple[UUID, UUID]) -> None:
    alice, bob = people
    with distributed.coordinator.connect("auth") as auth:
        assert auth.execute("delete from app.users where id = %s", [alice]).rowcount == 1
    assert {owner for (owner,) in distributed.execute("select owner_id from app.todos")} == {bob}
    assert {owner for (owner,) in distributed.execute("select user_id from app.members")} == {bob}


def test_a_last_owner_stays(distributed: Distributed, people: tuple[UUID, UUID]) -> None:
    alice, _ = people
    with distributed.coordinator.connect("auth") as auth:
        with pytest.raises(CheckViolation, match="at least one owner"):
            auth.execute("delete from app.members where user_id = %s", [alice])
        assert auth.execute("delete from app.organizations where id = %s", [alice]).rowcount == 1
