"""Who reaches which rows: every table × every command × every actor, compared with what is committed afterwards."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import sql

from tests.isolation.world import OWNER, TABLES, WRONG_SEAL, Connection, Row, World

OWN, ALL, NONE, ONE = "own rows", "all rows", "no rows", "one new row"

ACTORS: dict[str, Callable[[World, UUID], tuple[str, ...] | None]] = {
    "owner": lambda _, user: (str(user),),
    "no identity": lambda *_: None,
    "empty identity": lambda *_: ("",),
    "malformed identity": lambda *_: ("not-a-uuid",),
    "unknown user": lambda *_: ("00000000-0000-4000-8000-000000000000",),
    "wrong seal": lambda _, user: (str(user), WRONG_SEAL),
}

STATEMENTS = {
    "select": "select id from app.{table}",
    "insert": "insert into app.{table} {values}",
    # These two read no column: a policy for SELECT judges what is read, and would hide a hole in their own.
    # Infinity is a word, and a time as well: all that is updated of a session is its times.
    "update": "update app.{table} set {content} = 'infinity'",
    "delete": "delete from app.{table}",
    # Bare, no WHERE and no RETURNING: with either, the SELECT policy would also judge the new row and hide a hole.
    "give away": "update app.{table} set {owner} = {other}",
    "take": "insert into app.{table} ({owner}, {content}) values ({other}, 'infinity')",
    "truncate": "truncate app.{table} cascade",
}
CONTENT = {
    "users": "name",
    "account": "name",
    "todos": "title",
    "organizations": "name",
    "members": "role",
    "invitations": "expires_at",
    "sessions": "expires_at",
    "accounts": "scope",
    "verifications": "value",
    "jwks": "alg",
}
VALUES = {
    "users": "(name, email) values ('new', 'new@example.com')",
    "account": "(name, email) values ('new', 'new@example.com')",
    "todos": "(title) values ('new')",
    "organizations": "(name, slug) values ('new', 'new')",
    "members": "(organization_id, user_id) values (gen_random_uuid(), {user})",
    "invitations": "(organization_id, email, expires_at, inviter_id) "
    "values (gen_random_uuid(), 'a@b.c', now(), {user})",
    "sessions": "(user_id, token, expires_at) values ({user}, 'new', now())",
    "accounts": "(user_id, account_id, provider_id) values ({user}, 'new', 'new')",
    "verifications": "(identifier, value, expires_at) values ('new', 'new', now())",
    "jwks": "(public_key, private_key) values ('new', 'new')",
}

STORED = {"account": "users"}
"""The table that holds the rows of a view."""

DENIED = "permission denied for (table|view) {table}|cannot (insert into|delete from) view"
VIOLATES = 'new row violates row-level security policy for table "{table}"'
OWNERLESS = "an organization has at least one owner"
MALFORMED = "invalid input syntax for type uuid"
UNSEALED = "the identity's seal names no active key"

# What each actor of app_user gets, in the order of ACTORS; what is not named here is denied to all.
APP_USER: dict[tuple[str, str], tuple[str, ...]] = {
    ("account", "select"): (OWN, NONE, NONE, MALFORMED, NONE, UNSEALED),
    ("account", "update"): (OWN, NONE, NONE, MALFORMED, NONE, UNSEALED),
    ("todos", "select"): (OWN, NONE, NONE, MALFORMED, NONE, UNSEALED),
    ("todos", "insert"): (ONE, VIOLATES, VIOLATES, MALFORMED, "violates foreign key constraint", UNSEALED),
    ("todos", "update"): (OWN, NONE, NONE, MALFORMED, NONE, UNSEALED),
    ("todos", "delete"): (OWN, NONE, NONE, MALFORMED, NONE, UNSEALED),
}
# The role that a view's table knows: bound by the same policies, whoever asks through the view.
APP_GATE = {("users", "select"): OWN, ("users", "update"): OWN, ("organizations", "select"): OWN}
# The identity provider's role; what is not named here is denied.
APP_AUTH = {
    ("users", "select"): ALL, ("users", "insert"): ONE, ("users", "update"): ALL, ("users", "delete"): ALL,
    ("users", "take"): "null value in column",
    ("organizations", "select"): ALL, ("organizations", "insert"): ONE, ("organizations", "update"): ALL,
    ("organizations", "delete"): ALL,
    ("members", "select"): ALL, ("members", "insert"): "members_organization_id_fkey", ("members", "update"): OWNERLESS,
    ("members", "delete"): OWNERLESS, ("members", "take"): "null value in column",
    ("invitations", "select"): ALL, ("invitations", "insert"): "invitations_organization_id_fkey",
    ("invitations", "update"): ALL, ("invitations", "delete"): ALL, ("invitations", "take"): "null value in column",
    ("sessions", "select"): ALL, ("sessions", "insert"): ONE, ("sessions", "update"): ALL, ("sessions", "delete"): ALL,
    ("sessions", "take"): "null value in column",
    ("accounts", "select"): ALL, ("accounts", "insert"): ONE, ("accounts", "update"): ALL, ("accounts", "delete"): ALL,
    ("accounts", "take"): "null value in column",
    ("verifications", "select"): ALL, ("verifications", "insert"): ONE, ("verifications", "delete"): ALL,
    ("jwks", "select"): ALL, ("jwks", "insert"): ONE,
}  # fmt: skip

CASES = [
    (table, command)
    for table in TABLES
    for command in STATEMENTS
    if table not in ("organizations", "verifications", "jwks") or command not in ("give away", "take")
]
VIEWS = [("account", command) for command in STATEMENTS if command != "truncate"]


def statement(table: str, command: str, user: UUID, other: UUID) -> sql.Composed:
    names = {"table": table, "content": CONTENT[table], "owner": OWNER[table]}
    text = STATEMENTS[command].replace("{values}", VALUES[table])
    for name, value in names.items():
        text = text.replace("{" + name + "}", value)
    return sql.SQL(text).format(user=sql.Literal(user), other=sql.Literal(other))


def attempt(
    connection: Connection, identity: tuple[str, ...] | None, query: sql.Composed, role: str
) -> psycopg.Cursor[tuple[Any, ...]]:
    """Run one statement in a transaction of its own, as ``role`` (the connection's own: none), and commit it."""
    with connection.transaction():
        if identity is not None:
            connection.execute("select app.set_user_id(" + ", ".join(["%s"] * len(identity)) + ")", identity)
        connection.execute(sql.SQL("set local role {}").format(sql.SQL(role)))
        return connection.execute(query)


def check(
    world: World,
    connection: Connection,
    identity: tuple[str, ...] | None,
    case: tuple[str, str],
    expected: str,
    *,
    role: str = "none",
) -> None:
    """Run the case between two snapshots of everything: what was not to be reached is as it was."""
    table, command = STORED.get(case[0], case[0]), case[1]
    alice, bob = world.users
    before = world.snapshot()
    reached = {
        OWN: {row for row in before[table] if row[0] == alice},
        ALL: set(before[table]),
        NONE: set[Row](),
        ONE: set[Row](),
    }
    assert reached[ALL], "there are rows to be reached"
    query = statement(*case, alice, bob)
    if expected not in reached:
        with pytest.raises(psycopg.Error, match=expected.format(table=case[0])):
            attempt(connection, identity, query, role)
        assert world.snapshot() == before
        return
    result = attempt(connection, identity, query, role)
    after = world.snapshot()
    if command == "select":
        assert {row[0] for row in result} == {row[1] for row in reached[expected]}
        assert after == before
        return
    assert result.rowcount == (1 if expected == ONE else len(reached[expected]))
    assert before[table] - reached[expected] <= after[table], "nobody else's row was touched"
    change = {"insert": 1, "delete": -len(reached[expected])}.get(command, 0)
    assert len(after[table]) == len(before[table]) + change
    if table not in ("users", "organizations") or command != "delete":
        assert {name: rows for name, rows in after.items() if name != table} == {
            name: rows for name, rows in before.items() if name != table
        }


@pytest.mark.parametrize("actor", ACTORS)
@pytest.mark.parametrize(("table", "command"), CASES + VIEWS)
def test_service(world: World, table: str, command: str, actor: str) -> None:
    """A service reaches the rows of the user it acts for, and without a valid identity none."""
    outcomes = APP_USER.get((table, command))
    expected = outcomes[list(ACTORS).index(actor)] if outcomes else DENIED
    check(world, world.service, ACTORS[actor](world, world.users[0]), (table, command), expected)


@pytest.mark.parametrize("actor", ["owner", "no identity"])
@pytest.mark.parametrize(("table", "command"), CASES)
def test_gate(world: World, table: str, command: str, actor: str) -> None:
    """The role that views of fenced tables read as is bound by the policies, and has no right but what they need."""
    expected = APP_GATE.get((table, command), DENIED)
    identity = ACTORS[actor](world, world.users[0])
    check(
        world,
        world.admin,
        identity,
        (table, command),
        NONE if expected == OWN and not identity else expected,
        role="app_gate",
    )


@pytest.mark.parametrize(("table", "command"), CASES + VIEWS)
def test_identity_provider(world: World, table: str, command: str) -> None:
    """The identity provider manages accounts and reaches no todo."""
    check(world, world.auth, None, (table, command), APP_AUTH.get((table, command), DENIED))


@pytest.mark.parametrize(("table", "command"), [case for case in CASES if case[1] != "truncate"])
def test_table_owner(world: World, table: str, command: str) -> None:
    """Whoever owns a table and does not bypass row security is under its policies as well: it is forced."""
    before = world.snapshot()
    assert before[table], "there are rows to be reached"
    with world.admin.transaction(force_rollback=True):
        world.admin.execute("create role isolation_owner")
        world.admin.execute("grant usage on schema app to isolation_owner")
        world.admin.execute(
            "grant execute on function app.current_user_id(), app.current_user_key() to isolation_owner"
        )
        world.admin.execute(f"alter table app.{table} owner to isolation_owner")
        world.admin.execute("set local role isolation_owner")
        query = statement(table, command, *world.users)
        if command in ("insert", "take"):
            violation = VIOLATES.format(table=table)
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match=violation), world.admin.transaction():
                world.admin.execute(query)
        else:
            assert world.admin.execute(query).rowcount == 0
    assert world.snapshot() == before


@pytest.mark.parametrize(("table", "role"), [("todos", "app_user"), ("users", "app_gate")])
def test_check_of_updates(world: World, table: str, role: str) -> None:
    """No grant lets a user change whose a row is; the policy would refuse it all the same, alone."""
    alice, bob = world.users
    owner, before = OWNER[table], world.snapshot()
    give_away = sql.SQL(f"update app.{table} set {owner} = {{}}")
    with world.admin.transaction(force_rollback=True):
        world.admin.execute(f"grant update ({owner}) on app.{table} to {role}")
        world.admin.execute("select app.set_user_id(%s)", [str(alice)])
        world.admin.execute(f"set local role {role}")
        # The control: to oneself it goes.
        assert world.admin.execute(give_away.format(alice)).rowcount == len([r for r in before[table] if r[0] == alice])
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match=VIOLATES.format(table=table)):
            world.admin.execute(give_away.format(bob))
    assert world.snapshot() == before


def test_check_of_inserts(world: World) -> None:
    """No grant lets a user say whose a new todo is; the policy would refuse another's all the same, alone."""
    alice, bob = world.users
    before = world.snapshot()
    insert = sql.SQL("insert into app.todos (owner_id, title) values ({}, 'planted')")
    with world.admin.transaction(force_rollback=True):
        world.admin.execute("grant insert (owner_id) on app.todos to app_user")
        world.admin.execute("set local role app_user")
        world.admin.execute("select app.set_user_id(%s)", [str(alice)])
        assert world.admin.execute(insert.format(alice)).rowcount == 1
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match=VIOLATES.format(table="todos")):
            world.admin.execute(insert.format(bob))
    assert world.snapshot() == before
