"""What PostgreSQL answered, told apart by SQLSTATE."""

from typing import ClassVar

from userscope.errors.base import UserscopeError


class DatabaseError(UserscopeError):
    """What PostgreSQL answered; the driver's exception is the ``__cause__``.

    ``sqlstate`` is PostgreSQL's code, None where the server said nothing; ``constraint`` names what was broken.
    ``sqlstates`` are the codes that a class stands for; two characters are all codes that begin so.
    """

    sqlstates: ClassVar[tuple[str, ...]] = ()

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


class NotPermitted(DatabaseError):
    """The identity may not do this, or this is a reader, which only reads."""

    sqlstates = ("42501", "25006")


class Conflict(DatabaseError):
    """Another row already has this value."""

    sqlstates = ("23505", "23P01")


class InvalidValue(DatabaseError):
    """A value breaks a constraint or has no valid form."""

    sqlstates = ("23514", "23502", "22")


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

    sqlstates = ("23503", "23001")


class SealRejected(DatabaseError):
    """The database did not accept the identity's seal."""

    sqlstates = ("28",)


class Retryable(DatabaseError):
    """The transaction lost against another one; run the whole of it again."""

    sqlstates = ("40", "55P03")


class Unavailable(DatabaseError):
    """The server cannot be reached, cannot serve now, or only reads; a COMMIT may have run."""

    sqlstates = ("08", "53", "57", "25P03", "25P04")


class PoolExhausted(Unavailable):
    """No connection of the pool became free in time: nothing was sent."""

    def __init__(self) -> None:
        super().__init__(
            "no connection of the pool became free in time",
            detail="Each one serves a session. DATABASE_POOL_SIZE and DATABASE_POOL_TIMEOUT set the limits.",
            hint="Close sessions early, and open none inside of another; enlarge the pool if the load is real.",
        )
