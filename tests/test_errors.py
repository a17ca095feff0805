"""Every error has PostgreSQL's form, a place in the tree that its module draws, and a docstring that says when."""

import copy
import inspect
import pickle
import re

import pytest
from sqlalchemy.exc import IntegrityError, OperationalError

from userscope import errors
from userscope.errors import DatabaseError, UserscopeError
from userscope.errors.sqlalchemy import SAME

CLASSES = {
    name: kind
    for name, kind in vars(errors).items()
    if inspect.isclass(kind) and issubclass(kind, UserscopeError) and kind.__module__.startswith(errors.__name__)
}
SAMPLES: dict[str, tuple[str, ...]] = {
    "MissingSetting": ("DATABASE_URL", "the login that services connect with"),
    "InvalidURL": ("DATABASE_URL", "it names no database", "Write it as postgresql://USER:PASSWORD@HOST/DATABASE."),
    "PooledHost": ("ADMIN_DATABASE_URL", "ep-x-pooler.example.org"),
    "MissingExtra": ("typer", "cli"),
    "MissingTool": ("psql", "to open a shell", "Install postgresql-client."),
    "RoleBypassesRLS": ("postgres", 'role "postgres" is a superuser'),
    "InvalidPosition": ("It has not the form of one.",),
    "InvalidToken": ("It has expired.",),
    "InvitationOver": ("expired",),
    "TooManyParameters": ("65536",),
    "OperationRefused": ("pipeline()", "It would begin a transaction without its identity.", "Use the session."),
}


def _drawn() -> dict[str, str | None]:
    """Each class that the module's docstring draws, and the one it hangs under."""
    parents: list[str] = []
    found: dict[str, str | None] = {}
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"^([│ ]*)[├└]── (\w+)", line) or re.match(r"^()(UserscopeError)$", line)
        if not match:
            continue
        depth = 0 if line == "UserscopeError" else len(match[1]) // 4 + 1
        del parents[depth:]
        found[match[2]] = parents[-1] if parents else None
        parents.append(match[2])
    return found


def test_tree() -> None:
    """The tree in the docstring is the tree of the classes."""
    base = {name: kind.__bases__[0].__name__ for name, kind in CLASSES.items()}
    assert _drawn() == base | {"UserscopeError": None}


def test_sqlstates() -> None:
    """The tree names each class's SQLSTATEs, and each leads to one class."""
    drawn = re.findall(r"── (\w+) +((?:[0-9][0-9A-Z]+(?:, )?)+)", errors.__doc__ or "")
    stated = {name: codes for name, kind in CLASSES.items() if (codes := vars(kind).get("sqlstates"))}
    assert {name: tuple(codes.split(", ")) for name, codes in drawn} == stated
    every = [code for codes in stated.values() for code in codes]
    assert len(every) == len(set(every))


def _made(name: str) -> UserscopeError:
    values = SAMPLES.get(name)
    if values is None:
        values = ("something is wrong",) if "message" in inspect.signature(CLASSES[name]).parameters else ()
    return CLASSES[name](*values)


@pytest.mark.parametrize("name", CLASSES)
def test_travels(name: str) -> None:
    """Every error can be sent to another process, and is the same there."""
    error = _made(name)
    if isinstance(error, DatabaseError):
        error.sqlstate, error.constraint = "23505", "users_email_key"
    error.add_note("on the way")
    there = pickle.loads(pickle.dumps(error))  # noqa: S301  # our own
    for copied in (there, copy.copy(error)):
        assert (type(copied), str(copied), vars(copied), copied.args) == (
            type(error), str(error), vars(error), error.args,
        )  # fmt: skip


def test_sqlalchemy() -> None:
    """What the database answers is SQLAlchemy's too: each of them is somebody's there, and tells no values."""
    answers = {kind for kind in CLASSES.values() if issubclass(kind, DatabaseError)}
    assert set(SAME) == answers - {errors.TooManyParameters}
    for ours, theirs in SAME.items():
        assert issubclass(ours, theirs)
    error = errors.Conflict("it failed")
    assert isinstance(error, IntegrityError)
    assert not isinstance(error, OperationalError)
    error.__cause__ = ValueError("the driver's")
    told = (error.orig, error.statement, error.params, error.connection_invalidated, error.hide_parameters)
    assert told == (error.__cause__, None, None, False, True)
    assert str(error) == "it failed"


@pytest.mark.parametrize("name", CLASSES)
def test_form(name: str) -> None:
    """A message is short, begins in lower case or with a name, and has no full stop; detail and hint are sentences."""
    kind = CLASSES[name]
    error = _made(name)
    assert not error.message.endswith(".")
    assert error.message[0].islower() or error.message.split()[0].isupper()
    assert len(error.message) < 90
    for sentence in filter(None, (error.detail, error.hint)):
        assert sentence[0].isupper()
        assert sentence.endswith((".", "'"))  # or a command to type
    assert (kind.__doc__ or "").strip()


def test_text() -> None:
    """Printed, an error is what psql would print behind "ERROR:"."""
    error = UserscopeError("it failed", detail="It was late.", hint="Try tomorrow.")
    assert str(error) == "it failed\nDETAIL:  It was late.\nHINT:  Try tomorrow."
    assert str(UserscopeError("it failed")) == "it failed"


def test_database_error() -> None:
    """What PostgreSQL answered keeps its code and its constraint."""
    error = DatabaseError("it failed", sqlstate="23505", constraint="users_email_key")
    assert (error.sqlstate, error.constraint, error.detail) == ("23505", "users_email_key", None)
