"""PostgreSQL's answers as this package's errors: by SQLSTATE, in the constraint's own words, without any value."""

import re
from collections.abc import Mapping

import psycopg

from userscope.errors import DatabaseError, InvalidValue, Unavailable, UserscopeError

READ_ONLY = "25006"

_CLASSES = {sqlstate: kind for kind in DatabaseError.__subclasses__() for sqlstate in kind.sqlstates}
"""By the whole SQLSTATE, or by its class: its first two characters."""

_HINTS = {
    READ_ONLY: "Use Database.session(user_id): a reader cannot write.",
    "25P02": "Nothing was written. Let the error of that statement through, or have it in a session.begin_nested().",
    "25P03": "What was not committed is gone: do not leave a transaction open while nothing is sent.",
    "25P04": "What was not committed is gone: make transactions shorter than transaction_timeout.",
    "40": "Run the whole transaction again, from its first statement.",
    "55P03": "Run the whole transaction again, from its first statement.",
    "53100": "Make room on the server's disk; reading goes on meanwhile.",
    "53300": "Lower DATABASE_POOL_SIZE, or put a pooler in front of the server.",
    "42P10": "ON CONFLICT needs a unique constraint of just these columns, and the view of a fenced table has none: "
    "INSERT, and where that is a Conflict, UPDATE.",
    "57014": "DATABASE_STATEMENT_TIMEOUT says how long a statement may take; the transaction was rolled back.",
    "08": "Whether the last statement ran is not known; what was not committed is gone.",
    "57": "What was not committed is gone; try again once the server is back.",
}

FAILED = "an earlier statement of the transaction failed"


class Silence(psycopg.OperationalError):
    """The server has sent nothing for longer than it takes it to end a statement by itself."""


def to_error(error: BaseException, constraint_messages: Mapping[str, str]) -> UserscopeError | None:
    """Return what to raise instead of the driver's error; None where it is not about the database's answer.

    ``constraint_messages`` are the comments of constraints by ``schema.table.constraint``. The driver's error loses the
    values in its own text, since it will be printed as the cause.
    """
    if isinstance(error, UnicodeEncodeError):
        return InvalidValue(
            "a text cannot be sent to PostgreSQL", detail="It holds a lone surrogate, which is no character."
        )
    if not isinstance(error, psycopg.Error):
        return None
    if error.sqlstate is None:
        return _unanswered(error)
    diag = error.diag
    code = error.sqlstate
    made = _CLASSES.get(code) or _CLASSES.get(code[:2], DatabaseError)
    # What PostgreSQL says of a malformed value repeats it; the error's name does not.
    message = _words(error) if made is InvalidValue and code[:2] == "22" else diag.message_primary or str(error)
    constraint = diag.constraint_name
    sentence = constraint_messages.get(f"{diag.schema_name}.{diag.table_name}.{constraint}")
    error.args = (message,)
    return made(
        message,
        detail=sentence or _detail(code, diag),
        hint=_HINTS.get(code) or _HINTS.get(code[:2]) or _hint(code, diag),
        sqlstate=code,
        constraint=constraint,
    )


def read_only(error: UserscopeError) -> Unavailable:
    """Return what a writer is told where the whole server only reads."""
    return Unavailable(
        error.message,
        detail="It is a standby, or was set to default_transaction_read_only; nothing was written.",
        hint="Try again once it accepts writes. A DATABASE_URL of several hosts with target_session_attrs=read-write "
        "finds the one that does.",
        sqlstate=READ_ONLY,
    )


def lost() -> Unavailable:
    """Return what is told where the error of a lost connection was swallowed."""
    return Unavailable("the connection was lost earlier in this transaction", hint=_HINTS["57"])


def failed() -> DatabaseError:
    """Return what is told where any other error was swallowed, and the transaction with it."""
    return DatabaseError(FAILED, hint=_HINTS["25P02"], sqlstate="25P02")


def _words(error: psycopg.Error) -> str:
    """``InvalidTextRepresentation`` → "invalid text representation"."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(error).__name__).lower()


def _detail(code: str, diag: psycopg.errors.Diagnostic) -> str | None:
    table = diag.table_name
    if code == "42501" and "row-level security" in (diag.message_primary or ""):
        return "Either no identity reached this statement, or the row would not belong to the user it was sent for."
    if code == "42501":
        return "The service's role was not granted this; policies/deploy/*.sql says what is."
    if code == "23502":
        return f'"{diag.column_name}" of "{table}" cannot be empty.'
    if code == "28000":
        return diag.message_detail
    return None


def _hint(code: str, diag: psycopg.errors.Diagnostic) -> str | None:
    if code == "28000":
        return diag.message_hint
    # The name of PostgreSQL's own function: its message comes in the server's language.
    if code == "0A000" and diag.source_function == "transformMergeStmt":
        return "MERGE reaches a fenced table from PostgreSQL 17 on: UPDATE, and where that found no row, INSERT."
    return None


def _unanswered(error: psycopg.Error) -> UserscopeError | None:
    """Tell apart what failed without an answer to a statement: the network, or the arguments."""
    said = str(error).strip()
    if isinstance(error, Silence):
        return Unavailable(
            "the server does not answer",
            detail=f"In DATABASE_STATEMENT_TIMEOUT and DATABASE_POOL_TIMEOUT together {said}.",
            hint=_HINTS["08"],
        )
    if isinstance(error, psycopg.OperationalError):
        return Unavailable("the server cannot be reached", detail=f"libpq said: {said}.", hint=_HINTS["08"])
    if isinstance(error, psycopg.InternalError):
        # Two answers to a COMMIT: a pooler adds its own farewell to that of a server that was shut down.
        return Unavailable("the server went away", detail=f"psycopg {said}.", hint=_HINTS["08"])
    if isinstance(error, psycopg.DataError):
        return InvalidValue("a text cannot be sent to PostgreSQL", detail=f"{said[:1].upper()}{said[1:]}.")
    return None
