"""The connections that a model's rules work on."""

from collections.abc import Iterator
from contextlib import contextmanager

from hypothesis.stateful import RuleBasedStateMachine

from tests.clusters import Connection, Database

SERVICES = 3


def clean(services: list[Connection]) -> None:
    """End what is open, and leave nothing: what a defect leaves in a session must not reach the next example."""
    for service in services:
        service.rollback()
        service.autocommit = True
        service.execute("discard all")
        service.autocommit = False


@contextmanager
def connected[M: RuleBasedStateMachine](tested: type[M], database: Database, admin: Connection) -> Iterator[type[M]]:
    """A machine on connections of a service."""
    services = [database.connect("service") for _ in range(SERVICES)]
    for service in services:
        service.autocommit = False
        service.prepare_threshold = None  # DISCARD ALL forgets what psycopg prepared
    try:
        yield type("Connected", (tested,), {"admin": admin, "services": services, "steps": 0})
    finally:
        for service in services:
            service.close()
