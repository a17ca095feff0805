"""What PostgreSQL answered, told apart by SQLSTATE.

Each is one of SQLAlchemy's errors too, once that is imported (``sqlalchemy.py``): ``except IntegrityError`` catches
Conflict.
"""

from collections.abc import Sequence
from typing import ClassVar

from userscope.errors.base import UserscopeError


class DatabaseError(UserscopeError):
    """What PostgreSQL answered; the driver's exception is the ``__cause__``.

    ``sqlstate`` is PostgreSQL's code, None where the server said nothing; ``constraint`` names what was broken.
    ``sqlstates`` are the codes that a class stands for; two characters are all codes that begin so.
    """

    sqlstates: ClassVar[tuple[str, ...]] = ()

    # What SQLAlchemy's DBAPIError tells beside ``orig``. The statement is in SQLAlchemy's own log; values are nowhere.
    statement: None = None
    params: None = None
    ismulti: None = None
    connection_invalidated: bool = False
    hide_parameters: bool = True

    @property
    def orig(self) -> BaseException | None:
        """The driver's exception; None where there is none, as in another process."""
        return self.__cause__

    def __init__(
        self,
        message: str,
        *,
        detail: str | None = None,
        hint: str | None = None,
        sqlstate: str | None = None,
        constraint: str | None = None,
    ) -> None:
        super().__init__(message, detail=detail, hint=hint)
        self.sqlstate = sqlstate
        self.constraint = constraint

    def add_detail(self, msg: str) -> None:
        """Note what SQLAlchemy adds, such as that it was an autoflush: it shows beneath a traceback, in no answer."""
        self.add_note(msg)


class NotPermitted(DatabaseError):
    """The identity may not do this, or this is a reader, which only reads."""

    sqlstates: ClassVar[tuple[str, ...]] = ("42501", "25006")
    written: Sequence[tuple[str, str]] = ()
    """By which command the statement wrote which columns: one that is not granted is among them."""


class NotMember(NotPermitted):
    """The user is no member of the organization that the session acts in, or not any more; or there is none such."""

    CONSTRAINT: ClassVar[str] = "members_only"
    """What ``app.current_organization_id()`` names beside its SQLSTATE."""
    MESSAGE: ClassVar[str] = "not a member of this organization"
    """What it says, which is all that comes from a worker of Citus."""

    def __init__(self) -> None:
        super().__init__(
            self.MESSAGE,
            detail="There is no such organization, or the user is not a member of it, or not any more.",
            hint="Act in one of those that app.memberships shows the user.",
            sqlstate="42501",
            constraint=self.CONSTRAINT,
        )


class NotInvited(NotPermitted):
    """There is no such invitation for this user: it may be unknown, or another's, or their address is not verified."""

    def __init__(self) -> None:
        super().__init__(
            "there is no such invitation for this user",
            detail="An invitation is for the account of the invited address, once that address was verified.",
            hint="Let the user verify their address; my_invitations() selects what they can accept.",
        )


class Conflict(DatabaseError):
    """Another row already has this value."""

    sqlstates: ClassVar[tuple[str, ...]] = ("23505", "23P01")


class InvitationOver(Conflict):
    """An invitation was answered, or taken back, or has expired; ``status`` is which of it."""

    def __init__(self, status: str) -> None:
        super().__init__(
            "the invitation cannot be answered any more",
            detail="It has expired." if status == "expired" else f"It was {status} before.",
            hint="Invite the address again.",
        )


class StaleRow(Conflict):
    """A row that was to be changed was changed or deleted since it was read, or is another user's."""

    def __init__(self) -> None:
        super().__init__(
            "a row was changed or deleted since it was read",
            detail="Somebody else was quicker, or it is another user's.",
            hint="Read it again, and decide again.",
        )


class RowGone(DatabaseError):
    """A row that was read before is not there any more, or not for this user."""

    def __init__(self) -> None:
        super().__init__(
            "a row that was read before is gone",
            detail="It was deleted, or is not to be seen by this user.",
            hint="Read it again: session.get() returns None where there is none.",
        )


class InvalidValue(DatabaseError):
    """A value has no valid form, or breaks a constraint."""

    sqlstates: ClassVar[tuple[str, ...]] = ("22",)


class BrokenConstraint(InvalidValue):
    """A value breaks a constraint: a check, or it must not be empty."""

    sqlstates: ClassVar[tuple[str, ...]] = ("23514", "23502")


class TooManyParameters(InvalidValue):
    """A statement has more values than PostgreSQL's protocol takes; it was not sent."""

    MOST = 65535

    def __init__(self, number: int) -> None:
        super().__init__(
            f"a statement has {number} parameters, and PostgreSQL takes {self.MOST}",
            hint='Send a list as one array, as in "id = any(:ids)", or in several statements.',
        )


class UnknownReference(DatabaseError):
    """A row that this one refers to does not exist."""

    sqlstates: ClassVar[tuple[str, ...]] = ("23503", "23001")


class SealRejected(DatabaseError):
    """The database did not accept the identity's seal."""

    sqlstates: ClassVar[tuple[str, ...]] = ("28",)


class Retryable(DatabaseError):
    """The transaction lost against another one; run the whole of it again."""

    sqlstates: ClassVar[tuple[str, ...]] = ("40", "55P03")


class Unavailable(DatabaseError):
    """The server cannot be reached, cannot serve now, or only reads; a COMMIT may have run."""

    sqlstates: ClassVar[tuple[str, ...]] = ("08", "53", "57", "25P03", "25P04")


class PoolExhausted(Unavailable):
    """No connection of the pool became free in time: nothing was sent."""

    def __init__(self) -> None:
        super().__init__(
            "no connection of the pool became free in time",
            detail="Each one serves a session. DATABASE_POOL_SIZE and DATABASE_POOL_TIMEOUT set the limits.",
            hint="Close sessions early, and open none inside of another; enlarge the pool if the load is real.",
        )
