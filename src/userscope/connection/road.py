"""The way of one reader: to a replica, to the next one where that is away, and from then on to the primary."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine

from userscope.connection.position import ON_PRIMARY, ON_STANDBY, Position, lsn
from userscope.connection.replica import LAG, WHERE, Replica, Row
from userscope.errors import InvalidPosition, PoolExhausted, SessionError, UnfitReplica, UserscopeError
from userscope.postgres.sqlstate import Elsewhere

_ANSWERS = {"22", "25006", "57014"}
"""What is an answer, also by a replica: values, writing, taking too long. Anything else may be as it is there because
it is behind: a table, a grant or a seal's key that it has not yet."""


@dataclass(frozen=True, slots=True)
class Way:
    """An engine that leads to a replica."""

    replica: Replica
    engine: Callable[[], Engine]


class Road:
    """Where a reader's statements go, and whether the answers may be believed.

    ``ways`` are tried one after the other, the primary at last. ``after`` is a position that no answer may be behind
    of. One that is of another timeline than the primary's is InvalidPosition; ``lenient``, it counts for nothing there.
    """

    columns = 5

    session: Any = None
    """Whose way it is."""

    def __init__(
        self, ways: Iterable[Way], primary: Callable[[], Engine], after: Position | None, *, lenient: bool = False
    ) -> None:
        self.after = after
        self._ways, self._primary = iter(ways), primary
        self._lenient = lenient
        self._since = 0
        self._set_out()

    def _set_out(self) -> None:
        """Take the next way to a replica that may be tried; None where the primary is to be asked."""
        self.way = next((way for way in self._ways if way.replica.usable()), None)
        if self.way:
            self._since = self.way.replica.changes

    def leads_by(self, connection: Any) -> bool:
        """Whether it leads where a connection does, which a session may have kept from before."""
        return connection.replica is (self.way.replica if self.way else None)

    @property
    def asks(self) -> bytes:
        """Whether it is a standby, how far, how late, how it isolates, and on which timeline."""
        timeline = b", null"
        if self.after:
            timeline = ON_PRIMARY if self.way is None else ON_STANDBY if self.way.replica.origin.control else timeline
        return WHERE + LAG + timeline

    def judge(self, connection: Any, row: Row) -> None:
        """Raise Elsewhere where the answer must come from the primary, InvalidPosition where it can from nowhere."""
        standby = row[0] == "t"
        if self.way and self.leads_by(connection):
            self.way.replica.judge(connection, self._since, standby=standby, lag=float(row[2] or 0))
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
        return self.way.engine() if self.way else self._primary()

    def unreachable(self, error: UserscopeError) -> bool:
        """Whether to go on, since no connection to the replica could be had."""
        if self.way is None or isinstance(error, SessionError | UnfitReplica):
            return False
        if isinstance(error, PoolExhausted):  # that is not the replica's fault
            self.way.replica.hampered(f"was not asked: {error.message}")
        else:
            self.way.replica.failed(self._since, f"cannot be used: {error.summary}")
        self._set_out()
        return True

    def gives_up(self, connection: Any, error: Exception) -> bool:
        """Whether to go on, since the replica answered with an error, or what cannot be believed."""
        state = getattr(error, "sqlstate", None) or ""
        if self.way is None or state in _ANSWERS or state[:2] in _ANSWERS:
            return False
        if connection.closed and not isinstance(error, Elsewhere):
            self.way.replica.failed(self._since, "was lost")
        elif state[:2] == "40":
            self.way.replica.hampered(f"ended its statement for the sake of recovery ({state})")
        if self.way.replica.away:
            self._set_out()
        else:  # another one may be behind as well: no more than two trips
            self.way = None
        return True
