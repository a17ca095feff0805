"""A private copy of a database's schema, roles and grants, on a server of its own; the source is only read."""

import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from userscope.errors import AuditError, MissingSetting, MissingTool
from userscope.local.binaries import Binaries
from userscope.local.throwaway import throwaway
from userscope.mutation.catalog import Catalog
from userscope.postgres.clones import acl, clone, databases, drop, set_acl
from userscope.postgres.url import ConnectionURL
from userscope.settings import Purpose, Settings

_BASE = "base"
_KEPT = {_BASE, "app", "postgres", "template0", "template1"}
_NO_MUTANTS_OF = ["sqitch", "public"]
_ATTRIBUTES = {
    "rolsuper": "superuser",
    "rolinherit": "inherit",
    "rolcreaterole": "createrole",
    "rolcreatedb": "createdb",
    "rolcanlogin": "login",
    "rolreplication": "replication",
    "rolbypassrls": "bypassrls",
}
_VARIABLES: dict[Purpose, str] = {"admin": "ADMIN_DATABASE_URL", "service": "DATABASE_URL", "auth": "AUTH_DATABASE_URL"}


@dataclass(frozen=True)
class Laboratory:
    """The copy. ``catalog`` tells what it consists of; clones of it are mutated, one at a time."""

    superuser: ConnectionURL
    logins: Mapping[Purpose, Mapping[str, str]]
    catalog: Catalog

    @contextmanager
    def clone(self) -> Iterator[ConnectionURL]:
        """Make a fresh clone and yield its URL as the superuser; drop it at the end, and what was made beside it."""
        name = f"clone_{secrets.token_hex(4)}"
        try:
            yield clone(self.superuser, _BASE, name)
        finally:
            for left in databases(self.superuser):
                if left not in _KEPT:
                    drop(self.superuser, left)

    def environment(self, clone: ConnectionURL) -> dict[str, str]:
        """Return the variables by which a test suite finds a clone, beside this process's own."""
        kept = {
            name: text
            for name, text in os.environ.items()
            if name not in (*_VARIABLES.values(), "DATABASE_URL_UNPOOLED", "USERSCOPE_SEAL_KEY")
        }
        urls = {
            _VARIABLES[purpose]: ConnectionURL("clone", {**clone.params, **login}).text()
            for purpose, login in self.logins.items()
        }
        return kept | urls


@contextmanager
def laboratory(settings: Settings) -> Iterator[Laboratory]:
    """Copy the admin database into a server that lasts until the end of the block.

    Raises AuditError where it cannot be copied or has no policies, MissingTool where no pg_dump reaches it.
    """
    source = settings.url("admin")
    with (
        psycopg.connect(source.conninfo(), autocommit=True) as connection,
        throwaway(settings={"max_connections": "100"}) as server,
    ):
        superuser = server.url("admin")
        here = ConnectionURL("laboratory", {**superuser.params, "dbname": _BASE})
        with psycopg.connect(superuser.conninfo(dbname="postgres"), autocommit=True) as there:
            _copy_roles(connection, there)
            there.execute(f"create database {_BASE} template template0 encoding 'UTF8'")
            set_acl(there, _BASE, acl(connection, source.params["dbname"]))
        _copy_schema(source, connection.info.server_version, here)
        with psycopg.connect(here.conninfo()) as copied:
            _copy_sealing(connection, copied)
            catalog = Catalog.read(copied, _NO_MUTANTS_OF)
            logins = _give_passwords(settings, copied, superuser)
        if not any(catalog.policies()):
            raise AuditError(
                f'database "{source.params["dbname"]}" has no policies, so there is nothing to mutate',
                hint='Deploy them first: "userscope migrate".',
            )
        yield Laboratory(here, logins, catalog)


def _copy_roles(source: psycopg.Connection, target: psycopg.Connection) -> None:
    """Make the source's roles with their attributes, memberships and settings; without passwords."""
    for name, role in source.execute("select rolname, to_jsonb(r) from pg_roles as r where rolname !~ '^pg_'"):
        attributes = " ".join(word if role[column] else f"no{word}" for column, word in _ATTRIBUTES.items())
        if target.execute("select 1 from pg_roles where rolname = %s", [name]).fetchone() is None:
            target.execute(sql.SQL(f"create role {{}} {attributes}").format(sql.Identifier(name)))
    for granted, member, how in source.execute(
        "select r.rolname, m.rolname, to_jsonb(a) from pg_auth_members as a "
        "join pg_roles as r on r.oid = roleid join pg_roles as m on m.oid = member where m.rolname !~ '^pg_'"
    ):
        options = [f"{word} {how[f'{word}_option']}" for word in ("admin", "inherit", "set") if f"{word}_option" in how]
        if "inherit_option" not in how:
            options = ["admin true"] if how["admin_option"] else []
        grant = sql.SQL("grant {} to {}").format(sql.Identifier(granted), sql.Identifier(member))
        target.execute(grant + sql.SQL(f" with {', '.join(options)}") if options else grant)
    for role, settings in source.execute(
        "select rolname, setconfig from pg_db_role_setting join pg_roles on pg_roles.oid = setrole "
        "where setdatabase = 0"
    ):
        for name, _, value in (setting.partition("=") for setting in settings):
            # A search_path is kept as the list that it is; every other value is one string.
            text = sql.SQL(value) if name == "search_path" else sql.Literal(value)
            target.execute(sql.SQL("alter role {} set {} = {}").format(sql.Identifier(role), sql.SQL(name), text))


def _copy_schema(source: ConnectionURL, version: int, target: ConnectionURL) -> None:
    command = [_pg_dump(source, version), "--schema-only", "--no-publications", "--no-subscriptions"]
    dump = _run(command, source, "the schema cannot be read")
    psql = [Binaries.embedded() / "psql", "--no-psqlrc", "--quiet", "--output", os.devnull, "--set", "ON_ERROR_STOP=1"]
    _run(psql, target, "the copied schema cannot be loaded into the embedded PostgreSQL", dump)


def _run(command: list[Any], url: ConnectionURL, failure: str, text: bytes | None = None) -> bytes:
    params = {name: value for name, value in url.params.items() if name != "password"}
    environment = {**os.environ, "PGPASSWORD": url.params.get("password", "")}
    connect = ["--dbname", make_conninfo(**params)]
    done = subprocess.run([*command, *connect], env=environment, input=text, capture_output=True, check=False)
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise AuditError(
            failure,
            detail=said[0] if said else None,
            hint="Connect as the owner of the schema: copying its definition locks each table against change.",
        )
    return done.stdout


def _pg_dump(url: ConnectionURL, version: int) -> Path:
    """Return a pg_dump of at least the server's version; the embedded one has no TLS and serves this machine."""
    embedded = Binaries.embedded() / "pg_dump"
    needed = version // 10000
    if url.params.get("sslmode", "disable") in ("disable", "allow", "prefer") and needed <= _version(embedded):
        return embedded
    for folder in os.get_exec_path():
        found = shutil.which("pg_dump", path=folder)
        if found and _version(Path(found)) >= needed:
            return Path(found)
    raise MissingTool(
        f"pg_dump {needed} or newer",
        "to copy the schema of a remote database",
        f"Install PostgreSQL's client programs, version {needed} or newer, and put pg_dump on PATH.",
    )


def _version(program: Path) -> int:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    return int(said.split()[2].partition(".")[0])


def _copy_sealing(source: psycopg.Connection, target: psycopg.Connection) -> None:
    """Copy whether seals are required: without that row no identity counts. Keys stay where they are."""
    if source.execute("select to_regclass('app_private.sealing') is not null").fetchone() == (True,):
        for row in source.execute("select required from app_private.sealing"):
            target.execute("insert into app_private.sealing (required) values (%s)", row)


def _give_passwords(
    settings: Settings, connection: psycopg.Connection, superuser: ConnectionURL
) -> dict[Purpose, dict[str, str]]:
    """Give the logins of the configured URLs passwords of the copy's own; leave out what is not configured."""
    logins: dict[Purpose, dict[str, str]] = {}
    passwords = {superuser.user: superuser.params["password"]}
    for purpose in _VARIABLES:
        try:
            user = settings.url(purpose).user
        except MissingSetting:
            continue
        password = passwords.setdefault(user, secrets.token_urlsafe(16))
        alter = sql.SQL("alter role {} login password {}").format(sql.Identifier(user), sql.Literal(password))
        connection.execute(alter)
        logins[purpose] = {"user": user, "password": password}
    return logins
