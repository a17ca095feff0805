"""For whom the transactions of one session run, and what is sent before their first statement."""

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from psycopg.pq.abc import PGconn

from userscope.connection.replica import Asking
from userscope.errors import SessionError
from userscope.identity import Kind, OrganizationId, SealKey, UserId, parse_organization_id, parse_user_id
from userscope.postgres.times import seconds

Isolation = Literal["read committed", "repeatable read", "serializable"]


@dataclass(frozen=True, slots=True)
class Command:
    """A statement and the values of its parameters, in PostgreSQL's text form.

    Who looks at it sees no value: tools that report errors show the variables of frames, and here would be a seal.
    """

    statement: bytes
    values: Sequence[bytes] | None = field(default=None, repr=False)

    def send(self, pgconn: PGconn) -> None:
        """Send it, in a pipeline."""
        pgconn.send_query_params(self.statement, self.values)


COMMIT = Command(b"COMMIT")
_DISCARD = Command(b"discard all")
_BEGIN: dict[str | None, Command] = {
    None: Command(b"begin"),
    "read committed": Command(b"begin isolation level read committed"),
    "repeatable read": Command(b"begin isolation level repeatable read"),
    "serializable": Command(b"begin isolation level serializable"),
}
_LIMITS = b"pg_catalog.setseed($1), pg_catalog.set_config('statement_timeout', $2, true)"
_LOGIN = b"select " + _LIMITS
_IDENTITY = b"select app.set_user_id($3, $4), " + _LIMITS  # on Citus the identity resets all other settings first
_READ_ONLY = b", pg_catalog.set_config('transaction_read_only', 'on', true)"
_ORGANIZATION = b", app.set_organization_id($5)"


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose transactions these are: a user's, or (``user_id`` None) a login's own that acts for nobody.

    ``organization_id``: which organization the user acts in; the database asks whether they are a member.
    ``road``: what else is asked and judged with the identity, such as whether a replica is far enough.
    ``autocommit``: every statement is a transaction of its own and one round trip; a user's cannot write then.
    """

    user_id: str | None = field(repr=False)
    statement_timeout: str
    key: SealKey | None = field(default=None, repr=False)
    isolation: Isolation | None = None
    autocommit: bool = False
    organization_id: str | None = field(default=None, repr=False)
    road: Asking | None = field(default=None, repr=False, compare=False)

    @classmethod
    def of(
        cls,
        user_id: UserId | None,
        *,
        statement_timeout: str,
        kind: Kind = "uuid",
        key: SealKey | None = None,
        isolation: Isolation | None = None,
        autocommit: bool = False,
        organization_id: OrganizationId | None = None,
        road: Asking | None = None,
    ) -> "Scope":
        """Check what a caller asks for, before anything is sent.

        Raises MissingUserId, InvalidUserId, InvalidOrganizationId or SessionError.
        """
        if isolation not in _BEGIN:
            raise SessionError(
                "there is no such isolation level",
                hint='Use "read committed", "repeatable read" or "serializable"; None for the database\'s own default.',
            )
        claimed = None if organization_id is None else parse_organization_id(organization_id)
        return cls(parse_user_id(user_id, kind), statement_timeout, key, isolation, autocommit, claimed, road)

    @property
    def read_only(self) -> bool:
        """Whether PostgreSQL refuses to write in it."""
        return self.autocommit and self.user_id is not None

    @property
    def patience(self) -> float:
        """How many seconds the server itself gives a statement; infinite where no limit is set."""
        return seconds(self.statement_timeout) or math.inf

    def preamble(self, *, distributed: bool = False) -> list[Command]:
        """Return what has to precede the first statement of a transaction, in the same pipeline.

        DISCARD ALL, a transaction of its own, leaves nothing of whoever came before. Two thirds of its cost are the
        plans it drops; they may hold what literals meant under other settings (tests/attacks/test_poisoning.py), so
        nothing cheaper will do. It leaves random() as it was, which gets a seed that nobody knows. Without a BEGIN the
        commands up to the pipeline's end are one implicit transaction. The seal is made anew each time.

        ``distributed``: Citus tells its workers who acts only behind a BEGIN; see ``closing``.
        """
        if self.autocommit and not (distributed and self.read_only):
            return [_DISCARD, self._identity()]
        return [_DISCARD, _BEGIN[self.isolation], self._identity()]

    def closing(self, *, distributed: bool) -> list[Command]:
        """Return what has to follow the only statement of a transaction, in the same trip."""
        return [COMMIT] if distributed and self.read_only else []

    def _identity(self) -> Command:
        values = [f"0.{int.from_bytes(os.urandom(6))}", self.statement_timeout]
        statement = _LOGIN
        if self.user_id is not None:
            values += [self.user_id, self.key.seal(self.user_id) if self.key else ""]
            statement = _IDENTITY
            if self.organization_id is not None:
                values.append(self.organization_id)
                statement += _ORGANIZATION
            if self.read_only:
                statement += _READ_ONLY
        if self.road is not None:
            statement += self.road.asks
        return Command(statement, [value.encode() for value in values])
