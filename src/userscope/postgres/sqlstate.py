"""PostgreSQL's answers as this package's errors: by SQLSTATE, in the constraint's own words, without any value."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

import psycopg

from userscope.errors import DatabaseError, InvalidValue, NotMember, NotPermitted, Unavailable, UserscopeError
from userscope.postgres.shards import IN_DOUBT, Named, named

READ_ONLY = "25006"


def _below(kind: type[DatabaseError]) -> Iterator[type[DatabaseError]]:
    yield kind
    for each in kind.__subclasses__():
        yield from _below(each)


_CLASSES = {state: kind for kind in _below(DatabaseError) for state in vars(kind).get("sqlstates", ())}
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
    "42P10": "ON CONFLICT names all columns of a unique constraint, such as (owner_id, id), the key of an owned table. "
    "Only the view of a fenced table has none: INSERT there, and where that is a Conflict, UPDATE.",
    "57014": "DATABASE_STATEMENT_TIMEOUT says how long a statement may take; the transaction was rolled back.",
    "08": "Whether the last statement ran is not known; what was not committed is gone.",
    "57": "What was not committed is gone; try again once the server is back.",
}

_KEPT = {"owner_id", "organization_id", "created_at", "updated_at"}
_WRITES = re.compile(
    r"\s*(?:insert into [^(]+\((?P<inserted>[^)]*)\)|update \S+ set (?P<set>.*?)(?: where |$))",
    re.IGNORECASE | re.DOTALL,
)
_UNREAD = re.compile(r"(?:date|time|interval)|(?:can't parse|unexpected) ", re.IGNORECASE)
_NAMES = re.compile(r'[\w$]+|"[^"]+"')
_SET = re.compile(r'(?:^|, *)"?([\w$]+)"? *=')
_UPSERTED = re.compile(r"\bon conflict .*?\bdo update set (.*?)(?: where | returning |$)", re.IGNORECASE | re.DOTALL)

_LEAVE_OUT = (
    "Leave it out: the database sets it, or it stays as it is. What writes every column, as a test's fixtures do, "
    "connects as the owner."
)
FAILED = "an earlier statement of the transaction failed"


class Silence(psycopg.OperationalError):
    """The server has sent nothing for longer than it takes it to end a statement by itself."""


class Elsewhere(psycopg.OperationalError):
    """The replica cannot answer this rightly: the primary is to be asked."""


def to_error(
    error: BaseException, constraint_messages: Mapping[str, str], statement: str | None = ""
) -> UserscopeError | None:
    """Return what to raise instead of the driver's error; None where it is not about the database's answer.

    ``constraint_messages`` are the comments of constraints by ``schema.table.constraint``; ``statement`` is what was
    sent, None while its rows are read. The driver's error loses the values in its own text, since it will be printed as
    the cause.
    """
    if isinstance(error, UnicodeEncodeError):
        return InvalidValue(
            "a text cannot be sent to PostgreSQL", detail="It holds a lone surrogate, which is no character."
        )
    if not isinstance(error, psycopg.Error):
        return None
    if error.sqlstate is None:
        return _unread(error) if _is_of_a_row(error, statement) else _unanswered(error)
    diag = error.diag
    code = "08007" if diag.source_function == IN_DOUBT else error.sqlstate  # transaction resolution unknown
    names = named(diag, constraint_messages)
    if code == "42501" and (names.constraint == NotMember.CONSTRAINT or names.message == NotMember.MESSAGE):
        return NotMember()
    made = _CLASSES.get(code) or _CLASSES.get(code[:2], DatabaseError)
    # What PostgreSQL says of a malformed value repeats it; the error's name does not.
    message = _words(error) if made is InvalidValue and code[:2] == "22" else names.message or str(error)
    sentence = constraint_messages.get(names.key or "")
    error.args = (message,)
    told = made(
        message,
        detail=sentence or _detail(code, diag, names, statement or ""),
        hint=_HINTS.get(code) or _HINTS.get(code[:2]) or _hint(code, diag, statement or ""),
        sqlstate=code,
        constraint=names.constraint,
    )
    if isinstance(told, NotPermitted):
        told.written = _written(statement or "")
    return told


def name_refused(error: NotPermitted, found: Iterable[tuple[str, str, str | None, str | None]]) -> None:
    """Say in an error of a privilege what the catalog says is refused, and the cure; see ``ungranted.sql``."""
    hints = []
    for reason, relation, columns, cure in found:
        if reason == "ungranted":
            hints.append(f'Nothing is granted on {columns} of {relation}. A migration lacks: "{cure}".')
        elif reason == "closed":
            hints.append(f'Services were never let into {relation}. "{cure}" does it, where that is meant.')
        elif columns:
            names = columns.split(", ")
            error.detail = refused_columns(names)
            error.hint = error.hint if any(name in _KEPT for name in names) else _LEAVE_OUT
    error.hint = " ".join(hints) or error.hint


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


def _detail(code: str, diag: psycopg.errors.Diagnostic, names: Named, statement: str) -> str | None:
    refused = names.relayed and "row-level security policy" in (names.message or "")
    if code == "42501" and (refused or diag.source_function == "ExecWithCheckOptions"):
        return (
            "The row as it would be is not this user's to write, or to see afterwards: a SELECT policy that hides what "
            "is marked as deleted refuses the marking too. So it is as well where no identity reached the statement."
        )
    if code == "42501":
        return refused_columns([name for _, name in _written(statement)])
    if code == "23502" and names.column:
        return f'"{names.column}" of "{names.table}" cannot be empty.'
    if code == "28000":
        return diag.message_detail
    return None


def _hint(code: str, diag: psycopg.errors.Diagnostic, statement: str) -> str | None:
    if code == "42501" and any(name in _KEPT for _, name in _written(statement)):
        return (
            "Leave it out. session.merge() of an object that was made anew writes all of it: get the row, and set what "
            "changes. A relationship over (owner_id, id) writes owner_id: let its primaryjoin mark the id alone as "
            "foreign()."
        )
    if code == "28000":
        return diag.message_hint
    # The name of PostgreSQL's own function: its message comes in the server's language.
    if code == "0A000" and diag.source_function == "transformMergeStmt":
        return "MERGE reaches a fenced table from PostgreSQL 17 on: UPDATE, and where that found no row, INSERT."
    return None


def _written(statement: str) -> list[tuple[str, str]]:
    """Return which columns a statement writes, each with the command that does: one that is not granted is of them."""
    text = _WRITES.match(statement)
    if text is None:
        return []
    inserted = _NAMES.findall(text["inserted"] or "")
    found = [
        ("insert" if inserted else "update", name.strip('"')) for name in inserted or _SET.findall(text["set"] or "")
    ]
    upserted = _UPSERTED.search(statement, text.end())
    return found + [("update", name) for name in (_SET.findall(upserted[1]) if upserted else ())]


def refused_columns(names: Sequence[str]) -> str:
    """Return what is told of columns one of which is not granted, or of those that are not."""
    kept = [name for name in dict.fromkeys(names) if name in _KEPT]
    told = ""
    if kept:
        told = f", and {', '.join(kept)} {'are' if kept[1:] else 'is'} the database's to set"
    elif names:
        told = f", of the columns {', '.join(dict.fromkeys(names))}"
    return f"The service's role was not granted this{told}; rights are given column by column."


def _is_of_a_row(error: psycopg.Error, statement: str | None) -> bool:
    """Whether a value could not be read, rather than sent: asyncio's rows are read while the statement is executed."""
    return isinstance(error, psycopg.DataError) and (statement is None or _UNREAD.match(str(error)) is not None)


def _unread(error: psycopg.Error) -> DatabaseError:
    """Return what is told of a value that PostgreSQL holds and Python cannot: no mistake of the request's."""
    error.args = ("a value of a row has no form in Python",)
    return DatabaseError(
        "a value of a row cannot be read into Python",
        detail="PostgreSQL's dates reach before the year 1, beyond 9999 and to infinity; Python's do not.",
        hint="Read it as text (cast), or keep such values out by a check constraint.",
    )


def _unanswered(error: psycopg.Error) -> UserscopeError | None:
    """Tell apart what failed without an answer to a statement: the network, or the arguments."""
    said = str(error).strip()
    if isinstance(error, Silence):
        return Unavailable(
            "the server does not answer",
            detail=f"In DATABASE_STATEMENT_TIMEOUT and DATABASE_POOL_TIMEOUT together {said}.",
            hint=_HINTS["08"],
        )
    if isinstance(error, Elsewhere):
        return Unavailable("the replica cannot answer this", detail=f"As was asked for, {said}.")
    if isinstance(error, psycopg.OperationalError):
        return Unavailable("the server cannot be reached", detail=f"libpq said: {said}.", hint=_HINTS["08"])
    if isinstance(error, psycopg.InternalError):
        # Two answers to a COMMIT: a pooler adds its own farewell to that of a server that was shut down.
        return Unavailable("the server went away", detail=f"psycopg {said}.", hint=_HINTS["08"])
    if isinstance(error, psycopg.DataError):
        return InvalidValue("a text cannot be sent to PostgreSQL", detail=f"{said[:1].upper()}{said[1:]}.")
    return None
