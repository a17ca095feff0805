"""Every road to the server carries the identity or is refused; what this table does not name is refused."""

import runpy
from collections.abc import Callable
from uuid import UUID

import psycopg
import pytest
from sqlmodel import Session

from tests.clusters import Database
from tests.connection.roads import (
    ASYNC_DRIVER,
    CARRIES,
    CLOSED,
    READ_ONLY,
    REFUSED,
    SQLALCHEMY,
    SYNC_DRIVER,
)
from tests.connection.served import Served, run, whoami
from userscope.connection import cursor
from userscope.connection.cursor import OVERRIDDEN
from userscope.errors import NotPermitted, OperationRefused, SessionError


@pytest.fixture
def home(any_shared: Database) -> Database:
    """Each version in turn."""
    return any_shared


def _outcome(served: Served, opened: str, user: UUID, go: Callable[[Session], object], *, later: bool) -> str:
    def work(session: Session) -> object:
        if later:
            run(session, "select 1")
        return go(session)

    try:
        seen = getattr(served, opened)(user, work)
    except SessionError:
        return REFUSED
    except psycopg.errors.ReadOnlySqlTransaction:
        return READ_ONLY
    except NotPermitted as error:
        return READ_ONLY if error.sqlstate == "25006" else str(error)
    assert seen in (user, None), f"{seen} is neither {user} nor nobody"
    return CARRIES if seen else CLOSED


@pytest.mark.parametrize("later", [False, True], ids=["first", "later"])
@pytest.mark.parametrize("opened", ["session", "reader"])
def test_roads(served: Served, alice: UUID, bob: UUID, opened: str, later: bool) -> None:
    """Each road does what the table says, as the first statement of a transaction and as a later one."""
    del bob  # somebody else's rows exist
    roads = {f"SQLAlchemy: {name}": road for name, road in SQLALCHEMY.items()}
    driver = SYNC_DRIVER if served.engine.dialect.is_async is False else ASYNC_DRIVER
    roads |= {f"psycopg: {name}": road for name, road in driver.items()}
    expected = {name: getattr(road, opened) for name, road in roads.items()}
    if later and opened == "session":
        expected["psycopg: libpq"] = CARRIES  # inside a transaction everything acts for its user
    assert {name: _outcome(served, opened, alice, road.go, later=later) for name, road in roads.items()} == expected
    assert served.reader(alice, whoami) == alice


@pytest.mark.parametrize("level", ["SERIALIZABLE", "AUTOCOMMIT"])
def test_isolation_option(served: Served, alice: UUID, level: str) -> None:
    """A level asked for behind the session's back would be lost by an autocommitting driver: it is refused."""
    with pytest.raises(OperationRefused, match="how transactions begin"):
        served.session(alice, lambda session: session.connection(execution_options={"isolation_level": level}))


SENDS_NOTHING = {
    "add_notice_handler", "add_notify_handler", "adapters", "autocommit", "broken", "cancel", "cancel_safe", "close",
    "closed", "commit", "connect", "connection", "cursor_factory", "deferrable", "description", "fileno",
    "format", "info", "isolation_level", "lock", "nextset", "pgconn", "prepare_threshold", "prepared_max", "read_only",
    "remove_notice_handler", "remove_notify_handler", "rollback", "row_factory", "server_cursor_factory", "wait", "xid",
    "arraysize", "binary", "fetchall", "fetchmany", "fetchone", "itersize", "name", "pgresult", "results", "rowcount",
    "rownumber", "scroll", "scrollable", "set_result", "setinputsizes", "setoutputsize", "statusmessage", "withhold",
}  # fmt: skip
"""Public names of psycopg's classes that begin no transaction: they read, they end one, or they only describe."""

TRIED = {
    "copy", "cursor", "execute", "executemany", "notifies", "pipeline", "set_autocommit", "set_deferrable",
    "set_isolation_level", "set_read_only", "stream", "tpc_begin", "tpc_recover", "transaction",
}  # fmt: skip
"""Those that the tables try."""

AFTER_TPC_BEGIN = {"tpc_commit", "tpc_prepare", "tpc_rollback"}
"""Those that raise unless ``tpc_begin`` came before."""


@pytest.mark.parametrize(
    "kind",
    [
        psycopg.Connection, psycopg.Cursor, psycopg.ServerCursor,
        psycopg.AsyncConnection, psycopg.AsyncCursor, psycopg.AsyncServerCursor,
    ],
)  # fmt: skip
def test_no_road_is_forgotten(kind: type) -> None:
    """Whatever psycopg offers is tried above or known to send nothing; a new version's new method fails here first."""
    public = {name for name in dir(kind) if name[0].islower()}  # a capital names an exception
    assert public - SENDS_NOTHING - TRIED - AFTER_TPC_BEGIN == set()


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, names in OVERRIDDEN.items() for name in names])
def test_renamed_hook(monkeypatch: pytest.MonkeyPatch, kind: type, name: str) -> None:
    """A method that psycopg renamed, so that it would not call ours any more, fails the import, by name."""
    monkeypatch.delattr(kind, name)
    with pytest.raises(ImportError, match=rf"has no {kind.__name__}\.{name}, which carries the identity"):
        runpy.run_path(cursor.__file__)
