"""Whether a login can serve users now, asked over a connection of its own."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from userscope.connection.cursor import ScopedConnection
from userscope.connection.engine import Connector
from userscope.connection.position import REPLAYED, lsn
from userscope.errors import UserscopeError
from userscope.postgres.sql import named
from userscope.postgres.sqlstate import to_error

_HEALTH = named(__package__, "health.sql")
_WRITTEN = "select case when not pg_is_in_recovery() then pg_current_wal_flush_lsn() end::text"


@dataclass(frozen=True)
class ReplicaHealth:
    """What was found of the replica. ``problem`` is why the primary answers readers now; None where nothing is wrong.

    ``latency`` is one round trip in seconds; ``behind`` how many bytes of the primary's log it has not replayed yet,
    ``late`` how many seconds ago what it shows last was committed; None where that cannot be known.
    """

    host: str
    problem: str | None = None
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
    replica: ReplicaHealth | None = None

    @property
    def fit(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


def examine(connector: Connector, reading: Connector | None = None) -> Health:
    """Connect and look, at the replica as well, to which ``reading`` connects.

    Raises Unavailable or ConfigurationError where there is nothing to look at. A replica that is away is no problem of
    the service's, which goes on with the primary; one that never was a replica of this database is.
    """
    with _in_words(), connector.connect() as connection:
        found = _look(connection, connector)
        written = _one(connection, _WRITTEN) if reading else None
    if reading is None:
        return found
    replica = examine_replica(reading, written)
    problems = (*found.problems, *([replica.problem] if reading.replica and reading.replica.unfit else []))
    return replace(found, replica=replica, problems=tuple(filter(None, problems)))


def examine_replica(reading: Connector, written: str | None = None) -> ReplicaHealth:
    """Connect to the replica and look; ``written`` is how far the primary's log was before."""
    host = reading.replica.host if reading.replica else ""
    try:
        with _in_words(), reading.connect() as connection:
            connection.wait(reading.login_check.check_gen(connection, reading.nobody))
            connection.scope = reading.nobody
            latency = _latency(connection)
            replayed, late = next(iter(connection.execute(b"select " + REPLAYED)))
    except UserscopeError as error:
        return ReplicaHealth(host, error.message)
    behind = None if written is None else max(0, lsn(written) - lsn(replayed))
    seconds = None if late is None else float(late)
    return ReplicaHealth(host, None, latency, behind, seconds if behind != 0 else 0.0)


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


def _look(connection: ScopedConnection, connector: Connector) -> Health:
    problems = []
    try:
        connection.wait(connector.login_check.check_gen(connection, connector.nobody))
    except UserscopeError as error:
        problems.append(error.summary)
    connection.scope = connector.nobody
    problems += [f'table "{name}" is not under forced row-level security' for (name,) in connection.execute(_HEALTH)]
    latency = _latency(connection)
    info = connection.info
    version = info.parameter_status("server_version") or str(info.server_version)
    return Health(info.user, info.dbname, version, latency, bool(connector.login_check.sealing), tuple(problems))
