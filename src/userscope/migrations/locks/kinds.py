"""What each kind of statement locks its table by, and what it does meanwhile; the tests hold it against pg_locks."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

type Work = Literal["moment", "scan", "build", "rewrite"]
"""Nothing that grows with the table; reading it; building an index of it; writing it anew, its indexes as well."""

SPEED: dict[Work, float] = {"scan": 100e6, "build": 20e6, "rewrite": 20e6}
"""Bytes a second that a slow server manages. What takes longer there is what ought to be known beforehand."""


class Lock(StrEnum):
    """PostgreSQL's locks of tables, the stronger the later."""

    ACCESS_SHARE = "ACCESS SHARE"
    ROW_SHARE = "ROW SHARE"
    ROW_EXCLUSIVE = "ROW EXCLUSIVE"
    SHARE_UPDATE_EXCLUSIVE = "SHARE UPDATE EXCLUSIVE"
    SHARE = "SHARE"
    SHARE_ROW_EXCLUSIVE = "SHARE ROW EXCLUSIVE"
    EXCLUSIVE = "EXCLUSIVE"
    ACCESS_EXCLUSIVE = "ACCESS EXCLUSIVE"

    @property
    def strength(self) -> int:
        """Its place in the order."""
        return list(Lock).index(self)

    @property
    def meaning(self) -> str:
        """Who waits for it."""
        if self is Lock.ACCESS_EXCLUSIVE:
            return "nobody reads or writes it meanwhile"
        return "nobody writes it meanwhile" if self.strength >= Lock.SHARE.strength else "reads and writes go on"


@dataclass(frozen=True)
class Kind:
    """A kind of statement: what it does to its table, by which lock; ``instead`` is the way that holds nobody up."""

    lock: Lock
    work: Work
    what: str
    instead: str = ""


_VALIDATE = "Add it NOT VALID, and validate it in a later change."
_CONCURRENTLY = "Do it CONCURRENTLY, in a script without begin."
_IN_STEPS = "Add a column beside it, fill it in parts, and let the code change over."

_AE, _SRE, _SUE = Lock.ACCESS_EXCLUSIVE, Lock.SHARE_ROW_EXCLUSIVE, Lock.SHARE_UPDATE_EXCLUSIVE
KINDS: dict[str, Kind] = {
    # ALTER TABLE
    "alter": Kind(_AE, "moment", "changes it"),
    "alter quietly": Kind(_SUE, "moment", "changes it"),
    "add column": Kind(_AE, "moment", "adds a column"),
    "add filled column": Kind(_AE, "rewrite", "adds a column that is computed for each row", _IN_STEPS),
    "add checked column": Kind(_AE, "scan", "adds a column that is checked for each row", _VALIDATE),
    "add unique column": Kind(_AE, "build", "adds a column with an index", _IN_STEPS),
    "column type": Kind(_AE, "rewrite", "changes a column's type", _IN_STEPS),
    "not null": Kind(
        _AE,
        "scan",
        "forbids NULL",
        "Add check (… is not null) NOT VALID and validate it in a later change, before that.",
    ),
    "check": Kind(_AE, "scan", "adds a constraint that is checked for each row", _VALIDATE),
    "check not valid": Kind(_AE, "moment", "adds a constraint without a check of what is there"),
    "foreign key": Kind(_SRE, "scan", "adds a foreign key", _VALIDATE),
    "foreign key not valid": Kind(_SRE, "moment", "adds a foreign key without a check of what is there"),
    "referenced": Kind(_SRE, "moment", "is referenced by a new foreign key"),
    "unique": Kind(
        _AE, "build", "adds a constraint with an index", "Create the index concurrently, then add it USING INDEX."
    ),
    "using index": Kind(_AE, "moment", "makes an index a constraint"),
    "validate": Kind(_SUE, "scan", "validates a constraint"),
    "drop constraint": Kind(_AE, "moment", "drops a constraint"),
    "triggers": Kind(_SRE, "moment", "turns triggers on or off"),
    "rewrite": Kind(_AE, "rewrite", "writes it anew"),
    "attach to": Kind(_SUE, "moment", "gets a partition"),
    "attach": Kind(_AE, "scan", "becomes a partition", "Validate a check of the same bounds before that."),
    "detach": Kind(_AE, "moment", "loses a partition", "Detach it CONCURRENTLY, in a script without begin."),
    # Indexes
    "index": Kind(Lock.SHARE, "build", "builds an index", _CONCURRENTLY),
    "index concurrently": Kind(_SUE, "build", "builds an index"),
    "drop index": Kind(_AE, "moment", "drops an index", _CONCURRENTLY),
    "drop index concurrently": Kind(_SUE, "moment", "drops an index"),
    "reindex": Kind(Lock.SHARE, "build", "builds its indexes anew", _CONCURRENTLY),
    "reindex concurrently": Kind(_SUE, "build", "builds its indexes anew"),
    # Everything else that makes, changes or drops
    "drop": Kind(_AE, "moment", "drops it"),
    "rename": Kind(_AE, "moment", "renames it, or a part of it"),
    "trigger": Kind(_SRE, "moment", "adds a trigger"),
    "drop trigger": Kind(_AE, "moment", "drops a trigger"),
    "policy": Kind(_AE, "moment", "makes, changes or drops a policy"),
    "rule": Kind(_AE, "moment", "makes or drops a rule"),
    "comment": Kind(_SUE, "moment", "comments on it"),
    "statistics": Kind(_SUE, "moment", "makes statistics"),
    "partition of": Kind(_AE, "moment", "gets a new partition", "Create the table alone, then attach it."),
    "inherited": Kind(_SUE, "moment", "gets a table that inherits it"),
    # Rows, and the whole table
    "truncate": Kind(_AE, "moment", "empties it"),
    "write": Kind(Lock.ROW_EXCLUSIVE, "rewrite", "writes its rows, at worst all of them", "Do it in parts, by hand."),
    "vacuum": Kind(_SUE, "scan", "vacuums or analyzes it"),
    "vacuum full": Kind(_AE, "rewrite", "writes it anew"),
    "cluster": Kind(_AE, "rewrite", "writes it anew, in an index's order"),
    "refresh": Kind(_AE, "rewrite", "computes it anew", "Refresh it CONCURRENTLY."),
    "refresh concurrently": Kind(Lock.EXCLUSIVE, "rewrite", "computes it anew"),
    **{f"lock {lock}": Kind(lock, "moment", "locks it") for lock in Lock},
}
