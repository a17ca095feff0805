"""A private copy of a database's schema, roles and grants, on a server of its own; the source is only read."""

import os
import re
import secrets
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from userscope.admin.logins import exists
from userscope.errors import AuditError, MissingSetting
from userscope.login import Login
from userscope.mutation.servers import server
from userscope.postgres import libpq, programs
from userscope.postgres.clones import acl, clone, databases, defaults, drop, owner, set_acl, set_defaults
from userscope.postgres.connect import connect
from userscope.postgres.url import ConnectionURL
from userscope.settings import Settings

_BASE = "base"
_PROTECTED = "select from pg_policy union all select from pg_namespace where nspname = 'app_private' limit 1"
# Newer minor releases stamp columns so in pg_attribute.attoptions; a pg_dump that is older takes it for an option.
# And a pg_dump that is newer than a server to copy into sets what that one does not know.
_STAMP = re.compile(
    rb"^ALTER TABLE ONLY .* ALTER COLUMN .* SET \(pg_attver=\d+\);$|^SET transaction_timeout = 0;$", re.MULTILINE
)
_FAILED = re.compile(r"ERROR:  (.*)$", re.MULTILINE)
_KEPT = {_BASE, "app", "postgres", "template0", "template1"}
_READING = (
    "the schema cannot be read",
    "Connect as the owner of the schema: copying its definition locks each table against change.",
)
_LOADING = (
    "the copied schema cannot be loaded",
    "Give a server that has what it needs, extensions for example: userscope mutate --server URL.",
)
_ATTRIBUTES = {
    "rolsuper": "superuser",
    "rolinherit": "inherit",
    "rolcreaterole": "createrole",
    "rolcreatedb": "createdb",
    "rolcanlogin": "login",
    "rolreplication": "replication",
    "rolbypassrls": "bypassrls",
}
_TRIGGERS = """
select format('alter table app_private.sealing enable %s trigger %I',
              case tgenabled when 'A' then 'always' when 'R' then 'replica' else '' end, tgname)
  from pg_trigger where tgrelid = 'app_private.sealing'::regclass and not tgisinternal and tgenabled <> 'D'
"""


@dataclass(frozen=True)
class ScratchCopy:
    """The copy; clones of it are mutated, one at a time.

    ``failures`` are the statements' errors that a forgiving copy went past: what is missing in it, and why.
    """

    superuser: ConnectionURL
    logins: Mapping[Login, Mapping[str, str]]
    failures: tuple[str, ...] = ()

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
        """Return the variables by which a test suite finds a clone, beside this process's own.

        Programs of PostgreSQL's find it as the admin by those of libpq.
        """
        ours = {login.variable for login in Login}
        ours |= {"DATABASE_URL_UNPOOLED", "DATABASE_REPLICA_URL", "USERSCOPE_SEAL_KEY"}
        kept = {name: text for name, text in libpq.cleaned(os.environ).items() if name not in ours}
        urls = {login: ConnectionURL("clone", {**clone.params, **user}) for login, user in self.logins.items()}
        admin = urls[Login.ADMIN].params.items()
        kept |= {libpq.VARIABLES[name]: text for name, text in admin if libpq.VARIABLES.get(name)}
        return kept | {login.variable: url.text() for login, url in urls.items()}


@contextmanager
def scratch_copy(settings: Settings, own: ConnectionURL | None = None) -> Iterator[ScratchCopy]:
    """Copy the admin database into a server that lasts until the end of the block, or into an ``own`` one till then.

    Raises AuditError where it cannot be copied or was not migrated, MissingTool where no pg_dump reaches it.
    """
    with copied(settings, own) as copy:
        with connect(copy.superuser) as connection:
            if connection.execute(_PROTECTED).fetchone() is None:
                raise AuditError(
                    f'database "{settings.url(Login.ADMIN).params["dbname"]}" has no policies, so there is nothing to '
                    "mutate",
                    hint='Deploy them first: "userscope migrate".',
                )
        yield copy


@contextmanager
def copied(settings: Settings, own: ConnectionURL | None = None, *, forgiving: bool = False) -> Iterator[ScratchCopy]:
    """Copy the admin database, whatever is in it; ``forgiving`` goes on where a statement of the copy fails."""
    source = settings.url(Login.ADMIN)
    with connect(source, autocommit=True) as connection, server(own) as superuser:
        here = superuser.on(_BASE)
        with connect(superuser.on("postgres"), autocommit=True) as there:
            _copy_roles(connection, there)
            name = source.params["dbname"]
            make = f"create database {_BASE} template template0 encoding 'UTF8' owner {{}}"
            there.execute(sql.SQL(make).format(sql.Identifier(owner(connection, name))))
            set_acl(there, _BASE, acl(connection, name))
        failures = _copy_schema(source, connection.info.server_version, here, forgiving=forgiving)
        with connect(here, autocommit=True) as target:
            _copy_sealing(connection, target)
            logins = _give_passwords(settings, target, superuser)
            set_defaults(target, defaults(connection, name), _BASE)
        connection.close()  # what is tried on the copy may take hours
        yield ScratchCopy(here, logins, failures)


def _copy_roles(source: psycopg.Connection, target: psycopg.Connection) -> None:
    """Make the source's roles with their attributes, memberships and settings; without passwords."""
    for name, role in source.execute("select rolname, to_jsonb(r) from pg_roles as r where rolname !~ '^pg_'"):
        attributes = " ".join(word if role[column] else f"no{word}" for column, word in _ATTRIBUTES.items())
        if not exists(target, name):
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
    set_defaults(target, defaults(source))


def _copy_schema(source: ConnectionURL, version: int, target: ConnectionURL, *, forgiving: bool) -> tuple[str, ...]:
    """Dump and load; return the errors that were gone past."""
    dumping = ["--schema-only", "--no-publications", "--no-subscriptions"]
    pg_dump = programs.find("pg_dump", source, least=version // 10000)
    dump = _STAMP.sub(b"", _run(pg_dump, dumping, source, *_READING)[0])
    return load(target, dump, forgiving=forgiving)


def load(target: ConnectionURL, script: bytes, *, forgiving: bool) -> tuple[str, ...]:
    """Run a script by psql; return the errors that were gone past. Raises AuditError where one was not."""
    loading = ["--no-psqlrc", "--quiet", "--output", os.devnull]
    loading += [] if forgiving else ["--set", "ON_ERROR_STOP=1"]
    said = _run(programs.find("psql", target), loading, target, *_LOADING, script)[1]
    return tuple(dict.fromkeys(_FAILED.findall(said)))


def _run(
    program: Path, arguments: list[str], url: ConnectionURL, failure: str, hint: str, text: bytes | None = None
) -> tuple[bytes, str]:
    """Run a program, and return what it wrote, and what it said."""
    with programs.environment(url) as environment:
        done = subprocess.run([program, *arguments], env=environment, input=text, capture_output=True, check=False)
    words = done.stderr.decode(errors="replace")
    if done.returncode:
        raise AuditError(failure, detail=next(iter(words.strip().splitlines()), None), hint=hint)
    return done.stdout, words


def _copy_sealing(source: psycopg.Connection, target: psycopg.Connection) -> None:
    """Copy whether seals are required; keys stay where they are. Its trigger would mend a helper that was changed."""
    if source.execute("select to_regclass('app_private.sealing') is not null").fetchone() == (True,):
        target.execute("alter table app_private.sealing disable trigger all")
        for row in source.execute("select required from app_private.sealing"):
            target.execute("insert into app_private.sealing (required) values (%s)", row)
        for (mend,) in source.execute(_TRIGGERS):
            target.execute(mend)


def _give_passwords(
    settings: Settings, connection: psycopg.Connection, superuser: ConnectionURL
) -> dict[Login, dict[str, str]]:
    """Give the logins of the configured URLs passwords of the copy's own; leave out who is not there."""
    logins: dict[Login, dict[str, str]] = {}
    passwords = {superuser.user: superuser.params.get("password", "")}
    for login in Login:
        try:
            user = settings.url(login).user
        except MissingSetting:
            continue
        if not exists(connection, user):
            continue
        password = passwords.setdefault(user, secrets.token_urlsafe(16))
        if user != superuser.user:
            alter = sql.SQL("alter role {} login password {}").format(sql.Identifier(user), sql.Literal(password))
            connection.execute(alter)
        if login == Login.ADMIN and user != superuser.user:
            # A test suite makes clones of the copy and drops them, whoever is connected still.
            connection.execute(sql.SQL("grant pg_signal_backend to {}").format(sql.Identifier(user)))
        logins[login] = {"user": user, "password": password}
    return logins
