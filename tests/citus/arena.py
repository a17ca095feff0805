"""What attacks on a cluster have in common: who attacks, whom, from which node, and what is left open for a control."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

import psycopg

from tests.citus.rig import Distributed
from tests.clusters import Connection, Database
from tests.connection.conftest import make_user
from userscope.admin import nodes, seals
from userscope.identity import SealKey

NODES = [0, 1, 2]
"""Where an attacker enters: the coordinator, and each worker."""


@dataclass
class Arena:
    """A sealed database, with Alice, who attacks, and Bob, who has what she is after; Carol is on Alice's worker."""

    distributed: Distributed
    key: SealKey
    alice: UUID
    bob: UUID
    carol: UUID

    @contextmanager
    def acting(self, node: int, user: UUID) -> Iterator[Connection]:
        """A connection of the service's login to a node, in a transaction that acts for somebody."""
        with psycopg.connect(self.distributed.all[node].url("service").conninfo(), autocommit=True) as connection:
            connection.execute("begin")
            connection.execute("select app.set_user_id(%s, %s)", [str(user), self.key.seal(str(user))])
            yield connection
            connection.execute("rollback")

    @contextmanager
    def opened(self, *statements: str) -> Iterator[None]:
        """Every node without a part of what keeps it closed; mended at the end."""
        try:
            for database in self.distributed.all:
                run_quietly(database, *statements)
            yield
        finally:
            assert [node.problems for node in nodes.apply(self.distributed.coordinator.url())] == [()] * 3

    @contextmanager
    def unsealed(self) -> Iterator[None]:
        """The database without seals."""
        seals.relax(self.distributed.coordinator.url())
        try:
            yield
        finally:
            seals.require(self.distributed.coordinator.url())


def run_quietly(database: Database, *statements: str) -> None:
    """Run something on one node alone, as its superuser."""
    with database.superuser_connection() as superuser:
        superuser.execute("set citus.enable_ddl_propagation = off")
        for statement in statements:
            superuser.execute(statement.format(database=database.name).encode())


def arena_of(distributed: Distributed) -> Arena:
    """Fill a database; Bob's rows lie on another worker than Alice's."""
    assert [node.problems for node in nodes.apply(distributed.coordinator.url())] == [()] * 3
    alice = make_user(distributed.coordinator, ("alices",))
    bob = carol = None
    while bob is None or carol is None:
        person = make_user(distributed.coordinator)
        if distributed.shard_of(alice)[1] is distributed.shard_of(person)[1]:
            carol = person
        else:
            bob = person
    todo = "insert into app.todos (owner_id, title) values (%s, %s), (%s, %s)"
    distributed.execute(todo, [bob, "bobs secret", carol, "carols"])
    admin = distributed.coordinator.url()
    key, _ = seals.add(admin)
    seals.require(admin)
    return Arena(distributed, key, alice, bob, carol)


def told(connection: Connection, *statements: str) -> str:
    """Everything that statements answer, errors too; each is sent by itself, as the simple protocol does."""
    answers: list[str] = []
    for statement in statements:
        result = connection.pgconn.exec_(statement.encode())
        answers.append((result.error_message or b"").decode())
        answers += [
            str(result.get_value(row, column)) for row in range(result.ntuples) for column in range(result.nfields)
        ]
    return "\n".join(answers)
