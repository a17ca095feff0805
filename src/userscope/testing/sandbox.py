"""A database for one test: users in it, sessions that act for them, and a way to look behind the policies."""

import re
import secrets
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from pydantic import SecretStr
from sqlalchemy.exc import ProgrammingError
from sqlmodel import Session

from userscope.accounts import Accounts
from userscope.connection.scope import Isolation
from userscope.database import Database
from userscope.errors import ConfigurationError, NotPermitted
from userscope.identity import OrganizationId, UserId
from userscope.models import User
from userscope.organizations import Organizations
from userscope.postgres.connect import connect
from userscope.postgres.url import ConnectionURL
from userscope.settings import Settings
from userscope.testing.proxy import Proxy, Trips


@dataclass(frozen=True)
class Target:
    """The server that tests run on, and its logins; with ``template_dbname``, the database that they get clones of.

    host, port, user, password, options and maintenance_dbname are what pytest-postgresql asks for.
    """

    admin: ConnectionURL
    service: ConnectionURL
    auth: ConnectionURL | None = None
    seal_key: SecretStr | None = None
    template_dbname: str | None = None
    options: str = ""
    maintenance_dbname: str = "postgres"

    @property
    def host(self) -> str:
        """Where the server is: a host, or the folder of a socket."""
        return self.admin.host

    @property
    def port(self) -> int:
        """Its port."""
        return int(self.admin.params.get("port", "5432"))

    @property
    def user(self) -> str:
        """The admin's role."""
        return self.admin.user

    @property
    def password(self) -> str | None:
        """The admin's password."""
        return self.admin.params.get("password")

    def settings(self, dbname: str) -> Settings:
        """Return the settings of a service whose database is ``dbname``."""
        urls = {"admin_database_url": self.admin, "database_url": self.service, "auth_database_url": self.auth}
        texts: dict[str, Any] = {name: url.on(dbname).text() for name, url in urls.items() if url}
        # What ids are is no matter of which database, so here a .env file counts.
        kind = Settings().userscope_user_id
        return Settings(
            _env_file=None,
            database_url_unpooled=None,
            database_replica_url=None,
            userscope_seal_key=self.seal_key,
            userscope_user_id=kind,
            **texts,
        )


class SandboxBase:
    """What Sandbox and AsyncSandbox share. ``settings`` are what the service under test is to be made with."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def user_id(self) -> UserId:
        """Return a user's id that nobody else has, of the kind that USERSCOPE_USER_ID says."""
        made: dict[str, UserId] = {"uuid": uuid4(), "bigint": secrets.randbits(63), "text": f"user|{uuid4()}"}
        return made[self.settings.userscope_user_id]

    @contextmanager
    def admin(self) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
        """Connect as the admin, whom no policy binds: to show that what a user does not see is there."""
        with connect(self.settings.url("admin"), autocommit=True) as connection:
            yield connection

    @contextmanager
    def _behind_proxy(self) -> Iterator[tuple[Settings, Proxy]]:
        with Proxy(self.settings.url("service")) as proxy:
            yield self.settings.model_copy(update={"database_url": SecretStr(proxy.url.text())}), proxy


class Sandbox(SandboxBase):
    """A migrated database of one's own. ``settings`` are what the service under test is to be made with."""

    @cached_property
    def database(self) -> Database:
        """The database as a service sees it."""
        return Database(self.settings)

    @cached_property
    def accounts(self) -> Accounts:
        """The accounts as the identity provider sees them."""
        return Accounts(self.settings)

    @cached_property
    def organizations(self) -> Organizations:
        """The organizations as the identity provider sees them."""
        return Organizations(self.settings)

    def user(self, name: str = "", *, email: str | None = None, username: str | None = None) -> User:
        """Make a user of app.users; without an address they get one that nobody else has.

        Raises ConfigurationError where users are the application's own: ``user_id()`` is what is acted for there.
        """
        with users_of_ours():
            return self.accounts.create(email or an_address(name), name=name, username=username)

    def acting_as(
        self,
        user: User | UserId,
        *,
        organization_id: OrganizationId | None = None,
        isolation: Isolation | None = None,
    ) -> AbstractContextManager[Session]:
        """Open a session that acts for ``user``, in an organization or in none, and commits at its end."""
        return self.database.session(user_id_of(user), organization_id=organization_id, isolation=isolation)

    def reading_as(
        self, user: User | UserId, *, organization_id: OrganizationId | None = None
    ) -> AbstractContextManager[Session]:
        """Open a session that reads as ``user``, in an organization or in none."""
        return self.database.reader(user_id_of(user), organization_id=organization_id)

    @contextmanager
    def counting(self, user: User | UserId) -> Iterator[tuple[Database, Trips]]:
        """Yield a database whose round trips are counted, connected already, with ``user`` as its first guest."""
        with self._behind_proxy() as (settings, proxy), Database(settings) as database:
            with database.reader(user_id_of(user)) as session:
                session.connection().exec_driver_sql("select")
            with proxy.counting() as trips:
                yield database, trips

    def close(self) -> None:
        """Close every connection, so that the database can be dropped."""
        for made in ("database", "accounts", "organizations"):
            if made in self.__dict__:
                getattr(self, made).close()


def an_address(name: str) -> str:
    """Return an e-mail address that nobody else has."""
    local_part = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "user"
    return f"{local_part}-{secrets.token_hex(4)}@example.com"


@contextmanager
def users_of_ours() -> Iterator[None]:
    """Raise ConfigurationError where the block finds no app.users."""
    try:
        yield
    except ProgrammingError as error:
        if not isinstance(error.orig, psycopg.errors.UndefinedTable):
            raise
        raise ConfigurationError(
            "there is no table app.users",
            detail='The core alone was deployed (ours = "core"), so users are the application\'s own.',
            hint="Make them in its own way, or act for userscope.user_id(), which needs no row.",
        ) from error


def user_id_of(user: User | UserId) -> UserId:
    """Return whom a user or an id stands for."""
    return user.id if isinstance(user, User) else user


@contextmanager
def denied(message: str) -> Iterator[None]:
    """Expect that PostgreSQL refuses what the block does, in these words: ``permission denied for table todos``."""
    with pytest.raises((NotPermitted, psycopg.errors.InsufficientPrivilege), match=re.escape(message)):
        yield
