"""A world with two organizations, and everybody who may have to do with one."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from tests.isolation.world import Connection, World


class Teams:
    """Acme with an owner (Alice), a member, an admin who is a member too, and one who is invited; Beta is Bob's."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.alice, self.bob = world.users
        self.people = {"alice": self.alice, "bob": self.bob} | {
            name: world.add_user(name) for name in ("member", "admin", "former", "invited")
        }
        self.acme, self.beta = self.made("Acme", "acme"), self.made("Beta", "beta")
        self.join(self.acme, "alice", "owner")
        self.join(self.acme, "member", "member")
        self.join(self.acme, "admin", "member,admin")
        self.join(self.beta, "bob", "owner")
        self.invite("invited")

    def made(self, name: str, slug: str) -> UUID:
        row = self.world.auth.execute(
            "insert into app.organizations (name, slug) values (%s, %s) returning id", [name, slug]
        ).fetchone()
        assert row is not None
        return UUID(str(row[0]))

    def join(self, organization: UUID, name: str, role: str) -> None:
        values = [organization, self.people[name], role]
        self.world.auth.execute("insert into app.members (organization_id, user_id, role) values (%s, %s, %s)", values)

    def leave(self, name: str) -> None:
        values = [self.acme, self.people[name]]
        self.world.auth.execute("delete from app.members where organization_id = %s and user_id = %s", values)

    def invite(self, name: str, *, expires: str = "1 day", status: str = "pending") -> None:
        found = self.world.auth.execute("select email from app.users where id = %s", [self.people[name]]).fetchone()
        assert found is not None
        self.world.auth.execute(
            "insert into app.invitations (organization_id, email, role, status, expires_at, inviter_id) "
            "values (%s, %s, 'member', %s, now() + %s::interval, %s)",
            [self.acme, *found, status, expires, self.alice],
        )

    @contextmanager
    def acting(self, name: str, organization: object = None) -> Iterator[Connection]:
        with self.world.acting_as(self.people[name]) as connection:
            if organization is not None:
                connection.execute("select app.set_organization_id(%s)", [str(organization)])
            yield connection


def ask(connection: Connection, query: str) -> set[tuple[Any, ...]]:
    return set(connection.execute(query.encode()).fetchall())
