"""Where loads are put: a migrated database that requires seals, with people in it."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID, uuid4

import sqlalchemy
from sqlmodel import Field

from tests.clusters import Cluster, Database, deploy, make_logins
from tests.connection.served import run
from userscope.admin import seals
from userscope.database import Database as Service
from userscope.generate.team import TeamTable
from userscope.identity import SealKey
from userscope.models import OrganizationOwned, Timestamped


class TeamTodo(OrganizationOwned, Timestamped, table=True):
    """A todo of an organization."""

    __tablename__: ClassVar[str] = "soak_todos"

    title: str = Field(sa_type=sqlalchemy.Text)


@dataclass(frozen=True)
class Town:
    """The database, everybody's id, and the key that services seal with."""

    database: Database
    people: list[UUID]
    teams: dict[UUID, UUID]
    """The organization that each of them is a member of, with others."""
    key: SealKey


@contextmanager
def town(cluster: Cluster, users: int) -> Iterator[Town]:
    """Make one, and drop it at the end of the block. Everybody's name is a number, which begins at 0."""
    database = cluster.database("plain")
    deploy(database.url())
    make_logins(database)
    people = [uuid4() for _ in range(users)]
    teams = [uuid4() for _ in range(1 + users // 5)]
    belonging = {user: teams[number % len(teams)] for number, user in enumerate(people)}
    with database.superuser_connection() as superuser, superuser.cursor() as cursor:
        cursor.executemany(
            "insert into app.users (id, name, email) values (%s, '0', %s)",
            [(user, f"{user}@example.org") for user in people],
        )
        cursor.executemany(
            "insert into app.organizations (id, name, slug) values (%s, '0', %s)",
            [(team, f"team-{number}") for number, team in enumerate(teams)],
        )
        cursor.executemany(
            "insert into app.members (organization_id, user_id) values (%s, %s)",
            [(team, user) for user, team in belonging.items()],
        )
    table = TeamTable.of_organization("soak_todos", ["title:text:200"])
    with database.connect() as owner:
        for project in ("schema", "policies"):
            owner.execute(table.scripts("schema", "policies")[project, "deploy"].encode())
    key, _ = seals.add(database.url())
    seals.require(database.url())
    yield Town(database, people, belonging, key)
    database.drop()


def serve_together(service: Service, people: list[UUID]) -> bool:
    """Whether each of these people gets a connection that acts for them, all at one moment."""
    barrier = threading.Barrier(len(people))

    def serve(user: UUID) -> bool:
        with service.session(user) as session:
            first = run(session, "select app.current_user_id()")
            barrier.wait(60)
            return first == [user]

    with ThreadPoolExecutor(len(people)) as pool:
        return all(pool.map(serve, people))
