"""Whether a login can serve users now, asked over a connection of its own."""

import time
from dataclasses import dataclass

from userscope.connection.cursor import ScopedConnection
from userscope.connection.engine import Connector
from userscope.errors import UserscopeError
from userscope.postgres.sql import named
from userscope.postgres.sqlstate import to_error

_HEALTH = named(__package__, "health.sql")


@dataclass(frozen=True)
class Health:
    """What was found. ``latency`` is one round trip in seconds; ``sealing`` whether this service seals identities."""

    role: str
    database: str
    server_version: str
    latency: float
    sealing: bool
    problems: tuple[str, ...]

    @property
    def fit(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


def examine(connector: Connector) -> Health:
    """Connect and look. Raises Unavailable or ConfigurationError where there is nothing to look at."""
    try:
        with connector.connect() as connection:
            return _look(connection, connector)
    except Exception as error:
        known = to_error(error, {})
        if known is None:
            raise
        raise known from error


def _look(connection: ScopedConnection, connector: Connector) -> Health:
    problems = []
    try:
        connection.wait(connector.login_check.check_gen(connection, connector.nobody))
    except UserscopeError as error:
        problems.append(error.summary)
    connection.scope = connector.nobody
    problems += [f'table "{name}" is not under forced row-level security' for (name,) in connection.execute(_HEALTH)]
    connection.execute("select")
    started = time.perf_counter()
    connection.execute("select")
    latency = time.perf_counter() - started
    info = connection.info
    version = info.parameter_status("server_version") or str(info.server_version)
    return Health(info.user, info.dbname, version, latency, bool(connector.login_check.sealing), tuple(problems))
