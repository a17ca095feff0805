"""LOGIN roles for processes: each a member of one role that policies name, and never more than that."""

import secrets

import psycopg
from psycopg import sql

from userscope.admin.permission import permitted
from userscope.errors import ConfigurationError
from userscope.login import Login
from userscope.postgres.connect import connect
from userscope.postgres.sql import named, with_shared
from userscope.postgres.url import ConnectionURL
from userscope.settings import Settings

# No role of policies: whoever is a member of it is more than those say.
_UNFIT = with_shared(named(__package__, "unfit.sql")).encode()
_LONGEST = 63  # bytes of a name


def unfit(connection: psycopg.Connection, role: str) -> str | None:
    """Say why no login may be a member of a role, such as "is a superuser"; None where one may."""
    found = psycopg.RawCursor(connection).execute(_UNFIT, [role]).fetchone()
    return str(found[0]) if found else None


def create_login(admin: ConnectionURL, name: str, role: str, *, password: str | None = None) -> ConnectionURL:
    """Make a LOGIN role that is a member of ``role`` and return its URL, on the admin's host and database.

    The server is sent a SCRAM verifier, so the password shows in no log; Neon takes only the password itself. Raises
    ConfigurationError where ``name`` is none or exists already or ``role`` does not, NotPermitted where the admin may
    not grant ``role``.
    """
    if not 0 < len(name.encode()) <= _LONGEST:
        raise ConfigurationError(
            f'"{name}" is no name for a login',
            hint=f"Choose one of 1 to {_LONGEST} bytes: PostgreSQL cuts off the rest.",
        )
    password = password or secrets.token_urlsafe(24)
    with connect(admin) as connection:
        if exists(connection, name):
            raise ConfigurationError(
                f'the role "{name}" exists already', hint="Choose another name, or drop the role first."
            )
        if not exists(connection, role):
            own = f'A role of your own is made by what writes its policies: "userscope protect … --every-row {role}".'
            ours = role in (Login.SERVICE.role, Login.AUTH.role)
            hint = 'Run "userscope migrate" first.' if ours else own
            raise ConfigurationError(f'the role "{role}" does not exist', hint=hint)
        if why := unfit(connection, role):
            raise ConfigurationError(
                f'logins cannot be made of the role "{role}"',
                detail=f"It {why}.",
                hint="Name app_user, app_auth, or a role of your own that policies are written for.",
            )
        _write(connection, name, role, password)
    return ConnectionURL(admin.variable, {**admin.params, "user": name, "password": password})


def ensure_login(admin: ConnectionURL, name: str, role: str, password: str) -> bool:
    """Make sure that ``name`` can log in with ``password`` as a member of ``role``; True where it was made now."""
    with connect(admin) as connection:
        missing = not exists(connection, name)
        if missing:
            _write(connection, name, role, password)
    return missing


def ensure_all(settings: Settings) -> None:
    """Make sure that the services' logins of ``settings`` can log in; none of them where the migrations made no roles.

    A project of one's own, or --to, may have made none.
    """
    admin = settings.url(Login.ADMIN)
    logins = {login.role: settings.url(login) for login in Login if login.role}
    with connect(admin) as connection:
        if not all(exists(connection, role) for role in logins):
            return
    for role, url in logins.items():
        ensure_login(admin, url.user, role, url.params["password"])


def exists(connection: psycopg.Connection, name: str) -> bool:
    """Whether the server has such a role."""
    return connection.execute("select from pg_catalog.pg_roles where rolname = %s", [name]).fetchone() is not None


def _write(connection: psycopg.Connection, name: str, role: str, password: str) -> None:
    verifier = connection.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256").decode()
    # Neon's proxy asks for the password before the server does, and Neon refuses roles whose password it cannot read.
    secret = password if exists(connection, "neon_superuser") else verifier
    login = sql.Identifier(name)
    statements = [
        sql.SQL(
            "create role {} login nosuperuser nobypassrls nocreaterole nocreatedb noreplication password {}"
        ).format(login, sql.Literal(secret)),
        sql.SQL("grant {} to {}").format(sql.Identifier(role), login),
    ]
    sessions = connection.execute("select to_regclass('app.sessions') is not null").fetchone()
    if role == Login.AUTH.role and sessions == (True,):
        # Better Auth, whose tables these are, names them without a schema.
        statements.append(sql.SQL("alter role {} set search_path = app").format(login))
    granted = (
        f"Roles belong to the whole server. Whoever made {role} runs: "
        f'grant {role} to "{connection.info.user}" with admin option; the admin itself needs CREATEROLE.'
    )
    with permitted(connection, f'make a login of "{role}"', granted):
        for statement in statements:
            connection.execute(statement)
