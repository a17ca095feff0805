"""Administrators and nightly jobs as roles of an application's own: made, bound by their policies, audited."""

import asyncio
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from pydantic import SecretStr
from sqlmodel import text

from tests.clusters import ROOT, Connection, Database
from tests.connection.conftest import make_user
from tests.docs import console
from userscope.admin.logins import create_login
from userscope.database import AsyncDatabase
from userscope.database import Database as Service
from userscope.errors import ConfigurationError, NotPermitted, RoleBypassesRLS
from userscope.postgres.url import ConnectionURL
from userscope.settings import Settings
from userscope.testing import Proxy

SQL = console.files((ROOT / "docs" / "roles.md").read_text(encoding="utf-8"), "sql")["db/deploy/admins.sql"]
ROLES = ("app_admin", "unfit", "admin_login", "unfit_login")


@pytest.fixture
def admin(database: Database) -> Iterator[ConnectionURL]:
    """The URL of a login of app_admin, which docs/roles.md makes; two users have a todo each."""
    with database.superuser_connection() as connection:
        connection.execute(SQL.encode())
    make_user(database, ("alice's",))
    make_user(database, ("bob's",))
    yield create_login(database.url(), "admin_login", "app_admin")
    dropped(database)


def dropped(database: Database) -> None:
    """Take back what a test made of roles, which belong to the whole server."""
    with database.superuser_connection() as connection:
        for role in ROLES:
            if connection.execute("select to_regrole(%s) is not null", [role]).fetchone() == (True,):
                connection.execute(f"drop owned by {role} cascade".encode())
                connection.execute(f"drop role {role}".encode())


def settings(url: ConnectionURL) -> Settings:
    """What a job is configured by."""
    return Settings(_env_file=None, database_url=SecretStr(url.text()))


def titles(session: Any) -> set[str]:
    return set(session.connection().exec_driver_sql("select title from app.todos").scalars())


def test_login(admin: ConnectionURL, database: Database) -> None:
    """A session of the login's own role reaches what its policies show, and no more than it was granted."""
    with Service(settings(admin)) as service:
        with service.login() as session:
            assert titles(session) == {"alice's", "bob's"}
            assert session.scalar(text("select current_user::text")) == "admin_login"
        with pytest.raises(NotPermitted), service.login() as session:
            session.connection().exec_driver_sql("update app.todos set title = 'mine'")
        with pytest.raises(ConfigurationError, match="may not use schema app"), service.session(uuid4()) as session:
            titles(session)
    with Service(settings(database.url("service"))) as service, service.login() as session:
        assert titles(session) == set()  # nobody's


def test_login_async(admin: ConnectionURL) -> None:
    """In asyncio as well; the session commits at its end."""

    async def run() -> set[str]:
        async with AsyncDatabase(settings(admin)) as service, service.login() as session:
            return set((await session.exec(text("select title from app.todos"))).scalars())  # type: ignore[call-overload]  # SQLModel's

    assert asyncio.run(run()) == {"alice's", "bob's"}


def test_one_trip_more(admin: ConnectionURL) -> None:
    """Of n statements a session takes n + 1 trips, its COMMIT among them."""
    with Proxy(admin) as proxy, Service(settings(proxy.url)) as service:
        with service.login() as session:
            titles(session)
        with proxy.counting() as trips, service.login() as session:
            titles(session)
            titles(session)
        assert trips.trips == 3


def test_guarded(database: Database) -> None:
    """Who is above policies gets no session of its own role either."""
    with Service(settings(database.url())) as service, pytest.raises(RoleBypassesRLS), service.login() as session:
        titles(session)


@pytest.mark.parametrize(
    ("attributes", "why"),
    [
        ("login", "logs in itself"),
        ("superuser", "is a superuser"),
        ("bypassrls", "has BYPASSRLS"),
        ("replication", "has REPLICATION"),
        ("createrole", "may create roles or databases"),
        ("in role pg_read_all_data", 'is a member of "pg_read_all_data"'),
        ("in role postgres", 'is a superuser through "postgres"'),
    ],
)
def test_refused(database: Database, attributes: str, why: str) -> None:
    """No login is made of a role that is above policies, can come to be, or is a login itself."""
    with database.superuser_connection() as connection:
        connection.execute(f"create role unfit {attributes}".encode())
    try:
        with pytest.raises(ConfigurationError, match='logins cannot be made of the role "unfit"') as raised:
            create_login(database.url(), "unfit_login", "unfit")
        assert why in str(raised.value)
        assert not made(database)
    finally:
        dropped(database)


@pytest.mark.parametrize("role", ["app_gate", "pg_monitor", "postgres"])
def test_not_ones_own(database: Database, role: str) -> None:
    """Nor of app_gate, one of PostgreSQL's own, or the owner."""
    with pytest.raises(ConfigurationError, match="logins cannot be made of the role"):
        create_login(database.url(), "unfit_login", role)
    assert not made(database)


def made(database: Database) -> bool:
    connection: Connection
    with database.superuser_connection() as connection:
        return connection.execute("select to_regrole('unfit_login') is not null").fetchone() == (True,)
