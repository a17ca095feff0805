"""Everything userscope raises, in PostgreSQL's form: a message, a DETAIL and a HINT that holds the cure.

UserscopeError
├── ConfigurationError          something must be set, written or installed otherwise
│   ├── MissingSetting          a command needs a variable that is not set
│   ├── InvalidURL              a connection URL cannot be used
│   ├── PooledHost              an admin command was pointed at a transaction pooler
│   ├── MissingExtra            a Python package of an extra is not installed
│   └── MissingTool             a program is not on PATH
├── LocalServerError            the embedded PostgreSQL cannot start, stop or be reached
├── MigrationError              a migration cannot run or did not succeed
│   ├── PlanError               a plan file, or what is looked up in it, is not valid
│   ├── ScriptError             a script is refused, or failed and was rolled back
│   └── RegistryError           Sqitch's registry in the database does not fit the plan
├── SealingError                seal keys cannot be changed as asked; nothing was changed
├── AuditError                  a database cannot be copied, audited or mutated
├── RoleBypassesRLS             this login must not serve users: policies would not bind it
├── NotSealed                   the service seals identities, the database does not require it
├── IdentityError
│   ├── MissingUserId           no user was given
│   ├── InvalidUserId           what was given is no uuid
│   └── InvalidToken            a bearer token proves nothing: forged, expired, or meant for somebody else
│       ├── MissingToken        there is none
│       └── AccountGone         it was good, and its account has been deleted since
├── SessionError                a session was used in a way that could lose its identity; nothing was sent
│   ├── OutsideSession          a statement was sent on behalf of nobody
│   ├── OperationRefused        an entry point of the driver that cannot carry the identity
│   ├── SessionInUse            another thread or task is using this session now
│   └── BeforeFork              the session was opened by the parent of this process
└── DatabaseError               what PostgreSQL answered
    ├── NotPermitted            42501, 25006: in a reader
    ├── Conflict                23505, 23P01
    ├── InvalidValue            23514, 23502, 22
    │   └── TooManyParameters   a statement with more values than PostgreSQL takes; it was not sent
    ├── UnknownReference        23503, 23001
    ├── SealRejected            28
    ├── Retryable               40, 55P03: run the whole transaction again
    └── Unavailable             08, 53, 57, 25P03, 25P04: the server cannot serve now, or only reads
        └── PoolExhausted       every connection of the pool was busy for too long
"""

from typing import ClassVar


class UserscopeError(Exception):
    """Base of all: ``message`` (short, lower case), ``detail`` and ``hint`` (full sentences, or None)."""

    def __init__(self, message: str, *, detail: str | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail
        self.hint = hint

    def __str__(self) -> str:
        lines = [self.message]
        if self.detail:
            lines.append(f"DETAIL:  {self.detail}")
        if self.hint:
            lines.append(f"HINT:  {self.hint}")
        return "\n".join(lines)


class ConfigurationError(UserscopeError):
    """Something must be set, written or installed otherwise; nothing was tried."""


class MissingSetting(ConfigurationError):
    """A command needs a variable that is not set, while others are (so the embedded server is not meant)."""

    def __init__(self, variable: str, purpose: str, hint: str | None = None) -> None:
        super().__init__(
            f"{variable} is not set",
            detail=f"It names {purpose}.",
            hint=hint
            or f"Set {variable} in the environment or in .env; unset every database URL to use the embedded server.",
        )


class InvalidURL(ConfigurationError):
    """A connection URL cannot be used. The URL itself is never repeated: it holds a password."""

    def __init__(self, variable: str, reason: str, hint: str) -> None:
        super().__init__(f"{variable} cannot be used: {reason}", hint=hint)


class PooledHost(ConfigurationError):
    """An admin command was pointed at a transaction pooler, which keeps no session: no lock, no setting holds."""

    def __init__(self, variable: str, host: str) -> None:
        super().__init__(
            f'{variable} names the pooled host "{host}"',
            detail="Migrations need a session of their own: advisory locks and settings do not hold behind a pooler.",
            hint="Set ADMIN_DATABASE_URL (or DATABASE_URL_UNPOOLED) to the same host without “-pooler”.",
        )


class MissingExtra(ConfigurationError):
    """A Python package of an extra is not installed."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f'the package "{package}" is not installed', hint=f"Run: pip install 'userscope[{extra}]'")


class MissingTool(ConfigurationError):
    """A program that a command runs is not on PATH."""

    def __init__(self, tool: str, purpose: str, hint: str) -> None:
        super().__init__(f'the program "{tool}" was not found', detail=f"It is needed {purpose}.", hint=hint)


class LocalServerError(UserscopeError):
    """The embedded PostgreSQL cannot start, stop or be reached."""


class MigrationError(UserscopeError):
    """A migration cannot run or did not succeed; what it was doing was rolled back unless the detail says otherwise."""


class PlanError(MigrationError):
    """A plan file, or what is looked up in it, is not valid; nothing was run."""


class ScriptError(MigrationError):
    """A script is refused, or failed; its change was rolled back unless the detail says otherwise."""


class RegistryError(MigrationError):
    """Sqitch's registry in the database does not fit the plan, or cannot be written; nothing was run."""


class SealingError(UserscopeError):
    """Seal keys, or whether a seal is required, cannot be changed as asked; nothing was changed."""


class AuditError(UserscopeError):
    """A database cannot be copied, audited or mutated; nothing was changed in it."""


class RoleBypassesRLS(UserscopeError):
    """This login must not serve users: it is above row-level security, or can come to be."""

    def __init__(self, role: str, why: str) -> None:
        super().__init__(
            f'role "{role}" bypasses row-level security',
            detail=f"{why[:1].upper()}{why[1:]}.",
            hint='Connect services as a role made by "userscope create-login", and keep this one for migrations.',
        )


class NotSealed(UserscopeError):
    """The service has a seal key, but the database accepts unsealed identities as well."""

    def __init__(self) -> None:
        super().__init__(
            "the database does not require sealed identities",
            detail="USERSCOPE_SEAL_KEY is set, but an identity without a seal would be accepted as well.",
            hint='Run "userscope seal-key require" once every service seals; until then set USERSCOPE_SEAL_OPTIONAL=1.',
        )


class IdentityError(UserscopeError):
    """No user, or nothing that names one; raised before anything is sent."""


class MissingUserId(IdentityError):
    """No user was given."""

    def __init__(self) -> None:
        super().__init__(
            "no user id was given", hint="Pass the id of the user this work is done for; there is no default user."
        )


class InvalidUserId(IdentityError):
    """What was given is no uuid. The value is not repeated: it may be somebody's input."""

    def __init__(self) -> None:
        super().__init__("the user id is not a uuid", hint="Pass a uuid.UUID, or its text of 36 characters.")


class InvalidToken(IdentityError):
    """A bearer token proves nothing: forged, expired, or meant for somebody else. Nothing of it is repeated."""

    def __init__(self, detail: str) -> None:
        super().__init__("the token is not accepted", detail=detail, hint="Sign in, and send the token that you get.")


class MissingToken(InvalidToken):
    """No bearer token came along."""

    def __init__(self) -> None:
        super().__init__("There is none.")


class AccountGone(InvalidToken):
    """A token was good, and its account has been deleted since: tokens outlive accounts by minutes."""

    def __init__(self) -> None:
        super().__init__("The account it was made for does not exist any more.")


class SessionError(UserscopeError):
    """A session was used in a way that could lose its identity; nothing was sent."""


class OutsideSession(SessionError):
    """A statement was sent on behalf of nobody."""

    def __init__(self) -> None:
        super().__init__(
            "a statement was sent outside a user's session",
            hint="Use Database.session(user_id) or Database.reader(user_id); the engine alone acts for nobody.",
        )


class OperationRefused(SessionError):
    """An entry point of the driver that cannot carry the identity."""

    def __init__(self, operation: str, why: str, hint: str) -> None:
        super().__init__(f"{operation} is refused in a user's session", detail=why, hint=hint)


class SessionInUse(SessionError):
    """Another thread or task is using this session now."""

    def __init__(self) -> None:
        super().__init__(
            "the session is in use by another thread or task",
            hint="Open one session for each thread and each task; sessions are cheap, and share the pool.",
        )


class BeforeFork(SessionError):
    """The session was opened by the parent of this process; its transaction is the parent's, to the end."""

    def __init__(self) -> None:
        super().__init__(
            "the session was opened before a fork, and is the parent process's",
            hint="Open sessions in the process that uses them; a Database may be made before a fork, and serves both.",
        )


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
