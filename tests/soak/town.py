"""Where loads are put: a migrated database that requires seals, with people in it."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID, uuid4

from tests.clusters import Cluster, Database, deploy, make_logins
from tests.connection.served import run
from userscope.admin import seals
from userscope.database import Database as Service
from userscope.identity import SealKey


@dataclass(frozen=True)
class Town:
    """The database, everybody's id, and the key that services seal with."""

    database: Database
    people: list[UUID]
    key: SealKey


@contextmanager
def town(cluster: Cluster, users: int) -> Iterator[Town]:
    """Make one, and drop it at the end of the block. Everybody's name is a number, which begins at 0."""
    database = cluster.database("plain")
    deploy(database.url())
    make_logins(database)
    people = [uuid4() for _ in range(users)]
    with database.superuser_connection() as superuser, superuser.cursor() as cursor:
        cursor.executemany(
            "insert into app.users (id, name, email) values (%s, '0', %s)",
            [(user, f"{user}@example.org") for user in people],
        )
    key, _ = seals.add(database.url())
    seals.require(database.url())
    yield Town(database, people, key)
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
