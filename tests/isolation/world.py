"""A world of two users: who acts, what they do, and everything that is there before and after."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import psycopg

TABLES = ("users", "todos", "organizations", "members", "invitations", "sessions", "accounts", "verifications", "jwks")
type Connection = psycopg.Connection[tuple[Any, ...]]
OWNER = {
    "users": "id",
    "account": "id",
    "todos": "owner_id",
    "organizations": "(select user_id from app.members where organization_id = t.id order by 1 limit 1)",
    "members": "user_id",
    "invitations": "inviter_id",
    "sessions": "user_id",
    "accounts": "user_id",
    "verifications": "null::uuid",
    "jwks": "null::uuid",
}
"""Each relation's column that says whose a row is; those of null are nobody's."""

type Row = tuple[UUID | None, UUID, str]
type Snapshot = dict[str, frozenset[Row]]

# Each is one message: they are sent thousands of times.
_PERSON = """
insert into app.users (id, name, email, username) values ('{user}', '{name}', '{name}.{tag}@example.com', '{tag:.20}');
insert into app.todos (owner_id, title, description, completed, due_at)
select '{user}', concat('{name} ', completed), description, completed, due_at
  from (values (false), (true)) as a (completed), (values (null), ('why')) as b (description),
       (values (null), (now())) as c (due_at);
with organization as (
    insert into app.organizations (name, slug) values ('{name}''s', '{tag}') returning id
), owner as (
    insert into app.members (organization_id, user_id, role) select id, '{user}', 'owner' from organization
)
insert into app.invitations (organization_id, email, expires_at, inviter_id)
select id, '{tag}@example.com', now() + '1 day', '{user}' from organization;
insert into app.sessions (user_id, token, expires_at) values ('{user}', '{tag}', now());
insert into app.accounts (user_id, account_id, provider_id) values ('{user}', '{tag}', 'credential');
insert into app.verifications (identifier, value, expires_at) values ('{tag}', 'code', now());
insert into app.jwks (public_key, private_key) values ('{tag}', 'secret');
"""
_EVERYTHING = " union all ".join(
    f"select '{table}', {OWNER[table]}, id, t::text from app.{table} as t" for table in TABLES
)

WRONG_SEAL = f"nokey.9999999999.{'0' * 64}"


@dataclass
class World:
    """Three connections — the admin's, a service's, the identity provider's — and the users made through the first."""

    admin: Connection
    service: Connection
    auth: Connection
    users: list[UUID] = field(default_factory=list)

    def add_user(self, name: str) -> UUID:
        """Make a user with a row in every table and todos in every state, as the admin."""
        user, tag = uuid4(), uuid4().hex
        self.admin.execute(_PERSON.format(user=user, name=name, tag=tag).encode())
        self.users.append(user)
        return user

    def snapshot(self) -> Snapshot:
        """Everything that is committed, as the admin sees it: each table's rows as (owner, id, all columns)."""
        found: dict[str, set[Row]] = {table: set() for table in TABLES}
        for table, owner, id_, text in self.admin.execute(_EVERYTHING.encode()):
            found[table].add((owner, id_, text))
        return {table: frozenset(rows) for table, rows in found.items()}

    def titles(self, user: UUID) -> set[str]:
        """The titles of a user's todos, as the admin sees them."""
        return {row[0] for row in self.admin.execute("select title from app.todos where owner_id = %s", [user])}

    def empty(self) -> None:
        """Delete all rows, as the admin."""
        self.admin.execute(
            "delete from app.users; delete from app.organizations; delete from app.verifications; delete from app.jwks"
        )

    @contextmanager
    def acting_as(self, user: object, seal: str = "") -> Iterator[Connection]:
        """Open a transaction of the service that acts for ``user`` (None: that says nothing), and commit it."""
        with self.service.transaction():
            if user is not None:
                self.service.execute("select app.set_user_id(%s, %s)", [str(user), seal])
            yield self.service
