"""Throw-away PostgreSQL clusters for the tests, and databases in them: empty, or migrated once and cloned."""

import secrets
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import psycopg
from psycopg import sql

from tests.folders import short_folder as short_folder
from tests.projects import CHANGES as CHANGES
from tests.projects import changes as changes
from tests.projects import deploy as deploy
from tests.projects import run_psql as run_psql
from tests.versions import MAIN as MAIN
from tests.versions import ROOT as ROOT
from tests.versions import binaries as binaries_of
from tests.versions import both_ends as both_ends
from tests.versions import first_of as first_of
from tests.versions import unavailable as unavailable
from userscope.admin.logins import ensure_login
from userscope.local.binaries import Binaries
from userscope.local.server import Server
from userscope.local.throwaway import throwaway
from userscope.login import Login
from userscope.postgres import clones
from userscope.postgres.url import ConnectionURL

type Connection = psycopg.Connection[tuple[Any, ...]]
type OwnerKind = Literal["superuser", "neon", "plain", "plain2"]

OWNERS: dict[OwnerKind, str] = {
    "superuser": "superuser",
    "neon": "createdb createrole bypassrls",
    "plain": "createrole",
    "plain2": "createrole",
}
"""Who may own a database, and by which attributes; plain2 may only create in one that is not its own."""


@dataclass
class Cluster:
    """A running server with what the tests do as its superuser, ``postgres``."""

    server: Server
    version: int
    passwords: dict[str, str] = field(default_factory=dict)

    @property
    def password(self) -> str:
        """The superuser's password."""
        return self.url("admin").params["password"]

    @cached_property
    def migrated(self) -> str:
        """The name of a migrated database, made when it is first asked for, to be cloned; the logins are there then."""
        template = Database(self, "migrated")
        self.create_database(template.name)
        deploy(template.url())
        make_logins(template)
        return template.name

    def url(self, login: str, *, dbname: str = "app") -> ConnectionURL:
        """The URL of the superuser, or of the logins app_service and app_accounts (once ``deploy`` made them)."""
        url = self.server.url(login)
        return url.on(dbname)

    def conninfo(self, *, dbname: str = "postgres", user: str = "postgres") -> str:
        """A connection string for the superuser, or for a role that ``create_login`` made."""
        password = self.password if user == "postgres" else self.passwords[user]
        return self.url("admin").conninfo(dbname=dbname, user=user, password=password)

    def superuser_connection(self, dbname: str = "postgres") -> Connection:
        """A new connection of the superuser that commits by itself; the caller closes it."""
        return psycopg.connect(self.conninfo(dbname=dbname), autocommit=True)

    def execute(self, statement: sql.Composed) -> None:
        """Run one statement as the superuser, in the database postgres."""
        with self.superuser_connection() as connection:
            connection.execute(statement)

    def create_database(self, name: str, *, owner: str = "postgres") -> None:
        """Create an empty database."""
        self.execute(
            sql.SQL("create database {} owner {} strategy file_copy").format(*map(sql.Identifier, (name, owner)))
        )

    def clone(self, template: str, *, owner: str = "postgres") -> "Database":
        """Copy a database, to which nobody may be connected, with the privileges on it."""
        name = f"clone_{secrets.token_hex(4)}"
        copying = sql.SQL("create database {} owner {} template {} strategy file_copy")
        with self.superuser_connection() as connection:
            connection.execute(copying.format(*map(sql.Identifier, (name, owner, template))))
            clones.set_acl(connection, name, clones.acl(connection, template))
        return Database(self, name, owner)

    def drop_database(self, name: str) -> None:
        """Drop a database, whoever is connected to it."""
        self.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))

    def create_login(self, name: str, attributes: str = "") -> None:
        """Create a LOGIN role with a password of its own and ``attributes`` (SQL)."""
        self.passwords[name] = secrets.token_urlsafe()
        self.execute(
            sql.SQL(f"create role {{}} login password {{}} {attributes}").format(
                sql.Identifier(name), sql.Literal(self.passwords[name])
            )
        )

    def database(self, owner_kind: OwnerKind = "superuser") -> "Database":
        """Create an empty database, and the role ``owner_<kind>`` that it is migrated as."""
        owner, name = f"owner_{owner_kind}", f"db_{secrets.token_hex(4)}"
        if owner not in self.passwords:
            self.create_login(owner, OWNERS[owner_kind])
        self.create_database(name, owner="postgres" if owner_kind == "plain2" else owner)
        if owner_kind == "plain2":
            self.execute(sql.SQL("grant create on database {} to {}").format(*map(sql.Identifier, (name, owner))))
        self.let_hand_over(owner)
        return Database(self, name, owner)

    def let_hand_over(self, owner: str) -> None:
        """Let a role become app_gate and app_roster, where another owner made these, as "userscope migrate" asks.

        Up to PostgreSQL 15 a membership gives what app_roster sees, and CREATEROLE is enough to get it when needed.
        """
        options = "" if self.version < 16 else " with set true, inherit false"
        with self.superuser_connection() as connection:
            for role in ("app_gate", "app_roster") if options else ("app_gate",):
                if connection.execute("select to_regrole(%s) is not null", [role]).fetchone() == (True,):
                    connection.execute(sql.SQL(f"grant {role} to {{}}{options}").format(sql.Identifier(owner)))


@dataclass(frozen=True)
class Database:
    """One database of a cluster, and how the admin, a service and the identity provider connect to it."""

    cluster: Cluster
    name: str
    owner: str = "postgres"

    def url(self, login: str = "admin") -> ConnectionURL:
        """The URL of its owner, of app_service or of app_accounts."""
        url = self.cluster.url(login, dbname=self.name)
        if login != "admin" or self.owner == "postgres":
            return url
        return ConnectionURL(url.variable, {**url.params, **self._login()})

    def _login(self) -> dict[str, str]:
        return {"user": self.owner, "password": self.cluster.passwords[self.owner]}

    @property
    def urls(self) -> dict[str, ConnectionURL]:
        """All three URLs by their login's word."""
        return {login.value: self.url(login) for login in Login}

    @property
    def environment(self) -> dict[str, str]:
        """What somebody has in their environment who works with it."""
        return {login.variable: self.url(login).text() for login in Login}

    def connect(self, login: str = "admin") -> Connection:
        """A new connection that commits by itself; the caller closes it."""
        return psycopg.connect(self.url(login).conninfo(), autocommit=True)

    def superuser_connection(self) -> Connection:
        """A new connection of the superuser, whoever owns the database; the caller closes it."""
        return self.cluster.superuser_connection(self.name)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """The server as if this were its only database: roles are the server's, and an audit sees those of others."""
        with self.superuser_connection() as connection:
            members = connection.execute(
                "select roleid::regrole::text, member::regrole::text from pg_auth_members "
                "where roleid = any (array[to_regrole('app_gate'), to_regrole('app_roster')])"
            ).fetchall()
            others = connection.execute(
                "select quote_ident(datname) from pg_database where datallowconn and datname <> current_database()"
            ).fetchall()
            try:
                for role, member in members:
                    connection.execute(f"revoke {role} from {member}".encode())
                for (other,) in others:
                    connection.execute(f"revoke connect on database {other} from public".encode())
                yield
            finally:
                for (other,) in others:
                    connection.execute(f"grant connect on database {other} to public".encode())
                for _, member in members:
                    self.cluster.let_hand_over(member)

    def drop(self) -> None:
        """Drop it, whoever is connected."""
        self.cluster.drop_database(self.name)


@contextmanager
def cluster_of(binaries: Binaries | None = None, version: int = MAIN, **settings: str) -> Iterator[Cluster]:
    """Run a throw-away cluster until the end of the block; without ``binaries`` those that the tests use for it."""
    # Most of a connection's cost is the proof of a password that nobody could guess anyhow.
    quick = {} if version < 16 else {"scram_iterations": "1"}
    # DROP DATABASE waits for whoever is about to log in, and a client that has gone away by then may take a minute.
    quick["authentication_timeout"] = "15s"
    with throwaway(binaries=binaries or binaries_of(version), settings={**quick, **settings}) as server:
        made = Cluster(server, version)
        made.execute(sql.SQL("alter role postgres password {}").format(sql.Literal(made.password)))
        yield made


def somebody_waits(connection: Connection) -> bool:
    """Whether somebody waits for an advisory lock in this connection's database."""
    waiting = (
        "select from pg_locks where locktype = 'advisory' and not granted "
        "and database = (select oid from pg_database where datname = current_database())"
    )
    return connection.execute(waiting).fetchone() is not None


def dump(database: Database) -> str:
    """The database's definition as its own version's pg_dump prints it, without the token that is drawn each time."""
    url = database.cluster.url("admin", dbname=database.name)
    command = [str(binaries_of(database.cluster.version) / "pg_dump"), "-s", "-d", url.text()]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith(("\\restrict ", "\\unrestrict ")))


def make_logins(database: Database) -> None:
    """Make the cluster's logins app_service and app_accounts, as "userscope migrate" does on the embedded server."""
    superuser = database.cluster.url("admin", dbname=database.name)
    service, auth = database.url("service").params, database.url("auth").params
    ensure_login(superuser, service["user"], "app_user", service["password"])
    ensure_login(superuser, auth["user"], "app_auth", auth["password"])


@contextmanager
def cloned(cluster: Cluster) -> Iterator[Database]:
    """A migrated database until the end of the block; the cluster has the services' logins."""
    made = cluster.clone(cluster.migrated)
    try:
        yield made
    finally:
        made.drop()


@contextmanager
def lone(deployed: Callable[[ConnectionURL], object] = deploy, version: int = MAIN) -> Iterator[Database]:
    """A migrated database on a server of its own: an audit sees the roles of every test beside it."""
    with cluster_of(version=version) as cluster:
        cluster.create_database("lone")
        made = Database(cluster, "lone")
        deployed(made.url())
        make_logins(made)
        with made.alone():
            yield made
