"""What attacks on a cluster have in common: who attacks, whom, from which node, and what is left open for a control."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

import psycopg
from psycopg.pq import ExecStatus

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


def told(connection: Connection, *statements: str, stdin: bytes = b"") -> str:
    """Everything that statements answer, errors too; each is sent by itself, as the simple protocol does.

    What a COPY sends is part of it; one that waits for rows is given ``stdin``.
    """
    wire = connection.pgconn
    answers: list[str] = []
    for statement in statements:
        result = wire.exec_(statement.encode())
        if result.status == ExecStatus.COPY_OUT:
            while (copied := wire.get_copy_data(0))[0] > 0:
                answers.append(bytes(copied[1]).decode(errors="replace"))
        elif result.status == ExecStatus.COPY_IN:
            wire.put_copy_data(stdin)
            wire.put_copy_end()
        if result.status in (ExecStatus.COPY_OUT, ExecStatus.COPY_IN):
            while (ended := wire.get_result()) is not None:
                result = ended
        answers.append((result.error_message or b"").decode())
        answers += [
            str(result.get_value(row, column)) for row in range(result.ntuples) for column in range(result.nfields)
        ]
    return "\n".join(answers)
