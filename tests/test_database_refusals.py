"""Database and AsyncDatabase refuse what is not clear, before anything is sent as anyone."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pydantic import SecretStr

from tests.clusters import Database as Clone
from tests.connection.conftest import settings_for
from userscope.database import AsyncDatabase, Database
from userscope.errors import (
    ConfigurationError,
    InvalidURL,
    InvalidUserId,
    LocalServerError,
    MissingSetting,
    MissingUserId,
    SessionError,
)
from userscope.settings import Settings
from userscope.testing.proxy import Proxy

NOBODY: dict[str, tuple[Any, type[Exception]]] = {
    "None": (None, MissingUserId),
    "an empty string": ("", MissingUserId),
    "a word": ("alice", InvalidUserId),
    "bytes": (b"0f4d3f8c-58b4-4b8e-9a3e-2f0f3f1c2d3e", InvalidUserId),
    "a number": (7, InvalidUserId),
    "a uuid in braces": ("{0f4d3f8c-58b4-4b8e-9a3e-2f0f3f1c2d3e}", InvalidUserId),
    "a uuid without hyphens": ("0f4d3f8c58b44b8e9a3e2f0f3f1c2d3e", InvalidUserId),
    "SQL": ("' or true --", InvalidUserId),
}


@pytest.mark.parametrize("opened", ["session", "reader"])
@pytest.mark.parametrize(("user", "refusal"), NOBODY.values(), ids=NOBODY)
def test_nobody(database: Clone, user: Any, refusal: type[Exception], opened: str) -> None:
    """Without a user there is no session, and not even a connection."""
    with Proxy(database.url("service")) as proxy, proxy.counting() as count:
        with Database(settings_for(proxy.url)) as db, pytest.raises(refusal):
            getattr(db, opened)(user).__enter__()
        with pytest.raises(refusal):
            getattr(AsyncDatabase(settings_for(proxy.url)), opened)(user)
    assert (count.connections, count.sent) == (0, b"")


def test_unknown_isolation(database: Clone) -> None:
    """A level that PostgreSQL does not have is not replaced by another."""
    with (
        Database(settings_for(database.url("service"))) as db,
        pytest.raises(SessionError, match="no such isolation level"),
    ):
        db.session(uuid4(), isolation="read uncommitted; drop table app.todos")  # type: ignore[arg-type]  # the point


URLS: dict[str, tuple[str, str]] = {
    "no database": ("postgresql://u:pass-word@localhost", "it names no database"),
    "an unknown parameter": ("postgresql://u:pass-word@localhost/d?sslmoode=x", "unknown parameter"),
    "no TLS to a remote host": ("postgresql://u:pass-word@db.example.org/d?sslmode=prefer", "sslmode=prefer"),
    "not PostgreSQL": ("mysql://u:pass-word@localhost/d", "no PostgreSQL URL"),
    "empty": ("", "empty"),
}


@pytest.mark.parametrize(("url", "reason"), URLS.values(), ids=URLS)
@pytest.mark.parametrize("kind", [Database, AsyncDatabase])
def test_bad_url(kind: Callable[[Settings], object], url: str, reason: str) -> None:
    """A URL that cannot be used is refused when the database is made, without its password."""
    with pytest.raises(InvalidURL, match=re.escape(reason)) as raised:
        kind(Settings(_env_file=None, database_url=url))
    assert "pass-word" not in str(raised.value)


def test_partial_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With some URLs set, the one that lacks is named; with none, the embedded server must be there."""
    for name in ("DATABASE_URL", "DATABASE_URL_UNPOOLED", "ADMIN_DATABASE_URL", "AUTH_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    admin = Settings(_env_file=None, admin_database_url="postgresql://owner@localhost/app")
    with pytest.raises(MissingSetting, match="DATABASE_URL is not set"):
        Database(admin)
    with pytest.raises(LocalServerError, match="no embedded server"):
        Database(Settings(_env_file=None, userscope_home=tmp_path))


def test_bad_seal_key(database: Clone) -> None:
    """A seal key that is none is refused at once, and not repeated."""
    settings = settings_for(database.url("service"), userscope_seal_key=SecretStr("swordfish"))
    with pytest.raises(ConfigurationError, match="no seal key") as raised:
        Database(settings)
    assert "swordfish" not in str(raised.value)
