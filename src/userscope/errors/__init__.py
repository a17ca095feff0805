"""Everything userscope raises, in PostgreSQL's form: a message, a DETAIL and a HINT that holds the cure.

UserscopeError
├── ConfigurationError          something must be set, written or installed otherwise
│   ├── MissingSetting          a command needs a variable that is not set
│   ├── InvalidURL              a connection URL cannot be used
│   ├── PooledHost              an admin command was pointed at a transaction pooler
│   ├── UnfitReplica            DATABASE_REPLICA_URL names no replica of what DATABASE_URL names
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
├── InvalidPosition             what a reader is to be after is no position of this database's
├── IdentityError
│   ├── MissingUserId           no user was given
│   ├── InvalidUserId           what was given is no uuid
│   ├── InvalidOrganizationId   what was given is no organization's id
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
    │   ├── NotMember           the user is no member of the organization that was claimed
    │   └── NotInvited          an invitation is another's, or unknown, or the address was not verified
    ├── Conflict                23505, 23P01
    │   ├── InvitationOver      an invitation was answered, or taken back, or has expired
    │   └── StaleRow            a row that was to be changed was changed or deleted since it was read
    ├── RowGone                 a row that was read before is not there any more
    ├── InvalidValue            22
    │   ├── BrokenConstraint    23514, 23502
    │   └── TooManyParameters   a statement with more values than PostgreSQL takes; it was not sent
    ├── UnknownReference        23503, 23001
    ├── SealRejected            28
    ├── Retryable               40, 55P03: run the whole transaction again
    └── Unavailable             08, 53, 57, 25P03, 25P04: the server cannot serve now, or only reads
        └── PoolExhausted       every connection of the pool was busy for too long

Those under DatabaseError are SQLAlchemy's errors as well (``sqlalchemy.py``), and each can be sent to another process.
"""

from userscope.errors.base import UserscopeError
from userscope.errors.database import (
    BrokenConstraint,
    Conflict,
    DatabaseError,
    InvalidValue,
    InvitationOver,
    NotInvited,
    NotMember,
    NotPermitted,
    PoolExhausted,
    Retryable,
    RowGone,
    SealRejected,
    StaleRow,
    TooManyParameters,
    Unavailable,
    UnknownReference,
)
from userscope.errors.sessions import (
    AccountGone,
    BeforeFork,
    IdentityError,
    InvalidOrganizationId,
    InvalidPosition,
    InvalidToken,
    InvalidUserId,
    MissingToken,
    MissingUserId,
    NotSealed,
    OperationRefused,
    OutsideSession,
    RoleBypassesRLS,
    SessionError,
    SessionInUse,
)
from userscope.errors.tools import (
    AuditError,
    ConfigurationError,
    InvalidURL,
    LocalServerError,
    MigrationError,
    MissingExtra,
    MissingSetting,
    MissingTool,
    PlanError,
    PooledHost,
    RegistryError,
    ScriptError,
    SealingError,
    UnfitReplica,
)

__all__ = [
    "AccountGone",
    "AuditError",
    "BeforeFork",
    "BrokenConstraint",
    "ConfigurationError",
    "Conflict",
    "DatabaseError",
    "IdentityError",
    "InvalidOrganizationId",
    "InvalidPosition",
    "InvalidToken",
    "InvalidURL",
    "InvalidUserId",
    "InvalidValue",
    "InvitationOver",
    "LocalServerError",
    "MigrationError",
    "MissingExtra",
    "MissingSetting",
    "MissingToken",
    "MissingTool",
    "MissingUserId",
    "NotInvited",
    "NotMember",
    "NotPermitted",
    "NotSealed",
    "OperationRefused",
    "OutsideSession",
    "PlanError",
    "PoolExhausted",
    "PooledHost",
    "RegistryError",
    "Retryable",
    "RoleBypassesRLS",
    "RowGone",
    "ScriptError",
    "SealRejected",
    "SealingError",
    "SessionError",
    "SessionInUse",
    "StaleRow",
    "TooManyParameters",
    "Unavailable",
    "UnfitReplica",
    "UnknownReference",
    "UserscopeError",
]
