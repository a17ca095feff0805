"""The way of one reader: to a replica, until that cannot answer; from then on to the primary."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import sample
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


@dataclass(slots=True, eq=False)
class Road:
    """Where a reader's statements go, and whether the answers may be believed.

    ``after`` is a position that they must not be behind of. One that is of another timeline than the primary's is
    InvalidPosition; ``lenient``, it counts for nothing there.
    """

    way: Way | None
    """To the replica; None from when on the primary is asked."""
    primary: Callable[[], Engine]
    after: Position | None
    lenient: bool = False
    session: Any = None
    """Whose way it is."""
    columns: int = field(default=5, init=False)
    since: int = field(init=False)
    """How often the replica's state had changed when the reader set out."""

    def __post_init__(self) -> None:
        """Set out."""
        self.since = self.way.replica.changes if self.way else 0

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
        if connection.reads and self.way:
            self.way.replica.judge(connection, self.since, standby=standby, lag=float(row[2] or 0))
        if self.after is None:
            return
        timeline = None if row[4] is None else int(row[4], 16)
        if standby:
            # What was asked came with a snapshot: one that the whole transaction keeps would be older than the answer.
            if row[3] != "read committed" or timeline not in (self.after.timeline, None):
                raise Elsewhere("it cannot tell whether it is as far")
            if row[1] is None or lsn(row[1]) < self.after.lsn:
                raise Elsewhere("it is not as far yet")
        elif timeline not in (self.after.timeline, None) and not self.lenient:
            raise InvalidPosition.of_timeline(self.after.timeline, timeline or 0)

    @property
    def engine(self) -> Engine:
        """The replica's, or the primary's."""
        return self.way.engine() if self.way else self.primary()

    def unreachable(self, error: UserscopeError) -> bool:
        """Whether the primary is to be used, since no connection to the replica could be had."""
        if self.way is None or isinstance(error, SessionError | UnfitReplica):
            return False
        if isinstance(error, PoolExhausted):  # that is not the replica's fault
            self.way.replica.hampered(f"was not asked: {error.message}")
        else:
            self.way.replica.failed(self.since, f"cannot be used: {error.summary}")
        self.way = None
        return True

    def gives_up(self, connection: Any, error: Exception) -> bool:
        """Whether the primary is to be asked what the replica answered with an error."""
        state = getattr(error, "sqlstate", None) or ""
        if self.way is None or state in _ANSWERS or state[:2] in _ANSWERS:
            return False
        if isinstance(error, Elsewhere):
            pass
        elif connection.closed:
            self.way.replica.failed(self.since, "was lost")
        elif state[:2] == "40":
            self.way.replica.hampered(f"ended its statement for the sake of recovery ({state})")
        self.way = None
        return True


def chosen(ways: Sequence[Way], *, in_order: bool) -> Way | None:
    """Return one to a replica that may be tried: by chance, or the first; None where all of them are away."""
    for way in ways if in_order else sample(ways, len(ways)):
        if way.replica.usable():
            return way
    return None
