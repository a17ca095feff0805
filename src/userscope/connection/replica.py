"""What the connections of one Database know of its replicas, together: which of them readers may go to now."""

import logging
import os
import threading
from time import monotonic
from typing import Any, Protocol
from weakref import WeakSet

from userscope.connection.position import REPLAYED
from userscope.errors import Unavailable, UnfitReplica
from userscope.postgres.sqlstate import Elsewhere

logger = logging.getLogger(__name__)

type Row = list[str | None]

type Identity = tuple[str | None, ...]
"""Of a database: its cluster's identifier, where that may be read, the oid of schema app, and its own."""

_RETRY = 5.0
"""Seconds until a replica that could not answer is tried again, by one reader; the others go on without it."""
_MINUTE = 60.0

WHERE = b", pg_catalog.pg_is_in_recovery()"
LAG = b", " + REPLAYED + b", pg_catalog.current_setting('transaction_isolation')"
_SYSTEM = b", (select system_identifier from pg_catalog.pg_control_system())"
_DATABASE = (
    b", pg_catalog.to_regnamespace('app')::pg_catalog.oid"
    b", (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database())"
)


class Asking(Protocol):
    """What is asked beside an identity, in the same statement, and judged before anybody sees the answer."""

    @property
    def asks(self) -> bytes:
        """Columns, with a comma before each."""

    @property
    def columns(self) -> int:
        """How many these are."""

    def judge(self, connection: Any, row: Row) -> None:
        """Raise where what came with them must not be used."""


class Origin:
    """What the primary's connections tell of where they lead; the replicas are compared with it."""

    identity: Identity | None = None
    """None before the first."""
    control = True
    """Whether this login may read what PostgreSQL's control file says."""


class Replica:
    """The state of one replica. It changes once, whoever finds out first, and that is said once.

    What readers tell counts only where they set out after the last change: an answer that was under way while the
    replica went away does not mean that it is back, nor the loss of an old connection that it went away again.
    """

    def __init__(self, host: str, origin: Origin, *, max_lag: float, patience: float, one_of_several: bool) -> None:
        self.host = host
        self.origin = origin
        self.max_lag = max_lag
        self.away = False
        self.changes = 0
        """How often it went away, or came back."""
        self.lock = threading.Lock()
        self._one_of_several = one_of_several
        self._was_standby = False
        self._retry = min(_RETRY, patience)
        self._again = self._told = 0.0
        self._behind_since: float | None = None
        _replicas.add(self)

    def usable(self) -> bool:
        """Whether a reader may try it; of one that is away, whether that reader is the one who does."""
        if not self.away:
            return True
        with self.lock:
            now = monotonic()
            if self.away and now < self._again:
                return False
            self._again = now + self._retry
        return True

    def answered(self, since: int) -> None:
        """Note that it serves one who set out after ``since`` changes."""
        if self.away and self._changed(since, away=False):
            logger.warning('the replica at "%s" answers again', self.host)

    def failed(self, since: int, why: str) -> None:
        """Note that it cannot serve for a while."""
        if self._changed(since, away=True):
            logger.warning('the primary answers readers: the replica at "%s" %s', self.host, why)

    def _changed(self, since: int, *, away: bool) -> bool:
        with self.lock:
            if since != self.changes:
                return False
            self._again = monotonic() + self._retry
            changed, self.away = self.away != away, away
            self.changes += changed
        return changed

    def hampered(self, why: str) -> None:
        """Note what befell one statement; said once in a minute."""
        with self.lock:
            now = monotonic()
            if self._told and now - self._told < _MINUTE:
                return
            self._told = now
        logger.warning('the primary answers a reader: the replica at "%s" %s', self.host, why)

    def introduced(self, connection: Any, *, standby: bool) -> None:
        """Judge a new connection. Raises UnfitReplica where it never was a replica, Unavailable where it is none now.

        Of several hosts the one that writes may be any, and another one tomorrow.
        """
        if not standby and not (self._was_standby or self._one_of_several):
            raise UnfitReplica.primary(self.host)
        if not standby:
            raise Unavailable("it was promoted" if self._was_standby else "it is a primary")
        self.compare(connection)
        self._was_standby = True

    def compare(self, connection: Any) -> None:
        """Raise UnfitReplica where a connection leads to something else than the primary's, whose may come later."""
        own, primary = connection.leads_to or (), self.origin.identity or ()
        differs = [None not in both and both[0] != both[1] for both in zip(own, primary, strict=False)]
        if any(differs):
            connection.pgconn.finish()
            raise UnfitReplica.foreign(self.host, same_cluster=not any(differs[:2]))

    def judge(self, connection: Any, since: int, *, standby: bool, lag: float) -> None:
        """Raise Elsewhere, or UnfitReplica, where a reader must not believe what it says."""
        self.compare(connection)
        if not standby:
            connection.pgconn.finish()  # the pool's next one may find a standby there
            self.failed(since, "was promoted")
            raise Elsewhere("it was promoted")
        now = monotonic()
        behind_since = self._behind_since = None if lag <= 0 else self._behind_since or now
        # Where nothing was written for an hour, the first thing that is makes it look an hour behind, for a moment.
        if behind_since and min(lag, now - behind_since) > self.max_lag:
            self.failed(since, f"is more than {self.max_lag:g} seconds behind")
            raise Elsewhere("it is far behind")
        self.answered(since)


class Introduction:
    """Asked on a new connection, with the login check: of the primary, or of a replica."""

    columns = 4

    def __init__(self, origin: Origin, replica: Replica | None) -> None:
        self._origin = origin
        self._replica = replica

    @property
    def asks(self) -> bytes:
        """Whether it is a standby, and what identifies the cluster and the database."""
        return WHERE + (_SYSTEM if self._origin.control else b", null") + _DATABASE

    def judge(self, connection: Any, row: Row) -> None:
        """See ``Replica.introduced``."""
        connection.leads_to = tuple(row[1:])
        if self._replica is None:
            self._origin.identity = connection.leads_to
        else:
            self._replica.introduced(connection, standby=row[0] == "t")

    def humbler(self) -> bool:
        """Ask for less from now on, since this login may not read the control file; False where it did already."""
        before, self._origin.control = self._origin.control, False
        return before


_replicas: WeakSet[Replica] = WeakSet()


def _forked() -> None:
    """In a child process: another thread of the parent's may have held what nobody there will release."""
    for replica in _replicas:
        replica.lock = threading.Lock()


os.register_at_fork(after_in_child=_forked)
