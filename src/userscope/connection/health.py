"""Whether a login can serve users now, asked over a connection of its own."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from userscope.connection.cursor import ScopedConnection
from userscope.connection.engine import Connector
from userscope.connection.position import REPLAYED, lsn
from userscope.errors import UnfitReplica, UserscopeError
from userscope.postgres.sql import named
from userscope.postgres.sqlstate import to_error

_HEALTH = named(__package__, "health.sql")
_DISTRIBUTED = named(__package__, "distributed.sql")
_WRITTEN = "select case when not pg_is_in_recovery() then pg_current_wal_flush_lsn() end::text"


@dataclass(frozen=True)
class ReplicaHealth:
    """What was found of a replica. ``problem`` is why it cannot answer readers now; None where nothing is wrong.

    ``unfit``: it is no replica of this database, and must not be named as one.
    ``latency`` is one round trip in seconds; ``behind`` how many bytes of the primary's log it has not replayed yet,
    ``late`` how many seconds ago what it shows last was committed; None where that cannot be known.
    """

    host: str
    problem: str | None = None
    unfit: bool = False
    latency: float | None = None
    behind: int | None = None
    late: float | None = None


@dataclass(frozen=True)
class Health:
    """What was found. ``latency`` is one round trip in seconds; ``sealing`` whether this service seals identities."""

    role: str
    database: str
    server_version: str
    latency: float
    sealing: bool
    problems: tuple[str, ...]
    replicas: tuple[ReplicaHealth, ...] = ()

    @property
    def fit(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


def examine(connector: Connector, reading: Sequence[Connector] = ()) -> Health:
    """Connect and look, at the replicas as well, to which ``reading`` connect.

    Raises Unavailable or ConfigurationError where there is nothing to look at. A replica that is away is no problem of
    the service's, which goes on with the primary; one that never was a replica of this database is.
    """
    with _in_words(), connector.connect() as connection:
        found = _look(connection, connector)
        written = _one(connection, _WRITTEN) if reading else None
    replicas = tuple(examine_replica(each, written) for each in reading)
    unfit = (replica.problem for replica in replicas if replica.unfit and replica.problem)
    return replace(found, replicas=replicas, problems=(*found.problems, *unfit))


def examine_replica(reading: Connector, written: str | None = None) -> ReplicaHealth:
    """Connect to a replica and look; ``written`` is how far the primary's log was before."""
    host = reading.replica.host if reading.replica else ""
    try:
        with _in_words(), reading.connect() as connection:
            connection.wait(reading.login_check.check_gen(connection, reading.nobody))
            connection.scope = reading.nobody
            latency, unprotected = _latency(connection), _unprotected(connection)
            replayed, late = next(iter(connection.execute(b"select " + REPLAYED)))
    except UserscopeError as error:
        return ReplicaHealth(host, error.message, unfit=isinstance(error, UnfitReplica))
    behind = None if written is None else max(0, lsn(written) - lsn(replayed))
    seconds = None if late is None else float(late)
    problem = "; ".join(unprotected) or None
    return ReplicaHealth(host, problem, latency=latency, behind=behind, late=seconds if behind != 0 else 0.0)


@contextmanager
def _in_words() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        known = to_error(error, {})
        if known is None:
            raise
        raise known from error


def _one(connection: ScopedConnection, query: str) -> str | None:
    for (found,) in connection.execute(query):
        return str(found) if found is not None else None
    return None


def _latency(connection: ScopedConnection) -> float:
    connection.execute("select")
    started = time.perf_counter()
    connection.execute("select")
    return time.perf_counter() - started


def _unprotected(connection: ScopedConnection) -> list[str]:
    return [f'table "{name}" is not under forced row-level security' for (name,) in connection.execute(_HEALTH)]


def _look(connection: ScopedConnection, connector: Connector) -> Health:
    problems = []
    try:
        connection.wait(connector.login_check.check_gen(connection, connector.nobody))
    except UserscopeError as error:
        problems.append(error.summary)
    connection.scope = connector.nobody
    problems += _unprotected(connection)
    if connection.distributed:
        problems += [lacking for (lacking,) in connection.execute(_DISTRIBUTED)]
    latency = _latency(connection)
    info = connection.info
    version = info.parameter_status("server_version") or str(info.server_version)
    return Health(info.user, info.dbname, version, latency, bool(connector.login_check.sealing), tuple(problems))
