"""What must be in the database, kept beside it: every todo's title says whose it is, and what became of its write."""

import threading
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import count
from typing import Literal

from tests.clusters import Connection

type Fate = Literal["written", "undone", "unknown"]

_FATES: dict[str, Fate] = {"committed": "written", "rolled back": "undone"}


@dataclass
class Truth:
    """The outcome of every write, and everything that was found to be wrong.

    ``unknown`` are the writes that nobody can tell the fate of; those of them that were found have ``appeared``.
    """

    written: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    undone: set[str] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)
    appeared: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    _serial: "count[int]" = field(default_factory=count)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def token(self, user: str) -> str:
        """A title that nobody else writes."""
        return f"{user}/{next(self._serial)}"

    def acknowledged(self, user: str) -> frozenset[str]:
        """The titles that a transaction which begins now must see."""
        with self._lock:
            return frozenset(self.written[user])

    def ended(self, user: str, tokens: list[str], outcome: str, fate: Fate | None = None) -> None:
        """Note what became of a transaction: "committed", "rolled back", or an error.

        After an error nobody knows its ``fate``, unless it says otherwise.
        """
        with self._lock:
            self.outcomes[outcome] += 1
            match fate or _FATES.get(outcome, "unknown"):
                case "written":
                    self.written[user].update(tokens)
                case "undone":
                    self.undone.update(tokens)
                case "unknown":
                    self.unknown.update(tokens)

    def check_seen(self, user: str, titles: list[str], before: frozenset[str]) -> None:
        """Judge what a user was shown: nobody else's rows, and all that was acknowledged before."""
        strangers = [title for title in titles if not title.startswith(user)]
        if strangers:
            self.faults.append(f"{user} saw {len(strangers)} rows of others, such as {strangers[0]}")
        if missing := before - set(titles):
            self.faults.append(f"{user} did not see {len(missing)} of their rows")

    def check_all(self, superuser: Connection, *, teams: bool = False) -> None:
        """Judge what is there at the end: every row its own user's, every acknowledged write once, none undone."""
        query = "select owner_id::text, title from app.todos"
        if teams:
            query += " union all select organization_id::text, title from app.soak_todos"
        rows = superuser.execute(query.encode()).fetchall()
        self.faults += [f"{title} belongs to {owner}" for owner, title in rows if not title.startswith(owner)]
        found = Counter(title for _, title in rows)
        self.faults += [f"{title} is there {times} times" for title, times in found.items() if times > 1]
        self.appeared = self.unknown & found.keys()
        written = set().union(*self.written.values()) if self.written else set()
        self.faults += [f"{title} was acknowledged and is lost" for title in written - found.keys()]
        self.faults += [f"{title} was rolled back and is there" for title in self.undone & found.keys()]
        self.faults += [f"{title} was never written" for title in found.keys() - written - self.unknown]
