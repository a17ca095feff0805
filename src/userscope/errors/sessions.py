"""What a service meets before anything is sent: a login that is not fit, no user, a session used wrongly."""

from typing import ClassVar, Self

from userscope.errors.base import UserscopeError


class RoleBypassesRLS(UserscopeError):
    """This login must not serve users: it is above row-level security, or can come to be."""

    def __init__(self, role: str, why: str) -> None:
        cure = 'Connect services as a role made by "userscope create-login", and keep this one for migrations.'
        if "settings of its own" in why and ";" not in why:
            cure = 'Whoever may change the role that is named runs "alter role … reset all".'
        super().__init__(f'role "{role}" bypasses row-level security', detail=f"{why[:1].upper()}{why[1:]}.", hint=cure)


class NotSealed(UserscopeError):
    """The service has a seal key, but the database accepts unsealed identities as well."""

    def __init__(self) -> None:
        super().__init__(
            "the database does not require sealed identities",
            detail="USERSCOPE_SEAL_KEY is set, but an identity without a seal would be accepted as well.",
            hint='Run "userscope seal-key require" once every service seals; until then set USERSCOPE_SEAL_OPTIONAL=1.',
        )


class InvalidPosition(UserscopeError):
    """What a reader is to be after is no position of this database's. It is not repeated."""

    def __init__(self, detail: str) -> None:
        super().__init__(
            "the position cannot be used",
            detail=detail,
            hint='Pass session.info["position"] of a session that has committed, or None.',
        )

    @classmethod
    def of_timeline(cls, timeline: int, current: int) -> Self:
        """Return what is said of a position that was taken before a standby took over, or of another server."""
        return cls(f"It is of timeline {timeline}, and the primary writes timeline {current}.")


class IdentityError(UserscopeError):
    """No user, or nothing that names one; raised before anything is sent."""


class MissingUserId(IdentityError):
    """No user was given."""

    def __init__(self) -> None:
        super().__init__(
            "no user id was given", hint="Pass the id of the user this work is done for; there is no default user."
        )


class InvalidUserId(IdentityError):
    """What was given is no id of the ``kind`` that is configured. It is not repeated: it may be somebody's input."""

    _KINDS: ClassVar = {
        "uuid": ("is not a uuid", "Pass a uuid.UUID, or its text of 36 characters."),
        "bigint": ("is not a bigint", "Pass an int of 64 bits, or its digits as PostgreSQL writes them."),
        "text": ("is not a text", "Pass a str of 1 to 255 characters, none of them a control character."),
    }

    def __init__(self, kind: str = "uuid") -> None:
        what, hint = self._KINDS[kind]
        detail = None if kind == "uuid" else f"USERSCOPE_USER_ID says that user ids are {kind}."
        super().__init__(f"the user id {what}", detail=detail, hint=hint)


class InvalidOrganizationId(IdentityError):
    """What was given is no organization's id. It is not repeated: it may be somebody's input."""

    def __init__(self) -> None:
        super().__init__(
            "the organization id is not a uuid",
            detail="The id of an organization is a uuid of 36 characters.",
            hint="Pass a uuid.UUID or its text; None to act in no organization.",
        )


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
            hint="Use Database.session(user_id) or Database.reader(user_id); the engine alone acts for nobody. "
            "What a new connection is to know is for EngineOptions(on_connect=…).",
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
