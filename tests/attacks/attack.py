"""What an attack is: SQL that runs on a connection which acts for Alice, and what it is after.

In the SQL, ``{alice}``, ``{bob}`` and so on stand for what an attacker may be supposed to know (``Arena.facts``).
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from tests.clusters import Connection

type Change = str | Callable[[Connection], None]
"""What an administrator does to a database: SQL, or a function of the superuser's connection."""


class Outcome(StrEnum):
    """What came of an attack; the words stand in docs/threat-model.md."""

    HOLDS = "held"
    WORKS = "**reached**"


class Aim(StrEnum):
    """How success is told."""

    REACH = "Bob's rows were read, or something changed that is not Alice's"
    TELL = "the answer tells apart two databases that differ in Bob's rows alone"


@dataclass(frozen=True)
class Attack:
    """One attack. ``steps`` run one after the other, each in a savepoint; then COMMIT.

    ``hole``: the change to a database after which the attack must succeed, sealed; None where the unsealed run shows
    that it bites. ``careless``: it bites where services send seals as literals. ``circumstance``: what befell the
    database before, that must not open it. ``trophy``: what, in the answers, proves success, where it is not a row of
    Bob's. ``because``: why an attack that works is not prevented.
    """

    name: str
    steps: Sequence[str]
    hole: Change | None = None
    unsealed: Outcome | None = Outcome.HOLDS
    sealed: Outcome = Outcome.HOLDS
    aim: Aim = Aim.REACH
    circumstance: Change | None = None
    trophy: str = ""
    because: str = ""
    careless: bool = False

    def expected(self, *, sealed: bool) -> Outcome | None:
        """What must come of it; None where it is about sealed databases alone."""
        return self.sealed if sealed else self.unsealed


LOOT = "select id, title, description from app.todos"
PERSON = "select name, email from app.account"
SPOIL = "update app.todos set title = 'spoiled' where owner_id <> '{alice}'"
PLANT = "insert into app.todos (title) select 'planted' where app.current_user_id() <> '{alice}'"
HARVEST = (LOOT, PERSON, SPOIL, PLANT)
SESSIONS = "select token from app.sessions"

NAIVE = """
create or replace function app.current_user_key() returns text language sql stable parallel safe security definer
set search_path = pg_catalog, pg_temp return nullif(current_setting('app.user_id', true), '')
"""
"""The helper that every peer has: whoever the setting names."""

EXPOSED = "alter table app.todos disable row level security; alter table app.users disable row level security"


def verification(old: str, new: str) -> Change:
    """What a seal is verified by, with a piece of its body replaced (a regular expression)."""

    def change(superuser: Connection) -> None:
        row = superuser.execute("select pg_get_functiondef('app_private.verified_user_key()'::regprocedure)").fetchone()
        assert row
        body, count = re.subn(old, new, row[0])
        assert count, f"it holds {old}"
        superuser.execute(body.encode())
        superuser.execute("update app_private.sealing set required = required")  # the helper has the same body

    return change


UNCOMPARED = verification(
    r"\(sha256\(convert_to\(current_setting\([^)]*\), [^)]*\)\) = ", "(null::bytea is distinct from "
)
"""Any seal fits."""
UNTIMED = verification(r">= EXTRACT\(epoch FROM now\(\)\)", "is not null")
"""No seal expires."""
