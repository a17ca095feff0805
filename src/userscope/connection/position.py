"""A place in the primary's write-ahead log: how far a standby must be, to show what a session has written."""

import re
from dataclasses import dataclass
from typing import Self

from userscope.errors import InvalidPosition

_FORM = re.compile(r"([0-9A-F]{8}):([0-9A-F]{1,8})/([0-9A-F]{1,8})")

ASKED = (
    b"select case when not pg_catalog.pg_is_in_recovery()"
    b" then pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_insert_lsn()) end,"
    b" case when not pg_catalog.pg_is_in_recovery() then pg_catalog.pg_current_wal_insert_lsn() end"
)
"""Asked behind a COMMIT, in its trip: a name that begins with the timeline, and the place; neither on a standby.

Where the next record will be written: the COMMIT's own lies before it, flushed or not (synchronous_commit = off), and
so does the COMMIT of whatever the session has read.
"""

REPLAYED = (
    b"pg_catalog.pg_last_wal_replay_lsn(), case when pg_catalog.pg_last_wal_receive_lsn() >"
    b" pg_catalog.pg_last_wal_replay_lsn() then extract(epoch from pg_catalog.clock_timestamp()"
    b" - pg_catalog.pg_last_xact_replay_timestamp()) else 0 end"
)
"""How far a standby has replayed, and how many seconds ago that was written, where it has received more."""

ON_PRIMARY = (
    b", case when not pg_catalog.pg_is_in_recovery()"
    b" then pg_catalog.left(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_insert_lsn()), 8) end"
)
ON_STANDBY = b", (select pg_catalog.to_hex(timeline_id) from pg_catalog.pg_control_checkpoint())"
"""On which timeline, in hexadecimal digits."""


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """As text ``<timeline>:<LSN>``, such as ``00000001:0/3000148``."""

    timeline: int
    lsn: int

    @classmethod
    def parse(cls, text: object) -> Self:
        """Read what ``session.info["position"]`` was. Raises InvalidPosition."""
        match = _FORM.fullmatch(text) if isinstance(text, str) else None
        if match is None:
            raise InvalidPosition('It has not the form of session.info["position"], such as 00000001:0/3000148.')
        timeline, high, low = (int(part, 16) for part in match.groups())
        return cls(timeline, high << 32 | low)

    def __str__(self) -> str:
        return f"{self.timeline:08X}:{self.lsn >> 32:X}/{self.lsn & 0xFFFFFFFF:X}"


def told(walfile: bytes | None, place: bytes | None) -> str | None:
    """Return what ``ASKED`` was answered as the text of a position."""
    return f"{walfile[:8].decode()}:{place.decode()}" if walfile and place else None


class Kept(str):
    """What a client has kept: of another timeline, as before a standby took over, it counts for nothing."""

    __slots__ = ()


def lsn(text: str) -> int:
    """Read PostgreSQL's ``pg_lsn``."""
    high, low = text.split("/")
    return int(high, 16) << 32 | int(low, 16)
