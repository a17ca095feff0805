"""What the connections of one Database know of its replica, together: whether readers may go there now."""

import logging
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any, Protocol

from sqlalchemy import Engine

from userscope.connection.position import REPLAYED, Position, lsn
from userscope.errors import InvalidPosition, SessionError, UnfitReplica, UserscopeError
from userscope.postgres.sqlstate import Elsewhere

logger = logging.getLogger(__name__)

type Row = list[str | None]

_RETRY = 5.0
"""Seconds until a replica that could not answer is tried again, by one reader; the others go on with the primary."""
_MINUTE = 60.0

_WHERE = b", pg_catalog.pg_is_in_recovery()"
_SYSTEM = b", (select system_identifier from pg_catalog.pg_control_system())"
_SCHEMA = b", 'app'::pg_catalog.regnamespace::pg_catalog.oid"
_DATABASE = b", (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database())"
_LAG = b", " + REPLAYED + b", pg_catalog.current_setting('transaction_isolation')"
_TIMELINE = (
    b", case when pg_catalog.pg_is_in_recovery()"
    b" then (select pg_catalog.to_hex(timeline_id) from pg_catalog.pg_control_checkpoint())"
    b" else pg_catalog.left(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_insert_lsn()), 8) end"
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


class Replica:
    """The state of one replica, or of several hosts that one URL names."""

    def __init__(self, host: str, *, max_lag: float, patience: float) -> None:
        self.host = host
        self.max_lag = max_lag
        self.away = False
        self.control = True
        """Whether this login may read what PostgreSQL's control file says."""
        self.primary: tuple[str | None, ...] | None = None
        """Which cluster, and which database of it, the primary's connections lead to; None before the first."""
        self.unfit = False
        """Whether it was found to be no replica of this database."""
        self._own: tuple[str | None, ...] | None = None
        self._retry = min(_RETRY, patience)
        self._again = self._told = 0.0
        self._behind_since: float | None = None

    def usable(self) -> bool:
        """Whether a reader may try it. Raises UnfitReplica."""
        self._refuse_foreign()
        now = monotonic()
        if self.away and now < self._again:
            return False
        self._again = now + self._retry  # while one tries, nobody else does
        return True

    def answered(self) -> None:
        """Note that it serves."""
        if self.away:
            self.away = False
            logger.warning('the replica at "%s" answers again', self.host)

    def failed(self, why: str) -> None:
        """Note that it cannot serve for a while, and say so once."""
        self._again = monotonic() + self._retry
        if not self.away:
            self.away = True
            logger.warning('the primary answers readers: the replica at "%s" %s', self.host, why)

    def hampered(self, why: str) -> None:
        """Note what befell one statement; said once in a minute."""
        if monotonic() - self._told > _MINUTE or not self._told:
            self._told = monotonic()
            logger.warning('the primary answers a reader: the replica at "%s" %s', self.host, why)

    def introduced(self, identity: tuple[str | None, ...], *, standby: bool, reads: bool) -> None:
        """Judge a new connection of the replica (``reads``), or learn which cluster the primary is.

        Raises UnfitReplica where the replica never was one; Elsewhere where it was, and is not any more.
        """
        if not reads:
            self.primary = identity
            return
        if not standby:
            if self._own is None:
                self.unfit = True
                raise UnfitReplica.primary(self.host)
            self.failed("was promoted")
            raise Elsewhere("it was promoted")
        self._own = identity
        self._refuse_foreign()
        self.unfit = False

    def _refuse_foreign(self) -> None:
        if self._own and self.primary and self._own != self.primary:
            own, self._own, self.unfit = self._own, None, True
            raise UnfitReplica.foreign(self.host, same_cluster=own[:1] == self.primary[:1])

    def judge(self, *, standby: bool, lag: float) -> None:
        """Raise Elsewhere where a reader must not believe what it says."""
        now = monotonic()
        if lag <= 0:
            self._behind_since = None
        elif self._behind_since is None:
            self._behind_since = now
        if not standby:
            self.failed("was promoted")
            raise Elsewhere("it was promoted")
        # Where nothing was written for an hour, the first thing that is makes it look an hour behind, for a moment.
        if self._behind_since and min(lag, now - self._behind_since) > self.max_lag:
            self.failed(f"is more than {self.max_lag:g} seconds behind")
            raise Elsewhere("it is far behind")
        self.answered()


class Introduction:
    """Asked on a new connection, with the login check."""

    columns = 3

    def __init__(self, replica: Replica) -> None:
        self._replica = replica

    @property
    def asks(self) -> bytes:
        """Where it is, and what identifies the cluster and the database."""
        return _WHERE + (_SYSTEM if self._replica.control else _SCHEMA) + _DATABASE

    def judge(self, connection: Any, row: Row) -> None:
        """See ``Replica.introduced``."""
        self._replica.introduced(tuple(row[1:]), standby=row[0] == "t", reads=connection.reads)

    def humbler(self) -> bool:
        """Ask for less from now on, since this login may not read the control file; False where it did already."""
        before, self._replica.control = self._replica.control, False
        return before


class Road:
    """The way of one reader: to the replica, until that cannot answer; from then on to the primary.

    ``after`` is a position that it must not be behind of. One that is of another timeline than the primary's is
    InvalidPosition; ``lenient``, it counts for nothing there.
    """

    columns = 5

    session: Any = None
    """Whose way it is."""

    def __init__(
        self,
        replica: Replica | None,
        engines: Sequence[Callable[[], Engine]],
        after: Position | None,
        *,
        lenient: bool = False,
    ) -> None:
        self.after = after
        self.left = replica is None or not replica.usable()
        self._engines = engines
        self._replica = replica
        self._lenient = lenient

    @property
    def asks(self) -> bytes:
        """Whether it is a standby, how far, how late, how it isolates, and on which timeline."""
        timeline = self.after and (self._replica is None or self._replica.control)
        return _WHERE + _LAG + (_TIMELINE if timeline else b", null")

    def judge(self, connection: Any, row: Row) -> None:
        """Raise Elsewhere where the answer must come from the primary, InvalidPosition where it can from nowhere."""
        standby = row[0] == "t"
        if connection.reads and self._replica:
            try:
                self._replica.judge(standby=standby, lag=float(row[2] or 0))
            except Elsewhere:
                if not standby:
                    connection.pgconn.finish()  # the next one may find a standby, among several hosts
                raise
        if self.after is None:
            return
        timeline = None if row[4] is None else int(row[4], 16)
        if standby:
            # What was asked came with a snapshot: one that the whole transaction keeps would be older than the answer.
            if row[3] != "read committed" or timeline not in (self.after.timeline, None):
                raise Elsewhere("it cannot tell whether it is as far")
            if row[1] is None or lsn(row[1]) < self.after.lsn:
                raise Elsewhere("it is not as far yet")
        elif timeline not in (self.after.timeline, None) and not self._lenient:
            raise InvalidPosition.of_timeline(self.after.timeline, timeline or 0)

    @property
    def engine(self) -> Engine:
        """The replica's, or the primary's."""
        return self._engines[self.left]()

    def leave(self) -> None:
        """Go to the primary from now on."""
        self.left = True

    def unreachable(self, error: UserscopeError) -> bool:
        """Whether the primary is to be used, since no connection to the replica could be had."""
        if self._replica is None or self.left or isinstance(error, SessionError | UnfitReplica):
            return False
        self._replica.failed(f"cannot be used: {error.summary}")
        self.leave()
        return True

    def gives_up(self, connection: Any, error: Exception) -> bool:
        """Whether the primary is to be asked what the replica answered with an error."""
        state = getattr(error, "sqlstate", None)
        if self._replica is None or state in _ANSWERS or (state or "")[:2] in _ANSWERS:
            return False
        if isinstance(error, Elsewhere):
            pass
        elif connection.closed:
            self._replica.failed("was lost")
        elif (state or "")[:2] == "40":
            self._replica.hampered(f"ended its statement for the sake of recovery ({state})")
        self.leave()
        return True


_ANSWERS = {"22", "25006", "57014"}
"""What is an answer, also by a replica: values, writing, taking too long. Anything else may be as it is there because
it is behind: a table, a grant or a seal's key that it has not yet."""
