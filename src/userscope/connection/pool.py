"""The pools: they notice what the server has closed, and hand on nothing of whoever had a connection before."""

import logging
import select
from typing import Any, override

from sqlalchemy import exc as sqlalchemy_errors
from sqlalchemy.pool import (
    AsyncAdaptedQueuePool,
    ConnectionPoolEntry,
    PoolProxiedConnection,
    PoolResetState,
    QueuePool,
)

from userscope.connection.base import ScopedConnectionBase
from userscope.errors import PoolExhausted, Unavailable

logger = logging.getLogger(__name__)


class ScopedPool(QueuePool):
    """For Engine: it says how long it waited in vain, and what for, and keeps nothing that comes back after its end."""

    _over = False

    @override
    def dispose(self) -> None:
        self._over = True
        super().dispose()

    @override
    def _do_return_conn(self, record: ConnectionPoolEntry) -> None:
        if self._over:
            record.close()  # whoever waits for it connects anew
        super()._do_return_conn(record)

    @override
    def connect(self) -> PoolProxiedConnection:
        """Return a connection. Raises Unavailable where none becomes free in time."""
        try:
            return super().connect()
        except sqlalchemy_errors.TimeoutError as error:
            raise PoolExhausted from error
        except sqlalchemy_errors.InvalidRequestError as error:
            raise Unavailable(
                "the server closes its connections as soon as they are made",
                detail="Each of several was closed before anything was sent.",
            ) from error


class AsyncScopedPool(ScopedPool, AsyncAdaptedQueuePool):
    """For AsyncEngine."""


def check_out(_: object, record: ConnectionPoolEntry, __: object) -> None:
    """Notice without a round trip that the server has gone (restarted, put to sleep): a new connection is made then."""
    connection: Any = record.driver_connection
    if connection.idle and connection.settled and not _hears(connection):
        connection.lend()
        return
    if not connection.closed:  # else it was a reader's, who has left it for the primary
        logger.info("replacing a connection that the server has closed, backend %s", connection.info.backend_pid)
    raise sqlalchemy_errors.DisconnectionError("the server has closed the connection")


def _hears(connection: ScopedConnectionBase) -> bool:
    """Whether anything waits to be read. An idle server sends nothing but its farewell."""
    poll = select.poll()
    poll.register(connection.pgconn.socket, select.POLLIN)
    return bool(poll.poll(0))


def reset(connection: Any, record: Any, state: PoolResetState) -> None:
    """End what was lent; roll back whatever is open still: SQLAlchemy would not, after a COMMIT that was refused."""
    driver: Any = getattr(connection, "driver_connection", connection)
    if state.terminate_only:  # detached, or forgotten by a task: the pool has no more to do with it
        driver.pgconn.finish()
        return
    if driver.to_roll_back:
        connection.rollback()
    if not driver.ended:
        heir = driver.successor()
        record.dbapi_connection = heir if connection is driver else type(connection)(connection.dbapi, heir)
